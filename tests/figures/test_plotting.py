from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from robbench.errors import UserError
from robbench.figures import plot
from robbench.schema import OUTCOMES, arrow_schema
from robbench.store import open_run
from tests.figures.made_up import made_up_curves


def make_run(
    folder: Path, defenses: list[str], complete: bool = True, attack: str = "pgd100", **options: Any
) -> Path:
    with open_run(folder, {"identity": "ab12", "spec": {}}) as store:
        if complete:
            outcomes = arrow_schema(OUTCOMES).empty_table()
            store.finish(outcomes, made_up_curves(defenses, [attack], **options))
    return folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_one_run_is_drawn_into_its_folder(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", ["natural", "nsq"])
    files, notes = plot([run], formats=("png", "svg"))
    assert files == [run / "figures/curves-mnist.png", run / "figures/curves-mnist.svg"]
    assert names(run / "figures") == {"curves-mnist.png", "curves-mnist.svg"}
    assert notes == []
    assert plot(run).files == [run / "figures/curves-mnist.png"]


def test_folders_may_be_text(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", ["natural"])
    assert plot(str(run)).files == plot([str(run)]).files == [run / "figures/curves-mnist.png"]
    assert plot(run, str(tmp_path / "out")).files == [tmp_path / "out/curves-mnist.png"]


def test_several_runs_are_joined_with_a_table_and_notes(tmp_path: Path) -> None:
    old = make_run(tmp_path / "old", ["natural", "nsq"])
    new = make_run(tmp_path / "new", ["nsq", "sq"], n=77)
    make_run(tmp_path / "digits", ["nsq"], dataset="digits")
    make_run(tmp_path / "l2", ["nsq"], norm="l2")
    unfinished = make_run(tmp_path / "unfinished", ["nsq"], complete=False)
    files, notes = plot([tmp_path])
    assert {path.parent for path in files} == {tmp_path / "figures"}
    assert names(tmp_path / "figures") == {
        *("curves-mnist.png", "curves-digits.png", "curves-mnist-l2.png", "joined-curves.csv"),
    }
    assert [str(unfinished) in note or str(old) in note for note in notes] == [True, True]
    table = pd.read_csv(tmp_path / "figures/joined-curves.csv")
    nsq = table.query("dataset == 'mnist' and defense == 'nsq' and norm == 'linf'")
    assert set(nsq["n"]) == {77}
    assert set(nsq["run"]) == {str(new)}
    # Drawn again, with the figures there: the same files, byte for byte.
    before = [path.read_bytes() for path in files]
    assert plot([tmp_path]).files == files
    assert [path.read_bytes() for path in files] == before


def test_several_paths_meet_where_they_begin_alike_or_where_asked(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / "a" / "x", ["nsq"]), make_run(tmp_path / "b", ["sq"])]
    assert plot(runs).files[0] == tmp_path / "figures/curves-mnist.png"
    assert plot(runs, tmp_path / "new" / "out").files[0] == tmp_path / "new/out/curves-mnist.png"


def test_hostile_dataset_names_stay_in_the_folder(tmp_path: Path) -> None:
    hostile = ["../../x", "/etc/passwd", "a/b", "a_b", "..", "", "$\n", "é" * 200]
    for position, dataset in enumerate(hostile):
        make_run(tmp_path / "results" / str(position), ["nsq"], dataset=dataset)
    files = plot([tmp_path / "results"]).files
    assert len(set(files)) == len(hostile) + 1
    assert {path.resolve().parent for path in files} == {tmp_path / "results/figures"}
    assert all(path.is_file() for path in files)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"formats": ("gif",)}, "'gif'"), ({"figure": "cruves"}, "cruves"), ({"formats": ()}, "format")],
)
def test_what_cannot_be_drawn_is_said_before_anything_is_written(
    tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    run = make_run(tmp_path / "run", ["nsq"])
    with pytest.raises(UserError, match=words):
        plot([run], **options)
    assert not (run / "figures").exists()


def test_nothing_to_draw_is_said(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", [], complete=False)
    with pytest.raises(UserError, match="nothing to draw"):
        plot([tmp_path])
    with pytest.raises(UserError, match="holds no runs"):
        plot([run / "jobs"] if (run / "jobs").mkdir() is None else [])
    (run / "file").touch()
    complete = make_run(tmp_path / "complete", ["nsq"])
    with pytest.raises(UserError, match="cannot be written"):
        plot([complete], run / "file")


@pytest.mark.parametrize("taken", ["curves-mnist.svg", "joined-curves.csv"])
def test_a_place_that_is_taken_is_said_before_anything_is_written(tmp_path: Path, taken: str) -> None:
    make_run(tmp_path / "a", ["nsq"])
    make_run(tmp_path / "b", ["sq"])
    (tmp_path / "figures" / taken).mkdir(parents=True)
    with pytest.raises(UserError, match=f"{taken} cannot be written"):
        plot([tmp_path], formats=("png", "svg"))
    assert names(tmp_path / "figures") == {taken}


def test_a_damaged_table_is_named_and_nothing_written(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", ["nsq"])
    (run / "curves.parquet").write_bytes(b"PAR1")
    with pytest.raises(UserError, match=r"curves\.parquet"):
        plot([run])
    assert not (run / "figures").exists()


def test_what_a_figure_cannot_show_does_not_stop_the_others(tmp_path: Path) -> None:
    make_run(tmp_path / "pgd", ["nsq"])
    make_run(tmp_path / "fgsm", ["nsq"], attack="fgsm", dataset="digits")
    files, notes = plot([tmp_path], figure="fig3")
    assert names(tmp_path / "figures") == {"fig3-mnist.png", "joined-curves.csv"} == {f.name for f in files}
    assert [note for note in notes if "nothing was run on digits" in note]
    with pytest.raises(UserError, match="nothing was run on digits"):
        plot([tmp_path / "fgsm"], figure="fig3")
