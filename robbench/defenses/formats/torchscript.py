"""A TorchScript program."""

import warnings

import torch

from robbench.defenses.contract import Defense
from robbench.defenses.formats.contract import Made, ModelFormat, Wanted, named_file
from robbench.defenses.formats.factories import title_of
from robbench.defenses.formats.file_contents import read_archive
from robbench.defenses.formats.registration import register_format
from robbench.errors import UserError


@register_format("torchscript")
class TorchScript(ModelFormat):
    """A TorchScript program, saved by torch.jit.save."""

    form = "path/to/model.pt"
    # Those that hold weights alone are claimed too, to say what to do with them.
    suffixes = (".pt", ".ts", ".pth", ".ckpt", ".bin", ".safetensors")

    def load(self, name: str, wanted: Wanted) -> Made:
        path = named_file(name)
        names, sha256 = read_archive(path)
        if not any(each.startswith("code/") for each in names):
            raise UserError(
                f"{path} is no TorchScript program; if it holds weights, they do not say of which network.",
                "Write a factory that builds the network and loads them; "
                "`robbench new-defense mine.py --kind network` writes an example.",
            )
        try:
            with warnings.catch_warnings():
                # torch advises whoever writes such files to use torch.export; who reads one has no choice.
                for kind in (FutureWarning, DeprecationWarning):  # the latter in torch 2.11
                    warnings.simplefilter("ignore", kind)
                program = torch.jit.load(path, map_location=wanted.device)
        except (RuntimeError, ValueError) as error:
            raise UserError(
                f"{path} cannot be loaded as TorchScript: {error}", "Save it again by torch.jit.save."
            ) from error
        return Made(Defense(program), title_of(path.name), sha256)
