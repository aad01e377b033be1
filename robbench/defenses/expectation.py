"""Randomized defenses: whether repeated answers differ, and a classifier that averages several."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from robbench.classifier import draws_numbers, frozen, predict, seeded
from robbench.defenses.contract import Defense
from robbench.defenses.loaded import LoadedDefense
from robbench.tensors import Images

ROUNDING = 1e-3
"""Share of the logits' standard deviation that another order of sums may change."""


class Expectation(nn.Module):
    """The expectation over a classifier's randomness: the mean class probabilities of several draws.

    Its class is a soft majority vote and its gradient that of EOT (Athalye et al. 2018, arXiv:1802.00420),
    so one module both attacks and scores a randomized defense. A vote, because a defense is asked once when
    it is used: to count any lucky draw of many as a success would overstate an attack, and to ask for all
    draws would overstate the defense.

    Args:
        model: The classifier; every call draws anew.
        draws: How many calls are averaged.
    """

    def __init__(self, model: nn.Module, draws: int) -> None:
        super().__init__()
        self.model = model
        self.draws = draws

    def forward(self, images: Tensor) -> Tensor:
        answers = torch.stack([self.model(images).log_softmax(1) for _ in range(self.draws)])
        return answers.logsumexp(0)


def passes_of(model: nn.Module) -> int:
    """The passes of a network behind one answer of a model."""
    return model.draws if isinstance(model, Expectation) else 1


def spread_of(answers: Tensor) -> float:
    """How far repeated answers to the same images differ, as a share of the logits' standard deviation.

    Args:
        answers: The logits, (draws, n, classes).

    Returns:
        The largest difference of a logit; above :data:`ROUNDING` it is more than rounding.
    """
    scale = answers[0].std().clamp_min(1e-12)
    return float(((answers.amax(0) - answers.amin(0)).max() / scale).nan_to_num())


def in_expectation(
    loaded: LoadedDefense, images: Images, device: torch.device, draws: int, seed: int
) -> LoadedDefense:
    """The defense as it is if it draws no numbers and answers the same twice, else averaged over some draws.

    Args:
        loaded: The defense.
        images: A few real images, classified twice.
        device: Where.
        draws: Forward passes that are averaged; 1: it is only noted that the defense is randomized.
        seed: Seeds what the defense draws here.
    """
    model, images = loaded.defense.model.to(device), images.to(device)
    with frozen(model), seeded(seed, device):
        answers = torch.stack([predict(model, images.clone()) for _ in range(2)])
        # Who draws need not show it on a few images: what is drawn may decide seldom.
        is_random = spread_of(answers) > ROUNDING or draws_numbers(model, images)
    return averaged(loaded, draws) if is_random else loaded


def averaged(loaded: LoadedDefense, draws: int) -> LoadedDefense:
    """A randomized defense whose every view is averaged over some draws; 1: as it is, but noted to be one."""
    noted = replace(loaded, draws=draws)
    if draws == 1:
        return noted
    views = {view: Expectation(loaded.defense.view(view), draws) for view in loaded.defense.views}
    return replace(
        noted,
        title=f"{loaded.title} (mean of {draws} draws)",
        defense=Defense(views.pop("exact"), views=views),
        weights_sha256=f"{loaded.weights_sha256} averaged over {draws}",
    )
