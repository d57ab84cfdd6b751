"""The graph's values in words, for people."""

from decimal import Decimal

from runner.domain.conditions import (
    AllOf,
    AnyOf,
    AtCondition,
    Condition,
    DelayCondition,
    HeldFor,
    Not,
    PositionCondition,
    PriceCondition,
    PriceSource,
    Relation,
)
from runner.domain.instrument import Instrument
from runner.domain.sizes import EquityShare, FilledOf, Notional, PositionShare, Quantity, RiskShare, Size
from runner.domain.times import duration, rfc3339
from runner.domain.values import EXACT, trimmed
from runner.errors import InternalError
from runner.graph.model import (
    DueTarget,
    FillOffset,
    FixedPrice,
    FixedTarget,
    MarkOffset,
    OpenTarget,
    OrderNode,
    Outcome,
    Price,
    RiskOffset,
    Schedule,
    ShareTarget,
    StepPolicy,
)

_OUTCOMES = {
    Outcome.PLACED: "is placed", Outcome.FIRST_FILL: "has its first fill", Outcome.FILLED: "is filled",
    Outcome.WOULD_TRIGGER: "would trigger at once", Outcome.REJECTED: "is rejected", Outcome.DENIED: "is denied",
    Outcome.EXPIRED: "has expired", Outcome.SUCCEEDED: "has succeeded", Outcome.FAILED: "has failed",
    Outcome.CANCELLED: "is cancelled", Outcome.SKIPPED: "is skipped", Outcome.ANY: "has ended",
}


def percent(fraction: Decimal) -> str:
    return f"{trimmed(EXACT.multiply(fraction, Decimal(100)))}%"


def outcome_words(outcome: Outcome) -> str:
    """As in `long has succeeded`."""
    return _OUTCOMES[outcome]


def size_words(size: Size, instrument: Instrument) -> str:
    match size:
        case Quantity(qty):
            return f"{trimmed(qty)} {instrument.base_asset}"
        case FilledOf(step_id):
            return f"what {step_id} has open"
        case PositionShare(fraction):
            return f"{percent(fraction)} of the position"
        case Notional(amount):
            return f"{trimmed(amount)} {instrument.quote_asset} worth"
        case EquityShare(fraction):
            return f"{percent(fraction)} of equity"
        case RiskShare(fraction):
            return f"as much as risks {percent(fraction)} of equity"


def price_words(price: Price) -> str:
    match price:
        case FixedPrice(fixed):
            return trimmed(fixed)
        case MarkOffset():
            return f"{_offset(price)} the mark"
        case FillOffset():
            return f"{_offset(price)} the fill of {price.node_id}"
        case RiskOffset():
            return f"{trimmed(price.multiple)}R {_direction(price.sign)} the fill of {price.node_id}"


def target_words(node: OrderNode, policy: StepPolicy, instrument: Instrument) -> str:
    """How much the order is for."""
    if node.close_position:
        return "the whole position"
    match node.target:
        case FixedTarget(size):
            return size_words(size, instrument)
        case OpenTarget():
            if policy.follows is None and policy.group_id == policy.step_id and policy.size and not policy.opens:
                return size_words(policy.size, instrument)
            return "all that is open"
        case ShareTarget(weights, index):
            return "all that is filled" if len(weights) == 1 else f"{percent(weights[index])} of what is filled"
        case DueTarget(index):
            return _slice_words(policy.schedule, index, instrument)


def order_words(node: OrderNode, policy: StepPolicy, instrument: Instrument) -> str:
    """`LIMIT BUY 0.004 BTC @ 60000`."""
    text = f"{node.order_type} {node.side} {target_words(node, policy, instrument)}"
    if node.price is not None:
        text += f" @ {price_words(node.price)}"
    if node.trigger is not None and node.trigger != node.price:
        text += f", trigger {price_words(node.trigger)}"
    if node.callback_rate is not None:
        text += f", {trimmed(node.callback_rate)}% behind the best price"
    if node.activation is not None:
        text += f" from {price_words(node.activation)} on"
    if node.good_till_ms is not None:
        text += f", good till {rfc3339(node.good_till_ms)}"
    return text


def condition_words(condition: Condition) -> str:
    match condition:
        case PriceCondition(symbol, relation, price, source):
            name = "mark price" if source is PriceSource.MARK else "price"
            return f"{symbol} {name} {_relation(relation)} {trimmed(price)}"
        case PositionCondition(symbol, relation, qty):
            return f"position in {symbol} {_relation(relation)} {trimmed(qty)}"
        case AtCondition(at_ms):
            return f"from {rfc3339(at_ms)} on"
        case DelayCondition(delay_ms):
            return f"{duration(delay_ms)} have passed"
        case AllOf(parts):
            return "(" + " and ".join(map(condition_words, parts)) + ")"
        case AnyOf(parts):
            return "(" + " or ".join(map(condition_words, parts)) + ")"
        case Not(part):
            return f"not {condition_words(part)}"
        case HeldFor(part, for_ms):
            return f"{condition_words(part)} for {duration(for_ms)}"


def _slice_words(schedule: Schedule | None, index: int, instrument: Instrument) -> str:
    if schedule is None:
        raise InternalError("a step with slices has no schedule")
    if isinstance(schedule.size, Quantity) and not schedule.randomize:
        return f"{trimmed(instrument.split(schedule.size.qty, schedule.slices)[index])} {instrument.base_asset}"
    return f"slice {index + 1} of {schedule.slices}"


def _relation(relation: Relation) -> str:
    return relation.value.replace("_", " ")


def _offset(price: MarkOffset | FillOffset) -> str:
    amount = percent(price.fraction) if price.fraction is not None else trimmed(price.absolute or Decimal(0))
    return f"{amount} {_direction(price.sign)}"


def _direction(sign: int) -> str:
    return "above" if sign > 0 else "below"
