"""What a command gives: two streams and an exit status."""

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from smartos.zfs.errors import ZfsError

SIGPIPE = 141  # 128 and the signal's number: the status that a shell gives to a command that it ended


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
    `flow` is such output that is still to come, piece by piece, as somebody takes it; when nobody takes more of it, the
    command ends without a word if it is `quiet`, as by SIGPIPE.
    """

    out: str = ""
    err: str = ""
    status: int = 0
    data: bytes = b""
    flow: Iterator[bytes] | None = field(default=None, compare=False)
    quiet: bool = False

    def flown(self, write: Callable[[bytes], object] | None = None) -> "Output":
        """The output when all of it has come: given to `write`, or else kept as `data`."""
        if self.flow is None:
            return self
        kept: list[bytes] = []
        try:
            for piece in self.flow:
                (write or kept.append)(piece)
            return replace(self, data=self.data + b"".join(kept), flow=None)
        except (ZfsError, OSError) as error:
            if self.quiet and isinstance(error, BrokenPipeError):
                return replace(self, status=SIGPIPE, flow=None)
            why = getattr(error, "strerror", None) or error
            return replace(self, err=f"{self.err}warning: {why}\n", status=1, data=b"".join(kept), flow=None)
        except MemoryError:
            kept.clear()
            return replace(self, err=f"{self.err}warning: {os.strerror(errno.ENOMEM)}\n", status=1, flow=None)

    @property
    def stdout(self) -> bytes:
        """All of stdout as bytes."""
        return self.out.encode("utf-8", "surrogateescape") + self.data

    def __str__(self) -> str:
        return self.out + self.data.decode("utf-8", "replace") + self.err

    def __repr__(self) -> str:
        return str(self).rstrip("\n")
