import pytest
import torch
from torch import nn

import robbench
from robbench.sweep.control import SMALLEST, TOLERATED, ControlResult, control_sample, disagreement
from tests.oracles import linear_oracle


class Masked(nn.Module):
    """Linear, but in the box's corners and far from the clean images it answers with the true class.

    A masked gradient at its plainest: large steps reach a region in which the model holds, small steps find
    the boundary. So samples that survive a large ε break at a small one, and searching down from the top is
    wrong.
    """

    def __init__(self, model: nn.Module, images: torch.Tensor, radius: float) -> None:
        super().__init__()
        self.model, self.radius, self.images = model, radius, images.flatten(1)

    def forward(self, batch):
        logits = self.model(batch)
        with torch.no_grad():
            distances = torch.cdist(batch.flatten(1), self.images, p=torch.inf)
            nearest = distances.argmin(1)
            clean = self.model(self.images[nearest].view_as(batch))
        far = (distances.amin(1) > self.radius).unsqueeze(1)
        return torch.where(far, clean + 0 * logits, logits)


@pytest.fixture(scope="module")
def masked():
    model, images, labels = linear_oracle(count=1300)
    return Masked(model, images, 0.06), images, labels


ATTACK, GRID = ["pgd1:random_start=false:relative_step=1"], [0, 0.02, 0.04, 0.08, 0.12]


def _swept(oracle, grid, strategy):
    model, images, labels = oracle
    return robbench.evaluate_samples(model, (images, labels), ATTACK, grid, sweep=strategy)


def test_falls_back_where_every_search_is_wrong(masked):
    grid = [0, 0.02, 0.04, 0.08, 0.1, 0.11, 0.12]
    search, thorough = _swept(masked, grid, "search3"), _swept(masked, grid, "survivors")
    claimed = search.curves.robust_accuracy - thorough.curves.robust_accuracy
    assert claimed.max() > 0.1, "the oracle should mislead even the most patient search"
    auto = _swept(masked, grid, "auto")
    assert auto.outcomes.strategy.unique().tolist() == ["auto: survivors"]
    assert auto.curves.robust_accuracy.tolist() == thorough.curves.robust_accuracy.tolist()


def test_takes_as_much_patience_as_the_control_asks_for(masked):
    # Two masked radii: two failures in a row say nothing, the third does.
    hasty, thorough = _swept(masked, GRID, "search2"), _swept(masked, GRID, "survivors")
    assert (hasty.curves.robust_accuracy - thorough.curves.robust_accuracy).max() > 0.1
    auto = _swept(masked, GRID, "auto")
    assert set(auto.outcomes.strategy) == {"auto: search3", "auto: survivors"}
    assert auto.curves.robust_accuracy.tolist() == thorough.curves.robust_accuracy.tolist()


def test_the_first_search_that_claims_no_more_is_taken():
    result = ControlResult(256).with_search("search", 0.4, (10, 9))
    assert (result.strategy, [search.name for search in result.untried()]) == ("", ["search2", "search3"])
    agreed = result.with_search("search2", -0.8, (20, 19))
    assert (agreed.strategy, agreed.fell_back, agreed.untried()) == ("search2", False, [])
    assert agreed.disagreements == {"search": 0.4, "search2": -0.8}
    assert (agreed.disagreement, agreed.n_forward, agreed.n_backward) == (-0.8, 30, 28)
    fallen = result.with_search("search2", 0.4, (0, 0)).with_search("search3", 0.4, (0, 0))
    assert (fallen.strategy, fallen.fell_back, fallen.untried()) == ("survivors", True, [])


def test_one_net_sample_of_256_is_too_many():
    thorough, search = torch.zeros(2, 256, 3, dtype=torch.bool)
    thorough[0, 1:] = True
    assert disagreement(thorough, search) == 0.3906 > TOLERATED
    search[1, 2] = True  # another sample makes up for it, where it does
    assert disagreement(thorough, search) == 0.3906
    search[1, 1] = True
    assert disagreement(thorough, search) == 0


def test_keeps_the_search_where_it_is_right():
    model, images, labels = linear_oracle(count=1300)
    auto = robbench.evaluate_samples(model, (images, labels), ["pgd10"], GRID, sweep="auto")
    thorough = robbench.evaluate_samples(model, (images, labels), ["pgd10"], GRID, sweep="survivors")
    assert auto.outcomes.strategy.value_counts().to_dict() == {
        "auto: search": 1300 - 256,
        "auto: survivors": 256,
    }
    assert auto.curves.robust_accuracy.tolist() == thorough.curves.robust_accuracy.tolist()
    assert auto.outcomes.n_backward.sum() < thorough.outcomes.n_backward.sum()


def test_attacks_of_libraries_have_no_control():
    model, images, labels = linear_oracle(count=600)
    swept = robbench.evaluate_samples(model, (images, labels), ["pgd2@foolbox"], GRID, sweep="auto")
    assert swept.outcomes.strategy.unique().tolist() == ["auto: survivors"]


def test_the_control_is_seeded_distinct_and_not_worth_it_for_few_samples():
    chosen = control_sample(20_000, 0)
    assert len(chosen) == 1000
    assert len(chosen.unique()) == 1000
    assert chosen.tolist() == sorted(chosen.tolist())
    assert torch.equal(chosen, control_sample(20_000, 0))
    assert not torch.equal(chosen, control_sample(20_000, 1))
    assert len(control_sample(3000, 0)) == SMALLEST == 256
    assert len(control_sample(2 * SMALLEST - 1, 0)) == 0
