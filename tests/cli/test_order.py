"""Orders typed on the command line."""

import csv
import json
import re
import shlex

import pytest

from tests.cli.session import Ended, Session

SHOWN = {
    "market BTCUSDT BUY 0.001": r"OK: MARKET FAKE-1 FILLED",
    "limit ETHUSDT SELL 1 3200": r"OK: LIMIT FAKE-1 ACCEPTED",
    "stop-limit BTCUSDT SELL 0.001 --stop-price 59000 --limit-price 58800": r"OK: STOP FAKE-A1 ACCEPTED",
    "oco BTCUSDT SELL 0.001 --take-profit 62000 --stop-price 59000 --stop-limit-price 58800":
        r"OK: STOP FAKE-A1 CANCELED, TAKE_PROFIT FAKE-1 FILLED; link OCO-\w+-oco",
    "bracket BTCUSDT BUY 0.002 --entry-type MARKET --take-profit 62000 --stop-price 59000":
        r"OK: MARKET FAKE-1 FILLED, STOP_MARKET FAKE-A1 CANCELED, TAKE_PROFIT FAKE-2 FILLED; link BRK-\w+-bracket",
    "twap BTCUSDT BUY 0.009 --slices 3 --interval 2s":
        r"OK: MARKET FAKE-1 FILLED, MARKET FAKE-2 FILLED, MARKET FAKE-3 FILLED; link TWAP-\w+-twap",
}
OLD = {
    "stop-limit BTCUSDT SELL 0.001 --stopPrice 59000 --limitPrice 58800":
        "stop-limit BTCUSDT SELL 0.001 --stop-price 59000 --limit-price 58800",
    "oco BTCUSDT SELL 0.001 --takeProfit 62000 --stopPrice 59000 --stopLimitPrice 58800":
        "oco BTCUSDT SELL 0.001 --take-profit 62000 --stop-price 59000 --stop-limit-price 58800",
    "bracket BTCUSDT BUY 0.002 --entryType LIMIT --limitPrice 60000 --takeProfit 62000 --stopPrice 59000":
        "bracket BTCUSDT BUY 0.002 --limit-price 60000 --take-profit 62000 --stop-price 59000",
    "twap BTCUSDT BUY 0.009 --slices 3 --intervalSec 2": "twap BTCUSDT BUY 0.009 --slices 3 --interval 2s",
}


def _order(daksh: Session, line: str, *more: str, env: dict[str, str] | None = None) -> Ended:
    return daksh("order", *shlex.split(line), *more, env=env)


