"""The instruments of the exchange that is traded on."""

import contextlib

from runner.domain.catalog import instruments_from_exchange_info
from runner.domain.instrument import Instrument
from runner.errors import EnvironmentFault
from runner.gateways.binance.rest import Rest


async def instruments(rest: Rest) -> dict[str, Instrument]:
    """By symbol, as the exchange listed them when `rest` was opened.  One whose rules are not whole is not among them:
    a symbol that nobody asked for is to stop nobody."""
    found: dict[str, Instrument] = {}
    for entry in rest.exchange_info.get("symbols", ()):
        with contextlib.suppress(EnvironmentFault):
            found |= instruments_from_exchange_info({"symbols": [entry]})
    return found
