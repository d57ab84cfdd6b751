"""Events of the user stream, as Binance documents them, are told as the domain's: each thing once."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from runner.domain.events import (
    Force,
    ForcedExecution,
    FundingExchanged,
    InsuranceCleared,
    MarginCalled,
    PositionReport,
)
from runner.domain.orders import OrderRequest, OrderStatus
from runner.domain.positions import Position
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.values import OrderType, Side
from runner.gateways.binance.rows import Names
from runner.gateways.binance.userevents import UserEvents, Wallet

D = Decimal
S = "BTCUSDT"
NEW, TRIGGERED, PART, FILLED, CANCELED, EXPIRED, REJECTED = (
    OrderStatus.NEW, OrderStatus.TRIGGERED, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED, OrderStatus.CANCELED,
    OrderStatus.EXPIRED, OrderStatus.REJECTED,
)


class Reader:
    """Reads events, and remembers what else it was told."""

    def __init__(self) -> None:
        self.names = Names()
        self.asked: list[object] = []
        self.events = UserEvents(
            [S], self.names, lambda symbol: D(60001), key_expired=self.asked.append,
            config_changed=lambda: self.asked.append("config"), puzzled=lambda *one: self.asked.append(one),
            unfinished=lambda *one: self.asked.append(one),
        )

    def read(self, frame: dict[str, Any]) -> list[Any]:
        return list(self.events.read(frame))


@pytest.fixture
def reader() -> Reader:
    return Reader()


def order(execution: str, status: str, **more: Any) -> dict[str, Any]:
    """ORDER_TRADE_UPDATE; the sample of "Event: Order Update", filled in."""
    return {"e": "ORDER_TRADE_UPDATE", "E": 1790000000130, "T": 1790000000123, "o": {
        "s": S, "c": "run.e", "S": "BUY", "o": "LIMIT", "f": "GTC", "q": "0.010", "p": "60000", "ap": "0", "sp": "0",
        "x": execution, "X": status, "i": 8389765519001, "l": "0", "z": "0", "L": "0", "T": 1790000000123, "t": 0,
        "b": "0", "a": "0", "m": False, "R": False, "wt": "CONTRACT_PRICE", "ot": "LIMIT", "ps": "BOTH", "cp": False,
        "rp": "0", "pP": False, "si": 0, "ss": 0, "V": "EXPIRE_MAKER", "pm": "NONE", "gtd": 0, "er": "0", **more,
    }}


def fill(status: str = "FILLED", **more: Any) -> dict[str, Any]:
    return order("TRADE", status, **{
        "ap": "60000.10", "l": "0.010", "z": "0.010", "L": "60000.10", "n": "0.30000050", "N": "USDT", "t": 536962673,
        "rp": "-0.5", **more,
    })


def algo(status: str, **more: Any) -> dict[str, Any]:
    """ALGO_UPDATE; before the trigger several fields are absent."""
    return {"e": "ALGO_UPDATE", "T": 1790000100019, "E": 1790000100024, "o": {
        "caid": "run.sl", "aid": 1000000181546843, "at": "CONDITIONAL", "o": "STOP_MARKET", "s": S, "S": "SELL",
        "ps": "BOTH", "f": "GTC", "q": "0.010", "X": status, "ai": "", "tp": "58000", "p": "0", "V": "EXPIRE_MAKER",
        "wt": "MARK_PRICE", "pm": "NONE", "cp": False, "pP": False, "R": True, "tt": 0, "gtd": 0, "ia": False, **more,
    }}


def triggered(**more: Any) -> dict[str, Any]:
    return algo("TRIGGERED", ai="8389765519777", act="MARKET", ap="0", aq="0", tt=1790000100012, **more)


def child(frame: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An event of the order that the stop has placed."""
    frame["o"] |= {"i": 8389765519777, "c": "run.sl", "S": "SELL", "o": "MARKET", "p": "0", "R": True, **more}
    return frame


def account(reason: str, **more: Any) -> dict[str, Any]:
    return {"e": "ACCOUNT_UPDATE", "E": 1790000000131, "T": 1790000000123, "a": {
        "m": reason, "B": [{"a": "USDT", "wb": "9999.69999950", "cw": "9999.6", "bc": "0"}], "P": [], **more,
    }}


