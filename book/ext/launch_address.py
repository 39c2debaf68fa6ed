"""Where the book's sources can be had by anybody: the one setting behind every launch link.

A reader's browser can only be sent to a repository that is public, so an address counts when it names a repository on
GitHub or GitLab; a folder, a loopback host or a server of one's own counts as none, and the page shows the local way.

Follows the address forms that mybinder.org and Colab write themselves. Left out: Binder's other providers (Gist,
Zenodo, any git server).
"""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

VARIABLE = "SMARTOS_BOOK_REPOSITORY"
HOSTS = {"github.com": "gh", "gitlab.com": "gl"}
FORMS = [
    re.compile(r"(?:https?|ssh|git)://(?:[^@/]+@)?(?P<host>[^/:]+)(?::\d+)?/(?P<path>.+)"),
    re.compile(r"(?:[^@/\s]+@)(?P<host>[^/:\s]+):(?P<path>[^/].*)"),
]


class AddressError(ValueError):
    """The setting names something that Binder and Colab cannot open."""


@dataclass(frozen=True)
class Repository:
    """A public repository: its host, its path there (`owner/name`), and the branch that readers get."""

    host: str
    path: str
    ref: str = "main"

    @property
    def page(self) -> str:
        """Its front page, which is also what git clones."""
        return f"https://{self.host}/{self.path}"

    def binder(self, file: str = "") -> str:
        """Binder's address for one file in JupyterLab, or for the folder when no file is named."""
        path = self.path if self.host == "github.com" else quote(self.path, safe="")
        where = f"lab/tree/{file}" if file else "lab"
        ref = quote(self.ref, safe="")
        return f"https://mybinder.org/v2/{HOSTS[self.host]}/{path}/{ref}?urlpath={quote(where, safe='')}"

    def colab(self, file: str) -> str | None:
        """Colab's address for a notebook; it opens .ipynb files of GitHub and nothing else."""
        if self.host != "github.com" or not file.endswith(".ipynb"):
            return None
        return f"https://colab.research.google.com/github/{self.path}/blob/{self.ref}/{quote(file)}"


def public(address: str, ref: str = "main") -> Repository | None:
    """The repository that a git address names, without user or password; None when it is not a public one."""
    for form in FORMS:
        found = form.fullmatch(address.strip())
        if found and found["host"].lower() in HOSTS:
            path = found["path"].strip("/").removesuffix(".git").strip("/")
            if re.fullmatch(r"[\w.-]+(/[\w.-]+)+", path):
                return Repository(found["host"].lower(), path, ref)
    return None


def remote(folder: Path) -> str:
    """The address of `folder`'s git remote: origin, else the first; empty where there is none."""
    names = git(folder, "remote").split()
    if not names or Path(git(folder, "rev-parse", "--show-toplevel").strip()).resolve() != folder.resolve():
        return ""
    return git(folder, "remote", "get-url", "origin" if "origin" in names else names[0]).strip()


def git(folder: Path, *args: str) -> str:
    """What git prints, or nothing when there is no git or no repository."""
    try:
        done = subprocess.run(["git", *args], cwd=folder, capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout if done.returncode == 0 else ""


def repository(setting: str, folder: Path, ref: str = "main") -> Repository | None:
    """What the book's one setting means: `auto` asks the git remote, `none` turns the links off.

    The environment variable SMARTOS_BOOK_REPOSITORY has the last word.
    """
    setting = os.environ.get(VARIABLE, setting).strip()
    if setting in ("", "none"):
        return None
    if setting == "auto":
        return public(remote(folder), ref)
    named = public(setting, ref)
    if named is None:
        raise AddressError(
            f"launch_repository {setting!r} is not a repository on GitHub or GitLab; "
            "write it as https://github.com/owner/name, or 'none' for the local way"
        )
    return named
