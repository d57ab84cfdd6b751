"""One typed order as a run: its plan, the position that it closes, and the line that says how it went."""

from decimal import Decimal
from pathlib import Path

from runner.app.run import RunOptions, RunResult, read_and_compile, run_plan
from runner.cli import console, environment, running
from runner.cli.exits import Exit
from runner.cli.order_plan import Order, Single, Twap, exits_only, plan_text
from runner.domain.values import Side, plain, trimmed
from runner.errors import EnvironmentFault, Refused
from runner.graph.reference import reference_price
from runner.plan.diagnostics import Diagnostic
from runner.plan.load import load_plan


def run_order(
    order: Order, *, print_plan: bool, data: tuple[tuple[str, str], ...], prices: dict[str, Decimal],
    instruments: Path | None, seed: int | None, state_dir: Path | None,
) -> int:
    """Run the order's plan, or print it; the exit code.

    Raises:
        PlanInvalid: the exchange's rules do not allow the order.
        EnvironmentFault: no price is known to give a reduce-only order its position at.
    """
    held_at = _held_at(order, prices) if exits_only(order) else None
    text = plan_text(order, held_at)
    options = RunOptions(
        name=f"order {order.name}", data=text.encode(), state_dir=environment.state_dir(state_dir), market_data=data,
        prices=prices, instruments=instruments, seed=seed,
        until_accepted=_until_accepted(order),
    )
    if print_plan:
        read_and_compile(options)
        console.result(text.rstrip("\n"))
        return Exit.OK
    if held_at is not None and not console.active.json:
        held = "long" if order.typed.side is Side.SELL else "short"
        console.result_line(
            f"the dry run is given the position to close: {held} {plain(order.typed.qty)} {order.typed.symbol} "
            f"from {trimmed(held_at)}",
        )
    result = run_plan(options, running.Screen(_warn))
    code = running.exit_code(result)
    if console.active.json:
        console.result_json({"ok": code == Exit.OK, **running.as_json(result)})
    else:
        running.conclude(result)
        console.result_line(_verdict(result, code))
    return code


def send_order(order: Order, mode: str, approve: str | None, seed: int | None) -> int:
    """Send the order of a demo or live run, once it is approved; the exit code.

    Raises:
        Refused: it may open without a stop, and nobody has said that this is meant; or it is not approved.
        PlanInvalid: the exchange's rules do not allow the order.
    """
    if isinstance(order, Single | Twap) and not (order.reduce_only or order.unprotected):
        raise Refused(
            "this order may open a position without a stop; nothing was sent",
            hint="say that it is meant with --unprotected allow, or give it a stop: daksh-run order bracket",
        )
    from runner.cli import live_running

    options = RunOptions(
        name=f"order {order.name}", data=plan_text(order, None).encode(), state_dir=Path(), seed=seed, mode=mode,
        until_accepted=_until_accepted(order),
    )
    result, code = live_running.carried_out(options, approve, _warn)
    if console.active.json:
        console.result_json({"ok": code == Exit.OK, **live_running.as_json(result)})
    else:
        live_running.conclude(result)
        console.result_line(_verdict(result, code))
    return code


def _until_accepted(order: Order) -> bool:
    return isinstance(order, Single) and order.order_type != "MARKET"


def _warn(warnings: tuple[Diagnostic, ...]) -> None:
    """In the words of the command line: the user has not seen the plan that the warnings stand in."""
    for warning in warnings:
        if warning.code == "unprotected":
            console.tell("warning: this order may open a position without a stop; --unprotected allow says it is meant")
        else:
            console.tell(f"warning: {warning.message}")


def _held_at(order: Order, prices: dict[str, Decimal]) -> Decimal:
    """The price that the position which the order closes was entered at: that of the market's start."""
    symbol = order.typed.symbol
    known = reference_price(
        load_plan(f"order {order.name}", plan_text(order, None).encode()), symbol, prices.get(symbol),
    )
    if known is None:
        raise EnvironmentFault(f"no price of {symbol} is known", hint=f"give --price {symbol}=PRICE")
    return known.price


def _verdict(result: RunResult, code: int) -> str:
    """`OK: entry FILLED FAKE-1; link OCO-…`: each order with its id and state, and the link that they share."""
    rows = [row for row in result.order_rows if row["orderId"]]
    orders = ", ".join(f"{row['type']} {row['orderId']} {row['result']}" for row in rows)
    links = ", ".join(dict.fromkeys(row["linkId"] for row in rows if row["linkId"]))
    words = f"{orders or 'no order was accepted'}" + (f"; link {links}" if links else "")
    return f"{'OK' if code == Exit.OK else 'FAILED'}: {words}"
