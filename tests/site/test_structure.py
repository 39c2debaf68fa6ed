"""The pages as files: they are all there, every link and anchor leads somewhere, every picture has words."""

import re
from pathlib import Path

import pytest
from bs4 import Tag

from tests.site.pages import anchors, article, html_files, internal, soup, source, toc
from tools.addresses import LIST, read
from tools.paths import ROOT

PAGES = toc()
JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff66-\uff9f]+")


@pytest.mark.parametrize("page", PAGES)
def test_page_says_its_language_title_and_subject(site: Path, page: str) -> None:
    html = soup(site, f"{page}.html")
    assert html.html.get("lang") == "en"
    assert html.title and len(html.title.get_text(strip=True)) > 3
    description = html.find("meta", attrs={"name": "description"})
    assert description and len(description["content"].split()) >= 5, f"{page} has no `description:` sentence"
    assert len(html.select("h1")) - len(html.select(".onlyprint h1")) == 1, f"{page} needs exactly one title"


@pytest.mark.parametrize("page", PAGES)
def test_ids_are_unique(site: Path, page: str) -> None:
    ids = [tag["id"] for tag in soup(site, f"{page}.html").find_all(id=True)]
    assert sorted({name for name in ids if ids.count(name) > 1}) == []


def test_every_internal_link_and_anchor_resolves(site: Path) -> None:
    broken = []
    for path in html_files(site):
        for tag in soup(site, path).find_all(["a", "link", "img", "script", "source"]):
            link = tag.get("href") or tag.get("src")
            there = internal(path, link) if link else None
            if there is None:
                continue
            target, anchor = there
            if not (site / target).is_file():
                broken.append(f"{path}: {link} leads to no file")
            elif anchor and target.endswith(".html") and not leads_somewhere(site, target, anchor):
                broken.append(f"{path}: {link} leads to no anchor")
    assert broken == []


def leads_somewhere(site: Path, target: str, anchor: str) -> bool:
    """Whether a fragment names an element, an explorer's state, or the top of the page."""
    return anchor == "top" or anchor.split("?")[0] in anchors(site, target)


def test_no_link_is_empty(site: Path) -> None:
    empty = [
        f"{page}: {tag}"
        for page in PAGES
        for tag in article(site, page).find_all("a", href=True)
        if tag["href"] in ("", "#") or tag["href"].startswith(("javascript:", "file:"))
    ]
    assert empty == []


def alternative(tag: Tag, page: Tag) -> str:
    """The words that stand for a picture."""
    if tag.name == "img":
        return tag.get("alt", "")
    if tag.get("aria-labelledby"):
        return " ".join(page.find(id=name).get_text() for name in tag["aria-labelledby"].split())
    title = tag.find("title", recursive=False)
    return tag.get("aria-label") or (title.get_text() if title else "")


def hidden(tag: Tag) -> bool:
    """Whether a picture or something around it is hidden from assistive technology."""
    return any(t.get("aria-hidden") == "true" for t in [tag, *tag.parents] if isinstance(t, Tag))


@pytest.mark.parametrize("page", PAGES)
def test_every_picture_has_a_sentence(site: Path, page: str) -> None:
    bad = []
    body = article(site, page)
    for tag in body.select("img, svg[role=img], [role=img]"):
        words = alternative(tag, body).strip()
        sentence = len(words.split()) >= 3 and words[-1:] in ".?)" and not re.search(r"\.(png|svg|jpe?g)\b", words)
        if not hidden(tag) and not sentence:
            bad.append(words or str(tag)[:120])
    assert bad == [], "each alternative is a sentence of three words or more, with its full stop"


@pytest.mark.parametrize("page", PAGES)
def test_svg_is_named_or_hidden(site: Path, page: str) -> None:
    loose = [
        str(tag)[:120]
        for tag in article(site, page).find_all("svg")
        if not hidden(tag) and tag.get("role") != "img" and not tag.find_parent(attrs={"role": "img"})
    ]
    assert loose == []


@pytest.mark.parametrize("page", PAGES)
def test_japanese_is_marked_as_japanese(site: Path, page: str) -> None:
    unmarked = []
    html = soup(site, f"{page}.html")
    for text in html.find_all(string=JAPANESE):
        if text.parent.name in ("script", "style", "title") or not text.parent:
            continue
        language = next((tag["lang"] for tag in text.parents if isinstance(tag, Tag) and tag.get("lang")), "")
        if language != "ja":
            unmarked.append(text.strip()[:60])
    assert unmarked == []


