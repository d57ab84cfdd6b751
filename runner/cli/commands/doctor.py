"""`daksh-run doctor`: whether a demo or live run would work from here, and what to do where it would not."""

import click

from runner.cli import console, environment, options
from runner.cli.exits import Exit

_SIGNS = {True: "ok", False: "FAULT", None: "?"}
_COLORS = {True: "green", False: "red", None: "yellow"}


@click.command("doctor", epilog="Example: daksh-run doctor --mode demo --symbol BTCUSDT")
@options.live_mode
@click.option("--symbol", "symbols", multiple=True, metavar="SYMBOL",
              help="Whose rules, leverage and position to look at; may be repeated (default: DEFAULT_SYMBOL, else "
                   "BTCUSDT).")
@options.output
def command(mode: str | None, symbols: tuple[str, ...]) -> int:
    """Look at clock, keys, permissions, mode, rate limits, streams and symbol rules; each finding with what to do.

    Sends no order.  Without keys it looks at what needs none.  Exit code 4 where a run would not work.
    """
    from runner.app.live.doctor import examine
    from runner.cli import live_settings

    wanted = environment.mode(mode, "demo")
    if wanted == "dryrun":
        wanted = "demo"  # MODE=dryrun says what runs are; whoever asks the doctor asks about an exchange
    asked = tuple(symbol.upper() for symbol in symbols) or (environment.default_symbol() or "BTCUSDT",)
    live = live_settings.live_options(wanted, keys_needed=False)
    findings = examine(live, asked)
    works = all(finding.ok is not False for finding in findings)
    if console.active.json:
        console.result_json({
            "mode": wanted, "host": live.endpoints.rest, "works": works,
            "findings": [
                {"topic": one.topic, "ok": one.ok, "text": one.text, "advice": one.advice} for one in findings
            ],
        })
        return Exit.OK if works else Exit.ENVIRONMENT
    console.result_line(f"{wanted}   {live.endpoints.rest}")
    width = max(len(one.topic) for one in findings)
    for one in findings:
        console.result_line(f"{_SIGNS[one.ok]:<6} {one.topic:<{width}}  {one.text}", _COLORS[one.ok])
        if one.advice and one.ok is not True:
            console.result_line(f"       {'':<{width}}  {one.advice}")
    console.result_line("a run would work from here" if works else "a run would not work from here")
    return Exit.OK if works else Exit.ENVIRONMENT
