"""Loading by name, and the promises every registered dataset keeps."""

import subprocess
import sys

import pytest
import torch

from robbench.datasets import datasets, load_dataset
from robbench.errors import UserError


def test_an_unknown_name_gets_the_nearest_one():
    with pytest.raises(UserError, match="no dataset called 'mnits'") as caught:
        load_dataset("mnits")
    assert "mnist" in caught.value.hint


@pytest.mark.parametrize("samples", [0, -3])
def test_a_run_needs_a_sample(samples):
    with pytest.raises(UserError, match="at least 1 sample"):
        load_dataset("digits", samples=samples)


def test_more_samples_than_there_are_is_told_with_the_size():
    assert len(load_dataset("digits", samples=360)[1]) == 360
    with pytest.raises(UserError, match="has 360 samples, not 361"):
        load_dataset("digits", samples=361)


def test_the_first_samples_are_the_first():
    _, whole = load_dataset("digits")
    _, part = load_dataset("digits", samples=7)
    assert part.samples(torch.arange(7)).ids == whole.samples(torch.arange(7)).ids
    assert part.fingerprint != whole.fingerprint
    assert (part.classes, part.source, part.shape) == (whole.classes, whole.source, whole.shape)


@pytest.mark.parametrize("name", datasets.names())
def test_every_protocol_is_sound(name):
    info = datasets.get(name)
    assert info.name == name
    assert info.grid[0] == 0
    assert list(info.grid) == sorted(set(info.grid))
    assert info.grid[-1] == info.epsilon
    assert len(set(info.classes)) == len(info.classes)
    assert 0 < info.inner_attack.step_size <= info.inner_attack.epsilon == info.epsilon
    assert info.inner_attack.steps * info.inner_attack.step_size >= info.epsilon


def test_listing_the_datasets_imports_no_reader_library():
    code = (
        "import sys; from robbench.datasets import datasets; datasets.names(); "
        "print([name for name in ('sklearn', 'torchvision', 'pyarrow', 'pandas') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
