"""What can be wrong with a D program: one error, with the tag that `dtrace -xerrtags` prints and the line it is at.

Follows libdtrace's `dt_errtags.h` for the tags and `dt_error.c` for the way a message is put together.
"""


class DError(ValueError):
    """A D program that does not compile. `str()` is what dtrace(1M) prints after its prefix; nothing is enabled."""

    def __init__(self, tag: str, message: str, line: int = 0, region: str = "") -> None:
        super().__init__(message)
        self.tag, self.message, self.line, self.region = tag, message, line, region

    def __str__(self) -> str:
        return self.text()

    def text(self, tags: bool = False) -> str:
        """The message as the tool prints it: `[D_TAG] in probe …: line N: what is wrong`, the tag only on request."""
        parts = [f"[{self.tag}] "] if tags and self.tag else []
        if self.region:
            parts.append(f"in {self.region}: ")
        if self.line:
            parts.append(f"line {self.line}: ")
        return "".join(parts) + self.message


class OptionError(ValueError):
    """An option that there is not, or a value that it does not take."""
