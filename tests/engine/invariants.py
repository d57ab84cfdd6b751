"""What must hold after every fact, whatever came before (architecture, end of *The machine*).

Judged against the truth of the model exchange and against what the machine has been told; of the machine's own
memory only the ledgers are read, and those are first compared with what it was told.
"""

from decimal import Decimal

from runner.domain.commands import CancelOrder, Command, PlaceOrder, Remark, RunEnded, StepEnded
from runner.domain.events import Event, ForcedExecution
from runner.domain.instrument import shares
from runner.domain.values import ZERO, OrderType
from runner.engine.state import GroupState, Run
from runner.graph.model import DueTarget, OrderNode, Role, ShareTarget
from tests.engine.adversary import Told, World

PAUSE_MS = 1_000
"""The longest pause between two tries to protect or to close."""

STEP = Decimal("0.001")


def check(world: World, event: Event, commands: tuple[Command, ...]) -> None:
    run = run_of(world)
    if world.verdict and not any(isinstance(one, RunEnded) for one in commands):
        assert not commands, f"{event} brings {commands} after the end"
        return
    _entries_stay_within_their_step(world, run)
    _exits_stay_within_entries(world)
    _protection_goes_first(run, commands)
    world.written_off = world.written_off or isinstance(event, ForcedExecution)
    for command in commands:
        match command:
            case PlaceOrder():
                _placement_is_sound(world, run, command)
            case Remark(code="position_gone" | "flatten"):
                world.written_off = True
            case CancelOrder():
                _protection_is_kept(world, run, command)
            case StepEnded():
                assert command.step_id not in world.ended_steps
                world.ended_steps.add(command.step_id)
                _schedule_is_whole(world, run, command)
            case RunEnded():
                _nothing_is_left_behind(world, run, command.outcome)
    _ledgers_add_up(world, run)
    for group in run.groups.values():
        _ledger_is_what_was_told(world, run, group)
        if group.ended:
            _no_order_outlives_its_group(world, group)
        elif not run.ended:
            _take_profits_stay_within_their_targets(world, run, group)
            _stops_stay_within_what_is_open(world, group)
            _what_is_open_is_protected(world, group)
            _what_stays_bare_is_closed(world, group)


def run_of(world: World) -> Run:
    return world.machine._run


# ---- quantities ---------------------------------------------------------------------------------------------------


def _entries_stay_within_their_step(world: World, run: Run) -> None:
    """All that a step's opening orders have executed and may still execute is at most the step's size."""
    for step in run.steps.values():
        if not step.policy.opens:
            continue
        bound = sum((_worst(world, one) for one in _of_step(world, run, step.policy.step_id) if _opens(one)), ZERO)
        assert bound <= step.qty, f"{step.policy.step_id} may open {bound} of {step.qty}"


def _exits_stay_within_entries(world: World) -> None:
    for symbol, left in world.exchange.left.items():
        entered = world.exchange.entered.get(symbol, ZERO) + abs(world.positions.get(symbol, ZERO))
        entered += world.beside.get(symbol, ZERO)
        assert left <= entered, f"{left} of {symbol} were closed, {entered} entered"


def _placement_is_sound(world: World, run: Run, command: PlaceOrder) -> None:
    request = command.request
    node = run.legs[command.node_id].node
    group = run.groups[node.group_id]
    assert request.quantity > ZERO
    assert request.quantity % STEP == ZERO
    assert request.reduce_only is (request.side is not group.spec.entry_side), f"{request} would open"
    assert not group.ended, f"{command.node_id} is sent after its group has ended"
    _is_sent_once(world, request.client_order_id)
    if not request.reduce_only:
        return
    fits = request.quantity <= group.exit_qty or request.close_position  # whose quantity is not sent
    assert fits, f"{command.node_id}: {request.quantity} of {group.exit_qty} open"
    if request.order_type is OrderType.MARKET:
        mine = [one for one in world.told.values() if _group_of(run, one) is group]
        closing = sum((one.leaves for one in mine if _is_market_exit(one) and _lives(world, one)), ZERO)
        assert closing <= group.open, f"{command.node_id}: {closing} is being sold of {group.open} open"
    elif not _stop_like(node):
        client_id = request.client_order_id
        others = [one for one in _of_node(world, node.node_id) if one.request.client_order_id != client_id]
        others = [one for one in others if not _closes(one, node)]
        rivals = [one for one in others if world.may_execute(one.request.client_order_id)]
        assert not rivals, f"{node.node_id}: {request.client_order_id} beside {rivals}"


