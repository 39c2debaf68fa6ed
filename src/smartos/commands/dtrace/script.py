"""The text of a script of dtrace(1M): from a file or standard input, after the preprocessor where that is asked for."""

import errno
import os

from smartos.commands.system import System
from smartos.dtrace.options import Options

LARGEST = 4 << 20  # characters of a script; the real tool has no such bound and reads on
STDIN = ("/dev/stdin", "/dev/fd/0")


def read(name: str, system: System, options: Options) -> str:
    """A script's text. Raises :class:`OSError` where there is none, or one that is too long; DError where the preprocessor fails."""
    if name in STDIN and system.stdin is not None:
        text = system.stdin(LARGEST + 1).decode("utf-8", "surrogateescape")
    else:
        with system.path(name).open(encoding="utf-8", errors="surrogateescape") as file:
            text = file.read(LARGEST + 1)
    if len(text) > LARGEST:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    if "cpp" not in options:
        return text
    from smartos.dtrace.parse.cpp import preprocess

    lists = (options.get(key, ()) for key in ("define", "undef", "incdir"))
    path, stdc = str(options.get("cpppath", "")), str(options.get("stdc", "a"))
    return preprocess(text, *lists, path=path, name=str(system.path(name)), stdc=stdc)
