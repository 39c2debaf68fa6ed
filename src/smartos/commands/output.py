"""What a command gives: two streams and an exit status."""

from dataclasses import dataclass


class CommandError(Exception):
    """A command's failure: what it says on stderr, its exit status (2 when it was called wrongly), and what it had
    said on stdout before."""

    def __init__(self, message: str, status: int = 1, out: str = "") -> None:
        super().__init__(message)
        self.status, self.out = status, out


@dataclass(frozen=True, slots=True)
class Output:
    """`out` and `err` as the command wrote them, `status` as `$?` has it. In a notebook it shows both as text.

    `data` is what a command wrote to stdout that is no text: the stream of `zfs send`, a file's bytes from `cat`.
    """

    out: str = ""
    err: str = ""
    status: int = 0
    data: bytes = b""

    @property
    def stdout(self) -> bytes:
        """All of stdout as bytes."""
        return self.out.encode("utf-8", "surrogateescape") + self.data

    def __str__(self) -> str:
        return self.out + self.data.decode("utf-8", "replace") + self.err

    def __repr__(self) -> str:
        return str(self).rstrip("\n")