def _is_sent_once(world: World, client_id: str) -> None:
    """An id is sent again only after the exchange has been proved not to have it, and never to get it."""
    assert client_id not in world.exchange.orders, f"{client_id} is sent again, and the exchange has it"
    assert len(world.coming(client_id)) == 1, f"{client_id} is sent again, and the first may still arrive"


def _ledger_is_what_was_told(world: World, run: Run, group: GroupState) -> None:
    mine = [one for one in world.told.values() if _group_of(run, one) is group]
    entered = sum((one.filled for one in mine if _opens(one)), ZERO)
    exited = sum((one.filled for one in mine if not _opens(one)), ZERO)
    if group.spec.opener_step is not None:
        assert group.entered == entered, f"{group.spec.group_id} entered {group.entered}, told {entered}"
    assert group.exited <= exited
    if len(run.groups) == 1 and not world.positions:
        assert group.exited == exited, f"{group.spec.group_id} exited {group.exited}, told {exited}"


def _ledgers_add_up(world: World, run: Run) -> None:
    """The groups of a symbol and what no group holds are together what we were told of its executions."""
    if world.written_off:
        return
    for symbol in {group.spec.symbol for group in run.groups.values()}:
        told = world.positions.get(symbol, ZERO) + sum(
            (one.filled * one.request.side.sign for one in world.told.values() if one.request.symbol == symbol), ZERO,
        )
        known = run.free.get(symbol, ZERO) + sum(
            ((group.entered - group.exited - group.charged) * group.spec.entry_side.sign
             for group in run.groups.values() if group.spec.symbol == symbol), ZERO,
        )
        assert known == told, f"the ledgers know of {known} {symbol}, told were {told}"


# ---- exits --------------------------------------------------------------------------------------------------------


def _take_profits_stay_within_their_targets(world: World, run: Run, group: GroupState) -> None:
    """Confirmed and beyond its target means: its cancel is on the way, or being looked into."""
    families: dict[str, Decimal] = {}
    for leg in group.legs:
        node = leg.node
        if node.role not in (Role.TAKE_PROFIT, Role.EXIT) or _stop_like(node) or isinstance(node.target, DueTarget):
            continue
        working = sum((one.leaves for one in _of_node(world, node.node_id) if _works_on(world, one)), ZERO)
        families[node.step_id] = families.get(node.step_id, ZERO) + working
        if isinstance(node.target, ShareTarget) and working:
            entered = group.entered - group.charged
            share = shares(entered, node.target.weights, run.instruments[node.symbol])[node.target.index]
            filled = sum((one.filled for one in _of_node(world, node.node_id) if not _closes(one, node)), ZERO)
            assert working <= max(share - filled, ZERO), f"{node.node_id}: {working} works for {share} less {filled}"
    for step_id, working in families.items():
        assert working <= group.exit_qty, f"{step_id}: {working} works to close {group.exit_qty}"


def _stops_stay_within_what_is_open(world: World, group: GroupState) -> None:
    """A stop that is too large stands only while its replacement is on the way, or a close is."""
    for leg in group.legs:
        if not _stop_like(leg.node):
            continue
        mine = [
            one for one in _of_node(world, leg.node_id)
            if one.request.order_type is not OrderType.MARKET and not one.request.close_position
        ]
        working = sum((one.leaves for one in mine if _works_on(world, one) and not one.triggered), ZERO)
        if working <= group.exit_qty or group.closing:
            continue
        replacing = any(world.in_flight(one) for one in mine)
        assert replacing or _tries_again(world, group), f"{leg.node_id}: {working} stands for {group.exit_qty}"


