"""Reports as files: what is in them, what they refuse, and that names do no harm."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from robbench.errors import UserError
from robbench.files import write_json
from robbench.reporting import ReportRequest, report
from robbench.reporting.origins import origin
from tests.comparing.runs import make_run
from tests.reporting.pages import (
    CLIMBING,
    HOSTILE,
    MARKUP,
    STRONG,
    WEAK,
    Seen,
    audit_document,
    hostile_names,
    two_defenses,
)
from tests.store.test_run import MANIFEST

LOADING = {"src", "href", "data", "action", "poster", "srcset", "background", "formaction", "xlink:href"}


def seen(folder: Path, baseline: str | None = None) -> Seen:
    return Seen(report(ReportRequest(folder, baseline)).file.read_text())


def test_it_holds_curves_intervals_verdicts_examples_and_origins(tmp_path: Path) -> None:
    two_defenses(tmp_path / "run")
    page = seen(tmp_path)
    assert [figure["layout"]["xaxis"]["ticktext"][0] for figure in page.figures] == ["0"] * 3
    assert "NSQ 91.7 81.9 – 96.4 0.0 0.0 – 6.0 worst of 2" in page.text
    assert "Against PGD-AT" in page.text
    assert "against PGD-AT, and the mean accuracy" in page.text
    assert "PGD-AT %" in page.text
    assert "NSQ worst-of weaker" in page.text
    assert "weaker at ε from 0.1 to 0.2 (p < 0.001); no difference found elsewhere" in page.text
    assert len([image for image in page.all("img") if image["src"]]) == 4 * 3 * 3
    assert "1 → 3" in page.text
    assert "SHA-256 of the weights" in page.text
    assert "w pgd-at" in page.text


def test_folders_may_be_text(tmp_path: Path) -> None:
    run = two_defenses(tmp_path / "run")
    assert report(ReportRequest(str(run))).file == run / "report.html"
    assert report(ReportRequest(str(run)), str(tmp_path / "page.html")).file == tmp_path / "page.html"


def test_a_command_that_is_no_utf8_is_shown_with_a_question_mark(tmp_path: Path) -> None:
    two_defenses(tmp_path)
    manifest = json.loads((tmp_path / "run.json").read_text())
    write_json(
        tmp_path / "run.json", {**manifest, "command": os.fsdecode(b"robbench run --defense m\xff.py:build")}
    )
    assert "robbench run --defense m?.py:build" in seen(tmp_path).text


def test_nothing_is_loaded_from_anywhere(tmp_path: Path) -> None:
    two_defenses(tmp_path)
    page = seen(tmp_path)
    assert not page.all("link")
    assert not page.all("base")
    places = [value for _, attributes in page.tags for name, value in attributes.items() if name in LOADING]
    assert {str(place).startswith(("#", "data:image/png;base64,")) for place in places} == {True}
    policy = next(meta["content"] for meta in page.all("meta") if "http-equiv" in meta)
    assert str(policy).startswith("default-src 'none'")


def test_the_same_runs_give_the_same_bytes(tmp_path: Path) -> None:
    two_defenses(tmp_path / "run")
    first = report(ReportRequest(tmp_path)).file.read_bytes()
    assert report(ReportRequest(tmp_path), tmp_path / "new" / "again.html").file.read_bytes() == first


def test_hostile_names_are_only_names(tmp_path: Path) -> None:
    hostile_names(tmp_path / "x<script>")
    page = seen(tmp_path)
    assert len(page.all("script")) == 3
    assert not page.all("b")[0].get("onclick")
    assert all(not name.startswith("on") for _, attributes in page.tags for name in attributes)
    for name in (HOSTILE, CLIMBING, MARKUP):
        assert name in page.text
    buttons = {button.get("data-defense") for button in page.all("button")}
    assert {HOSTILE, CLIMBING, MARKUP} <= buttons
    names = {trace["name"] for figure in page.figures for trace in figure["data"]}
    assert "&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in names
    assert not any("<" in name for name in names)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["report.html"]


def test_a_run_without_examples_and_with_a_bare_record_is_reported(tmp_path: Path) -> None:
    make_run(tmp_path / "old", {("natural", "pgd20"): WEAK})
    page = seen(tmp_path)
    assert not page.all("img")
    assert "Adversarial examples" not in page.text
    assert "Against" not in page.text


def test_audits_are_there_where_there_are_any(tmp_path: Path) -> None:
    two_defenses(tmp_path / "run")
    assert "Is it real?" not in seen(tmp_path).text
    folder = tmp_path / "audit" / "digits-nsq-12345678"
    folder.mkdir(parents=True)
    (folder / "audit.json").write_text(json.dumps(audit_document(sentence=HOSTILE)))
    page = seen(tmp_path)
    assert HOSTILE in page.text
    assert "fail Check 0 Square is ahead of PGD. Trust the worst of all. X 2018 +12.5 points" in page.text
    assert "pass Check 1 No gradient is zero. 0.0 %" in page.text
    assert "inconclusive Check 2 Too few samples." in page.text
    assert "other weights" not in page.text
    (folder / "audit.json").write_text(json.dumps(audit_document(weights_sha256="else")))
    assert "These are other weights of nsq" in seen(tmp_path).text


@pytest.mark.parametrize("damage", ["{", "[]", json.dumps(audit_document(checks=3)), '{"schema_version": 9}'])
def test_a_damaged_audit_is_named(tmp_path: Path, damage: str) -> None:
    two_defenses(tmp_path / "run")
    (tmp_path / "audit.json").write_text(damage)
    with pytest.raises(UserError, match=r"audit\.json (is not what|was written by)"):
        report(ReportRequest(tmp_path))
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("defenses", ["x", {"nsq": "x"}, [1]])
def test_a_damaged_record_of_the_defenses_is_no_obstacle(tmp_path: Path, defenses: object) -> None:
    run = two_defenses(tmp_path / "run")
    manifest = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(manifest | {"defenses": defenses}))
    assert "Robustness report" in seen(tmp_path).text


def test_top5_is_said_to_be_broken_otherwise(tmp_path: Path) -> None:
    make_run(tmp_path / "one", {("nsq", "pgd20"): STRONG}, criterion="top5")
    assert "broken when its true class is not among the exact model’s five best inside" in seen(tmp_path).text
    make_run(tmp_path / "two", {("nsq", "pgd20"): STRONG})
    assert "broken when the exact model mislabels it (for top5: its true class is not" in seen(tmp_path).text


def test_foreign_samples_are_not_compared_but_reported(tmp_path: Path) -> None:
    make_run(tmp_path / "one", {("pgd-at", "pgd20"): STRONG})
    make_run(tmp_path / "two", {("nsq", "pgd20"): STRONG}, first=30)
    page = seen(tmp_path)
    assert "only results on the same samples can be compared, and pgd-at under pgd20 has" in page.text
    assert "30 only pgd-at under pgd20 (0000000000000000" in page.text
    assert len(page.figures) == 1


def test_one_norm_is_compared_whatever_the_samples_of_another(tmp_path: Path) -> None:
    make_run(tmp_path / "linf", {("pgd-at", "pgd20"): STRONG, ("nsq", "pgd20"): STRONG})
    make_run(tmp_path / "l2", {("pgd-at", "pgd20"): STRONG}, norm="l2")
    make_run(tmp_path / "l2-other", {("nsq", "pgd20"): STRONG}, norm="l2", first=30)
    page = seen(tmp_path)
    assert page.text.count("Against PGD-AT") == 2
    assert page.text.count("no difference found") == 1
    assert page.text.count("only results on the same samples") == 1


def test_the_baseline_can_be_chosen(tmp_path: Path) -> None:
    two_defenses(tmp_path)
    assert "Against NSQ" in seen(tmp_path, "nsq").text
    with pytest.raises(UserError, match="Did you mean nsq"):
        report(ReportRequest(tmp_path, "nqs"))


def test_what_cannot_be_reported_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no folder"):
        report(ReportRequest(tmp_path / "absent"))
    with pytest.raises(UserError, match="holds no runs"):
        report(ReportRequest(tmp_path))
    from robbench.store import open_run

    with open_run(tmp_path / "begun", MANIFEST):
        pass
    with pytest.raises(UserError, match="There is nothing to report yet"):
        report(ReportRequest(tmp_path))
    run = two_defenses(tmp_path / "run")
    assert "is not complete and left out" in report(ReportRequest(tmp_path)).notes[0]
    (tmp_path / "report.html").unlink()
    with pytest.raises(UserError, match="is a folder"):
        report(ReportRequest(run), tmp_path)
    with pytest.raises(UserError, match="is a page of HTML"):
        report(ReportRequest(run), tmp_path / "report.pdf")
    for name in ("curves.parquet", "outcomes.parquet", "examples"):
        damaged = tmp_path / "damaged"
        shutil.copytree(run, damaged)
        file = damaged / name if name.endswith("parquet") else next((damaged / name).iterdir())
        file.write_bytes(file.read_bytes()[:80])
        with pytest.raises(UserError, match=f"{file.name} cannot be read"):
            report(ReportRequest(damaged))
        shutil.rmtree(damaged)
    assert not list(tmp_path.rglob("*.html"))


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    two_defenses(tmp_path)
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    with pytest.raises(UserError, match=r"needs plotly[^\n]*\npip install 'robbench\[report\]'"):
        report(ReportRequest(tmp_path))


def test_an_origin_prints_defenses_as_their_run_does() -> None:
    recorded = {"fgsm-at": {"title": "FGSM-AT (collapsed)"}, "nsq": {"title": "nsq"}, "mine.build": {}}
    found = origin(Path("run"), {"defenses": recorded})
    assert [row[0] for row in found.defenses.rows] == ["FGSM-AT (collapsed)", "NSQ", "mine.build"]
