"""What every view of a defense must answer: finite logits for any batch, and a gradient where it is asked."""

import torch
from torch import nn

from robbench.classifier import CountedModel, PassCounter, frozen, predict, seeded
from robbench.datasets import Samples
from robbench.defenses.expectation import ROUNDING, spread_of
from robbench.defenses.loaded import LoadedDefense
from robbench.devices import arithmetic
from robbench.errors import UserError
from robbench.tensors import Images

_INPUT = "A defense takes float32 images (n, channels, height, width) and returns logits (n, classes)."
_PERTURBED = "An attacked image has any values in [0, 1], not those alone that images of the data have."
_WEIGHTS = (
    "While a defense is measured, its weights need no gradient, and gradients are off. One that adapts "
    "itself adapts a copy, under torch.enable_grad() and after copy.requires_grad_(True)."
)


def check_defense(loaded: LoadedDefense, samples: Samples, classes: int, device: torch.device) -> int:
    """Run every view of a defense on a few images, on one and on noisy ones, and refuse what cannot run.

    Args:
        loaded: The defense; its modules are moved to the device.
        samples: A few real samples.
        classes: The number of classes that the labels come from.
        device: Where the benchmark will run.

    Returns:
        The number of logits that the exact model gives for each image.

    Raises:
        UserError: A view raises, returns no (n, k) tensor of floats, fewer logits than classes, or numbers
            that are not finite; or it was built where torch records nothing for gradients.
    """
    images, logits = samples.images.to(device), dict[str, int]()
    for view in loaded.defense.views:
        for batch in (images, images[:1]):
            logits[view] = _check_view(loaded, view, batch, classes)
        # Numbers that are not finite attacks live with; where it raises, they end.
        _answer(loaded, view, _noisy(images), "perturbed images", _PERTURBED)
    return logits["exact"]


def check_differentiable(
    loaded: LoadedDefense, view: str, images: Images, device: torch.device, precision: str = "float32"
) -> bool:
    """Refuse a view that cannot even be asked for its gradient; one that has none, or zero, can.

    Args:
        loaded: The defense, which passed :func:`check_defense`.
        view: What an attack will differentiate.
        images: A real one, or a few.
        device: Where the benchmark will run.
        precision: The arithmetic in which it will be asked.

    Returns:
        Whether anything in the images moves a logit, as far as torch knows.

    Raises:
        UserError: It raises for an image that needs a gradient, as whatever goes through numpy does, or in
            this arithmetic.
    """
    model = CountedModel(loaded.defense.view(view).to(device), PassCounter())
    given = images.to(device, copy=True).requires_grad_()
    try:
        with frozen(model), torch.enable_grad():
            with arithmetic(device, precision):
                logits = model(given)
            # Each by another weight: the sum of probabilities is 1, whatever the images are.
            weights = torch.arange(1, logits.shape[1] + 1, device=device)
            (gradient,) = torch.autograd.grad((logits.float() * weights).sum(), given)
    except Exception as error:
        if precision == "bfloat16":
            raise _fails_in_bfloat16(loaded, view, error) from error
        raise UserError(
            f"{_named(loaded, view)} raised {type(error).__name__} when asked for the gradient in its "
            f"images, as gradient attacks will: {error}",
            "Compute with torch alone. What torch cannot do works on images.detach(), and best in a layer of "
            "its own, which bpda gets around: Defense(network, layer=...).",
        ) from error
    return bool(gradient.any())


def check_rounded_answers(loaded: LoadedDefense, images: Images, device: torch.device) -> None:
    """Refuse a defense that cannot answer in bfloat16, as it is asked to beside another's gradient.

    Args:
        loaded: The defense, which passed :func:`check_defense`.
        images: A few real ones.
        device: Where the benchmark will run.

    Raises:
        UserError: It raises in this arithmetic.
    """
    model = loaded.defense.model.to(device)
    try:
        with frozen(model), torch.no_grad(), arithmetic(device, "bfloat16"):
            model(images.to(device, copy=True))
    except Exception as error:
        raise _fails_in_bfloat16(loaded, "exact", error) from error


def check_input_kept(loaded: LoadedDefense, samples: Samples, device: torch.device) -> None:
    """Refuse a defense that writes into the images it is given: what is judged would be other images.

    Args:
        loaded: The defense, which passed :func:`check_defense`.
        samples: A few real samples.
        device: Where the benchmark will run.

    Raises:
        UserError: A view changes its input in place, be it only where a value needs it.
    """
    for view in loaded.defense.views:
        model, given = loaded.defense.view(view).to(device), samples.images.to(device, copy=True)
        if writes_into(model, given):
            what = "" if view == "exact" else f", under its view {view!r},"
            raise UserError(
                f"The defense {loaded.name}{what} writes into the images that it is given.",
                "Begin its forward with images = images.clone(), or leave out what works in place: mul_, "
                "ReLU(inplace=True).",
            )


