"""What can be asked of the control routes under `/sim/`, as values; names and shapes are checked when they are read.

A decimal may come as a JSON text or number, an instant as UTC ms.  An empty `account` is the default one.
"""

import json
from decimal import Decimal
from typing import Literal, TypeVar

from runner.domain.value import Value, converted
from runner.domain.values import MAX_DIGITS
from runner.venue.terms import PositionSide

V = TypeVar("V", bound=Value)


class NotUnderstood(Exception):
    """A control request makes no sense; the text is a sentence that says what to do."""


class SetClock(Value, frozen=True, forbid_unknown_fields=True):
    """`speed` like `1x`, `100x` or `step`; `off_ms` by how much the front's clock is ahead of this machine's."""

    speed: str = ""
    off_ms: int | None = None


class SetPrice(Value, frozen=True, forbid_unknown_fields=True):
    """A price without a quantity, a trade of `qty`, a quote of `qty` on both sides, a mark; or back to the data."""

    symbol: str
    price: Decimal | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None
    mark: Decimal | None = None
    qty: Decimal | None = None
    follow: bool = False


class Step(Value, frozen=True, forbid_unknown_fields=True):
    """Exactly one: for so many ms, until an instant, or so many data."""

    ms: int | None = None
    until: int | None = None
    data: int | None = None


class AddAccount(Value, frozen=True, forbid_unknown_fields=True):
    """`public_key` is an Ed25519 public key in PEM, instead of a `secret`; what is empty is chosen."""

    name: str
    key: str = ""
    secret: str = ""
    public_key: str = ""
    balance: Decimal | None = None
    leverage: int | None = None
    hedge: bool = False


class SetFunding(Value, frozen=True, forbid_unknown_fields=True):
    """`rate` is a fraction, longs paying where it is above 0."""

    symbol: str
    rate: Decimal


class Close(Value, frozen=True, forbid_unknown_fields=True):
    """The whole position where `qty` is null."""

    symbol: str
    account: str = ""
    position_side: PositionSide = PositionSide.BOTH
    qty: Decimal | None = None


class Transfer(Value, frozen=True, forbid_unknown_fields=True):
    """`amount` below 0 is taken out."""

    amount: Decimal
    account: str = ""
    asset: str = "USDT"


class SetLimits(Value, frozen=True, forbid_unknown_fields=True):
    """null lifts a limit; one that is left out stays."""

    weight: int | Literal["same"] | None = "same"
    orders_10s: int | Literal["same"] | None = "same"
    orders_1m: int | Literal["same"] | None = "same"


def read_json(text: str) -> object:
    """Any JSON with exact numbers; an empty text is an empty object.

    Raises:
        NotUnderstood: it is no JSON.
    """
    try:
        return json.loads(text or "{}", parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise NotUnderstood(f"The body is not JSON: {str(error)[:200]}.") from None


def asked(kind: type[V], text: str) -> V:
    """The value that a body holds.

    Raises:
        NotUnderstood: it is no JSON, or no such value.
    """
    try:
        value = converted(kind, read_json(text))
    except ValueError as error:
        raise NotUnderstood(f"{error}. The keys are {', '.join(name for name, _ in kind.fields())}.") from None
    for name, _ in kind.fields():
        number = getattr(value, name)
        if isinstance(number, Decimal) and (not number.is_finite() or _digits(number) > MAX_DIGITS):
            raise NotUnderstood(f"{name} is {str(number)[:40]}, which is no number of at most {MAX_DIGITS} digits.")
    return value


def _digits(number: Decimal) -> int:
    return max(len(number.as_tuple().digits), abs(number.adjusted()))


def _no_number(word: str) -> Decimal:
    raise ValueError(f"{word} is no number")