@pytest.mark.parametrize("line", SHOWN)
def test_an_order_ends_ok_with_its_ids_and_lands_in_the_trade_journal(line: str, daksh: Session) -> None:
    ended = _order(daksh, line)
    assert ended.code == 0, ended.err
    assert re.fullmatch(SHOWN[line], ended.out.splitlines()[-1])
    with (daksh.folder / ".daksh" / "trades.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["orderId"] for row in rows] == re.findall(r"FAKE-A?\d+", SHOWN[line])
    assert {row["symbol"] for row in rows} == {line.split()[1]}


@pytest.mark.parametrize("line", SHOWN)
def test_an_order_prints_a_plan_that_validates_and_runs_nothing(line: str, daksh: Session) -> None:
    ended = _order(daksh, line, "--print-plan")
    assert ended.code == 0 and ended.out.startswith("version: 1\n")
    assert list(daksh.folder.iterdir()) == []
    assert daksh("validate", "-", stdin=ended.out.encode()).code == 0


@pytest.mark.parametrize(("old", "new"), OLD.items(), ids=lambda line: line.split()[0])
def test_the_flags_of_old_mean_the_same(old: str, new: str, daksh: Session) -> None:
    printed = _order(daksh, old, "--print-plan")
    assert printed.code == 0, printed.err
    assert printed.out == _order(daksh, new, "--print-plan").out


def test_a_twap_sends_what_does_not_divide_in_its_last_slice(daksh: Session) -> None:
    found = json.loads(_order(daksh, "twap BTCUSDT BUY 0.010 --slices 3 --interval 2s", "--format", "json").out)
    assert [row["qty"] for row in found["trades"]] == ["0.003", "0.003", "0.004"]
    assert found["ok"] is True


def test_an_order_that_only_closes_is_given_its_position_and_says_so(daksh: Session) -> None:
    given = "the dry run is given the position to close: "
    assert _order(daksh, list(SHOWN)[3]).out.startswith(given + "long 0.001 BTCUSDT from 60500\n")
    ended = _order(daksh, "limit BTCUSDT BUY 0.002 60000 --reduce-only")
    assert ended.code == 0 and ended.out.startswith(given + "short 0.002 BTCUSDT from 60000\n")
    assert _order(daksh, "twap BTCUSDT SELL 0.006 --slices 2 --interval 1s --reduce-only").code == 0
    ended = _order(daksh, "market XRPUSDT SELL 100 --reduce-only")
    assert ended.code == 4 and "--price XRPUSDT=PRICE" in ended.err
    assert _order(daksh, "market XRPUSDT SELL 100 --reduce-only --price XRPUSDT=2.5").code == 0


def test_the_default_symbol_stands_in_for_one_that_is_left_out(daksh: Session) -> None:
    ended = _order(daksh, "market buy 0.1", "--print-plan", env={"DEFAULT_SYMBOL": "ETHUSDT"})
    assert ended.code == 0 and "symbol: ETHUSDT" in ended.out and "side: BUY" in ended.out
    ended = _order(daksh, "market BUY 0.1")
    assert ended.code == 2 and "DEFAULT_SYMBOL" in ended.err


def test_an_opening_order_without_a_stop_is_warned_of_unless_it_is_meant(daksh: Session) -> None:
    assert "without a stop" in _order(daksh, "market BTCUSDT BUY 0.001").err
    assert "without a stop" not in _order(daksh, "market BTCUSDT BUY 0.001 --unprotected allow").err


def test_what_the_exchange_would_refuse_is_an_invalid_plan(daksh: Session) -> None:
    ended = _order(daksh, "limit BTCUSDT BUY 0.0015 60000")
    assert ended.code == 3 and "0.001 or 0.002" in ended.err
    assert list(daksh.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("market", "SYMBOL is missing"), ("market BTCUSDT", "SIDE is missing"),
        ("market BTCUSDT BUY", "QTY is missing"),
        ("market BTCUSDT HOLD 1", "SIDE is 'HOLD', not BUY or SELL"), ("market BTCUSDT BUY many", "QTY: 'many'"),
        ("market BTCUSDT BUY 1 2", "unexpected '2' after QTY"), ("limit BTCUSDT BUY 1", "PRICE is missing"),
        ("market BTCUSDT BUY 0", "QTY: '0' is not a number above zero"),
        ("oco BTCUSDT SELL 1 --stop-price 59000", "--take-profit"),
        ("stop-limit BTCUSDT SELL 1 --stop-price 59000", "--limit-price"),
        ("bracket BTCUSDT BUY 1 --entry-type LIMIT --stop-price 59000", "needs --limit-price"),
        ("bracket BTCUSDT BUY 1 --entry-type MARKET --limit-price 6 --stop-price 5", "takes no --limit-price"),
        ("twap BTCUSDT BUY 1 --slices 0 --interval 2s", "--slices"),
        ("twap BTCUSDT BUY 1 --slices 3 --interval soon", "'soon' is not a duration"),
    ],
)
def test_wrong_words_are_one_clear_line_and_exit_2(line: str, said: str, daksh: Session) -> None:
    ended = _order(daksh, line)
    assert ended.code == 2
    first, hint = ended.err.splitlines()
    assert first.startswith("error: ") and said in first
    assert hint.startswith("  see: daksh-run order")
