"""`daksh-run order …`: one order typed on the command line becomes a plan, and is run, dry or not, or printed."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import click

from runner.cli import environment, options, ordering
from runner.cli.order_plan import Bracket, Exits, Oco, Order, Single, Twap, Typed
from runner.domain.values import Side

NUMBER = options.DecimalType()

take_profit = click.option(
    "--take-profit", "--takeProfit", type=NUMBER, metavar="PRICE", help="Where the profit is taken.",
)
stop_limit_price = click.option(
    "--stop-limit-price", "--stopLimitPrice", type=NUMBER, metavar="PRICE",
    help="Makes the stop-loss a stop-limit: its worst price.",
)
unprotected = click.option(
    "--unprotected", type=click.Choice(["allow"]),
    help="Say that it is meant to open without a stop; demo and live refuse it otherwise.",
)
reduce_only = click.option("--reduce-only", "--reduceOnly", is_flag=True, help="Only close a position, never open one.")


@click.group("order", no_args_is_help=False, epilog="Example: daksh-run order market BTCUSDT BUY 0.001")
def command() -> None:
    """Run one order typed on the command line: a dry run, unless --mode or MODE says demo or live.

    SYMBOL may be left out where DEFAULT_SYMBOL is set.  With --print-plan the order is printed as a plan instead.
    """


def _shared(words: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """What every order command takes; `words` are its positional words."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in (
            click.argument("words", nargs=-1, metavar=words),
            click.option("--print-plan", is_flag=True, help="Print the plan instead of running it."),
            options.output, options.mode, options.approve, options.state_dir, options.seed, options.instruments,
            options.data, options.prices,
        ):
            function = option(function)
        return function

    return decorate


@command.command("market", epilog="Example: daksh-run order market BTCUSDT BUY 0.001")
@unprotected
@reduce_only
@_shared("[SYMBOL] SIDE QTY")
def market(words: tuple[str, ...], reduce_only: bool, unprotected: str | None, **run: Any) -> int:
    """Buy or sell at the market."""
    typed, _ = _typed(words)
    return _go(Single(typed, "MARKET", reduce_only=reduce_only, unprotected=bool(unprotected)), run)


@command.command("limit", epilog="Example: daksh-run order limit ETHUSDT SELL 1 3200")
@click.option("--time-in-force", "--tif", type=click.Choice(["GTC", "IOC", "FOK", "GTX"]), help="Default: GTC.")
@unprotected
@reduce_only
@_shared("[SYMBOL] SIDE QTY PRICE")
def limit(
    words: tuple[str, ...], time_in_force: str | None, reduce_only: bool, unprotected: str | None, **run: Any,
) -> int:
    """Place a limit order; done once the exchange has accepted it."""
    typed, (price,) = _typed(words, "PRICE")
    order = Single(
        typed, "LIMIT", {"price": price}, time_in_force=time_in_force, reduce_only=reduce_only,
        unprotected=bool(unprotected),
    )
    return _go(order, run)


@command.command(
    "stop-limit",
    epilog="Example: daksh-run order stop-limit BTCUSDT SELL 0.001 --stop-price 59000 --limit-price 58800",
)
@click.option("--stop-price", "--stopPrice", type=NUMBER, required=True, metavar="PRICE", help="Wakes the order.")
@click.option("--limit-price", "--limitPrice", type=NUMBER, required=True, metavar="PRICE", help="Its worst price.")
@unprotected
@reduce_only
@_shared("[SYMBOL] SIDE QTY")
def stop_limit(
    words: tuple[str, ...], stop_price: Decimal, limit_price: Decimal, reduce_only: bool, unprotected: str | None,
    **run: Any,
) -> int:
    """Place a stop-limit order; done once the exchange has accepted it."""
    typed, _ = _typed(words)
    prices = {"stop_price": stop_price, "limit_price": limit_price}
    return _go(Single(typed, "STOP", prices, reduce_only=reduce_only, unprotected=bool(unprotected)), run)


@command.command(
    "oco",
    epilog="Example: daksh-run order oco BTCUSDT SELL 0.001 --take-profit 62000 --stop-price 59000 "
           "--stop-limit-price 58800",
)
@take_profit
@click.option("--stop-price", "--stopPrice", type=NUMBER, required=True, metavar="PRICE", help="Wakes the stop-loss.")
@stop_limit_price
@_shared("[SYMBOL] SIDE QTY")
def oco(
    words: tuple[str, ...], take_profit: Decimal | None, stop_price: Decimal, stop_limit_price: Decimal | None,
    **run: Any,
) -> int:
    """Close a position at a profit or at a loss, whichever comes first.

    SIDE is the side of the exits: SELL closes a long.  A dry run is given the position that the exits close.
    """
    if take_profit is None:
        raise click.UsageError("an OCO needs --take-profit")
    typed, _ = _typed(words)
    return _go(Oco(typed, Exits(take_profit, stop_price, stop_limit_price)), run)


