"""``mlflow recipes run|inspect|get-artifact|clean``, done by ``millrace recipes``."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, Optional

import click

from millrace.client.command import find_command
from millrace.client.errors import MillraceRecipeError

_PROFILE = click.option(
    "--profile",
    "-p",
    envvar=["MLFLOW_RECIPES_PROFILE", "MLFLOW_PIPELINES_PROFILE"],
    help="Profile that fills the variables of the recipe.",
)


def _step(help_text: str) -> Any:
    return click.option("--step", "-s", help=help_text)


def command_group(name: str) -> click.Group:
    """The commands of MLflow Recipes (or Pipelines, as they were called before) under a name."""
    group = click.Group(name, help="Run recipes and inspect their results (by Millrace).")

    @group.command("run", short_help="Run the full recipe or up to a step.")
    @_step("The last step to run; default: register.")
    @_PROFILE
    def run(step: Optional[str], profile: Optional[str]) -> None:
        """Run the recipe of the project here, and show what happens. What did not change is reused."""
        _millrace("run", step=step, profile=profile)

    @group.command("inspect", short_help="Show the card of a step, or the graph of the recipe.")
    @_step("The step; default: the graph.")
    @_PROFILE
    def inspect(step: Optional[str], profile: Optional[str]) -> None:
        """Write the card of a step, or the graph of the recipe, as a page, and open it where there is a display."""
        _millrace("inspect", step=step, profile=profile)

    @group.command("get-artifact", short_help="Get the location of what a step made.")
    @click.option("--artifact", "-a", required=True, help="ingested_data, training_data, model, run, …")
    @_PROFILE
    def get_artifact(artifact: str, profile: Optional[str]) -> None:
        """Fetch what a step made, and print where it is."""
        _millrace("get-artifact", artifact=artifact, profile=profile)

    @group.command("clean", short_help="Have the next run do a step anew, or all.")
    @_step("The step; default: all.")
    @_PROFILE
    def clean(step: Optional[str], profile: Optional[str]) -> None:
        """Have the next run do a step anew, or all of them. What was tracked stays."""
        _millrace("clean", step=step, profile=profile)

    return group


def _millrace(command: str, **options: Optional[str]) -> None:
    """Runs ``millrace recipes`` on this terminal, and ends with its exit code."""
    given = [part for name, value in options.items() if value is not None for part in (f"--{name}", value)]
    try:
        words = find_command()
    except MillraceRecipeError as error:
        raise click.ClickException(str(error)) from error
    process = subprocess.Popen([*words, "recipes", command, *given])
    while True:
        try:
            sys.exit(process.wait())
        except KeyboardInterrupt:
            # The terminal sent it to the command, too, which ends in its own way.
            continue
