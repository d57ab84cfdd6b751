"""Order nodes that several kinds share: the order of an `entry` or `exit`, and the exits of a bracket or OCO."""

from decimal import Decimal

from runner.domain.values import OrderType, Side, TimeInForce
from runner.graph.model import (
    FixedPrice,
    OpenTarget,
    OrderNode,
    Price,
    Role,
    ShareTarget,
    Target,
)
from runner.graph.prices import Anchor, exit_price, limit_price, wire_callback
from runner.graph.scope import Scope
from runner.plan.model import OnImmediateTrigger, OrderFields, Step, StopLoss, TakeProfit


def order_leg(
    step: Step, name: str, group_id: str, role: Role, side: Side, order: OrderFields, target: Target,
) -> OrderNode:
    """The one order of a step, or one slice of many."""
    price: Price | None = None
    if order.type is OrderType.LIMIT and order.price is not None:
        price = limit_price(order.price, side)
    elif order.type.limited:
        price = _fixed(order.limit_price)
    opener = role is Role.OPENER
    return OrderNode(
        f"{step.step_id}.{name}", step.step_id, group_id, role, step.symbol, side, order.type,
        step.time_in_force if opener and order.type.limited else TimeInForce.GTC, step.working_type, target,
        price, _fixed(order.stop_price), _fixed(order.activation_price),
        wire_callback(order.callback_rate),
        market_if_triggered=opener and step.on_immediate_trigger is OnImmediateTrigger.MARKET,
        good_till_ms=order.good_till_ms if opener else None,
    )


def stop_price(step: Step, scope: Scope, side: Side, stop: StopLoss, anchor: Anchor | None) -> Price:
    """The trigger of a stop-loss whose own side is `side`."""
    return exit_price(
        stop.stop_price, side, profit=False, anchor=anchor, stop=None, instrument=scope.instrument(step),
    )


def exit_legs(
    step: Step, scope: Scope, group_id: str, side: Side, take_profits: tuple[TakeProfit, ...], stop: StopLoss,
    anchor: Anchor | None,
) -> tuple[OrderNode, ...]:
    """The stop, which goes first, and the take-profits; `side` is theirs."""
    trigger = stop_price(step, scope, side, stop, anchor)
    limit = _fixed(stop.limit_price)
    legs = [_leg(
        step, "stop_loss", group_id, Role.STOP, side, OrderType.STOP if limit else OrderType.STOP_MARKET,
        OpenTarget(), limit, trigger, close_position=stop.close_position,
    )]
    weights = tuple(leg.portion for leg in take_profits)
    for index, take_profit in enumerate(take_profits):
        price = exit_price(
            take_profit.price, side, profit=True, anchor=anchor, stop=trigger, instrument=scope.instrument(step),
        )
        legs.append(_leg(
            step, leg_name(index, len(take_profits)), group_id, Role.TAKE_PROFIT, side, take_profit.type,
            ShareTarget(weights, index), price if take_profit.type.limited else None,
            price if take_profit.type.conditional else None,
        ))
    return tuple(legs)


def leg_name(index: int, count: int) -> str:
    """`take_profit` where there is one, else `take_profit.1` and so on."""
    return "take_profit" if count == 1 else f"take_profit.{index + 1}"


def _fixed(price: Decimal | None) -> FixedPrice | None:
    return None if price is None else FixedPrice(price)


def _leg(
    step: Step, name: str, group_id: str, role: Role, side: Side, order_type: OrderType, target: Target,
    price: Price | None, trigger: Price | None, *, close_position: bool = False,
) -> OrderNode:
    return OrderNode(
        f"{step.step_id}.{name}", step.step_id, group_id, role, step.symbol, side, order_type, TimeInForce.GTC,
        step.working_type, target, price, trigger, close_position=close_position,
    )
