"""The audit figure: every attack, the worst of all, and the checks."""

import pyarrow as pa

from robbench.analysis.worst_of import curves_with_worst_of
from robbench.figures.audit import draw_audit
from tests.outcome_tables import GRID, outcome_table


def test_every_kind_of_attack_and_every_check_is_drawn():
    jobs = [
        ("pgd40", "exact", "aaaa"),
        ("bpda40", "bpda", "bbbb"),
        ("square@torchattacks", "exact", "cccc"),
        ("transfer40:source=natural", "transfer:natural", "dddd"),
        ("noise", "exact", "eeee"),
    ]
    rows = [outcome_table(range(20), attack=name, view=view, job_id=job) for name, view, job in jobs]
    curves = curves_with_worst_of(pa.concat_tables(rows), GRID)
    figure = draw_audit(
        curves, [("fail", "$x$ holds"), ("inconclusive", "y holds"), ("pass", "z holds")], "Mine <b>"
    )
    left, right = figure.axes
    assert len(left.lines) == len(jobs) + 1
    assert [text.get_text() for text in right.texts] == ["✘", "$x$ holds", "?", "y holds", "✔", "z holds"]
    assert "1 of 3 checks fail" in right.get_title(loc="left")
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert len(labels) == len(jobs) + 1
    figure.canvas.draw()
