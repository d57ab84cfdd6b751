"""What an account hears of the exchange's real doings, in which order, and that it adds up."""

import asyncio
from decimal import Decimal
from typing import Any

from runner.domain.values import Side, TimeInForce
from runner.venue.market import Mark, Quote
from runner.venue.requests import Amendment
from runner.venue.terms import MarginType, PositionSide
from tests.venue.fapi.earshot import Ears, Wire, wire
from tests.venue.fapi.told import AT, d, request


def quote(bid: str, at: int, qty: str = "100") -> Quote:
    return Quote("BTCUSDT", AT + at, d(bid), d(qty), d(bid) + d("0.1"), d(qty))


class Life:
    """An account that trades and listens."""

    def __init__(self, served: Wire, ears: Ears) -> None:
        self.served, self.ears = served, ears
        self.exchange = served.door.exchange
        self.account = self.exchange.accounts["default"]
        self.now = AT

    def place(self, kind: str, side: str, qty: str = "0.01", **more: Any) -> None:
        asked = request(kind, side, qty, client_order_id=more.pop("id", ""), **more)
        self.now += 1
        if asked.order_type.conditional:
            self.exchange.place_conditional(self.account, asked, self.now)
        else:
            self.exchange.place(self.account, asked, self.now)
        self.served.door.publish()

    def price(self, bid: str, at: int, qty: str = "100") -> None:
        self.now = AT + at
        self.served.feed(quote(bid, at, qty))

    async def heard(self) -> list[Any]:
        return await self.ears.heard()

    async def short(self) -> list[str]:
        """Each event in a word or two."""
        return [_short(event) for event in await self.heard()]


def _short(event: Any) -> str:
    match event["e"]:
        case "ORDER_TRADE_UPDATE":
            return f"{event['o']['x']} {event['o']['X']}"
        case "ALGO_UPDATE":
            return f"ALGO {event['o']['X']}"
        case "ACCOUNT_UPDATE":
            return f"ACCOUNT {event['a']['m']}"
        case name:
            return str(name)


def living(test: Any) -> Any:
    """A test of an account that listens to everything, on a market at 60,000."""

    async def run() -> None:
        async with wire(first=quote("60000.0", 0)) as served, served.socket(f"/private/ws/{served.key}") as ears:
            await ears.heard()
            await test(Life(served, ears))

    def sync() -> None:
        asyncio.run(run())

    sync.__name__ = test.__name__
    return sync


TAKEN = ["TRADE_LITE", "NEW NEW", "TRADE FILLED", "ACCOUNT ORDER"]


@living
async def test_a_market_order_is_told_as_binance_tells_it(life: Life) -> None:
    life.place("MARKET", "BUY")
    events = await life.heard()
    assert [_short(event) for event in events] == TAKEN
    assert len({event["T"] for event in events}) == 1
    lite, new, trade, account = events
    assert (lite["t"], lite["i"], lite["L"]) == (trade["o"]["t"], new["o"]["i"], trade["o"]["L"])
    assert account["a"]["P"][0]["pa"] == "0.010" and account["a"]["P"][0]["ep"] == "60000.1"
    fee = Decimal(trade["o"]["n"])
    assert Decimal(account["a"]["B"][0]["wb"]) == 10000 - fee == life.account.wallet()


@living
async def test_a_deep_market_order_has_many_trades_and_one_account_update(life: Life) -> None:
    life.price("60000.0", 5, "0.004")
    life.place("MARKET", "BUY", "0.01")
    events = await life.heard()
    assert [_short(event) for event in events] == [
        "TRADE_LITE", "TRADE_LITE", "TRADE_LITE", "NEW NEW", "TRADE PARTIALLY_FILLED", "TRADE PARTIALLY_FILLED",
        "TRADE FILLED", "ACCOUNT ORDER",
    ]
    trades = [event["o"] for event in events if event["e"] == "ORDER_TRADE_UPDATE"][1:]
    assert [trade["z"] for trade in trades] == ["0.004", "0.008", "0.010"]
    assert Decimal(events[-1]["a"]["B"][0]["wb"]) == 10000 - sum(Decimal(trade["n"]) for trade in trades)


