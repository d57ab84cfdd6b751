"""Whether a demo or live run would work: what the exchange says of this machine, the keys and the account."""

import asyncio

from runner.app.live.options import LiveOptions
from runner.gateways.binance.hosts import is_production
from runner.gateways.binance.probe import Finding, probe


def examine(live: LiveOptions, symbols: tuple[str, ...]) -> tuple[Finding, ...]:
    """Every finding; no order is sent.  A production host is not even asked, since runs refuse it."""
    if is_production(live.endpoints):
        return (Finding(
            "host", False, f"{live.endpoints.rest} is where real money is, and is refused in this version",
            "use --mode demo, or point BINANCE_FUTURES_REST_URL and BINANCE_FUTURES_WS_URL at daksh-run exchange",
        ),)
    return asyncio.run(probe(live.endpoints, live.credentials, live.timings, live.proxy, symbols))
