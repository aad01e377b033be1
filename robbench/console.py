"""The terminal: progress, tables and messages; the only module that imports rich."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from robbench.errors import UserError
from robbench.text_table import TextTable
from robbench.wording import counted, percent

if TYPE_CHECKING:  # they import torch, and messages, lists and figures need not wait for it
    from robbench.executors.contract import JobRecord
    from robbench.sweep.plan import Job

PIPED_WIDTH = 200
"""Columns at most of a table that goes into a file; one on a terminal fits it."""
PLAIN_SECONDS = 10.0
"""Least time between two progress lines where the output is no terminal."""


class Terminal:
    """Where messages go: results to standard output, everything else to standard error.

    Args:
        quiet: Say nothing but errors.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self._out = Console(highlight=False, soft_wrap=True)
        if not self._out.is_terminal:
            self._out.width = PIPED_WIDTH
        self._err = Console(stderr=True, highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """Print one message."""
        if not self.quiet:
            self._err.print(escape(text))

    def show(self, table: TextTable) -> None:
        """Print a table as a result."""
        if not self.quiet:
            self._out.print(_rich_table(table, self._out.width), soft_wrap=False, crop=False)

    def error(self, error: UserError) -> None:
        """Print what the user can mend."""
        self._err.print(f"[bold red]Error:[/] {escape(error.message)}")
        if error.hint:
            self._err.print(escape(error.hint))

    @contextmanager
    def run_progress(self, jobs: int) -> Iterator["RunProgress"]:
        """Show how a run of some jobs goes: live on a terminal, in lines elsewhere."""
        live = self._err.is_terminal and not self.quiet
        with _bars(self._err, live) as bars:
            yield RunProgress(self, bars, jobs)

    @contextmanager
    def training_progress(self, title: str) -> Iterator["TrainingProgress"]:
        """Show how a training goes: live on a terminal, in lines elsewhere."""
        live = self._err.is_terminal and not self.quiet
        with _bars(self._err, live) as bars:
            yield TrainingProgress(self, bars, title)


class RunProgress:
    """Shows a run: implements the observer that executors tell.

    Args:
        terminal: Where lines go.
        bars: The live display; None: lines.
        jobs: How many jobs there are.
    """

    def __init__(self, terminal: Terminal, bars: Progress | None, jobs: int) -> None:
        self._terminal, self._bars, self._jobs = terminal, bars, jobs
        self._finished = 0
        self._began = self._said = time.monotonic()
        self._task: TaskID | None = None
        self._overall = bars.add_task("all jobs", total=jobs, note="") if bars else None

    def job_started(self, job: "Job", done: int, samples: int) -> None:
        """Begin a line for the job."""
        self._began = self._said = time.monotonic()
        self._samples = samples
        if self._bars:
            self._task = self._bars.add_task(_job_name(job), total=samples, completed=done, note="")
        elif done:
            self._terminal.say(f"{_job_name(job)}: continues with {done} of {samples} samples done")

    def job_progressed(self, job: "Job", done: int, passes: int) -> None:
        """Move the bar, or now and then print a line."""
        now = time.monotonic()
        rate = f"{_short(passes / max(now - self._began, 1e-9))} passes/s"
        if self._bars and self._task is not None:
            self._bars.update(self._task, completed=done, note=rate)
        elif now - self._said > PLAIN_SECONDS:
            self._said = now
            self._terminal.say(f"{_job_name(job)}: {done} of {self._samples} samples, {rate}")

    def job_finished(self, job: "Job", record: "JobRecord") -> None:
        """Close the job's line."""
        self._finished += 1
        if self._bars and self._overall is not None:
            if self._task is not None:
                self._bars.remove_task(self._task)
                self._task = None
            self._bars.update(self._overall, completed=self._finished)
        else:
            self._terminal.say(
                f"[{self._finished}/{self._jobs}] {_job_name(job)}: {counted(record.samples, 'sample')}, "
                f"robust accuracy {percent(record.robust_accuracy)} at the largest ε, {record.seconds:.1f} s"
            )
        if record.control.get("fell_back"):
            self._terminal.say(
                f"{_job_name(job)}: no search was as thorough as survivors on a control of "
                f"{record.control['samples']} samples (off by {record.control['disagreement']:.1f} points): "
                "swept by survivors. Gradients may be masked; robbench audit tells."
            )


class TrainingProgress:
    """Shows a training: implements the observer that the training loop tells.

    Args:
        terminal: Where lines go.
        bars: The live display; None: lines.
        title: What is trained.
    """

    def __init__(self, terminal: Terminal, bars: Progress | None, title: str) -> None:
        self._terminal, self._bars, self._title = terminal, bars, title
        self._said = time.monotonic()
        self._task: TaskID | None = None

    def on_start(self, step: int, total: int) -> None:
        """Begin the bar."""
        if step:
            self._terminal.say(f"{self._title}: goes on at iteration {step} of {total}")
        if self._bars:
            self._task = self._bars.add_task(self._title, total=total, completed=step, note="")

    def on_notice(self, text: str) -> None:
        """Print a line."""
        self._terminal.say(text)

    def on_progress(self, step: int, total: int, loss: float, accuracy: float) -> None:
        """Move the bar, or now and then print a line."""
        note = f"loss {loss:.4f}, training accuracy {percent(accuracy)}"
        now = time.monotonic()
        if self._bars and self._task is not None:
            self._bars.update(self._task, completed=step, note=note)
        elif now - self._said > PLAIN_SECONDS:
            self._said = now
            self._terminal.say(f"{self._title}: {step} of {total} iterations, {note}")


def _rich_table(table: TextTable, width: int) -> Table:
    padding, widths = _layout(table, width)
    rich_table = Table(
        title=escape(table.title), title_justify="left", title_style="bold", padding=(0, padding)
    )
    first_number = len(table.columns) - table.numbers
    for position, column in enumerate(table.columns):
        rich_table.add_column(
            escape(column),
            justify="right" if position >= first_number else "left",
            overflow="fold",
            width=widths[position],
        )
    for row in table.rows:
        rich_table.add_row(*map(escape, row))
    return rich_table


def _layout(table: TextTable, width: int) -> tuple[int, list[int]]:
    """The padding beside a cell and the columns' widths at which no word is broken, such as a name to type.

    Where that cannot be, the longest words are broken.
    """
    cells = list(zip(table.columns, *table.rows, strict=True))
    lines = [max(map(cell_len, column)) for column in cells]
    words = [max(cell_len(word) for cell in column for word in cell.split() or [""]) for column in cells]
    padding = 1 if sum(words) <= _room(len(cells), width, 1) else 0
    room = _room(len(cells), width, padding)
    return padding, _shrunk(lines, _shrunk(words, [1] * len(cells), room), room)


def _room(columns: int, width: int, padding: int) -> int:
    """What a table's lines and padding leave for its text."""
    return width - 1 - columns * (1 + 2 * padding)


def _shrunk(widths: list[int], least: list[int], room: int) -> list[int]:
    """Widths that together fill ``room`` at most: the largest are reduced first, none below its least."""
    fitting = widths
    for limit in range(max(widths), 0, -1):
        fitting = [max(low, min(wide, limit)) for wide, low in zip(widths, least, strict=True)]
        if sum(fitting) <= room:
            break
    return fitting


@contextmanager
def _bars(console: Console, live: bool) -> Iterator[Progress | None]:
    """A live display, or None where lines are printed instead."""
    if not live:
        yield None
        return
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=console,
        transient=True,
    ) as bars:
        yield bars


def _job_name(job: "Job") -> str:
    return f"{job.attack.label} on {job.defense}"


def _short(number: float) -> str:
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f}{letter}"
    return f"{number:.0f}"
