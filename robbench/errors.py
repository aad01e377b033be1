"""What a user must hear: errors that are theirs to mend, with a hint and no traceback; and warnings."""


class UserError(Exception):
    """What the user asked for cannot be done as asked.

    The command line prints it without a traceback and exits with code 2. Every other exception is a
    fault of robbench and keeps its traceback.

    Args:
        message: What was expected and what came, in one sentence.
        hint: What to do about it; empty where the message says it already.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class RobustnessWarning(UserWarning):
    """The numbers of an evaluation are not what they seem; its text says why."""
