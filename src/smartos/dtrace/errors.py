"""What can be wrong with a D program: one error, with the tag that `dtrace -xerrtags` prints and the line it is at.

Follows libdtrace's `dt_errtags.h` for the tags and `dt_error.c` for the way a message is put together.
"""


class DError(ValueError):
    """A D program that does not compile. `str()` is what dtrace(1M) prints after its prefix; nothing is enabled."""

    def __init__(self, tag: str, message: str, line: int = 0, region: str = "", file: str = "") -> None:
        super().__init__(message)
        self.tag, self.message, self.line, self.region, self.file = tag, message, line, region, file

    def __str__(self) -> str:
        return self.text()

    def text(self, tags: bool = False) -> str:
        """The message as the tool prints it: where, then what; the tag, `[D_TAG]`, only on request.

        Where is one of `"file", line N`, `line N` and `in region`, the first that is known. A program that is no file
        (`-n`) has no lines: whoever compiled it sets `line` to 0 before it prints.
        """
        tag = f"[{self.tag}] " if tags and self.tag else ""
        if self.file:
            return f'{tag}"{self.file}", line {self.line}: {self.message}'
        if self.line:
            return f"{tag}line {self.line}: {self.message}"
        if self.region:
            return f"{tag}in {self.region}: {self.message}"
        return tag + self.message


class OptionError(ValueError):
    """An option that there is not, or a value that it does not take."""
