"""A model of timm, with its normalization inside."""

from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from robbench.defenses.contract import Defense
from robbench.defenses.formats.contract import Made, ModelFormat, Wanted
from robbench.defenses.formats.factories import title_of
from robbench.defenses.formats.registration import register_format
from robbench.errors import UserError
from robbench.networks.normalization import Normalize
from robbench.registry import suggest

WEIGHTS = "weights="


@register_format("timm")
class Timm(ModelFormat):
    """A model of timm (extra ``timm``): its published weights, or those of a safetensors file."""

    form = "timm:MODEL or timm:MODEL:weights=FILE"
    prefixes = ("timm",)

    def load(self, name: str, wanted: Wanted) -> Made:
        _, _, rest = name.partition(":")
        model, colon, option = rest.partition(":")
        if colon and not (option.startswith(WEIGHTS) and option != WEIGHTS):
            raise UserError(f"{option!r} is no option of a timm model.", f"Write {self.form}.")
        weights = Path(option.removeprefix(WEIGHTS)) if colon else None
        network, config = _from_file(model, weights, wanted) if weights else _published(model, wanted)
        normalized = nn.Sequential(_normalization(config, wanted), network)
        return Made(Defense(normalized), title_of(f"timm.{model}{f'.{weights.stem}' if weights else ''}"), "")


def _published(model: str, wanted: Wanted) -> tuple[nn.Module, dict[str, Any]]:
    network, config = _create(model, pretrained=True)
    if network.num_classes not in wanted.class_counts:
        raise UserError(
            f"timm's {model} tells {network.num_classes} classes apart, "
            f"{wanted.dataset} has {wanted.classes}.",
            f"Give weights trained on {wanted.dataset}: timm:{model}:weights=FILE.safetensors.",
        )
    return network, config


def _from_file(model: str, weights: Path, wanted: Wanted) -> tuple[nn.Module, dict[str, Any]]:
    tensors, problem = _read(weights), ""
    for classes in wanted.class_counts:
        network, config = _create(model, pretrained=False, num_classes=classes, in_chans=wanted.shape[0])
        try:
            network.load_state_dict(tensors, strict=True)
        except RuntimeError as error:
            problem = problem or f"{weights} does not fit {model} with {classes} classes: {error}"
        else:
            return network, config
    raise UserError(
        problem, "It should hold the state dict of timm.create_model(...), every tensor of it and no other."
    )


def _create(model: str, **options: Any) -> tuple[nn.Module, dict[str, Any]]:
    try:
        import timm
        from timm.data import resolve_model_data_config  # pyright: ignore[reportPrivateImportUsage]
    except ImportError as error:
        raise UserError(
            f"timm:{model} needs the package timm, which is not installed.", "pip install 'robbench[timm]'"
        ) from error
    if not timm.is_model(model.partition(".")[0]):
        raise suggest("timm model", model, timm.list_models())
    try:
        network = timm.create_model(model, **options)
    except OSError as error:  # what the hub raises is one
        raise UserError(
            f"The weights of timm's {model} could not be fetched: {str(error).partition(chr(10))[0]}",
            f"Check the network, or give a file: timm:{model}:weights=FILE.safetensors.",
        ) from error
    # What timm raises for a tag that is none, and for options that a model does not take.
    except (RuntimeError, TypeError, ValueError) as error:
        raise UserError(f"timm does not build {model}: {error}", "`timm.list_models()` shows all.") from error
    return network, resolve_model_data_config(network)


def _read(weights: Path) -> dict[str, Tensor]:
    if not weights.is_file():
        raise UserError(f"There is no file {weights}.", "The path is taken from the current directory.")
    try:
        return load_file(weights)
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"{weights} is no safetensors file: {error}.",
            "safetensors.torch.save_file(model.state_dict(), path) writes one.",
        ) from error


def _normalization(config: dict[str, Any], wanted: Wanted) -> Normalize:
    """The normalization that the model was published with; for grey images the mean over its channels."""
    mean, deviation = config["mean"], config["std"]
    if len(mean) != wanted.shape[0]:
        mean, deviation = ([sum(numbers) / len(numbers)] * wanted.shape[0] for numbers in (mean, deviation))
    return Normalize(mean, deviation)
