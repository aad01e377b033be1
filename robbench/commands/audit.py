"""``robbench audit``: whether a defense's robustness is real, or its gradients are masked."""

from pathlib import Path
from typing import Any

import rich_click as click

from robbench.commands.options import FOLDER, places, read_sweep, subjects

GOES_ON = True


@click.command(panel="Judge")
@subjects(samples="200, or all")
@click.option(
    "--eps-grid",
    is_flag=False,
    flag_value="canonical",
    help="Radii, as for run. Default: a quarter, a half and the whole of the dataset's own grid.",
)
@click.option("--batch-size", type=int, help="Samples in one pass, for memory and speed.")
@click.option("--out", type=FOLDER, help="Each audit has a folder of its own in it. Default: results/audit.")
@places
def command(
    out: Path | None,
    batch_size: int | None,
    data_dir: Path | None,
    models_dir: Path | None,
    device: str,
    quiet: bool,
    **asked: Any,
) -> None:
    """Ask whether a defense is robust, or its gradients only hide where it breaks.

    Runs cheap attacks of every kind and compares them: a defense whose gradients are masked gives itself away
    where a weaker attack beats a stronger one. Example: robbench audit --defense nsq
    """
    from robbench.auditing import prepare_audits, run_audit
    from robbench.auditing.attacks import REFERENCE
    from robbench.cautions import mixing_notes
    from robbench.console import Terminal
    from robbench.preparation import RunSettings
    from robbench.provenance import command_line

    terminal = Terminal(quiet)
    spec = read_sweep({"attacks": (REFERENCE,), **asked})
    terminal.say(f"Loading {spec.dataset}, {', '.join(spec.defenses)} …")
    settings = RunSettings(data_dir, models_dir, device, batch_size)
    audits = prepare_audits(spec, settings, command_line())
    for note in mixing_notes(audit.loaded for audit in audits):
        terminal.say(note)
    with terminal.run_progress(sum(audit.jobs for audit in audits)) as progress:
        reports = [run_audit(audit, out or Path("results", "audit"), progress) for audit in audits]
    for report in reports:
        terminal.show(report.summary.checks)
        terminal.show(report.summary.attacks)
    for report in reports:
        terminal.say(report.summary.sentence)
        done = "Complete already; nothing was computed. " if report.was_complete else ""
        terminal.say(f"{done}Wrote {', '.join(map(str, report.files))}")
