"""What a defense is: an exact classifier, stand-ins to differentiate, and a training objective."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from robbench.datasets import DatasetInfo, TrainingPlan
from robbench.defenses.batch import TrainingBatch
from robbench.errors import UserError

VIEWS = ("exact", "bpda", "substitute", "smooth")
"""The views an attack may ask for.

``exact``: the classifier itself. ``bpda``: forward exact, the layer's backward replaced by the identity
(Athalye et al. 2018, arXiv:1802.00420). ``substitute``: the layer left out in both directions, which the
soft-quantization paper calls BPDA. ``smooth``: forward exact, backward of a gentler layer.
"""


class Defense:
    """A classifier of [0, 1] images, with the views that an attack may differentiate.

    Success is always judged on :attr:`model`. A view is a plain module with the same input and output, so any
    attack of any library can use it.

    Args:
        network: Maps images, or what ``layer`` makes of them, to logits.
        layer: A shape-preserving layer in front whose gradient is missing or useless, such as a quantizer.
        smooth: A differentiable stand-in for ``layer``, whose gradient the ``smooth`` view uses.
        views: Further views by name, for a defense that is no layer before a network. They win over those
            derived from ``layer``.

    Raises:
        UserError: One of them is no module, such as a class that was not called, or there is no layer for
            ``smooth`` to stand in for.

    Attributes:
        model: The exact classifier.
        network: The network behind the layer; :attr:`model` itself where there is no layer.
        layer: The layer in front, or None.
    """

    def __init__(
        self,
        network: nn.Module,
        layer: nn.Module | None = None,
        smooth: nn.Module | None = None,
        views: Mapping[str, nn.Module] | None = None,
    ) -> None:
        declared = views or {}
        layers = {
            name: part for name, part in (("layer", layer), ("smooth layer", smooth)) if part is not None
        }
        named = {f"view {name!r}": view for name, view in declared.items()}
        _check_modules({"network": network, **layers, **named})
        if smooth is not None and layer is None:
            raise UserError(
                "The smooth layer of a Defense stands in for its layer, and no layer is given.",
                "Name both: Defense(network, layer=..., smooth=...).",
            )
        self.network = network
        self.layer = layer
        self.model = network if layer is None else nn.Sequential(layer, network)
        self._views = {"exact": self.model, **_layer_views(network, layer, smooth), **declared}
        self._declared = frozenset(declared)

    @property
    def views(self) -> tuple[str, ...]:
        """The names of the views that differ from each other, ``exact`` first."""
        return tuple(self._views)

    def resolve_view(self, name: str) -> str:
        """The view that stands for ``name`` here.

        A defense with no layer to approximate has one view, ``exact``, which stands for all: the attack is
        then the same computation, and is not run twice.

        Raises:
            UserError: The defense has other views, but not this one.
        """
        if name in self._views:
            return name
        if self.views == ("exact",):
            return "exact"
        raise UserError(
            f"This defense has no view {name!r}.",
            f"It offers {', '.join(self.views)}. A layer's `smooth` view needs Defense(..., smooth=...).",
        )

    def view(self, name: str) -> nn.Module:
        """The module that an attack differentiates under the view ``name``."""
        return self._views[self.resolve_view(name)]

    def forwards_exactly(self, name: str) -> bool:
        """Whether a view computes what :attr:`model` does, bit for bit, as `substitute` does not."""
        return name in ("exact", "bpda", "smooth") and name not in self._declared


def _check_modules(parts: Mapping[str, object]) -> None:
    """Refuse what is no module here, before it fails far away."""
    for name, part in parts.items():
        if not isinstance(part, nn.Module):
            raise UserError(
                f"The {name} of a Defense is a torch.nn.Module, not {part!r}.",
                "A class must be called: Defense(Network()), not Defense(Network).",
            )


class ApproximatedLayer(nn.Module):
    """A layer whose forward pass is exact and whose backward pass is another layer's.

    Args:
        layer: The exact layer.
        stand_in: The differentiable layer whose gradient is used; None: the identity.
    """

    def __init__(self, layer: nn.Module, stand_in: nn.Module | None = None) -> None:
        super().__init__()
        self.layer = layer
        self.stand_in = stand_in

    def forward(self, images: Tensor) -> Tensor:
        with torch.no_grad():
            exact = self.layer(images.detach())  # which may go through numpy
        return _SwapGradient.apply(images if self.stand_in is None else self.stand_in(images), exact)


class _SwapGradient(torch.autograd.Function):
    """Returns the second tensor, bit for bit, and hands the gradient to the first."""

    @staticmethod
    def forward(ctx: Any, differentiable: Tensor, exact: Tensor) -> Tensor:
        return exact.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


def _layer_views(
    network: nn.Module, layer: nn.Module | None, smooth: nn.Module | None
) -> dict[str, nn.Module]:
    if layer is None:
        return {}
    views: dict[str, nn.Module] = {
        "bpda": nn.Sequential(ApproximatedLayer(layer), network),
        "substitute": network,
    }
    if smooth is not None:
        views["smooth"] = nn.Sequential(ApproximatedLayer(layer, smooth), network)
    return views


class DefenseRecipe(ABC):
    """A defense that robbench knows how to build and train: a frozen dataclass, registered by name.

    Its fields are its options; ``for_dataset`` fills them with the paper's values. The class docstring's
    first line is its description.
    """

    title: ClassVar[str]
    """What a legend prints."""
    paper: ClassVar[str]
    """Author, year and arXiv number."""
    watched: ClassVar[bool] = False
    """Whether its training is watched for catastrophic overfitting unless the user says otherwise, as that of
    a single-step adversarial training should be (Wong et al. 2020, arXiv:2001.03994)."""

    @classmethod
    @abstractmethod
    def for_dataset(cls, info: DatasetInfo) -> "DefenseRecipe":
        """The recipe with the values that the paper uses on this dataset."""

    @abstractmethod
    def wrap(self, network: nn.Module) -> Defense:
        """The defense around a network."""

    @abstractmethod
    def plan(self, info: DatasetInfo) -> TrainingPlan:
        """How long this defense is trained on a dataset."""

    @property
    def replays(self) -> int:
        """How many optimizer steps in a row see the same batch, augmented alike; 1 but for free training.

        A budget in epochs counts every one of them as a pass over the data (Shafahi et al. 2019,
        arXiv:1904.12843).
        A recipe that lets the user choose gives its option another name, and returns it here.
        """
        return 1

    @abstractmethod
    def loss(self, defense: Defense, batch: TrainingBatch) -> Tensor:
        """The training objective of one batch: a scalar with a gradient in the weights.

        An objective that switches modules to eval mode for its inner attack switches them back.

        Args:
            defense: The defense in training mode.
            batch: The batch, the source of random numbers, and what was kept from earlier steps.
        """

    def after_backward(self, defense: Defense, batch: TrainingBatch) -> None:  # noqa: B027
        """Called after the gradient of :meth:`loss` is there and before the weights change. Does nothing.

        Args:
            defense: The defense; its weights hold their gradients.
            batch: The batch that :meth:`loss` was given, the same object.
        """
