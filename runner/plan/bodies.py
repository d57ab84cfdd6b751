"""The kinds of steps: one function a kind, from the mapping under the kind's key to its body."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from runner.domain.values import ZERO, OrderType, Side
from runner.plan import scalars
from runner.plan.diagnostics import Path, pointer
from runner.plan.faults import Faults
from runner.plan.model import (
    Body,
    BracketBody,
    CancelBody,
    CatchUp,
    EntryBody,
    ExitBody,
    Finish,
    FlattenBody,
    OcoBody,
    OrderFields,
    TwapBody,
    WaitBody,
)
from runner.plan.prices import read_order, read_stop_loss, read_take_profits
from runner.plan.reader import Tree
from runner.plan.sizes import read_size

MOST_SLICES = 10_000
_MOST_RANDOM = Decimal("0.99")


def read_entry(body: Mapping[str, Tree], path: Path, faults: Faults) -> Body:
    return EntryBody(_side(body), read_size(body, path, faults), read_order(body, path, faults))


def read_exit(body: Mapping[str, Tree], path: Path, faults: Faults) -> Body:
    return ExitBody(_side(body), read_size(body, path, faults), read_order(body, path, faults))


def read_oco(body: Mapping[str, Tree], path: Path, faults: Faults) -> Body:
    return OcoBody(
        _side(body), read_size(body, path, faults),
        read_take_profits(body.get("take_profit"), (*path, "take_profit"), faults),
        read_stop_loss(body.get("stop_loss"), (*path, "stop_loss"), faults))


def read_bracket(body: Mapping[str, Tree], path: Path, faults: Faults) -> Body:
    entry = body.get("entry")
    return BracketBody(
        _side(body), read_size(body, path, faults, bracket=True),
        read_order(entry, (*path, "entry"), faults) if isinstance(entry, dict) else OrderFields(OrderType.MARKET),
        read_take_profits(body.get("take_profit"), (*path, "take_profit"), faults),
        read_stop_loss(body.get("stop_loss"), (*path, "stop_loss"), faults))


def read_twap(body: Mapping[str, Tree], path: Path, faults: Faults) -> Body:
    slices = scalars.whole(body.get("slices", 1), (*path, "slices"), faults, 1, MOST_SLICES)
    of = body.get("of")
    reduce_only = body.get("reduce_only")
    if of is not None and reduce_only is False:
        faults.add(
            "contradiction", f"{pointer(path)}: a TWAP with `of` closes, so it is reduce-only", (*path, "reduce_only"),
            "leave `reduce_only` out")
    return TwapBody(
        side=_side(body),
        size=read_size(body, path, faults),
        slices=slices,
        every_ms=_every(body, slices, path, faults),
        order=read_order(body, path, faults, OrderType.MARKET),
        randomize=(
            scalars.percentage(body["randomize"], (*path, "randomize"), faults, ZERO, _MOST_RANDOM, zero_too=True)
            if "randomize" in body else ZERO),
        catch_up=scalars.word(CatchUp, body.get("catch_up"), CatchUp.NEXT),
        finish=scalars.word(Finish, body.get("finish"), Finish.LEAVE),
        reduce_only=reduce_only is True or of is not None,
        of=None if of is None else str(of))


def _every(body: Mapping[str, Tree], slices: int, path: Path, faults: Faults) -> int:
    given = [key for key in body if key in ("every", "over")]
    if len(given) == 2:
        faults.add_beside(
            "order-interval", f"{pointer(path)}: every and over are two ways to say one interval", (*path, given[1]),
            "keep one",
            at_key=True)
    elif not given:
        if not faults.explains_absence(path, "every", "over"):
            faults.add_beside(
                "order-interval", f"{pointer(path)}: the interval is missing", path,
                "add exactly one of `every` and `over`")
    elif given[0] == "every":
        return scalars.duration(body["every"], (*path, "every"), faults)
    else:
        over_ms = scalars.duration(body["over"], (*path, "over"), faults)
        if over_ms < slices:
            faults.add(
                "range", f"{pointer((*path, 'over'))}: less than 1 ms for each of {slices} slices", (*path, "over"))
        return max(over_ms // slices, 1)
    return 1


def read_wait(body: Mapping[str, Tree], path: Path, faults: Faults) -> Body:
    return WaitBody()


def read_cancel(body: Mapping[str, Tree], path: Path, faults: Faults) -> Body:
    steps = body.get("steps")
    return CancelBody(tuple(str(step) for step in steps) if isinstance(steps, list) else ())


def read_flatten(body: Mapping[str, Tree], path: Path, faults: Faults) -> Body:
    return FlattenBody(body.get("scope") == "account")


KINDS: dict[str, Callable[[Mapping[str, Tree], Path, Faults], Body]] = {
    "entry": read_entry,
    "exit": read_exit,
    "oco": read_oco,
    "bracket": read_bracket,
    "twap": read_twap,
    "wait": read_wait,
    "cancel": read_cancel,
    "flatten": read_flatten,
}


def _side(body: Mapping[str, Tree]) -> Side:
    return Side.SELL if body.get("side") == "SELL" else Side.BUY
