"""Looking up the context's legs and steps by name, and the word that the log has for a leg's order."""

from runner.domain.commands import PlaceOrder
from runner.domain.values import OrderType
from runner.graph.model import Role
from runner.report.context import LegFacts, RunContext, StepFacts


class Legs:
    """The legs and steps of one run.  A name that the plan does not have gives bare facts, never an error."""

    def __init__(self, context: RunContext) -> None:
        self._legs = {leg.node_id: leg for leg in context.legs}
        self._steps = {step.step_id: step for step in context.steps}

    def leg(self, node_id: str) -> LegFacts:
        found = self._legs.get(node_id)
        if found is None:
            step = self.step(node_id.partition(".")[0])
            found = LegFacts(node_id, step.step_id, "", Role.EXIT.value, step.symbol, None, OrderType.MARKET, 0)
        return found

    def step(self, step_id: str) -> StepFacts:
        return self._steps.get(step_id) or StepFacts(step_id, "", "", "", 0)

    def action(self, command: PlaceOrder) -> str:
        """`place_order`, `place_entry`, `place_exit`, `place_oco` or `twap_slice`.

        An OCO is placed once; what replaces one of its orders later is an exit.
        """
        leg = self.leg(command.node_id)
        kind = self.step(leg.step_id).kind
        if kind == "twap":
            return "twap_slice"
        if kind == "oco":
            return "place_exit" if command.revision else "place_oco"
        if kind == "bracket":
            return "place_entry" if leg.role == Role.OPENER.value else "place_exit"
        return "place_exit" if kind == "flatten" else "place_order"
