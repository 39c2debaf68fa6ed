"""What the pages' Python is put together from: the same wheel for the same sources, and a manifest that is true."""

import json
import zipfile
from pathlib import Path

import pytest

from tools.page_python import PYODIDE, build_wheel, manifest
from tools.paths import ROOT
from tools.serve import headers


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))[0]


def test_the_wheel_is_the_same_byte_for_byte(wheel: Path, tmp_path: Path) -> None:
    assert build_wheel(tmp_path)[0].read_bytes() == wheel.read_bytes()


def test_the_wheel_holds_the_package_with_its_data_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    own = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src/smartos").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == own


def test_the_manifest_names_every_file_with_its_size(wheel: Path) -> None:
    pyodide = ROOT / "node_modules/pyodide"
    made = manifest(pyodide, [wheel])
    assert [(file["name"], file["bytes"]) for file in made["files"]] == [
        (name, (pyodide / name).stat().st_size) for name in PYODIDE
    ]
    assert made["wheels"][0]["bytes"] == wheel.stat().st_size
    assert made["info"]["arch"] == "wasm32" and json.dumps(made)


def test_the_server_sends_what_the_book_asks_for(tmp_path: Path) -> None:
    assert headers(tmp_path) == []
    (tmp_path / "_headers").write_text("/*\n  Content-Security-Policy: default-src 'none'; a: b\n  X: y\n", "utf-8")
    assert headers(tmp_path) == [("Content-Security-Policy", "default-src 'none'; a: b"), ("X", "y")]
