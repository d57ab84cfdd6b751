"""What a plan would do on the account as it is now, and why it would be refused: what an approval is given to."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from runner.app.live.options import LiveOptions
from runner.app.live.preflight import refusals
from runner.app.live.session import connect
from runner.app.live.wiring import LiveExchange, refuse_production, trading_rules
from runner.app.run import RunOptions
from runner.domain.account import AccountFacts
from runner.domain.commands import Observe
from runner.domain.events import Observed
from runner.domain.instrument import Instrument
from runner.domain.snapshots import VenueSnapshot
from runner.errors import EnvironmentFault, PlanInvalid, Refused
from runner.graph.checks.policy import Policy
from runner.graph.compile import Compiled, compile_plan
from runner.graph.fingerprint import approval_id, fingerprint
from runner.plan.diagnostics import Severity
from runner.plan.load import load_plan
from runner.plan.model import Plan

_LIVE = Policy(require_protection=True)
_PRICES_S = 10
_SHORTEST_APPROVAL = 12


@dataclass(frozen=True, slots=True)
class LivePreview:
    """The plan, compiled with the exchange's own rules; the account, what it holds, and the prices, as they are now.

    `refusals` say why a run of it would be refused.  `approval_id` covers the file's bytes, the parameters, the graph
    with the rules and the limits, the account and the mode.
    """

    plan: Plan
    compiled: Compiled
    account: AccountFacts
    snapshot: VenueSnapshot
    prices: Mapping[str, Observed]
    fingerprint: str
    approval_id: str
    refusals: tuple[str, ...]

    def approved_by(self, given: str) -> bool:
        """Whether a text names this approval: the whole id, or at least its first 12 characters."""
        return len(given) >= _SHORTEST_APPROVAL and self.approval_id.startswith(given.lower())


def preview_live(options: RunOptions, live: LiveOptions) -> LivePreview:
    """Look at the plan, the rules and the account; nothing is sent.

    Raises:
        PlanInvalid: with every fault.
        Refused: the host is one where real money is, or a step may open without a stop.
        EnvironmentFault: the exchange cannot be reached, does not take the key, or shows no prices.
    """
    refuse_production(live)
    return asyncio.run(_look(options, live))


async def _look(options: RunOptions, live: LiveOptions) -> LivePreview:
    plan = load_plan(options.name, options.data, options.sets)
    compiled = _compiled(plan, await trading_rules(live))
    graph = compiled.graph
    symbols = tuple(instrument.symbol for instrument in graph.instruments)
    async with connect(live, symbols) as connection:
        prices = await _prices(connection.exchange, symbols)
    account = connection.account
    return LivePreview(
        plan, compiled, account, connection.snapshot, prices, fingerprint(graph),
        approval_id(plan, graph, account.tag, live.mode), refusals(graph, account, connection.snapshot),
    )


def _compiled(plan: Plan, instruments: Mapping[str, Instrument]) -> Compiled:
    """The graph; what only a live run asks for beyond a valid plan is no fault of the plan's text."""
    try:
        return compile_plan(plan, instruments, _LIVE)
    except PlanInvalid as invalid:
        errors = [found for found in invalid.diagnostics if found.severity is Severity.ERROR]
        if not errors or any(found.code != "unprotected" for found in errors):
            raise
        raise Refused(
            f"{'; '.join(found.message for found in errors)}; nothing was sent", hint=errors[0].hint,
        ) from None


async def _prices(exchange: LiveExchange, symbols: Collection[str]) -> Mapping[str, Observed]:
    """What each symbol stands at, in their order.

    Raises:
        EnvironmentFault: some price does not come.
    """
    found: dict[str, Observed] = {}
    for symbol in symbols:
        exchange.submit(Observe(symbol))
    try:
        async with asyncio.timeout(_PRICES_S):
            events = exchange.events()
            while len(found) < len(symbols):
                event = await anext(events)
                if isinstance(event, Observed):
                    found[event.symbol] = event
    except TimeoutError:
        missing = ", ".join(symbol for symbol in symbols if symbol not in found)
        raise EnvironmentFault(
            f"no fresh price of {missing} came within {_PRICES_S} s; nothing was sent",
            hint="check the network, and BINANCE_FUTURES_WS_URL where it is set",
        ) from None
    return {symbol: found[symbol] for symbol in symbols}
