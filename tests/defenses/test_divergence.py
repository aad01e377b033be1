import pytest
import torch

from robbench.defenses.divergence import divergence
from tests.defenses.literal import LiteralNet, TanhNet, flat, make_batch


def test_equals_the_sum_written_out():
    net, batch = TanhNet(), make_batch()
    reference = torch.randn(6, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = divergence(reference, net(batch.images))
    literal = LiteralNet(net)
    expected = [
        literal.divergence(r, image) for r, image in zip(reference.numpy(), flat(batch.images), strict=True)
    ]
    assert found.tolist() == pytest.approx(expected, rel=1e-10)


def test_is_zero_for_equal_outputs_and_finite_for_certain_ones():
    logits = torch.tensor([[1.0, 2.0, 3.0], [0.0, 500.0, -500.0]])
    assert divergence(logits, logits).tolist() == pytest.approx([0.0, 0.0], abs=1e-6)
    assert divergence(logits, logits + 7).tolist() == pytest.approx([0.0, 0.0], abs=1e-6)
    assert torch.isfinite(divergence(logits, logits.flip(1))).all()


def test_has_a_gradient_in_both_outputs():
    reference = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    logits = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(divergence, (reference, logits))


def test_half_precision_outputs_are_compared_in_float32():
    reference = torch.tensor([[1.0, 0.0]], dtype=torch.bfloat16)
    logits = torch.tensor([[1.0078125, 0.0]], dtype=torch.bfloat16)
    found = divergence(reference, logits)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(divergence(reference.double(), logits.double()).item(), rel=0.05)
