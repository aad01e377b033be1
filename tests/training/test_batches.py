import torch

from robbench.datasets import TrainingPlan
from robbench.training.batches import Batches
from tests.training.small import split

CPU = torch.device("cpu")


def batches(seed: int = 0, **plan) -> Batches:
    return Batches(split(50, 0), TrainingPlan(100, 16, **plan), seed, CPU)


def labels_of(source: Batches, steps: range) -> list[list[int]]:
    return [source.at(step, torch.Generator()).labels.tolist() for step in steps]


def test_an_epoch_shows_no_image_twice_and_the_next_is_another_order():
    source = batches()
    epochs = [[source.at(3 * epoch + i, torch.Generator()).images for i in range(3)] for epoch in range(2)]
    for epoch in epochs:
        flat = torch.cat(epoch).flatten(1)
        assert len(flat.unique(dim=0)) == 48
    assert not torch.equal(epochs[0][0], epochs[1][0])


def test_a_batch_depends_on_seed_and_step_alone():
    forward = labels_of(batches(), range(9))
    assert [labels_of(batches(), range(step, step + 1))[0] for step in range(9)] == forward
    assert labels_of(batches(seed=1), range(9)) != forward


def test_images_are_the_datasets_with_their_labels():
    dataset = split(50, 0)
    images, labels = batches().at(4, torch.Generator())
    everything = dataset.samples(torch.arange(50))
    for image, label in zip(images, labels, strict=True):
        index = (everything.images == image).flatten(1).all(1).nonzero().item()
        assert everything.labels[int(index)] == label


def test_augmentation_draws_from_the_generator_given():
    source = batches(augment=True)
    first, second = (source.at(0, torch.Generator().manual_seed(seed)).images for seed in (0, 0))
    assert torch.equal(first, second)
    assert not torch.equal(first, source.at(0, torch.Generator().manual_seed(1)).images)
