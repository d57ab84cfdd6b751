"""`daksh-run schema`: the plan language for editors and other programs."""

import click

from runner.cli import console, options
from runner.plan.schema import schema_text


@click.command("schema", epilog="Example: daksh-run schema > plan-v1.schema.json")
@options.output
def command() -> None:
    """Print the JSON Schema (draft 2020-12) of the plan language, version 1."""
    console.result(schema_text().rstrip("\n"))
