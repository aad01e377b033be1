"""Strips: each computation once, with its classes' names."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from robbench.epsilon import EpsilonUnit
from robbench.errors import UserError
from robbench.reporting.strips import strips
from robbench.store import read_curves
from robbench.store.examples import example_files
from tests.comparing.runs import make_run
from tests.outcome_tables import example_table
from tests.reporting.pages import STRONG, WEAK, two_defenses

UNIT = EpsilonUnit()


def test_each_job_is_a_strip_and_classes_have_names(tmp_path: Path) -> None:
    run = two_defenses(tmp_path / "run", examples=20)
    curves = read_curves([run]).curves
    found = strips(curves, {str(run): {"dataset": {"classes": ["cat", "<b>", "dog", "ship"]}}}, UNIT)
    assert [(strip.defense, strip.attacks, len(strip.examples)) for strip in found] == [
        ("PGD-AT", "pgd20", 8),
        ("PGD-AT", "square", 8),
        ("NSQ", "pgd20", 8),
        ("NSQ", "square", 8),
    ]
    example = found[0].examples[3]
    assert (example.number, example.label, example.taken_for, example.epsilon) == (3, "<b>", "ship", "0.2")
    assert len({example.image, example.adversarial, example.perturbation}) == 3


def test_attacks_that_share_a_job_share_a_strip(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", {("natural", "pgd20"): WEAK}, examples=2)
    curves = read_curves([run]).curves
    both = pd.concat([curves, curves.assign(attack="bpda20")])
    [strip] = strips(both, {str(run): {}}, UNIT)
    assert strip.attacks == "pgd20, bpda20"
    assert strip.examples[0].label == "1"


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", {("natural", "pgd20"): STRONG})
    curves = read_curves([run]).curves
    files, job = example_files(run), str(curves["job_id"].iloc[0])
    table = example_table([1])
    files.append(job, table.set_column(table.schema.get_field_index("width"), "width", pa.array([4000])))
    files.merge_parts(job)
    with pytest.raises(UserError, match=r"24 bytes for a shape of \(1, 2, 4000\)"):
        strips(curves, {str(run): {}}, UNIT)
