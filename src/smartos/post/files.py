"""The package's own data files, read as text or as rows."""

import csv
import gzip
import io
from functools import cache
from importlib.resources import files

DATA = files("smartos.post") / "data"


def read(name: str) -> str:
    """A data file as text, unpacked when its name ends in .gz."""
    content = (DATA / name).read_bytes()
    return (gzip.decompress(content) if name.endswith(".gz") else content).decode("utf-8")


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """The rows of a CSV file, by the names of its first line."""
    return tuple(csv.DictReader(io.StringIO(read(name))))
