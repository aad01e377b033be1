"""The local executor: an interruption between any two parts costs nothing and changes nothing."""

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import nn

from robbench.attacks import IterativeAttack
from robbench.datasets import from_arrays
from robbench.datasets.custom import custom_info
from robbench.defenses import Defense
from robbench.defenses.loading import LoadedDefense, state_hash
from robbench.errors import UserError
from robbench.executors import JobRecord, MemorySink, SilentObserver, local, run_locally
from robbench.executors.local import Workplace, target_of
from robbench.preflight import check_defenses
from robbench.preparation import assemble, resolve_attacks
from robbench.spec import SweepSpec
from robbench.sweep import compiling, runner
from robbench.sweep.passes import filled_size
from tests.oracles import SmoothNet, linear_oracle


class Interrupted(Exception):
    """Pretends that the process died."""


class Fragile(MemorySink):
    """Dies after it has kept some parts."""

    def __init__(self) -> None:
        super().__init__()
        self.left = 0
        self.parts: dict[str, list[int]] = {}

    def append(self, job_id: str, rows: pa.Table, seconds: float = 0.0) -> None:
        super().append(job_id, rows, seconds)
        self.parts.setdefault(job_id, []).append(rows.num_rows)
        self.left -= 1
        if self.left == 0:
            raise Interrupted


class Clock:
    """Goes on by so many seconds whenever it is read."""

    def __init__(self, step: float) -> None:
        self._step, self._now = step, 0.0

    def perf_counter(self) -> float:
        self._now += self._step
        return self._now


@pytest.fixture(scope="module")
def prepared():
    model, images, labels = linear_oracle(count=600)
    defense = Defense(model)
    loaded = LoadedDefense("model", "model", defense, state_hash(defense), None, "made up")
    dataset = from_arrays(images, labels)
    spec = SweepSpec(("model",), ("pgd5", "pgd4@torchattacks"), "custom", "0:0.1:5")
    info = custom_info(dataset)
    attacks = resolve_attacks(spec, info, dataset.classes)
    return assemble(spec, info, Workplace(dataset, {"model": loaded}, torch.device("cpu"), 32), attacks, "")


def _rows(prepared, sink):
    return [sink.outcomes(job.id).to_pandas() for job in prepared.plan.jobs]


def test_interrupted_after_any_part_it_ends_with_the_same_rows(prepared, monkeypatch):
    monkeypatch.setattr(runner, "FLUSH_SECONDS", 0.0)
    whole = MemorySink()
    run_locally(prepared.plan, prepared.workplace, whole, SilentObserver())
    expected = _rows(prepared, whole)
    assert {"auto: survivors", "auto: search"} == set(expected[0].strategy)
    for parts in (1, 2, 5):
        sink, deaths = Fragile(), 0
        while True:
            sink.left = parts
            try:
                run_locally(prepared.plan, prepared.workplace, sink, SilentObserver())
                break
            except Interrupted:
                deaths += 1
        assert deaths >= 2
        for found, rows in zip(_rows(prepared, sink), expected, strict=True):
            assert found.sample_index.is_unique
            assert found.equals(rows)


def test_a_kill_costs_no_more_than_a_minute_of_a_job_of_hours(monkeypatch):
    now = 0.0
    monkeypatch.setattr(runner.time, "monotonic", lambda: now)
    clock, handed_on = runner._FlushClock(), [0.0]
    for now in range(1, 10 * 3600):
        if clock.due():
            handed_on.append(float(now))
    waited = np.diff(handed_on)
    assert waited[0] == runner.FLUSH_SECONDS
    assert waited.max() == 60


def test_every_job_is_recorded_with_its_cost(prepared):
    sink = MemorySink()
    run_locally(prepared.plan, prepared.workplace, sink, SilentObserver())
    for job in prepared.plan.jobs:
        record, rows = sink.completed_jobs()[job.id], sink.outcomes(job.id).to_pandas()
        assert record["samples"] == len(rows) == 600
        assert record["clean_accuracy"] == 1
        assert record["robust_accuracy"] == pytest.approx(1 - rows.broken.str[-1].mean())
        control = record["control"]
        assert record["n_backward"] == round(rows.n_backward.sum()) + control.get("n_backward", 0)
        # An attack of a library has no control.
        assert (control.get("samples"), control.get("fell_back")) == (
            (256, False) if isinstance(job.attack.attack, IterativeAttack) else (None, None)
        )


