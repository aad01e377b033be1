"""The adversarial images kept: those that were judged, of the samples that come first."""

import numpy as np
import pandas as pd
import pytest
import torch

from robbench.datasets import from_arrays
from robbench.datasets.custom import custom_info
from robbench.defenses import Defense
from robbench.defenses.loading import LoadedDefense, state_hash
from robbench.executors import MemorySink, SilentObserver, run_locally
from robbench.executors.local import Workplace
from robbench.preparation import assemble, resolve_attacks
from robbench.spec import SweepSpec
from robbench.sweep import control, examples, runner
from robbench.threat import TOLERANCE
from tests.oracles import linear_oracle

GRID = "0:0.1:5"


class KeepingSink(MemorySink):
    """Keeps the images too."""

    def __init__(self) -> None:
        super().__init__()
        self.examples: list[pd.DataFrame] = []

    def keep_examples(self, job_id, examples):
        self.examples.append(examples.to_pandas())


def sweep(attack: str, strategy: str, batch_size: int = 32):
    """The images kept, the outcome rows, and the model."""
    count = 2 * control.SMALLEST if strategy == "auto" else 90
    model, images, labels = linear_oracle(count=count)
    labels[::9] = 1 - labels[::9]  # clean errors
    defense = Defense(model)
    loaded = LoadedDefense("model", "model", defense, state_hash(defense), None, "made up")
    dataset = from_arrays(images, labels)
    spec = SweepSpec(("model",), (attack,), "custom", GRID, sweep=strategy)
    info = custom_info(dataset)
    attacks = resolve_attacks(spec, info, dataset.classes)
    place = Workplace(dataset, {"model": loaded}, torch.device("cpu"), batch_size)
    prepared, sink = assemble(spec, info, place, attacks, ""), KeepingSink()
    run_locally(prepared.plan, place, sink, SilentObserver())
    kept = pd.concat(sink.examples, ignore_index=True).sort_values("sample_index", ignore_index=True)
    return kept, sink.outcomes(prepared.plan.jobs[0].id).to_pandas(), model, images


@pytest.mark.parametrize(
    ("attack", "strategy"),
    [
        *(("pgd5", strategy) for strategy in ("auto", "survivors", "search", "independent")),
        ("pgd4@torchattacks", "survivors"),
        ("fmn@foolbox", "survivors"),
    ],
)
def test_the_images_kept_are_those_of_the_rows(attack, strategy, monkeypatch):
    monkeypatch.setattr(runner, "FLUSH_SECONDS", 0.0)
    kept, rows, model, originals = sweep(attack, strategy)
    first = rows.loc[rows.sample_index < examples.CANDIDATES]
    expected = first.loc[first.clean_correct & first.critical_epsilon.notna()]
    assert len(expected) > 5
    assert len(first) > len(expected), "some are not kept"
    assert kept.sample_index.tolist() == expected.sample_index.tolist()
    shared = ["sample_id", "label", "clean_pred", "critical_epsilon", "distance"]
    pd.testing.assert_frame_equal(
        pd.DataFrame(kept[shared]), pd.DataFrame(expected[shared]).reset_index(drop=True)
    )
    shape = kept[["channels", "height", "width"]].iloc[0].tolist()
    images, adversarial = (
        torch.from_numpy(np.stack([np.frombuffer(b, "<f4").reshape(shape) for b in kept[name]]))
        for name in ("image", "adversarial")
    )
    assert torch.equal(images, originals[kept.sample_index.tolist()])
    assert (model(adversarial).argmax(1).numpy() == kept.adv_pred).all()
    assert (kept.adv_pred != kept.label).all()
    distance = (adversarial - images).abs().flatten(1).amax(1).numpy()
    np.testing.assert_allclose(distance, kept.distance, atol=1e-7)
    assert (distance <= kept.critical_epsilon + TOLERANCE).all()


def test_neither_batch_size_nor_parts_change_what_is_kept(monkeypatch):
    once, *_ = sweep("pgd5", "survivors", batch_size=600)
    monkeypatch.setattr(runner, "FLUSH_SECONDS", 0.0)
    monkeypatch.setattr(runner, "WINDOW_VALUES", 200)
    parts, *_ = sweep("pgd5", "survivors", batch_size=7)
    pd.testing.assert_frame_equal(once, parts)


def test_of_large_images_fewer_are_kept(monkeypatch):
    whole, *_ = sweep("pgd5", "survivors")
    monkeypatch.setattr(examples, "CANDIDATE_VALUES", 1)
    one, *_ = sweep("pgd5", "survivors")
    pd.testing.assert_frame_equal(one, whole.loc[whole.sample_index < 1])
