"""How a quantity is spread over time slices: what each is planned to be, when it is due, and what is carried on."""

from decimal import Decimal

from runner.domain.instrument import Instrument
from runner.domain.seeded import seed_of, symmetric
from runner.domain.values import EXACT, ONE, ZERO
from runner.graph.model import Schedule


def planned(schedule: Schedule, qty: Decimal, instrument: Instrument, seed: int, step_id: str) -> tuple[Decimal, ...]:
    """The planned quantity of each slice; they sum exactly to `qty`, and what does not divide goes to the last.

    With `randomize` r each slice is an even one × (1 ± r), before it is rounded down.
    """
    if not schedule.randomize:
        return instrument.split(qty, schedule.slices)
    stream = seed_of(seed, step_id, "size")
    drawn = [symmetric(stream, k) for k in range(schedule.slices)]
    middle = EXACT.divide(sum(drawn, ZERO), Decimal(schedule.slices))
    weights = [ONE + EXACT.multiply(schedule.randomize, (one - middle) / 2) for one in drawn]
    parts = [
        instrument.floor_qty(EXACT.divide(EXACT.multiply(qty, weight), Decimal(schedule.slices)))
        for weight in weights[:-1]
    ]
    return (*parts, qty - sum(parts, ZERO))


def due_offset_ms(schedule: Schedule, index: int, seed: int, step_id: str) -> int:
    """When slice `index` is due after the step's start; with `randomize` r moved by at most r/2 of `every`."""
    due = index * schedule.every_ms
    if not schedule.randomize or index == 0:
        return due
    stream = seed_of(seed, step_id, "time")
    jitter = EXACT.multiply(schedule.randomize * schedule.every_ms / 2, symmetric(stream, index))
    return due + int(jitter)


def slice_quantity(
    schedule: Schedule, plan: tuple[Decimal, ...], index: int, done: Decimal, instrument: Instrument,
) -> Decimal:
    """What slice `index` sends when `done` (filled or still in flight) has gone before it.

    `next` carries the whole shortfall into this slice, `spread` over all that are left, `skip` drops it.
    """
    whole = sum(plan, ZERO)
    left = max(whole - done, ZERO)
    if schedule.catch_up == "skip":
        return min(plan[index], left)
    if index == len(plan) - 1:
        return left
    if schedule.catch_up == "next":
        return max(sum(plan[: index + 1], ZERO) - done, ZERO)
    rest = sum(plan[index:], ZERO)
    return min(instrument.floor_qty(EXACT.divide(EXACT.multiply(left, plan[index]), rest)), left) if rest else ZERO
