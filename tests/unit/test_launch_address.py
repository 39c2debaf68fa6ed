"""The one setting behind the launch links: what counts as a public address, and what each service's link says."""

import subprocess
from pathlib import Path

import pytest

from tests.unit.extensions import load

address = load("launch_address")
HOME = "https://github.com/owner/name"


@pytest.fixture(autouse=True)
def no_override(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader's own environment does not decide these tests."""
    monkeypatch.delenv(address.VARIABLE, raising=False)


def repository_in(folder: Path, **remotes: str) -> Path:
    """A new git repository with these remotes."""
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    for name, url in remotes.items():
        subprocess.run(["git", "-C", str(folder), "remote", "add", name, url], check=True)
    return folder


@pytest.mark.parametrize(
    ("written", "page"),
    [
        ("https://github.com/owner/name", HOME),
        ("https://github.com/owner/name.git", HOME),
        ("https://github.com/owner/name/", HOME),
        ("https://user:secret@github.com/owner/name.git", HOME),
        ("http://github.com/owner/name", HOME),
        ("git@github.com:owner/name.git", HOME),
        ("ssh://git@github.com/owner/name.git", HOME),
        ("ssh://git@github.com:22/owner/name", HOME),
        ("git://github.com/owner/name.git", HOME),
        ("https://GitHub.com/owner/name", HOME),
        ("git@gitlab.com:group/sub/name.git", "https://gitlab.com/group/sub/name"),
        ("https://gitlab.com/group/name.git", "https://gitlab.com/group/name"),
    ],
)
def test_every_form_of_a_public_remote_is_understood(written: str, page: str) -> None:
    assert address.public(written).page == page


@pytest.mark.parametrize(
    "written",
    [
        "", "/srv/git/name.git", "../name", "file:///srv/git/name.git", "http://127.0.0.1:3000/owner/name.git",
        "git@git.example.org:owner/name.git", "https://github.com/", "https://github.com/owner", "C:\\work\\name",
        "https://github.com.example.org/owner/name", "https://example.org/github.com/owner/name",
    ],
)  # fmt: skip
def test_what_a_reader_cannot_reach_is_no_public_address(written: str) -> None:
    assert address.public(written) is None


def test_a_password_in_the_remote_never_reaches_the_page() -> None:
    known = address.public("https://user:secret@github.com/owner/name.git")
    assert "secret" not in known.page + known.binder("a.ipynb") + known.colab("a.ipynb")


def test_auto_takes_the_git_remote_origin_first(tmp_path: Path) -> None:
    folder = repository_in(tmp_path, upstream="https://github.com/other/fork", origin="git@github.com:owner/name.git")
    assert address.repository("auto", folder).page == HOME


def test_auto_takes_the_only_remote_whatever_its_name(tmp_path: Path) -> None:
    folder = repository_in(tmp_path, mirror="https://gitlab.com/group/name.git")
    assert address.repository("auto", folder).page == "https://gitlab.com/group/name"


def test_auto_knows_nothing_without_a_remote_or_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert address.repository("auto", repository_in(tmp_path)) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert address.repository("auto", tmp_path) is None, "no git on the PATH"


def test_auto_does_not_take_the_remote_of_a_repository_around_the_book(tmp_path: Path) -> None:
    book = repository_in(tmp_path, origin="https://github.com/somebody/dotfiles") / "book"
    book.mkdir()
    assert address.repository("auto", book) is None


def test_the_setting_wins_over_the_remote_and_the_environment_over_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = repository_in(tmp_path, origin="https://github.com/owner/name")
    assert address.repository("https://github.com/set/here", folder).path == "set/here"
    assert address.repository("none", folder) is None
    monkeypatch.setenv(address.VARIABLE, "https://github.com/from/environment")
    assert address.repository("https://github.com/set/here", folder).path == "from/environment"
    monkeypatch.setenv(address.VARIABLE, "none")
    assert address.repository("https://github.com/set/here", folder) is None


def test_a_setting_that_nobody_can_open_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(address.AddressError, match="write it as https://github.com/owner/name") as caught:
        address.repository("git.example.org/name", tmp_path)
    assert "\n" not in str(caught.value)


def test_binder_opens_the_file_in_jupyterlab() -> None:
    known = address.public(HOME)
    assert known.binder("book/a b.md") == (
        "https://mybinder.org/v2/gh/owner/name/main?urlpath=lab%2Ftree%2Fbook%2Fa%20b.md"
    )
    assert known.binder() == "https://mybinder.org/v2/gh/owner/name/main?urlpath=lab"


def test_binder_names_a_gitlab_project_as_one_word_and_a_branch_with_its_slash() -> None:
    known = address.public("https://gitlab.com/group/sub/name", "edition/1")
    assert known.binder("a.ipynb").startswith("https://mybinder.org/v2/gl/group%2Fsub%2Fname/edition%2F1?")


def test_colab_is_offered_only_where_it_can_work() -> None:
    known = address.public(HOME)
    assert known.colab("notebooks/kvm.ipynb") == (
        "https://colab.research.google.com/github/owner/name/blob/main/notebooks/kvm.ipynb"
    )
    assert known.colab("book/slides/dtrace.md") is None, "Colab opens no MyST text"
    assert address.public("https://gitlab.com/g/n").colab("a.ipynb") is None, "Colab opens GitHub only"