def test_a_process_that_goes_on_compiles_where_the_first_one_did(prepared, monkeypatch):
    monkeypatch.setattr(compiling, "BACKEND", "eager")
    monkeypatch.setattr(compiling, "GAIN", 0.0)
    monkeypatch.setattr(runner, "FLUSH_SECONDS", 0.0)
    asked = []
    monkeypatch.setattr(runner, "long_enough", lambda *_: not asked.append("whether it is long"))
    sink, (native, library) = Fragile(), prepared.plan.jobs
    sink.left = 2
    with pytest.raises(Interrupted):
        run_locally(prepared.plan, prepared.workplace, sink, SilentObserver())
    assert sink.recall(native.id)["compiled"] is True
    run_locally(prepared.plan, prepared.workplace, sink, SilentObserver())
    assert asked == ["whether it is long"]
    records = sink.completed_jobs()
    assert [records[job.id]["compiled"] for job in (native, library)] == [True, False]
    assert records[native.id]["control"]["samples"] == 256
    assert "compiled" not in records[native.id]["control"]
    plain = MemorySink()
    monkeypatch.setattr(runner, "long_enough", lambda *_: False)
    run_locally(prepared.plan, prepared.workplace, plain, SilentObserver())
    for found, rows in zip(_rows(prepared, sink), _rows(prepared, plain), strict=True):
        assert found["broken"].map(list).equals(rows["broken"].map(list))


def test_a_process_that_goes_on_with_what_was_not_compiled_does_not_ask_again(prepared, monkeypatch):
    monkeypatch.setattr(runner, "FLUSH_SECONDS", 0.0)
    monkeypatch.setattr(runner, "long_enough", lambda *_: False)
    sink, native = Fragile(), prepared.plan.jobs[0]
    sink.left = 2
    with pytest.raises(Interrupted):
        run_locally(prepared.plan, prepared.workplace, sink, SilentObserver())
    monkeypatch.setattr(runner, "long_enough", lambda *_: pytest.fail("it was measured again"))
    run_locally(prepared.plan, prepared.workplace, sink, SilentObserver())
    assert sink.completed_jobs()[native.id]["compiled"] is False


def test_the_time_of_a_killed_process_counts_and_what_it_lost_does_not(prepared, monkeypatch):
    monkeypatch.setattr(runner, "FLUSH_SECONDS", 0.0)
    monkeypatch.setattr(local, "time", Clock(10.0))
    sink = Fragile()
    sink.left = 3
    with pytest.raises(Interrupted):
        run_locally(prepared.plan, prepared.workplace, sink, SilentObserver())
    job = prepared.plan.jobs[0]
    # The clock is read once at the beginning and once for every part, and the third part was kept.
    assert (sink.seconds(job.id), len(sink.parts[job.id])) == (30, 3)
    monkeypatch.setattr(local, "time", Clock(1.0))
    run_locally(prepared.plan, prepared.workplace, sink, SilentObserver())
    parts = len(sink.parts[job.id])
    # A second for every part that was left, and one more to the end.
    assert sink.completed_jobs()[job.id]["seconds"] == 30 + (parts - 3) + 1


@pytest.mark.parametrize("damage", [{"seconds": "long"}, {"control": None}, {"samples": None}])
def test_a_damaged_record_is_said_to_be(prepared, damage):
    sink = MemorySink()
    run_locally(prepared.plan, prepared.workplace, sink, SilentObserver())
    job, kept = prepared.plan.jobs[0], dict(sink.completed_jobs()[prepared.plan.jobs[0].id])
    assert JobRecord.read(job.id, kept | {"resumed": True}) == JobRecord.read(job.id, kept)
    sink.complete_job(job.id, kept | damage)
    with pytest.raises(
        UserError, match=f"record of the computation {job.id} is damaged: .*{next(iter(damage))}"
    ):
        run_locally(prepared.plan, prepared.workplace, sink, SilentObserver())


