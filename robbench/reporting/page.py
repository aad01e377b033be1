"""The page: HTML, style sheet, script and plotly in one text, every name escaped."""

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from robbench.errors import UserError
from robbench.reporting.audits import Audit
from robbench.reporting.charts import Chart, LegendEntry
from robbench.reporting.curve_tables import CurveTable, Glance
from robbench.reporting.differences import Differences
from robbench.reporting.origins import Origin
from robbench.reporting.strips import Strip

_TOP1 = "the exact model mislabels it"
_TOP5 = "its true class is not among the exact model’s five best"


@dataclass(frozen=True)
class Section:
    """What was found on one dataset, in one norm and by one criterion.

    Attributes:
        title: What it is, in words.
        criterion: ``top1`` or ``top5``.
        glance: What every defense comes to.
        epsilon: The ε at which it does.
        legend: The defenses.
        charts: Interactive curves.
        columns: How many of them stand side by side where there is room.
        table: The curves as numbers.
        differences: The comparison with a baseline; None: nothing to compare.
        strips: Adversarial examples; may be empty.
    """

    title: str
    criterion: str
    glance: list[Glance]
    epsilon: str
    legend: list[LegendEntry]
    charts: list[Chart]
    columns: int
    table: CurveTable
    differences: Differences | None
    strips: list[Strip]


@dataclass(frozen=True)
class Page:
    """All that stands in a report.

    Attributes:
        sections: What was found.
        audits: Whether it is real; may be empty.
        origins: Where it comes from.
        notes: What a reader should know, in sentences.
    """

    sections: list[Section]
    audits: list[Audit]
    origins: list[Origin]
    notes: list[str]

    @property
    def broken(self) -> str:
        """What an image must meet to count as broken, in words."""
        criteria = {section.criterion for section in self.sections}
        if criteria == {"top5"}:
            return _TOP5
        return f"{_TOP1} (for top5: {_TOP5})" if "top5" in criteria else _TOP1


def check_installed() -> None:
    """Refuse to begin without what the page is made of.

    Raises:
        UserError: jinja2 or plotly is not installed.
    """
    try:
        import jinja2  # noqa: F401
        import plotly.offline  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"A report needs {error.name}, which is not installed.", "pip install 'robbench[report]'"
        ) from error


def render_page(page: Page) -> str:
    """The whole page; the same findings give the same text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    environment = Environment(
        loader=PackageLoader("robbench.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # The only text that is not escaped; `tojson` escapes what could end a script.
    plotly = Markup(get_plotlyjs())
    template = environment.get_template("report.html")
    return template.render(page=page, figures=_figures(page), plotly=plotly, version=version("robbench"))


def _figures(page: Page) -> list[dict[str, Any]]:
    """The charts in the order in which they stand in the page."""
    return [chart.figure for section in page.sections for chart in section.charts]
