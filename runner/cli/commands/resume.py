"""`daksh-run resume RUN`: takes up a run whose process is gone, or that was stopped."""

import click

from runner.cli import options


@click.command("resume", epilog="Example: daksh-run resume 3")
@click.argument("run")
@options.output
def command(run: str) -> int:
    """Take up RUN (a demo or live run), whose process is gone: look up what became of its orders, and go on.

    Needs no approval: it follows the graph that was approved, whatever the plan's file says now.  A run that was
    stopped opens nothing any more; its exits are managed to their end.
    """
    from runner.app.live.folders import find_live
    from runner.cli import environment, live_running

    return live_running.resume(run, find_live(environment.state_home(), run).mode)
