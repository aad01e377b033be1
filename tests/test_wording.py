import torch

from robbench.wording import counted, percent


def test_one_of_a_thing_is_no_plural():
    assert [counted(number, "job") for number in (0, 1, 2)] == ["0 jobs", "1 job", "2 jobs"]


def test_a_share_is_a_percentage():
    assert percent(0.125) == "12.5 %"
    assert percent(torch.tensor(1.0)) == "100.0 %"
