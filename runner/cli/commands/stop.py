"""`daksh-run stop RUN`: asks a run in another terminal to stop."""

import click

from runner.cli import console, environment, options
from runner.cli.exits import Exit


@click.command("stop", epilog="Example: daksh-run stop 3 --flatten")
@click.argument("run")
@click.option("--flatten", is_flag=True, help="Close what the run holds, too.")
@options.output
def command(run: str, flatten: bool) -> int:
    """Ask RUN (a demo or live run that goes on in another terminal) to stop, and wait until it has.

    It opens nothing any more and cancels what could still open; what protects stays on the exchange.
    """
    from runner.app.live.control import request_stop

    console.tell(f"asking run {run} to stop{' and to close what it holds' if flatten else ''}")
    answer = request_stop(run, environment.state_home(), flatten=flatten)
    if console.active.json:
        console.result_json({"run": run, "ended": answer.ended, "outcome": answer.outcome, "left": list(answer.left)})
        return Exit.OK if answer.ended else Exit.FAILED
    console.result_line(f"{run}: {answer.outcome if answer.ended else 'asked to stop, but has not ended yet'}")
    if answer.left:
        console.result_line("still on the exchange:")
        for line in answer.left:
            console.result_line(f"  {line}")
    return Exit.OK if answer.ended else Exit.FAILED
