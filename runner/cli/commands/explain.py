"""`daksh-run explain CODE`: what a fault's code means, with an example and its cure."""

import click

from runner.cli import console, options
from runner.graph.codes import GRAPH_CODES
from runner.plan.codes import PLAN_CODES, Code
from runner.plan.suggestions import did_you_mean


@click.command("explain", epilog="Example: daksh-run explain unknown-key")
@click.argument("code", required=False)
@click.option("--list", "listing", is_flag=True, help="List every code.")
@options.output
def command(code: str | None, listing: bool) -> None:
    """Explain the CODE of a fault, as in error[CODE]; --list shows them all."""
    codes = dict(sorted({**PLAN_CODES, **GRAPH_CODES}.items()))
    if listing:
        _list(codes)
        return
    if code is None:
        raise click.UsageError("CODE is missing; --list shows them all")
    wanted = code.strip().strip("[]").lower().removeprefix("error[").removeprefix("warning[")
    if wanted not in codes:
        meant = did_you_mean(wanted, codes)
        raise click.UsageError(f"there is no code {code[:60]!r}" + (f": {meant}" if meant else ""))
    found = codes[wanted]
    if console.active.json:
        console.result_json({"code": wanted, **_as_json(found)})
    else:
        console.result(_as_text(wanted, found))


def _list(codes: dict[str, Code]) -> None:
    if console.active.json:
        console.result_json([{"code": name, **_as_json(code)} for name, code in codes.items()])
        return
    width = max(map(len, codes))
    console.result("\n".join(f"{name:<{width}}  {code.title}" for name, code in codes.items()))


def _as_text(name: str, code: Code) -> str:
    text = click.wrap_text(code.explanation, width=min(console.width(), 100))
    example, cure = (
        "\n".join(f"    {line}" for line in part.splitlines()) for part in (code.example, code.fix)
    )
    return f"{name}: {code.title}\n\n{text}\n\nWrong:\n{example}\n\nRight:\n{cure}"


def _as_json(code: Code) -> dict[str, str]:
    return {"title": code.title, "explanation": code.explanation, "example": code.example, "fix": code.fix}