def predicts_alike(loaded: LoadedDefense, view: str, images: Images, device: torch.device) -> bool:
    """Whether a view answers as the exact model does, but for roundings.

    Noisy images are asked for too: on clean ones a quantizer may change nothing, nor then its stand-in.

    Args:
        loaded: The defense, which passed :func:`check_defense`.
        view: One of its views.
        images: Real ones, a few.
        device: Where both will run.
    """
    answers = []
    for model in (loaded.defense.model.to(device), loaded.defense.view(view).to(device)):
        with frozen(model), seeded(0, device):
            answers.append(predict(model, torch.cat([images, _noisy(images)]).to(device)))
    exact, seen = answers
    return exact.shape == seen.shape and bool((exact - seen).abs().max() <= ROUNDING * exact.std())


def mixes_batch(loaded: LoadedDefense, images: Images, device: torch.device) -> bool:
    """Whether an image's logits depend on the others that are classified with it.

    Args:
        loaded: The defense, which passed :func:`check_defense`.
        images: Real ones, a few; of one alone there is nothing to see.
        device: Where it will run.
    """
    model, images = loaded.defense.model.to(device), images.to(device)
    with frozen(model), seeded(0, device):
        in_company, alone = predict(model, images.clone())[:1], predict(model, images[:1].clone())
    return spread_of(torch.stack([in_company, alone])) > ROUNDING


def writes_into(model: nn.Module, images: Images) -> bool:
    """Whether a model writes into the images it is given, be it a clamp that leaves these as they are."""
    version = images._version
    with frozen(model), torch.no_grad():
        model(images)
    return images._version != version


def _check_view(loaded: LoadedDefense, view: str, images: Images, classes: int) -> int:
    """Check one view on one batch; the number of its logits."""
    what = _named(loaded, view)
    given = f"images of the shape {tuple(images.shape)}"
    logits = _answer(loaded, view, images, "images", _INPUT)
    expected = f"A defense returns one row of at least {classes} logits for each image."
    if not isinstance(logits, torch.Tensor) or not logits.is_floating_point():
        kind = logits.dtype if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise UserError(f"{what} returned {kind} instead of a tensor of floats.", expected)
    if logits.ndim != 2 or len(logits) != len(images) or logits.shape[1] < classes:
        raise UserError(
            f"{what} returned the shape {tuple(logits.shape)} for {given} of {classes} classes.", expected
        )
    if not torch.isfinite(logits).all():
        raise UserError(f"{what} returned NaN or infinity for {given}.", "Attacks need finite logits.")
    return logits.shape[1]


def _answer(loaded: LoadedDefense, view: str, images: Images, what: str, hint: str) -> object:
    """What a view returns for some images; refused where it raises, or cannot be differentiated."""
    model = loaded.defense.view(view).to(images.device)
    if any(tensor.is_inference() for tensor in (*model.parameters(), *model.buffers())):
        raise UserError(
            f"{_named(loaded, view)} was built in torch.inference_mode(): attacks cannot differentiate it.",
            "Build or load it outside, or under torch.no_grad(); where it is evaluated does not matter.",
        )
    try:
        with frozen(model), torch.no_grad():
            return model(images.clone())  # which is its own, should it write into it
    except Exception as error:
        raise UserError(
            f"{_named(loaded, view)} raised {type(error).__name__} when given {what} of the shape "
            f"{tuple(images.shape)} in [0, 1]{f': {error}' if str(error) else '.'}",
            _WEIGHTS if "does not require grad" in str(error) else hint,
        ) from error


def _noisy(images: Images) -> Images:
    """Images on their way to noise, in the box: no caller's generator is asked for it."""
    noise = torch.rand(images.shape, generator=torch.Generator().manual_seed(0))
    return images.lerp(noise.to(images.device), 0.3)


def _fails_in_bfloat16(loaded: LoadedDefense, view: str, error: Exception) -> UserError:
    return UserError(
        f"{_named(loaded, view)} raised {type(error).__name__} in bfloat16, in which attacks would take "
        f"their steps here: {error}",
        "Give --precision float32, or cast where it needs float32: network(images).float().",
    )


def _named(loaded: LoadedDefense, view: str) -> str:
    """A view of a defense, as a sentence begins with it."""
    return f"The {'' if view == 'exact' else f'view {view!r} of the '}defense {loaded.name}"
