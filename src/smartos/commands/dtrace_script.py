"""The text of a script of dtrace(1M): from a file or standard input, after the preprocessor where that is asked for."""

from smartos.commands.system import System
from smartos.dtrace.consumer.options import Options

STDIN = ("/dev/stdin", "/dev/fd/0")


def read(name: str, system: System, options: Options) -> str:
    """A script's text. Raises :class:`OSError` where there is none, DError where the preprocessor fails."""
    if name in STDIN and system.stdin is not None:
        text = system.stdin().decode("utf-8", "surrogateescape")
    else:
        text = system.path(name).read_text("utf-8", "surrogateescape")
    if "cpp" not in options:
        return text
    from smartos.dtrace.parse.cpp import preprocess

    lists = (options.get(key, ()) for key in ("define", "undef", "incdir"))
    path, stdc = str(options.get("cpppath", "")), str(options.get("stdc", "a"))
    return preprocess(text, *lists, path=path, name=str(system.path(name)), stdc=stdc)
