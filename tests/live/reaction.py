"""How long a run takes to do what a fill asks of it, by the exchange's own events."""

from tests.live.stage import Trader


def cancelled_after_ms(trader: Trader) -> int:
    """From the fill of the stop to the end of the take-profit beside it."""
    events = trader.events()
    (filled,) = (
        event["T"] for event in events
        if event["e"] == "ORDER_TRADE_UPDATE" and event["o"]["X"] == "FILLED" and event["o"]["R"]
    )
    (cancelled,) = (event["T"] for event in events if event["e"] == "ALGO_UPDATE" and event["o"]["X"] == "CANCELED")
    return int(cancelled - filled)