@living
async def test_a_resting_order_is_amended_filled_in_part_and_cancelled(life: Life) -> None:
    life.place("LIMIT", "BUY", price=d(59000), id="rest")
    change = Amendment("BTCUSDT", "rest", Side.BUY, d("0.02"), d("59500"), modify_id=7)
    life.exchange.amend(life.account, change, AT + 10)
    life.exchange.fill_resting(life.account, "BTCUSDT", "rest", d("0.005"), AT + 11)
    life.exchange.cancel(life.account, "BTCUSDT", "rest", AT + 12)
    life.served.door.publish()
    events = await life.heard()
    assert [_short(event) for event in events] == [
        "NEW NEW", "AMENDMENT NEW", "TRADE_LITE", "TRADE PARTIALLY_FILLED", "ACCOUNT ORDER", "CANCELED CANCELED",
    ]
    amended, ended = events[1]["o"], events[-1]["o"]
    assert (amended["M"], amended["p"], amended["q"]) == ("7", "59500.00", "0.020")
    assert (ended["z"], ended["q"], ended["ap"]) == ("0.005", "0.020", "59500.00")
    assert events[3]["o"]["m"] is True


@living
async def test_a_stop_is_told_from_its_acceptance_to_its_end(life: Life) -> None:
    life.place("MARKET", "BUY")
    life.place("STOP_MARKET", "SELL", trigger_price=d(59000), reduce_only=True, id="sl")
    await life.heard()
    life.price("58999.0", 100)
    events = await life.heard()
    assert [_short(event) for event in events] == [
        "ALGO TRIGGERING", "ALGO TRIGGERED", *TAKEN, "ALGO FINISHED",
    ]
    triggered, finished, order = events[1]["o"], events[-1]["o"], events[3]["o"]
    assert triggered["ai"] == finished["ai"] == str(order["i"])
    assert order["c"] == triggered["caid"] == "sl" and order["o"] == triggered["act"] == "MARKET"
    assert (finished["aq"], Decimal(finished["ap"])) == ("0.010", Decimal(events[4]["o"]["ap"]))
    assert events[-2]["a"]["P"][0]["pa"] == "0"


@living
async def test_a_stop_without_a_position_is_rejected_with_its_reason(life: Life) -> None:
    life.place("STOP_MARKET", "SELL", trigger_price=d(59000), reduce_only=True)
    await life.heard()
    life.price("58999.0", 100)
    events = await life.heard()
    assert [_short(event) for event in events] == ["ALGO TRIGGERING", "ALGO REJECTED"]
    assert events[1]["o"]["rm"] == "Reduce Only reject"


@living
async def test_a_close_position_order_ends_with_its_position(life: Life) -> None:
    life.place("MARKET", "BUY")
    life.place("TAKE_PROFIT_MARKET", "SELL", "0", trigger_price=d(61000), close_position=True)
    await life.heard()
    life.place("MARKET", "SELL", reduce_only=True)
    assert await life.short() == [*TAKEN, "ALGO EXPIRED"]


@living
async def test_a_trailing_stop_tells_its_activation(life: Life) -> None:
    life.place("MARKET", "BUY")
    life.place("TRAILING_STOP_MARKET", "SELL", callback_rate=d(1), activation_price=d(60500), reduce_only=True)
    await life.heard()
    life.price("60600.0", 100)
    (event,) = await life.heard()
    assert (event["o"]["X"], event["o"]["ia"]) == ("NEW", True)


@living
async def test_an_order_that_expires_says_why(life: Life) -> None:
    life.price("60000.0", 5, "0.004")
    life.place("LIMIT", "BUY", price=d("60000.1"), time_in_force=TimeInForce.IOC)
    events = await life.heard()
    assert [_short(event) for event in events] == [
        "TRADE_LITE", "NEW NEW", "TRADE PARTIALLY_FILLED", "EXPIRED EXPIRED", "ACCOUNT ORDER",
    ]
    assert events[3]["o"]["er"] == "2" and events[3]["o"]["z"] == "0.004"


