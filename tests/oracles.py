"""Models whose critical ε is known: linear, by brightness, never broken; and one that fails in bfloat16."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from robbench.tensors import Images, Labels


class LinearModel(nn.Module):
    """Logits that are linear in the pixels; torch breaks ties in favour of the lower class."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.layer = nn.Linear(weight.shape[1], weight.shape[0])
        self.layer.weight.data = weight.clone()
        self.layer.bias.data = bias.clone()

    def forward(self, images: Tensor) -> Tensor:
        return self.layer(images.flatten(1))


class ConstantModel(nn.Module):
    """Says class 1 of 4 whatever it sees: never broken. Its gradient exists and is zero."""

    def forward(self, images: Tensor) -> Tensor:
        return torch.tensor([0.0, 9.0, 1.0, 2.0], device=images.device) + 0 * images.flatten(1).sum(
            1, keepdim=True
        )


class SmoothNet(nn.Module):
    """A small conv net without kinks, so that backends agree to the last bits of a float."""

    def __init__(self, channels: int = 1, classes: int = 5, side: int = 8, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.conv = nn.Conv2d(channels, 6, 3, padding=1)
            self.norm = nn.BatchNorm2d(6)
            self.head = nn.Linear(6 * side * side, classes)
        self.head.weight.data *= 6

    def forward(self, images: Tensor) -> Tensor:
        return self.head(torch.tanh(3 * self.norm(self.conv(images))).flatten(1))


def linear_oracle(
    classes: int = 2, count: int = 12, side: int = 8, low: float = 0.0, high: float = 1.0, seed: int = 0
) -> tuple[LinearModel, Images, Labels]:
    """A random linear model with images that it gets right, of every label.

    Args:
        classes: The number of classes.
        count: The number of images.
        side: Their height and width; one channel.
        low: The smallest pixel; with 0 and 1 many pixels lie on the box and it binds.
        high: The largest pixel.
        seed: Of everything drawn.
    """
    generator = torch.Generator().manual_seed(seed)
    pixels = side * side
    weight = torch.randn(classes, pixels, generator=generator) / 4
    images = torch.rand(count, 1, side, side, generator=generator) * 1.5 - 0.25
    images = low + images.clamp(0, 1) * (high - low)
    scores = images.flatten(1) @ weight.T
    model = LinearModel(weight, -scores.mean(0))
    labels = model(images).argmax(1).detach()
    assert set(labels.tolist()) == set(range(classes)), "the oracle must show every label"
    return model, images, labels


def brightness_oracle(threshold: float) -> LinearModel:
    """Class 1 where an 8 x 8 image's mean is above ``threshold``: gray c breaks at ε = |c - threshold|."""
    weight = torch.stack([torch.zeros(64), torch.full((64,), 1 / 64)]) * 40
    return LinearModel(weight, torch.tensor([0.0, -40 * threshold]))


def critical_epsilon(model: LinearModel, images: Images, labels: Labels, norm: str) -> Tensor:
    """The exact distance from each image to the decision boundary inside the box; inf where there is none.

    The nearest image of another class solves a linear program (linf) or a projection (l2) with one
    constraint; in both every pixel moves by min(what the norm gives it, its room to the box), so one number
    is found by bisection in float64.
    """
    weight, bias = model.layer.weight.detach().double(), model.layer.bias.detach().double()
    flat = images.flatten(1).double()
    best = torch.full((len(images),), torch.inf, dtype=torch.float64)
    for other in range(len(weight)):
        direction = weight[other] - weight[labels]
        gap = (flat * -direction).sum(1) + bias[labels] - bias[other]
        room = torch.where(direction > 0, 1 - flat, flat)
        distance = _distance_to_close(gap, direction.abs(), room, norm)
        best = torch.where(labels == other, best, torch.minimum(best, distance))
    return best


def _distance_to_close(gap: Tensor, slope: Tensor, room: Tensor, norm: str) -> Tensor:
    def moved(size: Tensor) -> Tensor:
        wanted = size.unsqueeze(1) * (slope if norm == "l2" else torch.ones_like(slope))
        return torch.minimum(wanted, room)

    low, high = torch.zeros_like(gap), torch.full_like(gap, 1e6 if norm == "l2" else 1.0)
    reachable = (moved(high) * slope).sum(1) >= gap
    for _ in range(100):
        middle = (low + high) / 2
        enough = (moved(middle) * slope).sum(1) >= gap
        low, high = torch.where(enough, low, middle), torch.where(enough, middle, high)
    move = moved(high)
    distance = move.norm(dim=1) if norm == "l2" else move.amax(1)
    return torch.where(reachable, distance, torch.inf)


class RoughAtBlack(nn.Module):
    """A classifier behind a function of the pixels, such as a root, whose slope at 0 is not finite."""

    def __init__(self, model: nn.Module, function: Callable[[Tensor], Tensor] = torch.sqrt) -> None:
        super().__init__()
        self.model = model
        self.function = function

    def forward(self, images: Tensor) -> Tensor:
        return self.model(self.function(images))


class Scattering(nn.Module):
    """Writes its logits into a float32 tensor, where autocast would have them in bfloat16."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))

    def forward(self, images):
        logits = torch.zeros(len(images), 10)
        logits[images.flatten(1).sum(1) > -1] = self.net(images)
        return logits
