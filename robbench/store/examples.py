"""The adversarial images that a run keeps of every job."""

from pathlib import Path

import pandas as pd

from robbench.schema import EXAMPLES, arrow_schema
from robbench.store.jobs import JobFiles
from robbench.store.layout import EXAMPLES as FOLDER

KEPT = 8
"""Samples per job: enough to see what an attack does."""
_ADVICE = "Delete that file: these images are then not shown, and every number stays."


def example_files(run: Path) -> JobFiles:
    """Where a run's adversarial images are."""
    return JobFiles(run / FOLDER, EXAMPLES, KEPT, _ADVICE)


def read_examples(run: Path, job_id: str) -> pd.DataFrame:
    """The adversarial images of a complete job, columns as in :data:`robbench.schema.EXAMPLES`.

    No row where the job broke none of the samples looked at, or an older robbench ran it.

    Raises:
        UserError: The file is damaged.
        ValueError: It is no job id.
    """
    files = example_files(run)
    if not files.is_merged(job_id):
        return arrow_schema(EXAMPLES).empty_table().to_pandas()
    return files.read_merged(job_id).to_pandas()
