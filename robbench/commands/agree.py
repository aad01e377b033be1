"""``robbench agree``: the same attack by every library, and why the outcomes differ."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import rich_click as click
from click import get_current_context
from click.core import ParameterSource

from robbench.commands.options import FOLDER, places, read_sweep, subjects
from robbench.errors import UserError

GOES_ON = True


@click.command(panel="Judge")
@subjects(samples="100")
@click.option("--attacks", multiple=True, help="Without @backend. Default: fgsm,pgd20; commas or repeated.")
@click.option("--backends", multiple=True, help="native, torchattacks, foolbox, art. Default: all that can.")
@click.option("--eps-grid", default="canonical", show_default=True, help="Radii, as for run.")
@click.option("--norm", help="linf (default) or l2.")
@click.option("--batch-size", type=int, help="Samples in one pass of native. Default: chosen.")
@click.option("--conformance", is_flag=True, help="Only check the known pitfalls of the installed libraries.")
@click.option("--strict", is_flag=True, help="Exit with code 3 if anything is unexplained or unguarded.")
@click.option("--out", type=FOLDER, help="Folder. Default: one of its own in ./results/agree.")
@places
def command(
    backends: tuple[str, ...],
    conformance: bool,
    strict: bool,
    out: Path | None,
    batch_size: int | None,
    data_dir: Path | None,
    models_dir: Path | None,
    device: str,
    quiet: bool,
    **asked: Any,
) -> None:
    """Run the same attack through native, torchattacks, foolbox and ART, and explain what differs.

    Without options: pgd-at on 100 digits under fgsm and pgd20.

    Example: robbench agree --defense pgd-at,nsq --attacks pgd20,bpda20 --samples 200
    """
    from robbench.console import Terminal

    terminal = Terminal(quiet)
    if conformance:
        _refuse_others(("backends", *asked, "batch_size", "out", "data_dir", "models_dir", "device"))
        problems = _check_conformance(terminal.show)
    else:
        from robbench.agreeing.request import ATTACKS, DEFENSES, SAMPLES, AgreementRequest, prepare_agreement
        from robbench.preparation import RunSettings
        from robbench.provenance import command_line
        from robbench.spec import split_names

        defaults = {"defenses": DEFENSES, "attacks": ATTACKS, "samples": SAMPLES}
        typed = {key: value for key, value in asked.items() if value not in (None, ())}
        settings = RunSettings(data_dir, models_dir, device, batch_size)
        request = AgreementRequest(read_sweep({**defaults, **typed}), split_names(backends))
        problems = _agree(terminal, prepare_agreement(request, settings, command_line()), out)
    for line in problems:
        Terminal().say(line)
    if problems and strict:
        sys.exit(3)


def _refuse_others(options: Sequence[str]) -> None:
    """Refuse what was typed and the conformance list would leave unread."""
    context = get_current_context()
    typed = [name for name in options if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if typed:
        names = {parameter.name: parameter.opts[0] for parameter in context.command.params}
        listed = ", ".join(names[name] for name in typed)
        raise UserError(
            f"--conformance probes the libraries on small models of its own, and takes no {listed}.",
            "Leave out one or the other.",
        )


def _check_conformance(show: Callable[[Any], None]) -> list[str]:
    """Show the conformance list; what fails, in sentences."""
    from robbench.agreeing.conformance import check_conformance
    from robbench.agreeing.contract import failing
    from robbench.agreeing.tables import conformance_table

    lines = check_conformance()
    show(conformance_table(lines))
    return failing(lines)


def _agree(terminal: Any, prepared: Any, out: Path | None) -> list[str]:
    """Run an agreement and show it; what is unexplained or unguarded, in sentences."""
    from robbench.agreeing.agreeing import agree
    from robbench.agreeing.contract import failing
    from robbench.agreeing.summary import summarize
    from robbench.wording import counted

    folder = prepared.folder(out)
    jobs = sum(len(one.plan.jobs) for one in prepared.runs.values())
    terminal.say(
        f"{prepared.title}: {counted(jobs, 'job')} in {counted(len(prepared.runs), 'run')}, into {folder}"
    )
    agreed = agree(prepared, folder, terminal.run_progress)
    for table in agreed.tables:
        terminal.show(table)
    for line in [*agreed.agreement.notes, *summarize(agreed.agreement)]:
        terminal.say(line)
    for path in agreed.files:
        terminal.say(f"Wrote {path}")
    unexplained = agreed.agreement.unexplained
    problems = [f"UNEXPLAINED differences between backends: {unexplained}."] if unexplained else []
    return [*problems, *failing(agreed.agreement.conformance)]
