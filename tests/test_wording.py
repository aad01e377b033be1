import torch

from robbench.wording import counted, either, percent


def test_one_of_a_thing_is_no_plural():
    assert [counted(number, "job") for number in (0, 1, 2)] == ["0 jobs", "1 job", "2 jobs"]


def test_a_share_is_a_percentage():
    assert percent(0.125) == "12.5 %"
    assert percent(torch.tensor(1.0)) == "100.0 %"


def test_alternatives_have_an_or_before_the_last():
    assert [either(words) for words in ("a", "ab", "abc")] == ["a", "a or b", "a, b or c"]
