"""Numbers in sentences: one of a thing is no plural."""


def counted(number: int, noun: str) -> str:
    """A number with its noun: ``1 job``, ``2 jobs``.

    Args:
        number: How many.
        noun: In the singular; its plural ends in s.
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
