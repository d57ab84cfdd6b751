"""Hand-made facts of the exchange for tests of what is told of them, and the instruments that they are about."""

from decimal import Decimal
from typing import Any

from runner.domain.instrument import Instrument
from runner.domain.values import OrderType, Side
from runner.venue.facts import (
    AccountUpdate,
    AlgoState,
    AlgoUpdate,
    BalanceState,
    Fill,
    OrderState,
    OrderUpdate,
    PositionState,
)
from runner.venue.requests import NewOrder
from runner.venue.terms import AlgoStatus, ExecutionType, MarginType, PositionSide, Reason, Status

AT = 1_790_000_000_123
WHO = "default"
BTC = Instrument(
    symbol="BTCUSDT", base_asset="BTC", quote_asset="USDT", tick_size=Decimal("0.10"), min_price=Decimal("556.80"),
    max_price=Decimal("4529764"), step_size=Decimal("0.001"), min_qty=Decimal("0.001"), max_qty=Decimal("1000"),
    market_step_size=Decimal("0.001"), market_min_qty=Decimal("0.001"), market_max_qty=Decimal("120"),
    min_notional=Decimal("50"), multiplier_up=Decimal("1.05"), multiplier_down=Decimal("0.95"),
)


def instrument(symbol: str) -> Instrument:
    assert symbol == "BTCUSDT"
    return BTC


def d(text: str | int) -> Decimal:
    return Decimal(text)


def request(kind: str = "MARKET", side: str = "BUY", qty: str = "0.01", **more: Any) -> NewOrder:
    more.setdefault("client_order_id", "st-a1-e1-0001")
    return NewOrder("BTCUSDT", Side(side), OrderType(kind), d(qty), **more)


def order(
    status: str = "NEW", filled: str = "0", cost: str = "0", *, asked: NewOrder | None = None, **more: Any
) -> OrderState:
    more.setdefault("order_id", 8389765519001)
    return OrderState(
        request() if asked is None else asked, status=Status(status), filled_qty=d(filled), cost=d(cost),
        created_ms=AT, updated_ms=AT, **more,
    )


def fill(qty: str = "0.01", price: str = "60000.1", *, trade_id: int = 536962673, **more: Any) -> Fill:
    more.setdefault("order_id", 8389765519001)
    more.setdefault("realized", d(0))
    return Fill(
        trade_id, symbol="BTCUSDT", side=Side.BUY, position_side=PositionSide.BOTH, price=d(price), qty=d(qty),
        fee=d("0.3000005"), fee_asset="USDT", maker=False, at_ms=AT, **more,
    )


def told(execution: str, state: OrderState, trade: Fill | None = None, *, at: int = AT, **more: Any) -> OrderUpdate:
    return OrderUpdate(more.pop("account", WHO), at, ExecutionType(execution), state, trade, **more)


def position(qty: str = "0.01", entry: str = "60000.1", **more: Any) -> PositionState:
    return PositionState(
        "BTCUSDT", PositionSide.BOTH, d(qty), d(entry), d("60030.1"), d(0), d("-0.001"),
        more.get("margin", MarginType.CROSSED), more.get("isolated", d(0)),
    )


def money(wallet: str = "9999.6999995", qty: str = "0.01", **more: Any) -> AccountUpdate:
    return AccountUpdate(
        more.pop("account", WHO), more.pop("at", AT), more.pop("reason", Reason.ORDER),
        (BalanceState("USDT", d(wallet), d(wallet)),), (position(qty),), **more,
    )


def algo(status: str, asked: NewOrder | None = None, **more: Any) -> AlgoUpdate:
    if asked is None:
        asked = request("STOP_MARKET", "SELL", trigger_price=d("58000.0"), reduce_only=True, client_order_id="sl")
    state = AlgoState(asked, 1000000181546843, AlgoStatus(status), AT, AT, **more)
    return AlgoUpdate(WHO, AT, state)


def taker() -> list[OrderUpdate | AccountUpdate]:
    """A market order that fills in two parts, as the exchange tells it."""
    return [
        told("NEW", order()),
        told("TRADE", order("PARTIALLY_FILLED", "0.004", "240.0004"), fill("0.004", trade_id=1)),
        money("9999.9", "0.004"),
        told("TRADE", order("FILLED", "0.01", "600.001"), fill("0.006", trade_id=2)),
        money("9999.7", "0.01"),
    ]