@pytest.mark.parametrize("page", PAGES)
def test_no_markup_is_left_over(site: Path, page: str) -> None:
    body = article(site, page)
    assert [str(tag) for tag in body.select(".problematic, .system-message")] == []
    prose = "\n".join(p.get_text() for p in body.select("p, li, td, th, figcaption, h1, h2, h3"))
    assert re.findall(r"\{[\w:-]+\}`|(?<!\w):::|```|\]\(#", prose) == [], "a probe as io:::start may well stand there"


def test_every_citation_is_in_the_bibliography() -> None:
    bibliography = (ROOT / "src/smartos/post/data/references.bib").read_text("utf-8")
    keys = set(re.findall(r"^@\w+\{\s*([^,\s]+)\s*,", bibliography, re.MULTILINE))
    missing = []
    for page in PAGES:
        for cited in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", source(page).read_text("utf-8")):
            missing += [f"{page}: {key.strip()}" for key in cited.split(",") if key.strip() not in keys]
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_every_citation_links_to_its_entry(site: Path, page: str) -> None:
    dead = []
    for path, tag in ((f"{page}.html", tag) for tag in article(site, page).select("a.reference.internal[href*='#']")):
        target, anchor = internal(path, tag["href"])
        if re.search(r"(^|/)bibliography", target) and anchor not in anchors(site, target):
            dead.append(tag["href"])
    assert dead == []


def test_no_address_disappears(site: Path, build: Path) -> None:
    """Redirect-proof: a listed page or anchor is still there, or book/redirects.txt says where it went."""
    import sys

    sys.path.insert(0, str(ROOT / "book/ext"))
    from book_redirects import read_redirects

    redirects = read_redirects((ROOT / "book/redirects.txt").read_text("utf-8"))
    gone = [a for a in sorted(read(LIST)) if not reachable(site, a) and not moved(site, a, redirects)]
    assert gone == [], "add a line `old -> new` to book/redirects.txt for each"


def moved(site: Path, address: str, redirects: dict[str, str]) -> bool:
    """Whether a redirect of the address, or of its page, leads to something that is there."""
    new = redirects.get(address) or redirects.get(address.partition("#")[0])
    return new is not None and reachable(site, new)


def reachable(site: Path, address: str) -> bool:
    """Whether a page has this address and its anchor."""
    path, _, anchor = address.partition("#")
    return (site / path).is_file() and (not anchor or anchor in anchors(site, path))


def test_every_address_is_listed(build: Path) -> None:
    assert sorted(read(build / "addresses.txt") - read(LIST)) == [], "run: .venv/bin/python -m tools.addresses"


def test_an_address_in_the_bibliography_is_printed_whole(site: Path) -> None:
    """A reader on paper has nothing else."""
    links = article(site, "book/reference/bibliography").select(".citation a.external")
    assert len(links) > 40
    assert [link.get_text() for link in links if "://" not in link.get_text() and "10." not in link.get_text()] == []


@pytest.mark.parametrize("page", PAGES)
def test_no_year_begins_with_an_opening_quotation_mark(site: Path, page: str) -> None:
    """LISA ’11 has an apostrophe before its year."""
    words = article(site, page).get_text()
    assert re.findall(r"\w* ?‘\d\d(?!\w)", words) == []


@pytest.mark.parametrize("page", PAGES)
def test_the_numbers_of_a_table_s_column_share_one_format(site: Path, page: str) -> None:
    """Save where a table has another quantity in each row, and says so by its first head."""
    number = re.compile(r"-?[\d,]+(?:\.(\d+))?(?: %)?")
    bad = []
    for table in article(site, page).select("table.smartos-table"):
        heads = [head.get_text(strip=True) for head in table.select("thead th")]
        rows = [[cell.get_text(" ", strip=True) for cell in row.select("th, td")] for row in table.select("tbody tr")]
        for column in range(1, len(heads)):
            found = [number.fullmatch(row[column]) for row in rows if len(row) == len(heads)]
            if heads[0] != "quantity" and found and all(found) and len({len(hit[1] or "") for hit in found}) > 1:
                bad.append(f"{heads[column]}: {', '.join(hit[0] for hit in found)}")
    assert bad == []
