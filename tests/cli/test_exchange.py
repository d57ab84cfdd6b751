"""The served exchange as its users have it: the command in a process of its own, plain HTTP, a signal at the end."""

import hashlib
import hmac
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, RemoteDisconnected
from pathlib import Path
from typing import Any

import pytest

from tests.cli.session import Session, bare_environment
from tests.conftest import ROOT

DOCS = (ROOT / "docs" / "exchange.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```sh\n(.*?)^```$", DOCS, re.MULTILINE | re.DOTALL)


@dataclass
class Running:
    process: "subprocess.Popen[str]"
    port: int
    told: str

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(
                method, path, None if body is None else json.dumps(body), {"X-MBX-APIKEY": "sim-key"},
            )
            answer = connection.getresponse()
            return answer.status, json.load(answer)
        finally:
            connection.close()

    def signed(self, method: str, path: str, **params: object) -> tuple[int, Any]:
        query = "&".join(f"{name}={value}" for name, value in {**params, "timestamp": int(time.time() * 1000)}.items())
        signature = hmac.new(b"sim-secret", query.encode(), hashlib.sha256).hexdigest()
        return self.ask(method, f"{path}?{query}&signature={signature}")

    def market(self, client_id: str) -> tuple[int, Any]:
        return self.signed(
            "POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.010",
            newClientOrderId=client_id,
        )

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        """Send the signal; the exit code, and what was told since the start."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err


@contextmanager
def exchange(folder: Path, *arguments: str) -> Iterator[Running]:
    process = subprocess.Popen(
        [sys.executable, "-m", "runner", "exchange", "--port", "0", *arguments], cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=bare_environment(),
    )
    assert process.stdout is not None
    told = ""
    try:
        for line in process.stdout:
            told += line
            if line.startswith("speed"):
                break
        port = re.search(r"^REST +http://127\.0\.0\.1:(\d+)", told, re.MULTILINE)
        assert port is not None, told + (process.stderr.read() if process.stderr else "")
        yield Running(process, int(port[1]), told)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def test_it_says_that_it_is_no_real_exchange_and_where_it_is(tmp_path: Path) -> None:
    with exchange(tmp_path) as running:
        assert "no real exchange and holds no real money" in running.told
        assert f"ws://127.0.0.1:{running.port}" in running.told
        assert "sim-key" in running.told
        assert "sim-secret" in running.told
        for symbol in ("BTCUSDT", "ETHUSDT"):
            assert re.search(rf"^market +{symbol}: INVENTED", running.told, re.MULTILINE)
        assert "\x1b" not in running.told
        status, found = running.ask("GET", "/fapi/v1/exchangeInfo")
        assert (status, {each["symbol"] for each in found["symbols"]}) == (200, {"BTCUSDT", "ETHUSDT", "XRPUSDT"})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_also_while_a_request_hangs(tmp_path: Path, number: int) -> None:
    with exchange(tmp_path) as running:
        running.ask("POST", "/sim/faults", {"name": "hanging_answer"})
        with socket.create_connection(("127.0.0.1", running.port), timeout=10) as waiting:
            query = f"symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01&timestamp={int(time.time() * 1000)}"
            signature = hmac.new(b"sim-secret", query.encode(), hashlib.sha256).hexdigest()
            head = f"POST /fapi/v1/order?{query}&signature={signature} HTTP/1.1"
            waiting.sendall(f"{head}\r\nHost: x\r\nX-MBX-APIKEY: sim-key\r\n\r\n".encode())
            while running.ask("GET", "/sim/faults")[1][0]["happened"] == 0:
                pass
            code, out, err = running.end(number)
        assert (code, err) == (0, "")
        assert "stopped" in out


def test_a_lost_answer_leaves_an_order_behind(tmp_path: Path) -> None:
    faults = tmp_path / "faults.yaml"
    faults.write_text("faults:\n  - {name: lost_answer, client_id: 'lost*'}\n", encoding="utf-8")
    with exchange(tmp_path, "--speed", "step", "--path", "0s:60000,10s:60010", "--faults", str(faults)) as running:
        assert "faults     1 from the file" in running.told
        assert "a path of 2 prices" in running.told
        assert running.market("heard")[0] == 200
        with pytest.raises(RemoteDisconnected):
            running.market("lost-1")
        status, order = running.signed("GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="lost-1")
        assert (status, order["status"], order["executedQty"]) == (200, "FILLED", "0.010")
        assert running.ask("GET", "/sim/positions")[1]["sim"]["positions"][0]["positionAmt"] == "0.020"
        running.ask("POST", "/sim/step", {"ms": 20_000})
        assert running.ask("GET", "/sim")[1]["markets"]["BTCUSDT"]["last"] == "60010.0"


def test_data_files_are_played(tmp_path: Path) -> None:
    rows = ["open_time,open,high,low,close,volume,close_time"]
    for minute in range(3):
        opened = 1_746_057_600_000 + minute * 60_000
        rows.append(f"{opened},{60000 + minute},{60010 + minute},{59990 + minute},{60005 + minute},5,{opened + 59_999}")
    (tmp_path / "BTCUSDT-1m.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    with exchange(tmp_path, "--data", "BTCUSDT-1m.csv", "--speed", "step") as running:
        assert "market     BTCUSDT: BTCUSDT-1m.csv, 3 candles" in running.told
        began = running.ask("GET", "/sim/clock")[1]["exchange_ms"]
        assert abs(began - time.time() * 1000) < 60_000
        running.ask("POST", "/sim/step", {"ms": 60_000})
        assert running.ask("GET", "/sim")[1]["markets"]["BTCUSDT"]["last"] == "60001"


def test_a_file_that_breaks_off_while_it_is_played_ends_the_exchange_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "BTCUSDT-trades.csv").write_text(
        "1,60000,1,60000,1746057600000,true\n2,60001,1,60001,1746057600001,true\n3,x,1,1,1746057600002,true\n",
        encoding="utf-8",
    )
    with exchange(tmp_path, "--data", "BTCUSDT-trades.csv", "--speed", "100x") as running:
        _, err = running.process.communicate(timeout=20)
        assert running.process.returncode == 4
        assert "BTCUSDT-trades.csv, row 3" in err
        assert "Traceback" not in err


def test_a_port_in_use_is_told(daksh: Session) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = daksh("exchange", "--port", str(taken.getsockname()[1]))
    assert ended.code == 4
    assert "cannot listen at 127.0.0.1 port" in ended.err
    assert "in use" in ended.err
    assert "--port" in ended.err


@pytest.mark.parametrize(("arguments", "code", "words"), [
    (["--data", "none.csv"], 2, "its name does not say the symbol"),
    (["--data", "BTCUSDT=none.csv"], 4, "there is no such file"),
    (["--faults", "none.yaml"], 4, "the faults cannot be read"),
    (["--instruments", "none.json"], 4, "the instruments cannot be read"),
    (["--price", "PEPEUSDT=1"], 4, "its trading rules are not known"),
    (["--path", "0s:60000", "--price", "BTCUSDT=1"], 2, "two kinds of market"),
    (["--path", "0s"], 2, "is not a number above zero"),
    (["--path", "soon:60000"], 2, "is not a time and a price"),
    (["--path", "1m:60000,30s:60001"], 2, "is not after the point before it"),
    (["--path", "btc=0s:60000"], 2, "is no symbol"),
    (["--speed", "fast"], 2, "'fast' is not a speed, like 1x, 100x, 0.5x or step"),
    (["--speed", "0.001x"], 2, "is not from 0.01x to 10000x"),
    (["--balance", "0"], 2, "is not a number above zero"),
    (["--port", "70000"], 2, "70000"),
    (["--host", "999.1.1.1"], 4, "cannot listen at 999.1.1.1"),
    (["--rule", "conflict=MAYBE"], 2, "conflict is one of KNOCK_OUT, REFUSE, REFUSE_MARGIN"),
    (["--rule", "weather=fine"], 2, "'weather' is none of conflict"),
])
def test_what_makes_no_sense_is_refused(daksh: Session, arguments: list[str], code: int, words: str) -> None:
    ended = daksh("exchange", "--port", "0", *arguments)
    assert (ended.code, ended.out) == (code, "")
    assert words in ended.err
    assert "Traceback" not in ended.err


def test_faults_that_make_no_sense_are_told_with_their_line(daksh: Session) -> None:
    (daksh.folder / "faults.yaml").write_text("faults:\n  - name: lost_anser\n", encoding="utf-8")
    ended = daksh("exchange", "--faults", "faults.yaml")
    assert ended.code == 4
    assert "faults.yaml:2:11: 'lost_anser' is no fault's name" in ended.err
    assert "did you mean 'lost_answer'?" in ended.err


def test_switches_can_be_turned(tmp_path: Path) -> None:
    with exchange(tmp_path, "--rule", "conflict=REFUSE", "--rule", "good_till_cancels=false") as running:
        rules = running.ask("GET", "/sim/rules")[1]
        assert (rules["conflict"], rules["good_till_cancels"]) == ("REFUSE", False)


def test_another_host_than_loopback_is_said_loudly(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "runner", "exchange", "--port", "0", "--host", "0.0.0.0"], cwd=tmp_path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=bare_environment(),
    )
    assert process.stderr is not None
    assert "it listens at 0.0.0.0: every machine that reaches this one" in process.stderr.readline()
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_without_its_packages_it_says_what_to_install(daksh: Session) -> None:
    (daksh.folder / "aiohttp.py").write_text("raise ModuleNotFoundError(name='aiohttp')\n", encoding="utf-8")
    ended = daksh("exchange", env={"PYTHONPATH": str(daksh.folder)})
    assert ended.code == 4
    assert "pip install 'daksh-run[exchange]'" in ended.err


@pytest.mark.parametrize("arguments", [["validate", "plan.yaml"], ["plan.yaml"], ["--help"], ["exchange", "--help"]])
def test_no_other_command_loads_the_wire(daksh: Session, arguments: list[str]) -> None:
    shutil.copy(ROOT / "examples" / "limit.yaml", daksh.folder / "plan.yaml")
    for name in ("aiohttp", "cryptography"):
        (daksh.folder / f"{name}.py").write_text("raise SystemExit('it was loaded')\n", encoding="utf-8")
    ended = daksh(*arguments, env={"PYTHONPATH": str(daksh.folder)})
    assert ended.code == 0, ended.err
    assert "it was loaded" not in ended.err


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="curl and openssl are needed")
def test_the_examples_of_the_page_work_as_typed(tmp_path: Path) -> None:
    with exchange(tmp_path, "--path", "0s:60000,1h:60000") as running:
        assert len(EXAMPLES) >= 6
        for example in EXAMPLES:
            script = example.replace("127.0.0.1:9001", f"127.0.0.1:{running.port}")
            found = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", script.replace("curl -s", "curl -sS --fail-with-body")],
                capture_output=True, text=True, timeout=60, check=False,
            )
            assert found.returncode == 0, f"{example}\n{found.stdout}{found.stderr}"
        assert running.end()[0] == 0


def test_the_page_has_every_option_fault_and_switch() -> None:
    from runner.cli.commands.exchange import command
    from runner.venue.fapi.routes.asked import AddAccount
    from runner.venue.faults import KINDS
    from runner.venue.settings import Rules

    for option in command.params:
        assert f"`{option.opts[-1]}" in DOCS, option.opts
    for name, kind in KINDS.items():
        row = next(line for line in DOCS.splitlines() if line.startswith(f"| `{name}` |"))
        for parameter in kind.parameters:
            assert f"`{parameter}`" in row, (name, parameter)
    for name, _ in Rules.fields():
        assert f"| `{name}` |" in DOCS
    for name, _ in AddAccount.fields():
        assert f"`{name}`" in DOCS or f'"{name}"' in DOCS, name