def row(qty: str, symbol: str = S, **more: Any) -> dict[str, Any]:
    return {"s": symbol, "pa": qty, "ep": "60000.1", "bep": "0", "cr": "0", "up": "0", "mt": "cross", "iw": "0",
            "ps": "BOTH", **more}


def said(told: Iterable[Any]) -> list[tuple[str, str]]:
    return [(one.client_order_id, one.status.value) for one in told if isinstance(one, OrderReport)]


# ---- orders in the book -------------------------------------------------------------------------------------------


def test_an_order_is_told_with_all_that_the_exchange_holds_it_to(reader: Reader) -> None:
    assert reader.read(order("NEW", "NEW")) == [OrderReport(
        1790000000123, S, "run.e", "8389765519001", NEW, D(0), None, D(60001), "", D("0.010"), None, D(60000), Side.BUY,
        False, False,
    )]


def test_a_fill_is_told_with_its_execution_first(reader: Reader) -> None:
    trade, report = reader.read(fill())
    assert trade == TradeReport(
        1790000000123, S, "run.e", "8389765519001", "536962673", Side.BUY, D("0.010"), D("60000.10"), D("0.30000050"),
        "USDT", D("-0.5"), False,
    )
    assert (report.status, report.filled_qty, report.avg_px) == (FILLED, D("0.010"), D("60000.10"))


def test_an_execution_without_a_fee_has_none(reader: Reader) -> None:
    frame = fill()
    del frame["o"]["n"], frame["o"]["N"]
    trade = reader.read(frame)[0]
    assert (trade.fee, trade.fee_asset) == (0, "")


@pytest.mark.parametrize(("status", "er", "then", "why"), [
    ("CANCELED", "0", CANCELED, ""),
    ("EXPIRED", "2", EXPIRED, "Unfilled rest expired"),
    ("EXPIRED", "4", EXPIRED, "Reduce Only expired"),
    ("EXPIRED_IN_MATCH", "1", EXPIRED, "Self-trade prevented"),
])
def test_an_end_is_told_with_its_reason(
    reader: Reader, status: str, er: str, then: OrderStatus, why: str,
) -> None:
    (report,) = reader.read(order(status.partition("_")[0], status, er=er, z="0.004", ap="60000"))
    assert (report.status, report.reason, report.filled_qty, report.avg_px) == (then, why, D("0.004"), D(60000))


def test_a_change_of_an_order_by_hand_is_told_with_its_new_price_and_quantity(reader: Reader) -> None:
    (report,) = reader.read(order("AMENDMENT", "NEW", q="0.020", p="59000", M="1"))
    assert (report.quantity, report.limit_px, report.status) == (D("0.020"), D(59000), NEW)


def test_other_symbols_are_not_told_but_what_concerns_the_whole_account_is(reader: Reader) -> None:
    assert reader.read(order("NEW", "NEW", s="ETHUSDT")) == []
    assert reader.read(algo("NEW", s="ETHUSDT")) == []
    told = reader.read(account("ORDER", P=[row("1", "ETHUSDT")]))
    assert told == [Wallet("USDT", D("9999.69999950")), Position("ETHUSDT", D(1), D("60000.1"))]


# ---- conditional orders -------------------------------------------------------------------------------------------


def test_a_conditional_order_goes_by_its_own_number_until_its_trigger(reader: Reader) -> None:
    (report,) = reader.read(algo("NEW"))
    assert report == OrderReport(
        1790000100019, S, "run.sl", "A1000000181546843", NEW, D(0), None, D(60001), "", D("0.010"), D(58000), None,
        Side.SELL, True, False,
    )


