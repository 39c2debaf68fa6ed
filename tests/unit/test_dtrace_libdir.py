"""Directories of D libraries: order by dependency, circles, missing ones, the same name twice."""

from pathlib import Path

import pytest

from smartos.dtrace.errors import DError
from smartos.dtrace.session import Session
from smartos.dtrace.system.libdir import files, load, order


def _write(folder: Path, **texts: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.d").write_text(text)
    return folder


def _order(folder: Path) -> list[str]:
    return order({name: (path, path.read_text()) for name, path in files([folder]).items()})


def test_a_library_comes_after_those_that_it_depends_on(tmp_path: Path) -> None:
    library = "#pragma D depends_on library {}.d\n"
    folder = _write(tmp_path, a=library.format("d"), b="", c=library.format("e"), d=library.format("b"), e=library.format("a"))
    assert _order(folder) == ["b.d", "d.d", "a.d", "e.d", "c.d"]


def test_a_circle_is_an_error(tmp_path: Path) -> None:
    library = "#pragma D depends_on library {}.d\n"
    folder = _write(tmp_path, a=library.format("b"), b=library.format("c"), c=library.format("a"))
    with pytest.raises(DError, match="Cyclic dependency detected"):
        _order(folder)


def test_two_ways_to_one_library_are_no_circle(tmp_path: Path) -> None:
    library = "#pragma D depends_on library {}.d\n"
    folder = _write(tmp_path, a=library.format("b") + library.format("c"), b=library.format("c"), c="")
    assert _order(folder) == ["c.d", "b.d", "a.d"]


def test_a_library_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DError, match="Invalid library dependency in .*a.d: no.d"):
        _order(_write(tmp_path, a="#pragma D depends_on library no.d\n"))


def test_the_first_of_two_files_of_one_name_counts(tmp_path: Path) -> None:
    first = _write(tmp_path / "first", lib="inline int answer = 23;\n")
    second = _write(tmp_path / "second", lib="inline int answer = 42;\n")
    session = Session()
    load(session.setting.library, [first, second, tmp_path / "nothing"])
    session.enable(session.compile("BEGIN { exit(answer); }"))
    session.go()
    session.run()
    assert session.status == 23


def test_what_depends_on_an_absent_module_is_passed_over(tmp_path: Path) -> None:
    folder = _write(
        tmp_path, a="#pragma D depends_on library b.d\ninline int x = y;\n", b="#pragma D depends_on module nowhere\ninline int y = 1;\n"
    )
    load(Session().setting.library, [folder])
    (folder / "c.d").write_text("inline int z = nowhere;\n")
    with pytest.raises(DError, match="nowhere"):
        load(Session().setting.library, [folder])
