"""From a bare machine to the book: each thing that can be missing is named in one clear line that says the mend."""

import importlib.util
import os
import runpy
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tools import assets, chromium, lab, lock
from tools.paths import ROOT

CLOSED = "http://127.0.0.1:9/simple"  # the discard port: nothing answers there


def run(*words: str | Path, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command's end, with its output as text."""
    return subprocess.run(words, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True)


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """The only line on standard error of a command that failed; no traceback, no more than that."""
    assert done.returncode != 0
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def said(stopped: pytest.ExceptionInfo[SystemExit]) -> str:
    """The line with which a tool stopped."""
    assert isinstance(stopped.value.code, str) and "\n" not in stopped.value.code
    return stopped.value.code


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else holds."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A checkout with nothing but what setting up reads."""
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools/bootstrap.py", tmp_path / "tools")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "requirements.lock").write_text("a-package-that-is-not-there==1.0\n", "utf-8")
    return tmp_path


def test_an_old_python_is_told_which_one_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 14))
    monkeypatch.setattr(sys, "version", "3.10.14 (main)")
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(ROOT / "tools/bootstrap.py"), run_name="__main__")
    assert said(stopped) == (
        "setup: Python 3.11 or newer is needed, this is 3.10.14. Name another: make PYTHON=python3.12 …"
    )


def test_without_a_network_setting_up_says_so(bare: Path) -> None:
    """The index does not answer: one line with pip's own reason, and what is half made does not count as done."""
    network = {"PIP_INDEX_URL": CLOSED, "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull, "PIP_TIMEOUT": "2"}
    done = run(sys.executable, "tools/bootstrap.py", cwd=bare, **network)
    line = one_line(done)
    assert line.startswith("setup: pip could not install") and line.endswith("Is the package index reachable?")
    assert "a-package-that-is-not-there" in line
    assert not (bare / ".venv/installed").exists()
    assert done.stdout.splitlines()[0].startswith("setup: creating .venv"), "progress is visible"


def test_an_environment_that_is_up_to_date_is_left_alone(bare: Path) -> None:
    module = runpy.run_path(str(bare / "tools/bootstrap.py"))
    (bare / ".venv/bin").mkdir(parents=True)
    (bare / ".venv/bin/python").touch()
    (bare / ".venv/installed").write_text(module["fingerprint"]())
    done = run(sys.executable, "tools/bootstrap.py", cwd=bare)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (bare / "requirements.lock").write_text("another==2.0\n", "utf-8")
    assert module["fingerprint"]() != (bare / ".venv/installed").read_text(), "a changed lock sets up anew"


def test_serving_a_port_in_use_names_another(taken: int, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<title>A book</title>")
    done = run(sys.executable, "tools/serve.py", "--port", str(taken), tmp_path)
    assert one_line(done) == f"serve: port {taken} is in use; take another: make serve PORT={taken + 1}"


def test_serving_no_book_says_how_to_build_it(tmp_path: Path) -> None:
    done = run(sys.executable, "tools/serve.py", tmp_path / "html")
    assert one_line(done) == f"serve: there is no book in {tmp_path / 'html'} yet; run: make book"


@pytest.mark.parametrize("script", ["tools/serve.py", "-m tools.lab"])
def test_a_port_that_is_none_is_told(script: str, tmp_path: Path) -> None:
    (tmp_path / "index.html").touch()
    folder = [tmp_path] if "serve" in script else []
    done = run(sys.executable, *script.split(), "--port", "70000", *folder)
    assert "70000 is not a port; use a number up to 65535" in one_line(done)


def test_a_lab_on_a_port_in_use_names_another(taken: int) -> None:
    done = run(sys.executable, "-m", "tools.lab", "--port", str(taken), "--no-browser")
    assert one_line(done) == f"lab: port {taken} is in use; take another: make lab LAB_PORT={taken + 1}"


def test_the_lab_listens_on_the_loopback_address_and_keeps_its_token() -> None:
    words = " ".join(lab.command(8888, browser=False))
    assert "--ServerApp.ip=127.0.0.1" in words and f"--ServerApp.root_dir={ROOT}" in words
    assert "token" not in words and "allow_origin" not in words


def test_no_chromium_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SystemExit) as stopped:
        chromium.chromium()
    assert said(stopped).startswith("chromium: no Chromium found; install one") and "CHROMIUM=" in said(stopped)


def test_a_chromium_that_cannot_be_run_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/no/such/browser")
    with pytest.raises(SystemExit) as stopped:
        chromium.chromium()
    assert "CHROMIUM=/no/such/browser is not a program that can be run" in said(stopped)


def test_node_is_taken_from_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for tool in ("node", "npm"):
        (tmp_path / tool).write_text("#!/bin/sh\n")
        (tmp_path / tool).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert assets.node()[0] == ["npm"]


def test_no_node_anywhere_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(assets, "install_node", lambda: None)
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if "nodejs" in name else known(name, *a))
    with pytest.raises(SystemExit) as stopped:
        assets.node()
    assert "no Node on the PATH" in said(stopped) and "apt install nodejs npm" in said(stopped)


