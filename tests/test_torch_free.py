import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "statement",
    [
        "import robbench.store",
        "import robbench.analysis.curves, robbench.analysis.joining",
        "import robbench.figures.plotting; from robbench.figures import figures; figures.names()",
        "import robbench.comparing",
        "import robbench.reporting",
        "import robbench; robbench.plot, robbench.compare, robbench.report",
    ],
)
def test_what_reads_tables_and_draws_needs_no_torch(statement: str) -> None:
    code = f"import sys; {statement}; print('torch' in sys.modules, 'matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
