"""`daksh-run exchange`: the simulated exchange on Binance's HTTP and WebSocket wire, for bots of any kind."""

from decimal import Decimal, InvalidOperation
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import click

from runner.app.exchange import ExchangeOptions, Opened, serve
from runner.app.played import Sources
from runner.cli import console, options
from runner.domain.times import parse_duration
from runner.venue.settings import Conflict, Rules

LOOPBACK = "127.0.0.1"
_PATH = "[SYMBOL=]TIME:PRICE,…"


class PathType(click.ParamType[tuple[str, tuple[tuple[int, Decimal], ...]]]):
    """`[SYMBOL=]0s:60000,10m:61000` as a pair of symbol (empty where not given) and `(offset ms, price)` points."""

    name = _PATH

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        symbol, equals, text = value.rpartition("=")
        if equals and not (symbol.isalnum() and symbol.isupper()):
            self.fail(f"{symbol[:40]!r} is no symbol, like BTCUSDT", param, ctx)
        points: list[tuple[int, Decimal]] = []
        for part in text.split(","):
            time, _, price = part.strip().partition(":")
            try:
                at_ms = parse_duration(time)
            except ValueError:
                self.fail(f"{part[:40]!r} is not a time and a price, like 10m:61000", param, ctx)
            if points and at_ms <= points[-1][0]:
                self.fail(f"{part[:40]!r} is not after the point before it", param, ctx)
            points.append((at_ms, options.DecimalType().convert(price, param, ctx)))
        return symbol, tuple(points)


class SpeedType(click.ParamType[float]):
    """`1x`, `100x`, or `step` as 0."""

    name = "1x|100x|step"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        if value == "step":
            return 0.0
        try:
            speed = Decimal(value.removesuffix("x"))
        except InvalidOperation:
            speed = Decimal("NaN")
        if speed.is_nan():
            self.fail(f"{value[:40]!r} is not a speed, like 1x, 100x, 0.5x or step", param, ctx)
        if not Decimal("0.01") <= speed <= 10_000:
            self.fail(f"{value[:40]!r} is not from 0.01x to 10000x, or step", param, ctx)
        return float(speed)


def _rules(ctx: click.Context, param: click.Parameter, pairs: tuple[tuple[str, str], ...]) -> Rules:
    """The switches, the given ones turned."""
    rules = Rules()
    known = {name: getattr(rules, name) for name, _ in Rules.fields()}
    for name, text in pairs:
        if name not in known:
            raise click.BadParameter(f"{name!r} is none of {', '.join(known)}", ctx, param)
        words: dict[str, Any] = {"true": True, "false": False}
        if isinstance(known[name], Conflict):
            words = {str(each): each for each in Conflict}
        if text not in words:
            raise click.BadParameter(f"{name} is one of {', '.join(words)}, not {text[:40]!r}", ctx, param)
        rules = rules.but(**{name: words[text]})
    return rules


@click.command(
    "exchange", epilog="Example: daksh-run exchange --port 9001 --path 0s:60000,10m:61000 --speed 1x",
)
@click.option("--port", type=click.IntRange(0, 65535), default=9001, show_default=True,
              help="The TCP port; 0 takes a free one.")
@click.option("--host", default=LOOPBACK, show_default=True,
              help="The address to listen at.  Another than loopback is reachable from other machines.")
@click.option("--data", "data", type=options.MarketDataType(), multiple=True, metavar="[SYMBOL=]FILE",
              help="Market data to play (Binance's public csv, gz or zip files); may be repeated.")
@click.option("--path", "paths", type=PathType(), multiple=True, metavar=_PATH,
              help="Prices on straight lines between points, like 0s:60000,10m:61000; may be repeated.")
@options.prices
@click.option("--speed", type=SpeedType(), default="1x", metavar="1x|100x|step", show_default=True,
              help="How fast the market goes; step: only by POST /sim/step.")
@click.option("--balance", type=options.DecimalType(), default="10000", show_default=True,
              help="What each account begins with, in USDT.")
@click.option("--faults", type=click.Path(path_type=Path), metavar="FILE",
              help="What goes wrong on purpose (YAML or JSON; see docs/exchange.md).")
@options.instruments
@click.option("--seed", type=options.SeedType(), default="1", show_default=True, help="Seed of invented prices.")
@click.option("--rule", "rules", type=options.PairType("NAME=VALUE"), multiple=True, callback=_rules,
              metavar="NAME=VALUE", help="Turn a switch of undocumented behaviour; may be repeated.")
@click.option("--no-limits", is_flag=True, help="Lift the rate limits.")
def command(
    port: int, host: str, data: tuple[tuple[str, str], ...], paths: tuple[Any, ...], prices: dict[str, Decimal],
    speed: float, balance: Decimal, faults: Path | None, instruments: Path | None, seed: int, rules: Rules,
    no_limits: bool,
) -> int:
    """Serve a simulated Binance USDⓈ-M Futures exchange over HTTP and WebSocket, until Ctrl-C.

    It is no real exchange and holds no real money: bots of any kind can be tried against it.  Without --data, --path
    and --price it plays invented markets.
    """
    serve(
        ExchangeOptions(
            host, port, Sources(data, paths, prices, seed), speed, balance, faults, instruments, not no_limits, rules,
        ),
        lambda opened: _tell(opened, speed),
    )
    console.result("stopped; the exchange and all that was on it are gone")
    return 0


def _tell(opened: Opened, speed: float) -> None:
    place = f"[{opened.host}]:{opened.port}" if ":" in opened.host else f"{opened.host}:{opened.port}"
    lines = [
        "daksh-run exchange: a simulated Binance USDⓈ-M Futures exchange.",
        "This is no real exchange and holds no real money: nothing here is ever bought or sold.",
        f"REST       http://{place}      (/fapi/v1/…)",
        f"WebSocket  ws://{place}        (/public /market /private /ws-fapi/v1)",
        f"controls   http://{place}/sim",
        f"key        {opened.key}   secret {opened.secret}",
    ]
    lines += [f"market     {symbol}: {words}" for symbol, words in opened.markets.items()]
    if opened.faults:
        lines.append(f"faults     {opened.faults} from the file")
    lines.append(f"speed      {f'{speed:g}x' if speed else 'step (nothing moves but by POST /sim/step)'}")
    for line in lines:
        console.result_line(line)
    console.flush()
    if not _loopback(opened.host):
        console.complain(
            f"it listens at {opened.host}: every machine that reaches this one can use it, and steer it by /sim/",
            f"leave --host out to listen at {LOOPBACK} only",
        )


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