def test_a_build_folder_of_another_name_is_refused() -> None:
    done = run(sys.executable, "-m", "tools.build", "--build", "somewhere")
    assert "Jupyter Book builds into a folder named _build" in one_line(done)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A book of one page with the extension that dresses pages, as Sphinx takes it, and no assets."""
    shutil.copytree(ROOT / "book/templates", tmp_path / "book/templates")
    settings = f"import sys; sys.path.insert(0, {str(ROOT / 'book/ext')!r}); extensions = ['book_look']\n"
    settings += "html_static_path = ['_build/assets']\ntemplates_path = ['book/templates']\n"
    (tmp_path / "conf.py").write_text(settings, "utf-8")
    (tmp_path / "index.rst").write_text("A title\n=======\n", "utf-8")
    return tmp_path


def sphinx(source: Path, out: Path) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "sphinx", "-q", source, out, PYTHONPATH=str(ROOT / "src"))


def test_a_plain_build_without_assets_stops_in_one_line_that_says_what_to_type(plain: Path) -> None:
    done = sphinx(plain, plain / "_build/html")
    assert done.returncode != 0 and not (plain / "_build/html/index.html").exists()
    line = done.stderr.splitlines()[-1]
    assert line.startswith("book: what the pages load is not made yet (smartos.css, smartos.js, run/worker.js")
    assert line.endswith("; type: make book") and "Traceback" not in done.stderr


def test_a_build_elsewhere_takes_the_assets_beside_it(plain: Path, tmp_path: Path) -> None:
    assets = tmp_path / "elsewhere/_build/assets"
    for name in ("smartos.css", "smartos.js", "run/worker.js", "run/editor.js", "run/manifest.json"):
        (assets / name).parent.mkdir(parents=True, exist_ok=True)
        (assets / name).write_text(name, "utf-8")
    done = sphinx(plain, tmp_path / "elsewhere/_build/html")
    assert "html_static_path" not in done.stderr, done.stderr
    assert (tmp_path / "elsewhere/_build/html/_static/run/manifest.json").read_text() == "run/manifest.json"


def test_no_addresses_yet_says_what_to_run(tmp_path: Path) -> None:
    done = run(sys.executable, "-m", "tools.addresses", "--build", tmp_path)
    assert one_line(done).endswith("yet; run: make book")


def test_make_alone_prints_every_target() -> None:
    done = run("make", "--no-print-directory")
    assert done.returncode == 0
    listed = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("  make ")}
    targets = "help setup assets book zip serve lab test campaign bench lock clean"
    assert listed == set(targets.split())


def test_clean_removes_what_was_built_and_nothing_else(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    for folder in ("_build/html", ".venv", "node_modules", "book"):
        (tmp_path / folder).mkdir(parents=True)
    assert run("make", "clean", cwd=tmp_path).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [".venv", "Makefile", "book", "node_modules"]


def test_the_locks_name_versions_and_no_place() -> None:
    for name in ("requirements.lock", "package-lock.json"):
        text = (ROOT / name).read_text("utf-8")
        lines = [line for line in text.splitlines() if '"url"' not in line]  # where a package asks for donations
        assert [line for line in lines if "://" in line or "file:" in line] == [], name


ARM, INTEL = {"platform_machine": "aarch64"}, {"platform_machine": "x86_64"}


def wanted(machine: dict[str, str]) -> set[str]:
    """What the lock has an environment on such a machine install."""
    text = (ROOT / "requirements.lock").read_text("utf-8")
    lines = [Requirement(line) for line in text.splitlines() if line and line[0] not in "# "]
    return {line.name for line in lines if line.marker is None or line.marker.evaluate(machine)}


def test_what_no_arm_machine_can_have_is_not_asked_of_one() -> None:
    """Keystone has no wheel there, and its source wants a compiler for LLVM; only tests use it."""
    assert wanted(INTEL) - wanted(ARM) == {"keystone-engine"}
    assert wanted(ARM) == wanted({"platform_machine": "arm64"})
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = [Requirement(line) for lines in project["optional-dependencies"].values() for line in lines]
    (keystone,) = [one for one in declared if one.name == "keystone-engine"]
    assert keystone.marker.evaluate(INTEL) and not keystone.marker.evaluate(ARM)


def test_what_is_left_out_on_a_machine_is_said_when_it_is_set_up(bare: Path) -> None:
    """And nothing is said of what only another operating system needs."""
    lock = "one-thing==1.0 ; platform_machine == 'no-such'\nanother==2.0 ; sys_platform == 'no-such'\n"
    (bare / "requirements.lock").write_text(lock, "utf-8")
    (bare / "pyproject.toml").write_text("", "utf-8")
    done = run(sys.executable, "tools/bootstrap.py", cwd=bare, PIP_CONFIG_FILE=os.devnull, PIP_NO_INDEX="1")
    told = [line for line in done.stdout.splitlines() if "left out" in line]
    assert told == ["setup:   one-thing is left out: there is none for this machine. What needs it is skipped."]


def test_without_keystone_the_tests_that_need_it_are_skipped_by_name() -> None:
    script = "import sys; sys.modules['keystone'] = None; import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    options = ["-p", "no:cacheprovider", "-q", "tests/conformance/test_kvm_listings.py"]
    done = run(sys.executable, "-c", script, *options)
    assert done.returncode == 0, done.stdout
    assert "keystone-engine is not installed; it has wheels for x86-64 only" in done.stdout
    assert "ERROR" not in done.stdout


def test_the_lock_is_refused_when_a_platform_cannot_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """`make lock` names the package and the platform, and the old lock stays."""
    said_by_uv = "error: No solution\n  cause: Because a-thing==1.0 has no usable wheels and you require a-thing==1.0, …\n"
    failed = subprocess.CompletedProcess([], 1, said_by_uv, "")
    monkeypatch.setattr(subprocess, "run", lambda *words, **options: failed)
    with pytest.raises(SystemExit) as stopped:
        lock.check_platforms("uv", ROOT / "requirements.lock")
    assert "a-thing==1.0" in said(stopped) and "x86_64-unknown-linux-gnu" in said(stopped)


def test_the_readme_names_targets_that_exist() -> None:
    words = (ROOT / "README.md").read_text("utf-8")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    named = {line.split()[1] for line in words.splitlines() if line.startswith("    make ")}
    assert {"book", "serve"} <= named
    assert all(f"\n{target}:" in makefile for target in named)