def _protection_goes_first(run: Run, commands: tuple[Command, ...]) -> None:
    """Among the orders of one moment a group's stop goes before its take-profits."""
    profits: set[str] = set()
    for command in commands:
        if isinstance(command, PlaceOrder):
            node = run.legs[command.node_id].node
            if node.role is Role.TAKE_PROFIT:
                profits.add(node.group_id)
            stop = node.role is Role.STOP and command.request.order_type is not OrderType.MARKET
            assert not stop or node.group_id not in profits, f"{command.node_id} goes last"


def _protection_is_kept(world: World, run: Run, command: CancelOrder) -> None:
    """A stop of an open quantity is cancelled only when others cover it; or in the book, to close at market."""
    group = run.groups[run.legs[command.node_id].node.group_id]
    if run.legs[command.node_id].node.role is not Role.STOP or group.exit_qty == ZERO:
        return
    if group.closing and not command.conditional:
        return
    others = [one for one in _of_node(world, command.node_id) if one.request.client_order_id != command.client_order_id]
    kept = sum((one.leaves for one in others if one.confirmed and (not one.cancelling or _executes(one))), ZERO)
    assert kept >= group.exit_qty, f"{command.client_order_id} is cancelled, and {kept} stands for {group.exit_qty}"


def _what_is_open_is_protected(world: World, group: GroupState) -> None:
    if not group.spec.protected or group.open == ZERO:
        return
    stops = [
        one for leg in group.legs if leg.node.role is Role.STOP for one in _of_node(world, leg.node_id)
        if one.request.order_type is not OrderType.MARKET
    ]
    standing = sum((one.leaves for one in stops if one.confirmed and not (one.cancelling and not _executes(one))), ZERO)
    if standing >= group.exit_qty:
        return
    coming = any(world.in_flight(one) for one in stops)
    closing = any(
        _is_market_exit(one) and not one.ended for leg in group.legs for one in _of_node(world, leg.node_id)
    )
    assert coming or closing or _tries_again(world, group), (
        f"{group.spec.group_id}: {standing} stands for {group.exit_qty}, and nothing is on the way"
    )


def _what_stays_bare_is_closed(world: World, group: GroupState) -> None:
    """After `protected_within` without confirmed stops a market close is on the way, or tried again soon."""
    group_id = group.spec.group_id
    stops = (one for leg in group.legs if leg.node.role is Role.STOP for one in _of_node(world, leg.node_id))
    standing = sum((one.leaves for one in stops if one.confirmed and one.request.order_type.conditional), ZERO)
    if not group.spec.protected or standing >= group.exit_qty:
        world.bare_since_ms.pop(group_id, None)
        return
    since_ms = world.bare_since_ms.setdefault(group_id, world.now_ms)
    late = f"bound:{group_id}" in world.timers
    if late or world.now_ms <= since_ms + group.spec.protected_within_ms:
        return
    closing = any(_is_market_exit(one) and not one.ended for leg in group.legs for one in _of_node(world, leg.node_id))
    assert closing or _tries_again(world, group), f"{group_id} is bare since {world.now_ms - since_ms} ms"


def _tries_again(world: World, group: GroupState) -> bool:
    """Whether a timer brings the next try within the pause."""
    names = {f"close:{group.spec.group_id}", f"pause:{group.spec.group_id}"}
    for leg in group.legs:
        names.update((f"retry:{leg.node_id}", f"price:{leg.node_id}", f"whole:{leg.node_id}"))
    return any(world.timers[name] <= world.now_ms + PAUSE_MS for name in names if name in world.timers)


def _no_order_outlives_its_group(world: World, group: GroupState) -> None:
    for leg in group.legs:
        for one in _of_node(world, leg.node_id):
            client_id = one.request.client_order_id
            assert not world.may_execute(client_id), f"{client_id} of {leg.node_id} outlives its group"


# ---- ends ---------------------------------------------------------------------------------------------------------


