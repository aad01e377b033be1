"""Images as a page holds them: PNG in a data URI."""

from base64 import b64encode
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.float32]
"""An image, channels first, one channel or three."""
_LIGHTER, _DARKER = np.array([213, 94, 0]) / 255, np.array([0, 114, 178]) / 255
"""Two colours of the figures, for pixels that a perturbation makes lighter and darker."""


def picture(image: Pixels) -> str:
    """An image with values in [0, 1]."""
    return _png(np.repeat(image, 3, axis=0) if len(image) == 1 else image)


def perturbation_picture(difference: Pixels) -> str:
    """A perturbation alone, stretched to full contrast.

    Of one channel: orange where it makes lighter, blue where it makes darker, white where it does nothing. Of
    three: each channel around grey.

    Args:
        difference: The adversarial image minus the unperturbed one; all zeros give an even picture.
    """
    largest = float(np.abs(difference).max())
    strength = difference / largest if largest else difference
    if len(difference) > 1:
        return _png(0.5 + strength / 2)
    towards = np.where(strength > 0, _LIGHTER[:, None, None], _DARKER[:, None, None])
    return _png(1 - np.abs(strength) * (1 - towards))


def _png(image: npt.NDArray[np.floating]) -> str:
    pixels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    stream = BytesIO()
    Image.fromarray(pixels.transpose(1, 2, 0)).save(stream, "png", optimize=True)
    return f"data:image/png;base64,{b64encode(stream.getvalue()).decode()}"
