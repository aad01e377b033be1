"""The committed results page is what the committed results and the code as it is give."""

import shutil
from pathlib import Path

from robbench.reproducing import ReproduceRequest, reproduce

PAPER = Path(__file__).resolve().parents[2] / "results" / "paper"


def test_the_committed_page_is_up_to_date(tmp_path):
    shutil.copytree(PAPER, tmp_path / "paper")
    reproduce(ReproduceRequest(("fig2",), tmp_path / "paper"))
    assert (tmp_path / "paper" / "README.md").read_text("utf-8") == (PAPER / "README.md").read_text("utf-8")
