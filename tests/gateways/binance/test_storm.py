"""Whatever befalls streams and reads, and however often: in the end the truth is known, and nothing was told twice."""

import asyncio
from decimal import Decimal
from random import Random

import pytest

from runner.domain.commands import CancelOrder
from runner.domain.events import Event, PositionReport, StreamGap
from runner.domain.orders import OrderStatus
from runner.domain.reports import TradeReport
from runner.domain.snapshots import VenueSnapshot
from tests.gateways.binance.ear import Ear, heard, order
from tests.gateways.binance.stage import QUICK, SYMBOL, Stage

FAULTS = (
    "event_duplicated", "event_missing", "event_late", "event_reordered", "socket_dropped", "socket_frozen",
    "socket_silent", "listen_key_expired",
)
READS = ("unavailable_503", "internal_503", "unknown_503", "lost_answer", "hanging_answer", "slow_answer")
ROUTES = ("GET*", "GET /fapi/v1/open*", "GET /fapi/v1/userTrades", "GET /fapi/v3/*", "POST /fapi/v1/listenKey")
EVENTS = ("ORDER_TRADE_UPDATE", "ALGO_UPDATE", "ACCOUNT_UPDATE")
DEEDS = ("fault", "fault", "read", "market", "limit", "stop", "trade", "trade", "cancel", "wait")
STEPS = 40


def position(told: list[Event]) -> Decimal | None:
    """The position as it was told last."""
    for event in reversed(told):
        if isinstance(event, PositionReport):
            return event.qty
        if isinstance(event, VenueSnapshot) and event.covers(SYMBOL):
            return next((held.qty for held in event.positions if held.symbol == SYMBOL), Decimal(0))
    return None


def executed(told: list[Event]) -> set[str]:
    """The numbers of all executions that were told, by themselves or in a snapshot."""
    known = {event.trade_id for event in told if isinstance(event, TradeReport)}
    return known.union(*({one.trade_id for one in event.trades} for event in told if isinstance(event, VenueSnapshot)))


def open_orders(told: list[Event]) -> set[str]:
    """The orders that the last look has shown."""
    last = next(event for event in reversed(told) if isinstance(event, VenueSnapshot))
    return {one.client_order_id for one in last.orders}


def closed_gaps(told: list[Event]) -> bool:
    """Whether a whole snapshot has followed the last gap."""
    words = [
        type(event) for event in told
        if isinstance(event, StreamGap) or (isinstance(event, VenueSnapshot) and not event.symbols)
    ]
    return words[-1:] != [StreamGap]


@pytest.mark.parametrize("seed", range(6))
def test_the_truth_is_known_in_the_end(seed: int) -> None:
    draw = Random(seed)

    async def story(stage: Stage, ear: Ear) -> None:
        ear.gateway.attend([SYMBOL])
        price = 60_000
        for _ in range(STEPS):
            match draw.choice(DEEDS):
                case "fault":
                    name = draw.choice(FAULTS)
                    more = {"delay_ms": 30} if name == "event_late" else {}
                    stage.fault(name, event=draw.choice(EVENTS), count=draw.choice((1, 2)), **more)
                case "read":
                    name = draw.choice(READS)
                    more = {"delay_ms": 300} if name == "slow_answer" else {}
                    stage.fault(name, route=draw.choice(ROUTES), count=draw.choice((1, 3)), **more)
                case "market":
                    ear.gateway.submit(order(draw.choice(("BUY", "SELL")), "MARKET", "0.001"))
                case "limit":
                    side = draw.choice(("BUY", "SELL"))
                    limit = price - 40 if side == "BUY" else price + 40
                    ear.gateway.submit(order(side, "LIMIT", "0.002", price=str(limit)))
                case "stop":
                    side = draw.choice(("BUY", "SELL"))
                    trigger = price + 60 if side == "BUY" else price - 60
                    ear.gateway.submit(order(side, "STOP_MARKET", "0.001", trigger_price=str(trigger)))
                case "trade":
                    price += draw.randrange(-120, 120)
                    stage.trade(str(price))
                case "cancel":
                    for resting in stage.exchange.open_orders(stage.me):
                        ear.gateway.submit(CancelOrder(SYMBOL, resting.request.client_order_id, False, "node"))
                        break
                case "wait":
                    await asyncio.sleep(0.05)
            await asyncio.sleep(0)
        stage.served.hub.faults.clear()

        def known(told: list[Event]) -> bool:
            fills = {str(fill.trade_id) for fill in stage.me.history.fills(SYMBOL, stage.door.at_ms())}
            resting = [*stage.exchange.open_orders(stage.me), *stage.exchange.open_conditionals(stage.me)]
            return (
                closed_gaps(told) and executed(told) == fills and position(told) == stage.held
                and open_orders(told) == {one.request.client_order_id for one in resting}
            )

        await ear.until(known, 30)
        alone = [event.trade_id for event in ear.told if isinstance(event, TradeReport)]
        assert len(set(alone)) == len(alone)

    heard(story, QUICK.but(heartbeat_ms=400))


def test_a_burst_is_told_whole_though_nobody_listens_meanwhile() -> None:
    async def story(stage: Stage, ear: Ear) -> None:
        (private,) = [client for client in stage.served.hub.clients if client.wanted]
        for number in range(5_000):
            private.socket.tell(
                f'{{"e":"ALGO_UPDATE","E":1,"T":1,"o":{{"caid":"run.{number}","aid":{number + 1},"o":"STOP_MARKET",'
                f'"s":"BTCUSDT","S":"SELL","q":"1","X":"NEW","ai":"","tp":"5","p":"0","cp":false,"R":true}}}}'
            )
        await ear.until(lambda told: len(told) == 5_000)
        assert [event.client_order_id for event in ear.told if hasattr(event, "client_order_id")] == [
            f"run.{number}" for number in range(5_000)
        ]
        assert all(getattr(event, "status", None) is OrderStatus.NEW for event in ear.told)

    heard(story)
