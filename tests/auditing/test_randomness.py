"""Randomized defenses: found, and attacked and scored in expectation."""

import pandas as pd
import torch
from torch import nn

from robbench.auditing.evidence import gather_evidence
from robbench.auditing.probing import probe
from robbench.auditing.randomness import measure_randomness
from robbench.auditing.running import examine
from robbench.datasets.custom import from_arrays
from robbench.defenses import Defense
from robbench.defenses.expectation import Expectation
from tests.auditing.landscapes import Landscape, honest, outcomes_of, prepared_audit, samples


class Jitter(nn.Module):
    """Logits with noise of a given size."""

    def __init__(self, size: float) -> None:
        super().__init__()
        self.honest, self.size = Landscape(honest), size

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits = self.honest(images)
        return logits + self.size * torch.randn_like(logits)


def test_noise_is_found_and_its_absence_too():
    dataset = from_arrays(*samples())
    cpu = torch.device("cpu")
    quiet = measure_randomness(Landscape(honest), dataset, cpu, 0)
    assert (quiet.changed, quiet.spread, quiet.correct, quiet.is_random) == (0, 0.0, 64, False)
    assert measure_randomness(Jitter(0.1), dataset, cpu, 0).is_random
    loud = measure_randomness(Jitter(10.0), dataset, cpu, 0)
    assert loud.changed > 32
    assert loud == measure_randomness(Jitter(10.0), dataset, cpu, 0)


def test_dropout_is_off_and_no_randomness():
    model = nn.Sequential(nn.Dropout(0.5), Landscape(honest)).train()
    assert not measure_randomness(model, from_arrays(*samples()), torch.device("cpu"), 0).is_random
    assert model.training


def test_a_random_defense_is_attacked_and_judged_in_expectation():
    prepared = prepared_audit(Defense(Jitter(0.1)))
    assert isinstance(prepared.loaded.defense.model, Expectation)
    assert prepared.sweep.workplace.defenses["made-up"].defense.model is prepared.loaded.defense.model
    plain = prepared_audit(Defense(Landscape(honest)))
    assert not isinstance(plain.loaded.defense.model, Expectation)


def test_the_audit_of_a_random_defense_compares_the_same_samples(monkeypatch):
    # Jobs whose windows are alike draw alike for the unperturbed images; those of libraries come in blocks.
    monkeypatch.setattr("robbench.sweep.runner.BLOCK", 16)
    prepared = prepared_audit(Defense(Jitter(10.0)), grid="0.4")
    outcomes = outcomes_of(prepared)
    rows = pd.concat(outcomes.values())
    wrong = rows.loc[~rows["clean_correct"]].groupby(["attack", "job_id"])["sample_index"].agg(frozenset)
    assert len(set(wrong)) > 1, "jobs that all get the same samples wrong would prove nothing"
    evidence = gather_evidence(prepared, outcomes, probe(prepared.subject, prepared.sweep.workplace))
    assert 0 < evidence.samples == 64 - len(frozenset.union(*wrong))
    for survival in (*evidence.survivals.values(), evidence.beyond):
        assert survival.samples.equals(evidence.alone.samples)
    verdicts = {check.name: finding.verdict for check, finding in examine(evidence)}
    assert len(verdicts) == 16
    assert verdicts["randomness"] == "fail"
