"""What a command gives: two streams of text and an exit status."""

from dataclasses import dataclass


class CommandError(Exception):
    """A command's failure: what it says on stderr, and its exit status (2 when it was called wrongly)."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Output:
    """`out` and `err` as the command wrote them, `status` as `$?` has it. In a notebook it shows both as text."""

    out: str = ""
    err: str = ""
    status: int = 0

    def __str__(self) -> str:
        return self.out + self.err

    def __repr__(self) -> str:
        return str(self).rstrip("\n")