@living
async def test_settings_of_the_account_are_told(life: Life) -> None:
    exchange, account = life.exchange, life.account
    exchange.set_leverage(account, "BTCUSDT", 25, AT + 1)
    exchange.set_margin_type(account, "BTCUSDT", MarginType.ISOLATED, AT + 2)
    exchange.transfer(account, d(500), AT + 3)
    exchange.transfer(account, d(-200), AT + 4)
    life.served.door.publish()
    life.now = AT + 5
    life.place("MARKET", "BUY")
    exchange.move_margin(account, "BTCUSDT", PositionSide.BOTH, d(50), AT + 20)
    life.served.door.publish()
    events = await life.heard()
    leverage = next(event for event in events if event["e"] == "ACCOUNT_CONFIG_UPDATE")
    assert leverage["ac"] == {"s": "BTCUSDT", "l": 25}
    accounts = [event["a"] for event in events if event["e"] == "ACCOUNT_UPDATE"]
    reasons = [shown["m"] for shown in accounts]
    assert [reason for reason in reasons if reason != "MARGIN_TYPE_CHANGE"] == [
        "DEPOSIT", "WITHDRAW", "ORDER", "MARGIN_TRANSFER",
    ]
    last = accounts[-1]
    assert last["P"][0]["mt"] == "isolated" and Decimal(last["P"][0]["iw"]) > 50
    assert Decimal(last["B"][0]["wb"]) - Decimal(last["B"][0]["cw"]) == Decimal(last["P"][0]["iw"])


@living
async def test_funding_is_told_with_its_symbol_and_without_the_position(life: Life) -> None:
    life.place("MARKET", "BUY")
    before = life.account.wallet()
    life.exchange.set_funding_rate("BTCUSDT", d("0.0001"))
    await life.heard()
    life.exchange.advance(1_790_006_400_000)
    life.served.door.publish()
    (event,) = await life.heard()
    assert event["a"]["m"] == "FUNDING_FEE" and event["a"]["S"] == "BTCUSDT" and event["a"]["P"] == []
    assert Decimal(event["a"]["B"][0]["wb"]) == life.account.wallet() < before
    assert Decimal(event["a"]["B"][0]["bc"]) == life.account.wallet() - before


@living
async def test_a_liquidation_is_told_to_its_account_and_to_the_market(life: Life) -> None:
    async with life.served.socket("/market/ws/btcusdt@forceOrder") as market:
        await market.heard()
        life.exchange.set_leverage(life.account, "BTCUSDT", 100, AT + 1)
        life.now += 2
        life.place("MARKET", "BUY", "10")
        life.place("LIMIT", "BUY", price=d(50000), id="rest")
        await life.heard()
        life.served.feed(Mark("BTCUSDT", AT + 100, d("59300")))
        life.price("59200.0", 200)
        life.served.feed(Mark("BTCUSDT", AT + 300, d("59150")))
        events = await life.heard()
        short = [_short(event) for event in events]
        orders = [event["o"] for event in events if event["e"] == "ORDER_TRADE_UPDATE"]
        forced = [order for order in orders if order["o"] == "LIQUIDATION"]
        assert forced and all(order["c"].startswith("autoclose-") for order in forced)
        assert {order["x"] for order in forced} <= {"NEW", "CALCULATED", "EXPIRED"}
        assert "CALCULATED FILLED" in short
        rest = next(order for order in orders if order["c"] == "rest")
        assert (rest["x"], rest["er"]) == ("EXPIRED", "5")
        life.served.pass_ms(1000)
        (told,) = await market.heard()
        assert (told["e"], told["o"]["S"], told["o"]["X"]) == ("forceOrder", "SELL", "FILLED")


@living
async def test_the_wallet_that_is_told_is_the_one_that_is(life: Life) -> None:
    """Over many trades, the last ACCOUNT_UPDATE equals the account."""
    for number in range(40):
        life.price(str(60000 + (number * 37) % 90), 100 + number * 10, "0.002")
        life.place("MARKET", "BUY" if number % 3 else "SELL", f"0.00{1 + number % 9}")
    events = await life.heard()
    last = [event["a"] for event in events if event["e"] == "ACCOUNT_UPDATE"][-1]
    assert Decimal(last["B"][0]["wb"]) == life.account.wallet()
    fees = sum(Decimal(event["o"].get("n", "0")) for event in events if event["e"] == "ORDER_TRADE_UPDATE")
    gains = sum(Decimal(event["o"]["rp"]) for event in events if event["e"] == "ORDER_TRADE_UPDATE")
    assert life.account.wallet() == 10000 - fees + gains
    held = life.account.holding("BTCUSDT", PositionSide.BOTH)
    assert Decimal(last["P"][0]["pa"]) == held.qty


