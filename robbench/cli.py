"""The command line: reads what the user typed, calls, prints."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rich_click as click

from robbench import __version__
from robbench.errors import UserError

STOPPED = "Stopped. Everything found so far is kept: run the same command again to continue."

Command = Callable[..., Any]


def _options(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several options as one decorator."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_folder = click.Path(path_type=Path, file_okay=True)
_places = _options(
    click.option(
        "--data-dir", type=_folder, help="Where the data are. Default: $ROBBENCH_DATA, then ./data."
    ),
    click.option(
        "--models-dir", type=_folder, help="Where the models are. Default: ./models, then the shipped."
    ),
    click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 …"),
    click.option("--quiet", is_flag=True, help="Print nothing but errors."),
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="robbench")
def cli() -> None:
    """How robust is a defense against adversarial examples, really?

    Whole robust-accuracy curves, judged by robbench and never by the attack, with intervals. A run can be
    killed at any time: the same command goes on where it stopped.
    """


@cli.command()
@click.option("--defense", "defenses", multiple=True, help="Names or file.py:factory; commas or repeated.")
@click.option("--attacks", multiple=True, help="Such as pgd100,bpda,pgd40-cw@foolbox; commas or repeated.")
@click.option("--dataset", help="digits (default), mnist, cifar10 or imagenet.")
@click.option(
    "--eps-grid",
    is_flag=False,
    flag_value="canonical",
    help="Radii, images in [0, 1]: 0,2/255,4/255 or first:last:points. Bare: the dataset's own grid. "
    "Left out: 0 and the dataset's one standard ε.",
)
@click.option("--samples", type=int, help="The first so many of the test split. Default: all.")
@click.option("--norm", help="linf (default) or l2.")
@click.option("--sweep", help="auto (default), survivors, search or independent.")
@click.option("--criterion", help="top1 (default) or top5.")
@click.option("--precision", help="Of attack steps: auto (default), float32 or bfloat16.")
@click.option("--seed", type=int, help="Seeds every random number. Default: 0.")
@click.option("--config", type=click.Path(path_type=Path), help="A TOML file of these; what is typed wins.")
@click.option("--out", type=_folder, help="Folder of this run. Default: one of its own in ./results.")
@click.option("--batch-size", type=int, help="Samples in one pass; changes no result. Default: chosen.")
@_places
def run(
    config: Path | None,
    out: Path | None,
    batch_size: int | None,
    data_dir: Path | None,
    models_dir: Path | None,
    device: str,
    quiet: bool,
    **asked: Any,
) -> None:
    """Attack defenses over a grid of ε and keep one row per sample.

    Example: robbench run --defense natural,nsq --attacks pgd100,bpda --eps-grid
    """
    from robbench.console import Terminal
    from robbench.preparation import RunSettings, prepare
    from robbench.provenance import command_line
    from robbench.running import run as run_sweep
    from robbench.running import run_folder
    from robbench.summaries import announce, next_steps, run_table

    terminal = Terminal(quiet)
    spec = _spec(config, asked)
    terminal.say(f"Loading {spec.dataset}, {', '.join(spec.defenses)} …")
    prepared = prepare(spec, RunSettings(data_dir, models_dir, device, batch_size), command_line())
    folder = run_folder(prepared, out)
    for line in announce(prepared, folder):
        terminal.say(line)
    with terminal.run_progress(len(prepared.plan.jobs)) as progress:
        report = run_sweep(prepared, folder, progress)
    terminal.show(run_table(prepared, report))
    terminal.say(next_steps(report))


@cli.command()
@click.option("--defense", "defenses", multiple=True, help="Names; commas or repeated.")
@click.option("--dataset", default="digits", show_default=True, help="digits, mnist, cifar10 or imagenet.")
@click.option("--network", help="A registered network. Default: the dataset's.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Another value than the paper's for an option of the defense or its training: --set noise=16/255 "
    "--set iterations=2000. May be repeated.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Fixes weights, batches and noise.")
@click.option("--restart", is_flag=True, help="Train anew, whatever model or checkpoint is there.")
@_places
def train(
    defenses: tuple[str, ...],
    dataset: str,
    network: str | None,
    settings: tuple[str, ...],
    seed: int,
    restart: bool,
    data_dir: Path | None,
    models_dir: Path | None,
    device: str,
    quiet: bool,
) -> None:
    """Train defenses by the paper's recipes, or go on with a training that was interrupted.

    Example: robbench train --defense nsq --dataset mnist
    """
    from robbench.console import Terminal
    from robbench.datasets import load_dataset
    from robbench.devices import choose_device
    from robbench.spec import split_names
    from robbench.summaries import training_line
    from robbench.training import train as train_defense
    from robbench.training_requests import make_requests

    terminal = Terminal(quiet)
    where = choose_device(device)
    info, train_split = load_dataset(dataset, data_dir, "train")
    _, test_split = load_dataset(dataset, data_dir, "test")
    requests = make_requests(
        split_names(defenses),
        (info, train_split, test_split),
        settings,
        network=network,
        seed=seed,
        device=where,
        models_dir=models_dir or Path("models"),
        restart=restart,
    )
    for request in requests:
        with terminal.training_progress(f"{request.defense} on {dataset}") as progress:
            card = train_defense(request, progress)
        terminal.say(training_line(card, request.models_dir))


@cli.command()
@click.option("--defense", "defenses", multiple=True, help="Names or file.py:factory; commas or repeated.")
@click.option("--dataset", default="digits", show_default=True, help="digits, mnist, cifar10 or imagenet.")
@click.option("--attack", default="pgd", show_default=True, help="PGD; pgd100 for 100 steps.")
@click.option("--eps-grid", default="canonical", show_default=True, help="Radii, as for run.")
@click.option("--samples", type=int, help="The first so many of the test split. Default: all.")
@click.option("--sweep", "sweeps", multiple=True, help="Strategies, auto (default) or others; commas.")
@click.option("--libraries", multiple=True, help="torchattacks, foolbox, art (default: all) or none; commas.")
@click.option(
    "--library-points", type=int, help="Measure the libraries at so many ε and scale. Default: all."
)
@click.option("--repeats", type=int, default=3, show_default=True, help="Sweeps per engine; medians count.")
@click.option("--scaling", is_flag=True, help="Measure instead how the cost grows: grid, samples, steps.")
@click.option("--precision", default="auto", help="Of robbench's steps, as for run.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seeds every random number.")
@click.option("--out", type=_folder, help="Folder of the tables. Default: results/bench/<dataset>.")
@click.option("--batch-size", type=int, help="Samples in one pass, for every engine. Default: each its own.")
@_places
def bench(
    sweeps: tuple[str, ...],
    libraries: tuple[str, ...],
    library_points: int | None,
    repeats: int,
    scaling: bool,
    out: Path | None,
    batch_size: int | None,
    data_dir: Path | None,
    models_dir: Path | None,
    device: str,
    quiet: bool,
    attack: str,
    **asked: Any,
) -> None:
    """Measure the same sweep by the attack libraries and by robbench, alternating, in one process.

    Example: robbench bench --defense natural,pgd-at --samples 100 --library-points 3
    """
    from robbench.bench.loops import LOOPS
    from robbench.bench.request import BenchRequest
    from robbench.bench.running import BenchPlace, run_bench
    from robbench.console import Terminal
    from robbench.preparation import RunSettings
    from robbench.provenance import command_line
    from robbench.spec import split_names

    terminal = Terminal(quiet)
    request = BenchRequest(
        _spec(None, {"attacks": (attack,), **asked}),
        split_names(sweeps) or ("auto",),
        split_names(libraries) or tuple(LOOPS),
        library_points,
        repeats,
    )
    settings = RunSettings(data_dir, models_dir, device, batch_size)
    report = run_bench(request, BenchPlace(settings, out, command_line()), scaling, terminal.say)
    terminal.show(report.table)
    for line in [*report.notes, *(f"Wrote {path}" for path in report.files)]:
        terminal.say(line)


@cli.command()
@click.argument("results", type=_folder, default=Path("results"))
@click.option("--figure", default="curves", show_default=True, help="`robbench list figures` shows all.")
@click.option("--format", "formats", multiple=True, help="png (default), svg or pdf; commas or repeated.")
@click.option("--out", type=_folder, help="Folder for the figures. Default: `figures` in RESULTS.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def plot(results: Path, figure: str, formats: tuple[str, ...], out: Path | None, quiet: bool) -> None:
    """Draw the curves of one run, or of all runs in a folder.

    Example: robbench plot results/ --format png,pdf
    """
    from robbench.console import Terminal
    from robbench.figures import plot as plot_runs
    from robbench.spec import split_names

    terminal = Terminal(quiet)
    drawn = plot_runs(results, out=out, formats=split_names(formats) or ("png",), figure=figure)
    for note in drawn.notes:
        terminal.say(note)
    for path in drawn.files:
        terminal.say(f"Wrote {path}")


@cli.command()
@click.argument("results", type=_folder, default=Path("results"))
@click.option("--baseline", required=True, help="The defense that the others are compared with.")
@click.option("--candidate", "candidates", multiple=True, help="Default: all others; commas or repeated.")
@click.option("--at", default="", help="Radii of the grid to show. Default: 0, the middle, the largest.")
@click.option("--dataset", help="Only this one. Default: each dataset by itself.")
@click.option(
    "--fail-if-worse",
    type=float,
    metavar="POINTS",
    help="Exit with code 3 if a candidate's accuracy under worst-of is more than so many points below the "
    "baseline's at a radius shown, and the difference is significant (corrected p < 0.05).",
)
@click.option("--out", type=_folder, help="Folder for the files. Default: `comparison` in RESULTS.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors and what --fail-if-worse found.")
def compare(candidates: tuple[str, ...], out: Path | None, quiet: bool, **asked: Any) -> None:
    """Say where defenses are stronger or weaker than a baseline, on the same samples.

    Example: robbench compare results/ --baseline pgd-at --at 0.1,0.2,0.3 --fail-if-worse 1.0
    """
    from robbench.comparing import ComparisonRequest
    from robbench.comparing import compare as compare_runs
    from robbench.console import Terminal
    from robbench.spec import split_names

    terminal = Terminal(quiet)
    compared = compare_runs(ComparisonRequest(candidates=split_names(candidates), **asked), out)
    for table in compared.tables:
        terminal.show(table)
    for line in [*compared.notes, *(f"Wrote {path}" for path in compared.files)]:
        terminal.say(line)
    if compared.worse:
        for line in compared.worse:
            Terminal().say(line)
        sys.exit(3)


@cli.command("list")
@click.argument("what", type=click.Choice(["defenses", "attacks", "datasets", "models", "figures"]))
@click.option("--models-dir", type=_folder, help="Where the models are. Default: ./models, then the shipped.")
def list_(what: str, models_dir: Path | None) -> None:
    """List what there is: defenses, attacks, datasets, models or figures."""
    from robbench.console import Terminal
    from robbench.listings import listing

    Terminal().show(listing(what, models_dir))


def _spec(config: Path | None, asked: dict[str, Any]) -> Any:
    """The specification from a file, if any, and the options that were typed."""
    from robbench.spec import make_spec, read_spec, split_names

    typed = {key: value for key, value in asked.items() if value not in (None, ())}
    for key in ("defenses", "attacks"):
        if key in typed:
            typed[key] = split_names(typed[key])
    return read_spec(config, typed) if config else make_spec(typed)


def main() -> None:
    """Run the command line: exit code 0 done, 2 the user's mistake, 3 worse than allowed, 1 anything else."""
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
        click.echo(STOPPED, err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
