"""Decoding encoded images, many at once."""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from robbench.errors import UserError

_MODES = {1: ("L", {"L", "1"}), 3: ("RGB", {"RGB", "L", "1", "P", "RGBA", "LA", "CMYK", "YCbCr"})}
"""By channels: Pillow's mode for them, and the modes that become it without losing a bit of depth."""
ENCODINGS = ("JPEG", "PNG", "BMP", "WEBP", "PPM", "GIF")
"""What is decoded, by Pillow's names; TIFF, for one, takes seconds and gigabytes to refuse a damaged file."""
_CHUNK = 64


class DecodedImage(NamedTuple):
    """One image."""

    pixels: npt.NDArray[np.uint8]
    """(channels, height, width)."""
    encoding: str
    """Pillow's name of the encoding it had, for example ``JPEG``."""


class DecodedImages(NamedTuple):
    """Many images of one size."""

    pixels: npt.NDArray[np.uint8]
    """(n, channels, height, width)."""
    encodings: tuple[str, ...]
    """The encodings met, sorted."""


class EncodedImage(NamedTuple):
    """The bytes of an image, and where they lie, in words for a message."""

    data: bytes
    origin: str


def decode_image(
    encoded: EncodedImage, channels: int, fit: Callable[[Image.Image], Image.Image] = lambda image: image
) -> DecodedImage:
    """Decode one image.

    Args:
        encoded: Its bytes.
        channels: 1 for grey, 3 for RGB, to which grey, palette and CMYK images are converted.
        fit: Brings the image to the size that is wanted.

    Raises:
        UserError: The bytes are no image in one of :data:`ENCODINGS`, or its colours do not fit.
    """
    mode, allowed = _MODES[channels]
    try:
        with Image.open(io.BytesIO(encoded.data), formats=ENCODINGS) as image:
            encoding, found = image.format or "unknown", image.mode
            image.load()
            pixels = np.asarray(fit(image.convert(mode))) if found in allowed else None
    except Exception as error:  # damaged bytes raise whatever the codec that meets them happens to raise
        raise UserError(
            f"{encoded.origin} is not an image that can be decoded: {error}.",
            "The file is damaged or no image: fetch it again, or remove it.",
        ) from error
    if pixels is None:
        raise UserError(
            f"{encoded.origin} has the colour mode {found!r}, where an 8-bit {mode} image was expected.",
            f"Convert it to {mode}.",
        )
    return DecodedImage(
        np.ascontiguousarray(pixels.reshape(*pixels.shape[:2], channels).transpose(2, 0, 1)), encoding
    )


def decode_images(
    count: int, fetch: Callable[[int], EncodedImage], shape: tuple[int, int, int]
) -> DecodedImages:
    """Decode many images of one size on all cores; Pillow lets go of the interpreter lock meanwhile.

    Args:
        count: How many.
        fetch: Gets the bytes of one by its number.
        shape: Channels, height and width that every image must have.

    Raises:
        UserError: An image cannot be decoded, or is of another size.
    """
    pixels = np.empty((count, *shape), np.uint8)

    def decode(start: int) -> set[str]:
        encodings: set[str] = set()
        for index in range(start, min(start + _CHUNK, count)):
            encoded = fetch(index)
            image = decode_image(encoded, shape[0])
            if image.pixels.shape != shape:
                height, width = image.pixels.shape[1:]
                raise UserError(
                    f"{encoded.origin}: expected {shape[1]} × {shape[2]} pixels, not {height} × {width}.",
                    "The file is another dataset's: name the right --data-dir, or the right --dataset.",
                )
            pixels[index] = image.pixels
            encodings.add(image.encoding)
        return encodings

    with ThreadPoolExecutor() as pool:
        met = set[str]().union(*pool.map(decode, range(0, count, _CHUNK)))
    return DecodedImages(pixels, tuple(sorted(met)))