@command.command(
    "bracket",
    epilog="Example: daksh-run order bracket BTCUSDT BUY 0.002 --entry-type MARKET --take-profit 62000 "
           "--stop-price 59000",
)
@click.option("--entry-type", "--entryType", type=click.Choice(["MARKET", "LIMIT"], case_sensitive=False),
              help="Default: LIMIT with --limit-price, else MARKET.")
@click.option("--limit-price", "--limitPrice", type=NUMBER, metavar="PRICE",
              help="Price of a LIMIT entry.")
@take_profit
@click.option("--stop-price", "--stopPrice", type=NUMBER, required=True, metavar="PRICE", help="Wakes the stop-loss.")
@stop_limit_price
@_shared("[SYMBOL] SIDE QTY")
def bracket(
    words: tuple[str, ...], entry_type: str | None, limit_price: Decimal | None, take_profit: Decimal | None,
    stop_price: Decimal, stop_limit_price: Decimal | None, **run: Any,
) -> int:
    """Open a position and protect each fill of it at once."""
    typed, _ = _typed(words)
    wanted = entry_type or ("MARKET" if limit_price is None else "LIMIT")
    if wanted == "LIMIT" and limit_price is None:
        raise click.UsageError("a LIMIT entry needs --limit-price")
    if wanted == "MARKET" and limit_price is not None:
        raise click.UsageError("a MARKET entry takes no --limit-price")
    return _go(Bracket(typed, limit_price, Exits(take_profit, stop_price, stop_limit_price)), run)


@command.command("twap", epilog="Example: daksh-run order twap BTCUSDT BUY 0.009 --slices 3 --interval 2s")
@click.option("--slices", type=click.IntRange(1, 10_000), required=True, help="How many parts.")
@click.option("--interval", "--intervalSec", "--interval-sec", type=options.DurationType(), required=True,
              metavar="DURATION", help="Time from one slice to the next, like 2s or 1m; a bare number is seconds.")
@click.option("--limit-price", "--limitPrice", type=NUMBER, metavar="PRICE", help="Send LIMIT slices with this cap.")
@unprotected
@reduce_only
@_shared("[SYMBOL] SIDE QTY")
def twap(
    words: tuple[str, ...], slices: int, interval: int, limit_price: Decimal | None, reduce_only: bool,
    unprotected: str | None, **run: Any,
) -> int:
    """Buy or sell a quantity in slices over time."""
    typed, _ = _typed(words)
    return _go(Twap(typed, slices, interval, limit_price, reduce_only, bool(unprotected)), run)


def _go(order: Order, run: dict[str, Any]) -> int:
    wanted, approve = environment.mode(run.pop("mode")), run.pop("approve")
    if wanted == "dryrun" or run["print_plan"]:
        options.refuse_given({"--approve": approve}, "a dry run: say --mode demo or --mode live")
        return ordering.run_order(order, **run)
    options.refuse_given(options.dry_only(run), f"mode {wanted}")
    return ordering.send_order(order, wanted, approve, run["seed"])


def _typed(words: tuple[str, ...], *further: str) -> tuple[Typed, tuple[Decimal, ...]]:
    """`[SYMBOL] SIDE QTY`, and further numbers, from the words as typed."""
    names = ["SYMBOL", "SIDE", "QTY", *further]
    if words and words[0].upper() in Side.__members__:
        symbol = environment.default_symbol()
        if symbol is None:
            raise click.UsageError(f"SYMBOL is missing before {words[0]!r} (or set DEFAULT_SYMBOL)")
        words = (symbol, *words)
    if len(words) < len(names):
        raise click.UsageError(f"{names[len(words)]} is missing: say {' '.join(names)}")
    if len(words) > len(names):
        raise click.UsageError(f"unexpected {words[len(names)][:40]!r} after {names[-1]}")
    side = words[1].upper()
    if side not in Side.__members__:
        raise click.UsageError(f"SIDE is {words[1][:40]!r}, not BUY or SELL")
    numbers = []
    for name, word in zip(names[2:], words[2:], strict=True):
        try:
            numbers.append(NUMBER.convert(word, None, None))
        except click.BadParameter as error:
            raise click.UsageError(f"{name}: {error.message}") from None
    return Typed(words[0].upper(), Side(side), numbers[0]), tuple(numbers[1:])
