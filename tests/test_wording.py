from robbench.wording import counted


def test_one_of_a_thing_is_no_plural():
    assert [counted(number, "job") for number in (0, 1, 2)] == ["0 jobs", "1 job", "2 jobs"]
