import pytest
import torch
from torch import nn

from robbench.datasets import Samples
from robbench.defenses import Defense
from robbench.defenses.check import check_defense, check_differentiable, check_input_kept, mixes_batch
from robbench.defenses.loaded import LoadedDefense, state_hash
from robbench.errors import UserError
from tests.oracles import SmoothNet

CPU = torch.device("cpu")
SAMPLES = Samples(torch.rand(6, 1, 8, 8), torch.arange(6) % 5, ("0" * 16,) * 6)


def loaded(model: nn.Module | Defense) -> LoadedDefense:
    defense = model if isinstance(model, Defense) else Defense(model)
    return LoadedDefense("mine.build", "mine", defense, state_hash(defense), None, "test")


class Says(nn.Module):
    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, images):
        return self.answer(images)


def test_a_good_defense_passes_and_is_left_as_it_was():
    model = SmoothNet()
    model.train()
    check_defense(loaded(model), SAMPLES, 5, CPU)
    assert model.training
    assert all(weight.requires_grad for weight in model.parameters())


@pytest.mark.parametrize(
    "change", [lambda x: x.mul_(2).sub_(1), lambda x: x.clamp_(-9, 9)], ids=["a change", "a clamp of nothing"]
)
def test_a_defense_that_writes_into_its_input_is_refused(change):
    images = SAMPLES.images.clone()
    mine = loaded(Says(lambda x: change(x).flatten(1)))
    check_defense(mine, SAMPLES, 5, CPU)
    with pytest.raises(UserError, match="writes into the images"):
        check_input_kept(mine, SAMPLES, CPU)
    assert torch.equal(SAMPLES.images, images)
    check_input_kept(loaded(SmoothNet()), SAMPLES, CPU)


def test_a_defense_that_raises_for_perturbed_images_alone_is_refused():
    def answer(images):
        if (torch.cdist(images.flatten(1), SAMPLES.images.flatten(1)).amin(1) > 1e-3).any():
            raise LookupError("never seen")
        return images.flatten(1)

    with pytest.raises(UserError, match=r"raised LookupError when given perturbed images .* never seen"):
        check_defense(loaded(Says(answer)), SAMPLES, 5, CPU)


def test_an_exception_without_a_word_ends_the_sentence():
    def answer(images):
        raise LookupError

    with pytest.raises(UserError) as error:
        check_defense(loaded(Says(answer)), SAMPLES, 5, CPU)
    assert error.value.message.endswith("in [0, 1].")


def test_nan_for_perturbed_images_is_no_reason_to_refuse():
    far = SAMPLES.images.sum() * 1.001
    lost = loaded(Says(lambda x: x.flatten(1) / (x.sum() < far)))
    answer = lost.defense.model(SAMPLES.images.lerp(torch.ones(6, 1, 8, 8), 0.3))
    assert not torch.isfinite(answer).all()
    check_defense(lost, SAMPLES, 5, CPU)


def test_logits_that_depend_on_the_others_of_the_batch_are_noticed():
    centred = loaded(Says(lambda x: x.flatten(1) - x.flatten(1).mean(0)))
    assert mixes_batch(centred, SAMPLES.images, CPU)
    assert not mixes_batch(centred, SAMPLES.images[:1], CPU), "one image alone shows nothing"
    for steady in (SmoothNet(), nn.Sequential(nn.Dropout(0.5), SmoothNet()).train()):
        assert not mixes_batch(loaded(steady), SAMPLES.images, CPU)


def test_more_logits_than_classes_are_fine():
    check_defense(loaded(SmoothNet(classes=9)), SAMPLES, 5, CPU)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            lambda x: x.flatten(1)[:, :4],
            r"returned the shape \(6, 4\) for images of the shape \(6, 1, 8, 8\)",
        ),
        (lambda x: x, r"returned the shape \(6, 1, 8, 8\)"),
        (lambda x: x.flatten(), r"returned the shape \(384,\)"),
        (lambda x: x.flatten(1)[:3], r"returned the shape \(3, 64\)"),
        (lambda x: x.flatten(1) * torch.nan, "returned NaN or infinity"),
        (lambda x: x.flatten(1) / 0, "returned NaN or infinity"),
        (lambda x: x.flatten(1).long(), "returned torch.int64 instead of a tensor of floats"),
        (lambda x: {"logits": x}, "returned dict instead of a tensor of floats"),
        (
            lambda x: nn.functional.conv2d(x, torch.zeros(2, 3, 1, 1)),
            r"raised RuntimeError when given .*6, 1, 8",
        ),
    ],
)
def test_what_cannot_be_benchmarked_is_refused(answer, message):
    with pytest.raises(UserError, match=message):
        check_defense(loaded(Says(answer)), SAMPLES, 5, CPU)


def test_a_broken_view_is_named():
    defense = Defense(SmoothNet(), views={"smooth": Says(lambda x: x.flatten(1) * torch.nan)})
    with pytest.raises(UserError, match=r"The view 'smooth' of the defense mine.build returned NaN"):
        check_defense(loaded(defense), SAMPLES, 5, CPU)


def test_the_hash_reads_every_dtype_and_every_view():
    def built(value: float) -> Defense:
        defense = Defense(SmoothNet().bfloat16(), views={"smooth": SmoothNet(seed=1)})
        view = defense.view("smooth")
        with torch.no_grad():
            view.get_parameter("head.bias")[0] = value
        return defense

    assert state_hash(built(1.0)) == state_hash(built(1.0))
    assert state_hash(built(1.0)) != state_hash(built(2.0))
    assert state_hash(built(1.0)) != state_hash(built(1.0), "source")


class Rounds(nn.Module):
    """Rounds pixels by numpy, through which no gradient goes."""

    def forward(self, images):
        return torch.from_numpy((images * 16).round().numpy() / 16)


def test_what_numpy_computes_has_no_gradient_and_is_told_so():
    mine = loaded(nn.Sequential(Rounds(), SmoothNet()))
    check_defense(mine, SAMPLES, 5, CPU)
    with pytest.raises(
        UserError, match=r"mine.build raised RuntimeError when asked for the gradient"
    ) as told:
        check_differentiable(mine, "exact", SAMPLES.images, CPU)
    assert "images.detach()" in told.value.hint
    layered = loaded(Defense(SmoothNet(), layer=Rounds()))
    assert check_differentiable(layered, "bpda", SAMPLES.images, CPU)
    assert check_differentiable(layered, "substitute", SAMPLES.images, CPU)


def test_whether_there_is_a_gradient_to_follow_is_found_out():
    def guides(forward):
        return check_differentiable(loaded(Says(forward)), "exact", SAMPLES.images, CPU)

    assert not guides(lambda x: x.detach().flatten(1))
    assert not guides(lambda x: x.round().flatten(1))
    assert guides(lambda x: x.flatten(1))
    assert guides(lambda x: x.flatten(1).softmax(1))  # whose sum is 1 for any image


def test_who_adapts_weights_is_told_that_they_are_frozen():
    network = SmoothNet()

    def adapted(images):
        with torch.enable_grad():
            network(images).sum().backward()
        return network(images)

    network.requires_grad_(False)
    with pytest.raises(UserError, match="does not require grad") as told:
        check_defense(loaded(Says(adapted)), SAMPLES, 5, CPU)
    assert "enable_grad" in told.value.hint
