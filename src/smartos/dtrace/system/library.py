"""The D library: constants and translators in `library/*.d`, compiled into an environment when a program needs them.

The real tool compiles all files of /usr/lib/dtrace for every program. In the page that would cost more than most
programs do, so the files are only searched for the names that they define, and a file is compiled when a program's text,
another file, or the arguments of a probe that it names want one of them. Files of `-L` directories are compiled as they
stand. Follows `dt_load_libs` of libdtrace, except for this order.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from smartos.dtrace.environment import Environment
from smartos.dtrace.errors import DError

FILES = (
    "errno.d", "signal.d", "unistd.d", "regs.d", "net.d", "procfs.d", "sched.d", "io.d", "ip.d", "tcp.d", "udp.d", "sysevent.d",
    "exitno.d",
)  # fmt: skip
_PROVIDERS = {"io": ("io.d",), "fsinfo": ("io.d",), "proc": ("procfs.d",), "sched": ("procfs.d", "sched.d"), "ip": ("ip.d",),
              "tcp": ("ip.d", "tcp.d"), "udp": ("ip.d", "udp.d"), "sysevent": ("sysevent.d",)}  # fmt: skip
_DEFINES = re.compile(
    r"^(?:inline\s[^=\[]*?(\w+)\s*(?:=|\[)|struct (\w+) \{|\} (\w+);|typedef [^{]*?(\w+);|translator (\w+) <)", re.M
)
_ENUM = re.compile(r"^enum \w+ \{(.*?)\}", re.M | re.S)
_WORD = re.compile(r"(?<!->)(?<![.\w])[A-Za-z_]\w*")
_COMMENT = re.compile(r"/\*.*?\*/", re.S)


@cache
def text(name: str) -> str:
    """The text of a library file, or nothing."""
    path = files("smartos.dtrace").joinpath("library", name)
    return path.read_text("utf-8") if path.is_file() else ""


@cache
def index() -> dict[str, tuple[str, ...]]:
    """The files that define each name: identifiers, types, and what translators make."""
    found: dict[str, tuple[str, ...]] = {}
    for name in FILES:
        code = _COMMENT.sub(" ", text(name))
        words = [word for match in _DEFINES.finditer(code) for word in match.groups() if word]
        for enum in _ENUM.finditer(code):
            words += re.findall(r"(\w+)\s*=", enum[1])
        for word in dict.fromkeys(words):
            found[word] = (*found.get(word, ()), name)
    return found


def wanted(code: str) -> Iterator[str]:
    """The files that a text asks for, those that they ask for first."""
    yield from _closure(_COMMENT.sub(" ", code), set())


def _closure(code: str, seen: set[str]) -> Iterator[str]:
    names = index()
    for word in dict.fromkeys(_WORD.findall(code)):
        for name in names.get(word, ()):
            if name not in seen:
                seen.add(name)
                yield from _closure(_COMMENT.sub(" ", text(name)), seen)
                yield name


def for_provider(provider: str) -> Iterator[str]:
    """The files that the arguments of a provider's probes ask for."""
    seen: set[str] = set()
    for name in _PROVIDERS.get(provider, ()):
        if name not in seen:
            seen.add(name)
            yield from _closure(_COMMENT.sub(" ", text(name)), seen)
            yield name


class Library:
    """The library of one environment: which files it has."""

    def __init__(self, env: Environment) -> None:
        self.env = env
        self.loaded: set[str] = set()
        self._generation = 0

    def load(self, names: Iterable[str]) -> None:
        """Compile files into the environment, each once."""
        for name in names:
            if name not in self.loaded:
                self.loaded.add(name)
                self.compile(text(name), name)

    def need(self, code: str) -> None:
        """Load what a program's text asks for."""
        self.load(wanted(code))

    def compile(self, code: str, name: str) -> None:
        """Compile a file's text. Raises DError with the file's name."""
        from smartos.dtrace.code.compile import compile_program

        env = self.env
        flags = {ident: ident.flags for ident in (*env.globals.values(), *env.threads.values())}
        self._generation -= 2  # numbers of compilations that no program's own has, so that its failure undoes nothing of ours
        inner: Any = replace(
            env, locals={}, scopes=[], declared={}, externs=[], depends=[], options=dict(env.options), empty=True, zdefs=True,
            script=True, file=name, gen=self._generation, probe=None, desc=None, args=["dtrace"],
        )  # fmt: skip
        try:
            compile_program(code, inner)
        except DError as error:
            raise DError(error.tag, f'failed to compile library "{name}": {error.message}', error.line) from None
        finally:
            for ident, was in flags.items():
                ident.flags = was
