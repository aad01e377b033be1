"""A run like any other, in a process of its own, for tests that kill it. Usage: killed_writer.py FOLDER."""

import sys
from pathlib import Path

import pyarrow as pa

from robbench.analysis.curves import curves_of
from robbench.store import open_run
from tests.outcome_tables import GRID, example_table, outcome_table

MANIFEST = {"identity": "abcd", "spec": {"defenses": ["natural"]}}
JOBS = ("aaaa0001", "aaaa0002", "aaaa0003")
SAMPLES = 60
PART = 3


def run(folder: Path) -> None:
    with open_run(folder, MANIFEST) as store:
        print("open", flush=True)
        if store.state == "complete":
            return
        for job_id in JOBS:
            if job_id in store.completed_jobs():
                continue
            missing = sorted(set(range(SAMPLES)) - store.stored_indices(job_id))
            for start in range(0, len(missing), PART):
                part = missing[start : start + PART]
                store.keep_examples(job_id, example_table(part))
                store.append(job_id, rows(job_id, part))
            store.complete_job(job_id, {"samples": SAMPLES})
        outcomes = pa.concat_tables([store.outcomes(job_id) for job_id in JOBS])
        store.finish(outcomes, curves_of(outcomes, GRID))


def rows(job_id: str, indices: list[int]) -> pa.Table:
    return outcome_table(indices, job_id=job_id, attack=job_id)


if __name__ == "__main__":
    run(Path(sys.argv[1]))
