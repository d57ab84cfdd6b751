"""Options that several commands share, and the types that read them."""

import os
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

import click

from runner.cli import console
from runner.domain.times import parse_duration
from runner.domain.values import MAX_DIGITS

F = TypeVar("F", bound=Callable[..., Any])

MAX_PLAN_BYTES = 8 * 1024 * 1024
"""A plan's largest size; one byte more is read, so that the reader of plans can say that it is too large."""


class DecimalType(click.ParamType[Decimal]):
    """An exact decimal number above zero."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        if isinstance(value, Decimal):
            return value
        try:
            number = Decimal(value) if len(value) <= 2 * MAX_DIGITS else Decimal("NaN")
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or number <= 0 or len(number.as_tuple().digits) > MAX_DIGITS:
            self.fail(f"{value[:40]!r} is not a number above zero, like 0.002", param, ctx)
        if abs(number.adjusted()) > MAX_DIGITS:
            self.fail(f"{value[:40]!r} has more than {MAX_DIGITS} digits", param, ctx)
        return number


class DurationType(click.ParamType[int]):
    """A duration in milliseconds, written `2s` or `1m30s`; a bare number is seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            milliseconds = parse_duration(f"{value}s" if value.isdecimal() else value)
        except ValueError:
            milliseconds = 0
        if milliseconds <= 0:
            self.fail(f"{value[:40]!r} is not a duration, like 250ms, 2s or 1m30s", param, ctx)
        return milliseconds


class SeedType(click.ParamType[int]):
    """A whole number that fits into the journal's 64 bits."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        if not (value.isascii() and value.isdecimal() and len(value) < 20 and int(value) < 2**63):
            self.fail(f"{value[:40]!r} is not a whole number from 0 to {2**63 - 1}", param, ctx)
        return int(value)


class PairType(click.ParamType[tuple[str, Any]]):
    """`NAME=VALUE` as a pair."""

    def __init__(self, shape: str) -> None:
        self.name = shape

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, given = value.partition("=")
        if not equals or not name or not given:
            self.fail(f"{value[:80]!r} is not {self.name}", param, ctx)
        return name, given


class PriceOfType(PairType):
    """`SYMBOL=PRICE` with an exact price above zero."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        symbol, price = super().convert(value, param, ctx)
        return symbol, DecimalType().convert(price, param, ctx)


class MarketDataType(click.ParamType[tuple[str, str]]):
    """`FILE`, or `SYMBOL=FILE`, as a pair with an empty symbol for the first."""

    name = "[SYMBOL=]FILE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        symbol, equals, file = value.partition("=")
        if equals and symbol.isalnum() and symbol.isupper():
            return symbol, file
        return "", value


def output(function: F) -> F:
    """`--format`, `-q`, `-v` and `--color`; they fill the console before the command runs."""
    for option in (
        click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", expose_value=False,
                     callback=_color, help="Colour the output (default: on a terminal, unless NO_COLOR is set)."),
        click.option("-v", "--verbose", is_flag=True, expose_value=False, callback=_verbose,
                     help="Say more on stderr."),
        click.option("-q", "--quiet", is_flag=True, expose_value=False, callback=_quiet,
                     help="Say nothing but results and errors."),
        click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text",
                     expose_value=False, callback=_format, is_eager=True, help="How to write the result."),
    ):
        function = option(function)
    return function


def _format(ctx: click.Context, param: click.Parameter, value: str) -> None:
    console.active.json = value == "json"


def _color(ctx: click.Context, param: click.Parameter, value: str) -> None:
    console.active.color = value


def _verbose(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        console.active.verbosity = 1


def _quiet(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        console.active.verbosity = -1


def _unique(ctx: click.Context, param: click.Parameter, values: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    """Pairs as a mapping; a name given twice is refused."""
    mapping: dict[str, Any] = {}
    for name, value in values:
        if name in mapping:
            raise click.BadParameter(f"{name!r} is given twice", ctx, param)
        mapping[name] = value
    return mapping


sets = click.option(
    "--set", "sets", type=PairType("NAME=VALUE"), multiple=True, callback=_unique, metavar="NAME=VALUE",
    help="Give a parameter of the plan a value; may be repeated.",
)
prices = click.option(
    "--price", "prices", type=PriceOfType("SYMBOL=PRICE"), multiple=True, callback=_unique, metavar="SYMBOL=PRICE",
    help="Dry runs: the reference price of a symbol's invented market; may be repeated.",
)
instruments = click.option(
    "--instruments", type=click.Path(path_type=Path), metavar="FILE",
    help="Dry runs: trading rules from a saved GET /fapi/v1/exchangeInfo instead of those shipped.",
)
state_dir = click.option(
    "--state-dir", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Where journals, bot.log and trades.csv are (default: DAKSH_STATE_DIR, else .daksh).",
)
mode = click.option(
    "--mode", type=click.Choice(["dryrun", "demo", "live"]),
    help="Where the orders go: nowhere, to Binance's demo exchange, or to Binance, which this version refuses "
         "(default: MODE, else dryrun).",
)
live_mode = click.option(
    "--mode", type=click.Choice(["demo", "live"]), help="Which exchange (default: MODE, else demo).",
)
whose_mode = click.option(
    "--mode", type=click.Choice(["dryrun", "demo", "live"]), help="Of which runs (default: of all; a number: of MODE).",
)
approve = click.option(
    "--approve", metavar="ID", help="The approval id that preview shows; on a terminal you may type the name instead.",
)
data = click.option(
    "--data", "data", type=MarketDataType(), multiple=True, metavar="[SYMBOL=]FILE",
    help="Dry runs: market data to run on instead of the plan's (Binance's public csv, gz or zip files); may be "
         "repeated.",
)
seed = click.option("--seed", type=SeedType(), help="Seed of invented prices and randomised slices.")


def dry_only(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given that only a dry run can follow, by its name on the command line."""
    names = {"data": "--data", "prices": "--price", "instruments": "--instruments", "state_dir": "--state-dir"}
    return {option: given.get(name) for name, option in names.items()}


def refuse_given(given: Mapping[str, Any], what: str) -> None:
    """Go on only where none of these options was given.

    Raises:
        click.UsageError: one was.
    """
    for option, value in given.items():
        if value:
            raise click.UsageError(f"{option} does not go with {what}")


def read_plan(path: str) -> bytes:
    """A plan's bytes (`-` is standard input), at most one more than a plan may have.

    Raises:
        click.BadParameter: there is no such file, or it is a folder.
        OSError: it cannot be read.
    """
    if path == "-":
        return console.read_stdin(MAX_PLAN_BYTES + 1)
    if os.path.isdir(path):
        raise click.BadParameter(f"{path}: it is a folder, not a plan")
    try:
        with open(path, "rb") as file:
            return file.read(MAX_PLAN_BYTES + 1)
    except FileNotFoundError:
        raise click.BadParameter(f"{path}: there is no such file") from None
    except ValueError:
        raise click.BadParameter(f"{path!r} is no file name") from None
