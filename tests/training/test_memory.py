import subprocess
import sys

import pytest
import torch

from robbench.training import memory, train
from robbench.training.memory import RESIDENT, RESIDENT_SINCE_START, MemoryMeter
from tests.training.small import interrupted, request

CPU = torch.device("cpu")
MIB = 2**20


MEASURE = f"""
import numpy, torch
from robbench.training.memory import MemoryMeter

def take(mebibytes):
    numpy.ones(mebibytes * {MIB}, dtype=numpy.uint8)

take(200)
meter = MemoryMeter(torch.device("cpu"))
low = meter.peak()
take(100)
print(meter.peak().bytes - low.bytes, low.measure, sep=",")
"""


def test_the_peak_is_of_what_came_after_the_meter_was_made():
    # In a process of its own: what other tests leave behind may be freed at any moment.
    done = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True)
    grown, measure = done.stdout.strip().split(",")
    if measure != RESIDENT:
        pytest.skip("this system does not let a process forget its peak")
    assert 90 * MIB < int(grown) < 190 * MIB


def test_where_the_system_cannot_forget_the_measure_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "_CLEAR_REFS", tmp_path / "none" / "clear_refs")
    peak = MemoryMeter(CPU).peak()
    assert peak.measure == RESIDENT_SINCE_START
    assert peak.bytes > 50 * MIB


def test_the_card_tells_the_peak_over_interruptions(tmp_path):
    asked = request(tmp_path, checkpoint_seconds=0.0)
    path = interrupted(asked)
    kept = torch.load(path)
    assert kept["peak_memory"] > 50 * MIB
    torch.save({**kept, "peak_memory": 2**50}, path)
    card = train(asked)
    assert card.peak_memory == 2**50
    assert card.memory_measure in (RESIDENT, RESIDENT_SINCE_START)


@pytest.mark.gpu
def test_on_a_gpu_the_peak_is_what_torch_allocated():
    device = torch.device("cuda")
    meter = MemoryMeter(device)
    low = meter.peak().bytes
    used = torch.ones(100 * MIB, dtype=torch.uint8, device=device)
    del used
    assert meter.peak().bytes - low == 100 * MIB