def test_a_triggered_order_is_told_once_under_its_conditional_orders_id(reader: Reader) -> None:
    told = reader.read(algo("NEW")) + reader.read(algo("TRIGGERING")) + reader.read(triggered())
    told += reader.read(child(order("NEW", "NEW"), c="some-other-id"))
    told += reader.read(child(fill(), c="some-other-id"))
    told += reader.read(algo("FINISHED", ai="8389765519777", aq="0.010", ap="57998.50"))
    assert list(dict.fromkeys(said(told))) == [("run.sl", "NEW"), ("run.sl", "TRIGGERED"), ("run.sl", "FILLED")]
    last = [one for one in told if isinstance(one, OrderReport)][-1]
    assert (last.order_id, last.trigger_px, last.limit_px) == ("8389765519777", D(58000), None)
    (trade,) = [one for one in told if isinstance(one, TradeReport)]
    assert (trade.client_order_id, trade.order_id) == ("run.sl", "8389765519777")
    assert reader.asked == []


def test_a_rejection_at_the_trigger_is_told_with_its_reason(reader: Reader) -> None:
    (report,) = reader.read(algo("REJECTED", rm="Reduce Only reject"))
    assert (report.status, report.reason) == (REJECTED, "Reduce Only reject")


def test_an_order_that_closes_the_position_has_no_quantity_of_its_own(reader: Reader) -> None:
    (report,) = reader.read(algo("NEW", cp=True, q="0", f="GTE_GTC"))
    assert (report.quantity, report.close_position, report.reduce_only) == (None, True, True)
    reader.read(triggered(cp=True, q="0"))
    report = reader.read(child(fill()))[-1]
    assert (report.quantity, report.close_position) == (D("0.010"), True)


def test_an_order_that_is_over_without_a_word_of_its_end_is_asked_for(reader: Reader) -> None:
    reader.read(triggered())
    assert reader.read(algo("FINISHED", ai="8389765519777", aq="0.010")) == []
    assert reader.asked == [(S, "run.sl")] and not reader.events.ended("run.sl")
    reader.read(child(fill()))
    assert reader.events.ended("run.sl")


def test_an_engine_order_that_overtakes_its_trigger_waits_for_it(reader: Reader) -> None:
    reader.read(algo("NEW"))
    assert reader.read(child(order("NEW", "NEW"), c="engine-1")) == []
    assert reader.read(child(fill(), c="engine-1")) == []
    assert reader.asked == [(S, "8389765519777", ("run.sl",))]
    assert reader.events.waits(S, "8389765519777")
    told = reader.read(triggered())
    assert said(told) == [("run.sl", "TRIGGERED"), ("run.sl", "TRIGGERED"), ("run.sl", "FILLED")]
    assert not reader.events.waits(S, "8389765519777")
    assert list(reader.events.settle(S, "8389765519777")) == []


def test_an_order_whose_origin_is_not_found_is_told_by_its_own_id(reader: Reader) -> None:
    reader.events.asked(OrderRequest("run.sl", S, Side.SELL, OrderType.STOP_MARKET, D("0.010"), trigger_price=D(58000)))
    assert reader.read(child(order("NEW", "NEW"), c="web_1")) == []
    assert said(reader.events.settle(S, "8389765519777")) == [("web_1", "NEW")]
    assert said(reader.read(child(fill(), c="web_1"))) == [("web_1", "FILLED")]


@pytest.mark.parametrize("case", ["no conditional order", "another side", "refused", "over", "known", "forced"])
def test_an_order_that_no_conditional_order_can_have_placed_is_told_at_once(reader: Reader, case: str) -> None:
    request = OrderRequest("run.sl", S, Side.SELL, OrderType.STOP_MARKET, D("0.010"), trigger_price=D(58000))
    if case != "no conditional order":
        reader.events.asked(request.but(side=Side.BUY) if case == "another side" else request)
    if case == "refused":
        reader.events.over("run.sl")
    if case == "over":
        reader.read(algo("CANCELED"))
    if case == "known":
        reader.events.asked(OrderRequest("web_1", S, Side.SELL, OrderType.MARKET, D("0.010")))
    client_id = "adl_autoclose_1" if case == "forced" else "web_1"
    assert reader.read(child(fill(), c=client_id)) != []
    assert reader.asked == []


