"""Pictures: every pixel is what it was."""

from base64 import b64decode
from io import BytesIO

import numpy as np
from PIL import Image

from robbench.reporting.pictures import perturbation_picture, picture


def decoded(uri: str) -> np.ndarray:
    head, _, data = uri.partition(",")
    assert head == "data:image/png;base64"
    return np.asarray(Image.open(BytesIO(b64decode(data))))


def test_pixels_survive() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 5, 7), dtype=np.uint8)
    assert (decoded(picture((pixels / 255).astype(np.float32))) == pixels.transpose(1, 2, 0)).all()
    grey = decoded(picture(np.array([[[0, 0.5, 1]]], np.float32)))
    assert grey.tolist() == [[[0] * 3, [128] * 3, [255] * 3]]


def test_a_perturbation_is_stretched_and_says_its_sign() -> None:
    shown = decoded(perturbation_picture(np.array([[[-0.02, 0, 0.01, 0.02]]], np.float32)))[0]
    assert shown.tolist() == [[0, 114, 178], [255] * 3, [234, 174, 128], [213, 94, 0]]
    colour = decoded(perturbation_picture(np.array([[[0.1]], [[0]], [[-0.1]]], np.float32)))
    assert colour.tolist() == [[[255, 128, 0]]]


def test_no_perturbation_is_an_even_picture() -> None:
    assert set(decoded(perturbation_picture(np.zeros((1, 2, 2), np.float32))).flat) == {255}
    assert set(decoded(perturbation_picture(np.zeros((3, 2, 2), np.float32))).flat) == {128}
