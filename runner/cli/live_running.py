"""What `run`, `order`, `resume` and `preview` do where orders are sent: the approval, the screen, the last words."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from runner.app.live.preview import LivePreview, preview_live
from runner.app.live.run import resume_run, run_live
from runner.app.run import RunOptions, RunResult
from runner.cli import console, exits, live_settings, previews, running
from runner.cli.exits import Exit, Terminated
from runner.cli.live_screen import LiveScreen
from runner.domain.values import ZERO
from runner.errors import Refused
from runner.graph.preview import preview as planned
from runner.graph.reference import ReferencePrice
from runner.plan.diagnostics import Diagnostic
from runner.report.summary import as_text

Watched = Callable[[LiveScreen], RunResult]


def preview(path: str, content: bytes, sets: Mapping[str, str], mode: str) -> previews.Shown:
    """What the plan would send now, on the account that the keys are of.

    Raises:
        PlanInvalid, UsageError, EnvironmentFault, Refused: as a run of it.
    """
    live = live_settings.live_options(mode)
    options = RunOptions(name=path, data=content, state_dir=Path(), sets=sets, mode=mode)
    found = preview_live(options, live)
    if found.compiled.warnings:
        running.warn_of_plan(found.compiled.warnings)
    return _shown(found, mode, live.endpoints.rest)


def run(options: RunOptions, approve: str | None) -> int:
    """Send a plan's orders, once it is approved; the exit code."""
    result, code = carried_out(options, approve, running.warn_of_plan)
    conclude(result)
    return code


def carried_out(
    options: RunOptions, approve: str | None, warn: Callable[[tuple[Diagnostic, ...]], None],
) -> tuple[RunResult, int]:
    """The run, and its exit code; `warn` shows the plan's warnings."""
    live = live_settings.live_options(options.mode)

    def approved(found: LivePreview) -> bool:
        if found.compiled.warnings:
            warn(found.compiled.warnings)
        return _approved(_shown(found, options.mode, live.endpoints.rest), approve)

    result = _watched(LiveScreen(), lambda screen: run_live(options, live, approved, screen))
    return result, exit_code(result)


def resume(run: str, mode: str) -> int:
    """Take a run up again; the exit code."""
    live = live_settings.live_options(mode)
    result = _watched(LiveScreen(run), lambda screen: resume_run(run, live, screen))
    conclude(result)
    return exit_code(result)


def _watched(screen: LiveScreen, carry_out: Watched) -> RunResult:
    """What the run came to.

    Raises:
        click.exceptions.Exit: the user left before its end; he has been told what that means.
    """
    with screen:
        try:
            return carry_out(screen)
        except (KeyboardInterrupt, Terminated) as interrupt:
            if not screen.run:
                raise
            screen.close()
            _tell_left(screen.run, "left at once")
            raise click.exceptions.Exit(exits.of_error(interrupt)) from None
        except Exception as error:
            if screen.run and exits.of_error(error) in (Exit.BUG, Exit.FAILED):
                screen.close()
                _tell_left(screen.run, "the run did not come to its end")
            raise


def _tell_left(run: str, why: str) -> None:
    console.tell(f"{why}: what was sent may still be on the exchange, and nobody watches it", at=-1)
    console.tell(f"resume with: daksh-run resume {run}", at=-1)


def conclude(result: RunResult) -> None:
    """The run's last words: the summary, what is still on the exchange, and how to go on."""
    if console.active.json:
        console.result_json(as_json(result))
        return
    console.result_line(as_text(result.summary))
    if result.left:
        console.result_line("still on the exchange:")
        for line in result.left:
            console.result_line(f"  {line}")
    if result.resume:
        console.result_line(f"resume with: daksh-run resume {result.resume}")
    console.tell(f"read it again with: daksh-run show {result.run_id}   (kept in {result.journal})")


def as_json(result: RunResult) -> dict[str, Any]:
    return {**running.as_json(result), "left": list(result.left), "resume": result.resume}


def exit_code(result: RunResult) -> int:
    """The gravest of: an order whose outcome is not known, the signal that stopped the run, the run's outcome."""
    codes = {running.exit_code(result), Exit.UNKNOWN if result.summary.unresolved else Exit.OK}
    return exits.gravest(codes)


def _approved(shown: previews.Shown, given: str | None) -> bool:
    """Whether the user wants just this; without a word of his nothing is sent.

    Raises:
        Refused: he gave the approval of something else, or none.
    """
    approval = shown.approval_id
    if given is not None:
        if len(given) >= previews.SHOWN and approval.startswith(given.lower()):
            return True
        raise Refused(
            f"--approve {given[:40]} is not the approval id of this plan, account and mode as they are now; nothing "
            "was sent",
            hint=f"look at its preview again; its approval id is {approval}",
        )
    if console.active.json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        console.tell(shown.as_text() + "\n")
        raise Refused("not approved, so nothing was sent", hint=f"to send this, add --approve {approval}")
    console.tell(shown.as_text() + "\n", at=-1)
    console.tell(f"Orders will be sent to {shown.account.host if shown.account else ''}.", at=-1)
    typed = console.ask(f"Type the plan's name, {shown.plan}, to send them: ")
    if typed.strip() != shown.plan:
        raise Refused("not approved, so nothing was sent", hint="what was typed is not the plan's name")
    return True


def _shown(found: LivePreview, mode: str, host: str) -> previews.Shown:
    """The preview with the account's own figures; of several symbols' leverage and fees those that cost the most."""
    graph = found.compiled.graph
    leverage = min((one.leverage for one in found.account.settings), default=1)
    fee = max((price.taker_fee for price in found.prices.values()), default=ZERO)
    last = {symbol: price.last_px for symbol, price in found.prices.items()}
    return previews.Shown(
        graph.name, mode, found.fingerprint, found.approval_id,
        {symbol: ReferencePrice(price, "its last price") for symbol, price in last.items()},
        leverage, planned(graph, leverage, fee, last),
        previews.Account(host, found.account, found.snapshot, found.refusals),
    )
