import torch

from robbench.training.augmentation import PADDING, crop_and_flip


def numbered(count: int, channels: int, height: int, width: int) -> torch.Tensor:
    """Images whose pixels all differ and are never 0."""
    return torch.arange(1, count * channels * height * width + 1).view(count, channels, height, width).float()


def reference(image: torch.Tensor, down: int, right: int, flip: bool) -> torch.Tensor:
    padded = torch.nn.functional.pad(image, (PADDING,) * 4)
    _, height, width = image.shape
    window = padded[:, down : down + height, right : right + width]
    return window.flip(-1) if flip else window


def test_every_image_is_one_of_the_shifted_and_mirrored_and_all_occur():
    images = numbered(1, 2, 5, 6).expand(3000, -1, -1, -1).contiguous()
    found = crop_and_flip(images, torch.Generator().manual_seed(0))
    assert found.shape == images.shape
    possible = {
        tuple(reference(images[0], down, right, flip).flatten().tolist())
        for down in range(2 * PADDING + 1)
        for right in range(2 * PADDING + 1)
        for flip in (False, True)
    }
    assert {tuple(image.flatten().tolist()) for image in found} == possible


def test_channels_and_samples_do_not_mix():
    images = numbered(50, 3, 8, 8)
    found = crop_and_flip(images, torch.Generator().manual_seed(0))
    for source, result in zip(images, found, strict=True):
        for channel in range(3):
            pixels = set(result[channel].unique().tolist()) - {0.0}
            assert pixels <= set(source[channel].flatten().tolist())


def test_bytes_stay_bytes():
    images = torch.randint(0, 256, (4, 3, 32, 32), dtype=torch.uint8)
    assert crop_and_flip(images, torch.Generator()).dtype == torch.uint8
