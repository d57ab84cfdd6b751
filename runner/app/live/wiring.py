"""The composition root of live runs: the one place that makes the parts which speak to Binance, and refuses its hosts
where real money is.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from runner.app.live.options import LiveOptions
from runner.domain.instrument import Instrument
from runner.errors import EnvironmentFault, Refused
from runner.ports import LiveGateway, Prices


class LiveExchange(LiveGateway, Prices, Protocol):
    """An exchange with its prices."""


def live_exchange(live: LiveOptions, symbols: Collection[str], run_id: str) -> LiveExchange:
    """The gateway, not yet opened.  `run_id` is what the client order ids of the run begin with, or empty."""
    with _installed():
        from runner.gateways.binance.gateway import BinanceGateway

    return BinanceGateway(
        live.endpoints, live.credentials, live.timings, symbols=symbols, run_prefix=run_id, proxy=live.proxy,
    )


async def trading_rules(live: LiveOptions) -> Mapping[str, Instrument]:
    """The instruments as the exchange itself has them now.

    Raises:
        EnvironmentFault: it cannot be reached, or does not take the key.
    """
    with _installed():
        from runner.gateways.binance.exchange_rules import instruments
        from runner.gateways.binance.rest import Rest

    rest = Rest(live.endpoints, live.credentials, live.timings, live.proxy)
    await rest.open()
    try:
        return await instruments(rest)
    finally:
        await rest.close()


def refuse_production(live: LiveOptions) -> None:
    """Real money waits for limits that hold it.

    Raises:
        Refused: a host of these is one of Binance's production hosts.
    """
    from runner.gateways.binance.hosts import is_production

    if is_production(live.endpoints):
        raise Refused(
            f"{live.endpoints.rest} is where real money is, and daksh-run does not trade there yet; nothing was sent",
            hint="use --mode demo, or a local exchange: daksh-run exchange",
        )


@contextmanager
def _installed() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise EnvironmentFault(
            f"demo and live need {error.name}, which is not installed", hint="pip install 'daksh-run[live]'",
        ) from error
