"""Decoding: right pixels in the right order, and one message for every damage."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from robbench.datasets.image_decoding import EncodedImage, decode_image, decode_images
from robbench.errors import UserError

from .files import encode, random_pixels


def _saved(image, kind="PNG"):
    stream = io.BytesIO()
    image.save(stream, kind)
    return EncodedImage(stream.getvalue(), "here")


def test_many_images_keep_their_order():
    images = random_pixels(300, 3, 4, 5)
    encoded = [EncodedImage(encode(image), str(number)) for number, image in enumerate(images)]
    decoded = decode_images(300, encoded.__getitem__, (3, 4, 5))
    np.testing.assert_array_equal(decoded.pixels, images)
    assert decoded.encodings == ("PNG",)


def test_no_images_are_no_images():
    assert decode_images(0, lambda index: EncodedImage(b"", ""), (3, 4, 5)).pixels.shape == (0, 3, 4, 5)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1"])
def test_other_colours_become_rgb(mode):
    saved = _saved(Image.fromarray(random_pixels(8, 9, 3)).convert(mode), "JPEG" if mode == "CMYK" else "PNG")
    with Image.open(io.BytesIO(saved.data)) as image:
        assert image.mode == mode
        expected = np.asarray(image.convert("RGB")).transpose(2, 0, 1)
    np.testing.assert_array_equal(decode_image(saved, 3).pixels, expected)


@pytest.mark.parametrize(("mode", "channels"), [("I;16", 1), ("I;16", 3), ("RGB", 1), ("RGBA", 1)])
def test_colours_that_would_lose_something_are_refused(mode, channels):
    with pytest.raises(UserError, match=f"here has the colour mode '{mode}'"):
        decode_image(_saved(Image.new(mode, (8, 8))), channels)


@settings(deadline=None)
@given(kind=st.sampled_from(["PNG", "JPEG", "BMP", "WEBP"]), data=st.data())
def test_damage_gives_pixels_or_a_user_error(kind, data):
    whole = bytearray(encode(random_pixels(3, 16, 16), kind))
    position = data.draw(st.integers(0, len(whole) - 1))
    whole[position] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.sampled_from([len(whole), position]))
    try:
        decoded = decode_image(EncodedImage(bytes(whole[:cut]), "here"), 3)
    except UserError:
        return
    assert decoded.pixels.dtype == np.uint8


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        encode(random_pixels(3, 64, 64), "JPEG")[:900],
        encode(random_pixels(3, 64, 64), "TIFF"),
    ],
)
def test_what_is_no_image_is_named(data):
    with pytest.raises(UserError, match="here is not an image"):
        decode_image(EncodedImage(data, "here"), 3)
