"""One exchange for each client, and an account of its own for each test."""

from collections.abc import Iterator

import pytest

from tests.acceptance.served import Account, Served, serving


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("exchange")) as exchange:
        yield exchange


@pytest.fixture
def account(exchange: Served) -> Account:
    """With 10,000 USDT; the price is back at 60,000."""
    exchange.price("60000")
    return exchange.open_account()
