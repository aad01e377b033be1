"""The command line: finds the commands, runs one, and turns how it ends into an exit code."""

import importlib
import io
import pkgutil
import sys

import rich_click as click

from robbench import __version__, commands
from robbench.errors import UserError

STOPPED = "Stopped. No file is half written; the same command starts over."
STOPPED_TO_GO_ON = "Stopped. Everything written so far is kept: run the same command again to continue."


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.command_panel("Measure")
@click.command_panel("Judge")
@click.command_panel("Look")
@click.command_panel("Your own defense")
@click.command_panel("Train")
@click.version_option(__version__, prog_name="robbench")
def cli() -> None:
    """How robust is a defense against adversarial examples, really?

    Whole robust-accuracy curves, judged by robbench and never by the attack, with intervals. A run can be
    killed at any time: the same command goes on where it stopped.
    """


_going_on: set[str] = set()

for _module in pkgutil.iter_modules(commands.__path__):
    if _module.name != "options":
        _file = importlib.import_module(f"{commands.__name__}.{_module.name}")
        _command = _file.command
        # Each file names its panel of --help; rich-click looks the command up there by its own name.
        _command.name = _module.name.replace("_", "-")
        cli.add_command(_command)
        if getattr(_file, "GOES_ON", False):
            _going_on.add(_command.name)


def main() -> None:
    """Run the command line: exit code 0 done, 2 the user's mistake, 3 a check failed, 1 anything else."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that has no ε shows a question mark; it is no reason to stop.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        cli.main(standalone_mode=False)
    except UserError as error:
        from robbench.console import Terminal

        Terminal().error(error)
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        # The group has no options with values: the first argument is the command.
        click.echo(STOPPED_TO_GO_ON if _going_on.intersection(sys.argv[1:2]) else STOPPED, err=True)
        sys.exit(1)
