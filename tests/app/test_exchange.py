import os
import signal
import socket
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from runner.app.exchange import ExchangeOptions, Opened, serve
from runner.app.played import Sources
from runner.errors import EnvironmentFault
from runner.venue.settings import Rules


def options(**changes: Any) -> ExchangeOptions:
    standard = ExchangeOptions(
        host="127.0.0.1", port=0, sources=Sources(paths=(("", ((0, Decimal(60000)),)),)), speed=0.0,
        balance=Decimal(10000), faults=None, instruments=None, limits=True, rules=Rules(),
    )
    return standard._replace(**changes)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_tells_what_it_serves_once_it_listens_and_ends_on_a_signal(number: int) -> None:
    told: list[Opened] = []

    def tell(opened: Opened) -> None:
        told.append(opened)
        with socket.create_connection((opened.host, opened.port), timeout=5):
            os.kill(os.getpid(), number)

    serve(options(), tell)
    (opened,) = told
    assert (opened.key, opened.secret, opened.faults) == ("sim-key", "sim-secret", 0)
    assert opened.markets == {"BTCUSDT": "INVENTED, a path of 1 price"}


def test_nothing_is_told_where_the_port_is_taken() -> None:
    told: list[Opened] = []
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(EnvironmentFault, match="cannot listen"):
        serve(options(port=taken.getsockname()[1]), told.append)
    assert not told


def test_files_are_read_before_anything_is_served(tmp_path: Path) -> None:
    told: list[Opened] = []
    for wrong in (
        {"faults": tmp_path / "none.yaml"}, {"instruments": tmp_path / "none.json"},
        {"sources": Sources(files=(("BTCUSDT", str(tmp_path / "none.csv")),))},
    ):
        with pytest.raises(EnvironmentFault, match="none"):
            serve(options(**wrong), told.append)
    assert not told
