"""The built pages as the tests read them: which there are, what they hold, where they link."""

from functools import cache
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import yaml
from bs4 import BeautifulSoup

from tools.paths import ROOT


def toc() -> list[str]:
    """The book's pages in the order of the table of contents, without suffix."""
    content = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    return [content["root"], *(page["file"] for part in content["parts"] for page in part["chapters"])]


def written(page: str) -> list[Path]:
    """The files that a page is written in: one, when all is well."""
    return [path for path in (ROOT / f"{page}.md", ROOT / f"{page}.ipynb") if path.exists()]


def source(page: str) -> Path:
    """The file that a page is written in."""
    found = written(page)
    assert len(found) == 1, f"{page} is in _toc.yml, and has {len(found)} sources"
    return found[0]


@cache
def soup(site: Path, path: str) -> BeautifulSoup:
    """A built page, read once; `path` is from the site's top."""
    return BeautifulSoup((site / path).read_text("utf-8"), "html.parser")


def html_files(site: Path) -> list[str]:
    """Every .html file of the site, from its top, without those that only come with the theme."""
    files = (path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    return sorted(path for path in files if not path.startswith(("_static/", "reports/", "_sources/")))


def article(site: Path, page: str) -> BeautifulSoup:
    """The text part of a page."""
    return soup(site, f"{page}.html").select_one("article")


@cache
def anchors(site: Path, path: str) -> frozenset[str]:
    """The ids that a page has."""
    return frozenset(tag["id"] for tag in soup(site, path).find_all(id=True))


def internal(path: str, link: str) -> tuple[str, str] | None:
    """Where a link of the page at `path` leads inside the site, as (path, anchor); None when it leaves the site."""
    here = f"http://site/{path}"
    there = urlsplit(urljoin(here, link))
    if there.netloc != "site" or there.scheme != "http":
        return None
    target = unquote(there.path).lstrip("/")
    return target + "index.html" if target.endswith("/") or not target else target, unquote(there.fragment)
