"""What must have happened before a step can start, as sets of steps in the bits of integers.

Walking the plan once in its order, each step joins the sets of what it waits for.  Only steps that somebody asks
about get a bit, so plans without such questions cost nothing, and the others little.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from runner.graph.model import Outcome
from runner.graph.survey import Survey, Wait
from runner.plan.model import EntryBody, Step, TwapBody

_ENDS = frozenset({Outcome.SUCCEEDED, Outcome.FAILED, Outcome.CANCELLED, Outcome.SKIPPED, Outcome.ANY})
_UNSTARTED = frozenset({Outcome.CANCELLED, Outcome.SKIPPED, Outcome.ANY})


def implies_start(wait: Wait) -> bool:
    """Whether what is waited for can only come from a step that has started."""
    return wait.outcome not in _UNSTARTED


def implies_end(step: Step, wait: Wait) -> bool:
    """Whether the step has ended by the time that what is waited for has come."""
    if not wait.target.leg:
        return wait.outcome in _ENDS or (wait.outcome is Outcome.FILLED and isinstance(step.body, EntryBody | TwapBody))
    return isinstance(step.body, EntryBody) and (wait.outcome in _ENDS or wait.outcome is Outcome.FILLED)


def ancestors(survey: Survey, asked: Collection[int]) -> list[int]:
    """By place: which of the steps `asked` about lie before it along `after`, as bits in the order of `asked`."""
    bits = {place: 1 << index for index, place in enumerate(asked)}
    before = [0] * len(survey.steps)
    if bits:
        for place in survey.order:
            mask = 0
            for wait in survey.waits[place]:
                mask |= before[wait.source] | bits.get(wait.source, 0)
            before[place] = mask
    return before


def ended_before(survey: Survey, asked: Collection[int]) -> list[int]:
    """By place: which of the steps `asked` about have ended, or were skipped, whenever that step starts.

    A step that was waited for only to have ended may have been skipped: then what it waited for itself has ended
    only where that, too, was a wait for an end.
    """
    bits = {place: 1 << index for index, place in enumerate(asked)}
    at_start = [0] * len(survey.steps)
    at_end = [0] * len(survey.steps)
    if not bits:
        return at_start
    for place in survey.order:
        skipped = -1
        for wait in survey.waits[place]:
            source = wait.source
            ended = implies_end(survey.steps[source], wait)
            if ended:
                at_start[place] |= at_start[source] | at_end[source] if implies_start(wait) else at_end[source]
            elif implies_start(wait):
                at_start[place] |= at_start[source]
            skipped &= at_end[source] if not wait.target.leg and wait.outcome in _ENDS else 0
        at_end[place] = bits.get(place, 0) | (at_start[place] & skipped)
    return at_start


@dataclass(slots=True)
class Facts:
    """What must have become of contested steps, those that different steps want to have ended differently."""

    started: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    skipped: int = 0

    def join(self, other: "Facts") -> None:
        self.started |= other.started
        self.succeeded |= other.succeeded
        self.failed |= other.failed
        self.cancelled |= other.cancelled
        self.skipped |= other.skipped

    def against(self, other: "Facts") -> int:
        """The steps that the one says ended otherwise than the other says."""
        return (
            self.succeeded & (other.failed | other.cancelled | other.skipped)
            | self.failed & (other.succeeded | other.cancelled | other.skipped)
            | self.cancelled & (other.succeeded | other.failed | other.skipped)
            | self.skipped & (other.succeeded | other.failed | other.cancelled | other.started)
            | self.started & other.skipped
        )


def facts(survey: Survey) -> tuple[list[Facts], list[int]]:
    """By place, the facts that hold when the step starts; and the places that the bits of facts stand for."""
    contested = sorted(_contested(survey))
    bits = {place: 1 << index for index, place in enumerate(contested)}
    if not contested:
        return [_NONE] * len(survey.steps), []
    found = [_NONE] * len(survey.steps)
    for place in survey.order:
        waits = survey.waits[place]
        if not waits:
            continue
        own = Facts()
        for wait in waits:
            if implies_start(wait):
                own.join(found[wait.source])
            bit = bits.get(wait.source, 0)
            if bit and not wait.target.leg:
                _note(own, wait.outcome, bit)
            elif bit:
                own.started |= bit
        found[place] = own
    return found, contested


_NONE = Facts()
_KINDS = {Outcome.SUCCEEDED: "succeeded", Outcome.FAILED: "failed", Outcome.CANCELLED: "cancelled",
          Outcome.SKIPPED: "skipped"}


def _note(own: Facts, outcome: Outcome, bit: int) -> None:
    match outcome:
        case Outcome.SUCCEEDED:
            own.succeeded |= bit
        case Outcome.FAILED:
            own.failed |= bit
        case Outcome.CANCELLED:
            own.cancelled |= bit
        case Outcome.SKIPPED:
            own.skipped |= bit
        case Outcome.ANY:
            pass
        case _:
            own.started |= bit


def _contested(survey: Survey) -> Iterator[int]:
    wanted: dict[int, set[str]] = {}
    for waits in survey.waits:
        for wait in waits:
            if wait.outcome is not Outcome.ANY:
                kind = "started" if wait.target.leg else _KINDS.get(wait.outcome, "started")
                wanted.setdefault(wait.source, set()).add(kind)
    return (place for place, kinds in wanted.items() if len(kinds) > 1)


def members(mask: int, asked: list[int]) -> Iterator[int]:
    """The places whose bits are set, lowest first."""
    while mask:
        low = mask & -mask
        yield asked[low.bit_length() - 1]
        mask ^= low