def _schedule_is_whole(world: World, run: Run, command: StepEnded) -> None:
    """A schedule that succeeds has executed all; one that does not has an order that was not filled."""
    step = run.steps[command.step_id]
    schedule = step.policy.schedule
    if schedule is None or not step.plan:
        return
    assert sum(step.plan, ZERO) == step.qty
    orders = _of_step(world, run, command.step_id)
    executed = sum((one.filled for one in orders), ZERO)
    ended = (one for one in orders if not world.may_execute(one.request.client_order_id))
    short = any(one.filled < one.request.quantity for one in ended) or any(not leg.revisions for leg in step.legs)
    short = short or any(one.reduced for one in orders)
    if command.outcome == "succeeded" and step.policy.opens and schedule.catch_up != "skip":
        assert executed == step.qty, f"{command.step_id} succeeded with {executed} of {step.qty}"
    if command.reason == "incomplete" or command.detail.startswith("shortfall"):
        assert short, f"{command.step_id} is short by {step.qty - executed}, but every order was filled"


def _nothing_is_left_behind(world: World, run: Run, outcome: str) -> None:
    """At the end of a run nothing can open; exits rest only where a stopped run leaves a protected quantity."""
    assert outcome == "stopped" or world.ended_steps == set(run.steps)
    for client_id, one in world.told.items():
        if world.may_execute(client_id):
            group = _group_of(run, one)
            assert outcome == "stopped", f"{client_id} lives after the run has ended"
            assert one.request.reduce_only, f"{client_id} can open after the run was stopped"
            assert group.open > ZERO, f"{client_id} rests in a group that is empty"
    for symbol in {group.spec.symbol for group in run.groups.values()}:
        known = sum(
            (group.open * group.spec.entry_side.sign for group in run.groups.values() if group.spec.symbol == symbol),
            run.free.get(symbol, ZERO),
        )
        held = world.exchange.positions.get(symbol, ZERO)
        most = abs(known) + world.beside.get(symbol, ZERO)
        assert abs(held) <= most, f"{held} {symbol} are held, the run knows of {known}"


# ---- orders -------------------------------------------------------------------------------------------------------


def _of_node(world: World, node_id: str) -> list[Told]:
    return [one for one in world.told.values() if one.node_id == node_id]


def _of_step(world: World, run: Run, step_id: str) -> list[Told]:
    return [one for one in world.told.values() if run.legs[one.node_id].node.step_id == step_id]


def _group_of(run: Run, one: Told) -> GroupState:
    return run.groups[run.legs[one.node_id].node.group_id]


def _opens(one: Told) -> bool:
    return not one.request.reduce_only


def _is_market_exit(one: Told) -> bool:
    return one.request.reduce_only and one.request.order_type is OrderType.MARKET


def _lives(world: World, one: Told) -> bool:
    return not one.ended and world.may_execute(one.request.client_order_id)


def _closes(one: Told, node: OrderNode) -> bool:
    """Whether the order is a market close in the place of the leg's own."""
    return one.request.order_type is OrderType.MARKET and node.order_type is not OrderType.MARKET


def _stop_like(node: OrderNode) -> bool:
    return node.order_type.stop_like and node.role is not Role.OPENER


def _works_on(world: World, one: Told) -> bool:
    """Confirmed to the machine, and nothing done about it."""
    if one.request.order_type is OrderType.MARKET or not one.confirmed or not _lives(world, one):
        return False
    return not _looked_into(world, one)


def _executes(one: Told) -> bool:
    """Whether a stop is beyond the reach of a cancel: triggered, and to be filled at market."""
    return one.triggered and not one.request.order_type.limited


def _looked_into(world: World, one: Told) -> bool:
    return one.cancelling or one.looked_up(world.timers)


def _worst(world: World, one: Told) -> Decimal:
    """What the order has executed and may still execute, on the exchange."""
    client_id = one.request.client_order_id
    held = world.exchange.orders.get(client_id)
    if held is not None:
        return held.filled + held.leaves
    return one.request.quantity if world.coming(client_id) else ZERO
