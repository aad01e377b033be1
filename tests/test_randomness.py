import torch
from scipy import stats

from robbench.randomness import key_of, mix_keys, uniform


def _splitmix64(seed: int, count: int) -> list[int]:
    """The published generator, in Python's own integers."""
    mask, outputs = 2**64 - 1, []
    for _ in range(count):
        seed = (seed + 0x9E3779B97F4A7C15) & mask
        z = seed
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        outputs.append(z ^ (z >> 31))
    return outputs


def test_equals_the_published_generator():
    for key in (0, 1, -1, 2**62, -(2**63)):
        expected = [(z >> 40) / 2**24 for z in _splitmix64(key % 2**64, 12)]
        assert uniform(torch.tensor([key]), (1, 3, 4)).flatten().tolist() == expected


def test_numbers_are_uniform_within_and_across_keys():
    keys = torch.tensor([key_of("test", i) for i in range(2000)])
    numbers = uniform(keys, (1, 4, 4)).flatten(1)
    for column in (numbers[:, 0], numbers[:, 15], numbers[0:100].flatten()):
        assert stats.kstest(column.numpy(), "uniform").pvalue > 1e-3
    neighbours = uniform(torch.arange(2000), (1, 1, 2)).flatten(1)
    assert abs(torch.corrcoef(neighbours.T)[0, 1].item()) < 0.08


def test_a_sample_draws_the_same_in_any_company():
    keys = torch.tensor([key_of(i) for i in range(7)])
    together = uniform(keys, (1, 2, 2))
    for i in range(7):
        assert torch.equal(uniform(keys[i : i + 1], (1, 2, 2))[0], together[i])


def test_mixed_keys_differ_by_both_parts():
    keys = torch.arange(100)
    mixed = torch.stack([mix_keys(keys, other) for other in range(100)])
    assert mixed.unique().numel() == 100 * 100
    assert torch.equal(mix_keys(keys, torch.arange(100))[3:4], mix_keys(keys[3:4], 3))


def test_key_of_tells_parts_apart():
    assert key_of("ab", "c") != key_of("a", "bc")
    assert key_of(0, 0.1) == key_of(0, 0.1)
