from dataclasses import replace

import pytest

from tests.bench.oracle_bench import oracle_bench


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_every_defense_is_swept_in_the_arithmetic_that_the_table_names(precision, monkeypatch):
    # Alone, a defense may be fit for bfloat16; beside another it may not be taken there.
    monkeypatch.setattr("robbench.devices.has_bfloat16", lambda device: True)
    bench = replace(oracle_bench(), precision=precision)
    (job,) = bench.run_of("line", "search").plan.jobs
    assert job.precision == bench.precision
