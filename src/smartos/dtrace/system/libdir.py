"""Directories of D libraries, as `-L` names them: which of their files are compiled, and in what order.

A file whose name was seen in an earlier directory is passed over. A file may say `#pragma D depends_on library NAME`;
it is compiled after those that it depends on, and not at all when one of them could not be. A library that depends on
a provider or module that is not there is passed over silently, for the system may have no such thing. Follows
`dt_load_libs_dir`, `dt_lib_depend_sort` and `dt_load_libs_sort` of libdtrace.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from smartos.dtrace.errors import DError
from smartos.dtrace.system.library import Library

_DEPENDS = re.compile(r"^[ \t]*#[ \t]*pragma[ \t]+D[ \t]+depends_on[ \t]+library[ \t]+(\S+)", re.M)
_COMMENT = re.compile(r"/\*.*?\*/", re.S)


def files(folders: Iterable[Path]) -> dict[str, Path]:
    """The library files of the directories, by name; a directory that is not there has none."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.d")):
            found.setdefault(path.name, path)
    return found


def order(texts: dict[str, tuple[Path, str]]) -> list[str]:
    """The names so that each comes after those that it depends on. Raises DError for a circle or a missing library."""
    needs = {name: _DEPENDS.findall(_COMMENT.sub(" ", text)) for name, (_, text) in texts.items()}
    done: dict[str, bool] = {}
    made: list[str] = []
    for first in texts:
        waiting = [(first, False)]
        while waiting:
            name, left = waiting.pop()
            if left:
                done[name] = True
                made.append(name)
            elif name not in done:
                done[name] = False
                waiting.append((name, True))
                waiting += [(other, False) for other in reversed(_known(name, needs, texts)) if not done.get(other)]
            elif not done[name]:
                raise DError("", f"Cyclic dependency detected: {texts[waiting[-1][0]][0]} => {texts[name][0]}")
    return made


def _known(name: str, needs: dict[str, list[str]], texts: dict[str, tuple[Path, str]]) -> list[str]:
    for other in needs[name]:
        if other not in texts:
            raise DError("", f"Invalid library dependency in {texts[name][0]}: {other}")
    return needs[name]


def load(library: Library, folders: Iterable[Path]) -> None:
    """Compile the libraries of the directories. Raises DError."""
    texts = {name: (path, path.read_text("utf-8", "surrogateescape")) for name, path in files(folders).items()}
    missing: set[str] = set()
    for name in order(texts):
        path, text = texts[name]
        if missing.intersection(_DEPENDS.findall(_COMMENT.sub(" ", text))):
            missing.add(name)
            continue
        try:
            library.compile(text, str(path))
        except DError as error:
            if error.tag != "D_PRAGMA_DEPEND":
                raise
            missing.add(name)