def test_what_a_snapshot_has_shown_is_known_to_the_stream(reader: Reader) -> None:
    reader.events.shown([OrderReport(
        1, S, "run.sl", "A7", NEW, quantity=D("0.010"), trigger_px=D(58000), side=Side.SELL, reduce_only=True,
    )])
    assert said(reader.read(child(order("NEW", "NEW")))) == [("run.sl", "TRIGGERED")]


# ---- the account --------------------------------------------------------------------------------------------------


def test_positions_and_wallets_are_told_as_they_are_now(reader: Reader) -> None:
    assert reader.read(account("ORDER", P=[row("-0.010"), row("5", ps="LONG")])) == [
        Wallet("USDT", D("9999.69999950")), Position(S, D("-0.010"), D("60000.1")),
        PositionReport(1790000000123, S, D("-0.010")),
    ]
    assert reader.read(account("ORDER", P=[row("0")]))[1:] == [
        Position(S), PositionReport(1790000000123, S, D(0)),
    ]


@pytest.mark.parametrize("where", [{"S": S}, {"P": [row("0.010")]}])
def test_funding_is_told_of_the_symbol_that_the_event_names(reader: Reader, where: dict[str, Any]) -> None:
    change = [{"a": "USDT", "wb": "9999", "cw": "9999", "bc": "-0.06"}]
    told = reader.read(account("FUNDING_FEE", B=change, **where))
    assert told[0] == FundingExchanged(1790000000123, S, D("-0.06"), "USDT")
    assert told[1] == Wallet("USDT", D(9999))
    assert not any(
        isinstance(one, FundingExchanged) for one in reader.read(account("FUNDING_FEE", B=change, S="ETHUSDT"))
    )


def test_the_insurance_fund_is_told(reader: Reader) -> None:
    told = reader.read(account("INSURANCE_CLEAR", B=[{"a": "USDT", "wb": "0", "cw": "0", "bc": "3.5"}]))
    assert told[0] == InsuranceCleared(1790000000123, D("3.5"), "USDT")


@pytest.mark.parametrize(("client_id", "cause"), [
    ("autoclose-1", Force.LIQUIDATED), ("adl_autoclose", Force.DELEVERAGED),
    ("settlement_autoclose-1", Force.LIQUIDATED),
])
def test_an_order_of_the_exchanges_own_is_a_forced_execution(reader: Reader, client_id: str, cause: Force) -> None:
    assert reader.read(order("NEW", "NEW", c=client_id, i=9)) == []
    (told,) = reader.read(fill(c=client_id, i=9, x="CALCULATED"))
    assert told == ForcedExecution(
        1790000000123, S, cause, "9", "536962673", Side.BUY, D("0.010"), D("60000.10"), D("0.30000050"), "USDT",
        D("-0.5"),
    )


def test_a_margin_call_names_its_symbols(reader: Reader) -> None:
    frame = {"e": "MARGIN_CALL", "E": 5, "cw": "3.1", "p": [{"s": S, "ps": "BOTH", "pa": "1"}, {"s": "ETHUSDT"}]}
    assert reader.read(frame) == [MarginCalled(5, (S, "ETHUSDT"))]


def test_changed_settings_and_expired_keys_are_asked_for(reader: Reader) -> None:
    config = {"e": "ACCOUNT_CONFIG_UPDATE", "E": 1, "T": 1}
    assert reader.read({**config, "ac": {"s": "ETHUSDT", "l": 25}}) == []
    assert reader.read({**config, "ac": {"s": S, "l": 25}}) == []
    assert reader.read({**config, "ai": {"j": True}}) == []
    assert reader.read({"e": "listenKeyExpired", "E": "1736996475556", "listenKey": "K"}) == []
    assert reader.asked == ["config", "config", "K"]


def test_what_is_ignored_or_not_known_says_nothing(reader: Reader, caplog: pytest.LogCaptureFixture) -> None:
    for kind in ("TRADE_LITE", "STRATEGY_UPDATE", "BRAND_NEW", "BRAND_NEW"):
        assert reader.read({"e": kind, "E": 1}) == []
    assert reader.read({}) == []
    assert [record.args for record in caplog.records] == [("BRAND_NEW",), (None,)]