class Noisy(nn.Module):
    """A classifier that adds noise to the images, from torch's and numpy's generators."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.model(images + 0.1 * np.random.random() * torch.randn_like(images))


def _randomized(*attacks):
    model, images, labels = linear_oracle(count=160)
    defense = Defense(Noisy(model))
    loaded = LoadedDefense("noisy", "noisy", defense, state_hash(defense), None, "made up")
    dataset = from_arrays(images, labels)
    spec, info = SweepSpec(("noisy",), attacks, "custom", "0:0.1:3"), custom_info(dataset)
    place = Workplace(dataset, {"noisy": loaded}, torch.device("cpu"), 32)
    return assemble(spec, info, place, resolve_attacks(spec, info, dataset.classes), "")


def test_a_randomized_defense_draws_the_same_again_and_the_caller_draws_on():
    prepared = _randomized("pgd5", "pgd5-cw", "pgd4@torchattacks")
    sinks = [MemorySink(), MemorySink()]
    for seed, sink in enumerate(sinks):
        torch.manual_seed(seed)
        np.random.seed(seed)
        expected = torch.rand(3), np.random.random(3)
        torch.manual_seed(seed)
        np.random.seed(seed)
        run_locally(prepared.plan, prepared.workplace, sink, SilentObserver())
        assert torch.equal(torch.rand(3), expected[0])
        assert (np.random.random(3) == expected[1]).all()
    first, again = (_rows(prepared, sink) for sink in sinks)
    for found, rows in zip(first, again, strict=True):
        assert found.equals(rows)
    clean = [tuple(rows.clean_correct) for rows in first]
    assert clean[0] == clean[1], "the unperturbed images are drawn for alike"
    assert clean[2] != clean[0], "a library comes in blocks, and draws in each"


def test_what_a_randomized_defense_draws_does_not_depend_on_an_interruption_between_blocks():
    prepared = _randomized("pgd4@torchattacks")
    whole, sink = MemorySink(), Fragile()
    run_locally(prepared.plan, prepared.workplace, whole, SilentObserver())
    sink.left = 1
    with pytest.raises(Interrupted):
        run_locally(prepared.plan, prepared.workplace, sink, SilentObserver())
    run_locally(prepared.plan, prepared.workplace, sink, SilentObserver())
    assert _rows(prepared, sink)[0].equals(_rows(prepared, whole)[0])


def test_an_attack_that_fills_the_curve_in_one_run_says_so_in_its_rows():
    model, images, labels = linear_oracle(count=20)
    defense = Defense(model)
    loaded = LoadedDefense("model", "model", defense, state_hash(defense), None, "made up")
    dataset = from_arrays(images, labels)
    spec, info = SweepSpec(("model",), ("fmn5@foolbox", "pgd2"), "custom", "0:0.1:3"), custom_info(dataset)
    place = Workplace(dataset, {"model": loaded}, torch.device("cpu"), 32)
    prepared = assemble(spec, info, place, resolve_attacks(spec, info, dataset.classes), "")
    sink = MemorySink()
    run_locally(prepared.plan, prepared.workplace, sink, SilentObserver())
    assert [set(rows.strategy) for rows in _rows(prepared, sink)] == [{"minimum-norm"}, {"auto: survivors"}]


def test_a_library_that_works_for_minutes_on_one_block_shows_that_it_does(prepared):
    told: list[tuple[str, int]] = []

    class Listener(SilentObserver):
        def job_progressed(self, job, done, passes):
            told.append((job.attack.attack.backend, passes))

    run_locally(prepared.plan, prepared.workplace, MemorySink(), Listener())
    passes = [count for backend, count in told if backend == "torchattacks"]
    # Of 600 samples there are five blocks, each through four steps at up to four radii.
    assert len(passes) > 5 * 4
    assert passes == sorted(passes)


class Asked(nn.Module):
    """Notes how many images it is asked for at a time, and may answer for them all or with random numbers."""

    def __init__(self, model: nn.Module, kind: str) -> None:
        super().__init__()
        self.model, self.kind, self.asked = model, kind, list[int]()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.asked.append(len(images))
        logits = self.model(images)
        if self.kind == "mixes its batch":
            return logits - logits.mean(0)
        return logits + 0.01 * torch.rand_like(logits) if self.kind == "randomized" else logits


@pytest.mark.parametrize("kind", ["each by itself", "mixes its batch", "randomized"])
def test_passes_are_filled_up_only_where_an_image_is_classified_by_itself(kind):
    model, images, labels = linear_oracle(count=45)
    model, dataset = Asked(model, kind), from_arrays(images, labels)
    spec, info = SweepSpec(("model",), ("noise5",), "custom", "0:0.1:3", draws=1), custom_info(dataset)
    defense = Defense(model)
    loaded = LoadedDefense("model", "model", defense, state_hash(defense), None, "made up")
    ready = check_defenses({"model": loaded}, dataset, torch.device("cpu"), spec)
    place = Workplace(dataset, ready, torch.device("cpu"), 64)
    prepared = assemble(spec, info, place, resolve_attacks(spec, info, dataset.classes), "")
    model.asked.clear()
    run_locally(prepared.plan, prepared.workplace, MemorySink(), SilentObserver())
    as_they_come = any(filled_size(count) != count for count in model.asked)
    assert as_they_come is (kind != "each by itself")
    with target_of(prepared.plan.jobs[0], prepared.workplace) as target:
        assert target.varies is (kind != "each by itself")  # so that no attempt ends at an image that returns


def test_targeted_attacks_aim_at_all_classes_of_the_model():
    images = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    # As of a folder that holds three classes of the thousand that a model knows.
    dataset = from_arrays(images, torch.arange(6) % 3)
    spec = SweepSpec(("model",), ("autoattack5@torchattacks:queries=5",), "custom", "0,0.1")
    info, defense = custom_info(dataset), Defense(SmoothNet(classes=12))
    loaded = LoadedDefense("model", "model", defense, state_hash(defense), None, "made up")
    ready = check_defenses({"model": loaded}, dataset, torch.device("cpu"), spec)
    place = Workplace(dataset, ready, torch.device("cpu"), 64)
    prepared = assemble(spec, info, place, resolve_attacks(spec, info, dataset.classes), "")
    with target_of(prepared.plan.jobs[0], prepared.workplace) as target:
        assert target.classes == 12
