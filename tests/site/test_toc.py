"""The table of contents follows the post: the same parts in the same order, and every chapter where its line stands."""

from pathlib import Path

import yaml

from tests.site.pages import anchors, soup, toc, written
from tools.paths import ROOT

# What a chapter takes up, as it stands in the post; the order of this list is asserted against the post itself.
LINES = {
    "book/announcement/press-release": '"Joyent Announces SmartOS With KVM',
    "book/announcement/four-technologies": "four most revolutionary OS technologies",
    "book/announcement/oses-booted": "OSes Booted under SmartOS Native KVM",
    "book/faq-and-license/faq": "Joyent SmartOS FAQ",
    "book/faq-and-license/license": "file-based CDDL license",
    "book/slides/index": '"Experiences porting KVM to SmartOS"',
    "book/slides/wtf-is-smartos": "WTF is SmartOS? (Page 1)",
    "book/slides/os-virtualization": "OS Virtualization (Page 22)",
    "book/slides/network-virtualization": "Network virtualization (Page 23)",
    "book/slides/dtrace": "DTrace, cont. (Page 27)",
    "book/press/coverage": '"KVM on illumos"',
}
PARTS = ["The post", "The announcement", "FAQ and license", "Slide highlights", "Press coverage", "Labs", "Reference"]


def post() -> str:
    """The post as the package holds it, joined into one string."""
    from smartos.post import lines

    return "\n".join(line.text for line in lines())


def content() -> dict:
    return yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))


def test_the_parts_are_those_of_the_post_in_its_order() -> None:
    assert [part["caption"] for part in content()["parts"]] == PARTS


def test_the_lines_that_the_chapters_take_up_stand_in_this_order_in_the_post() -> None:
    text = post()
    missing = [line for line in LINES.values() if line not in text]
    assert missing == []
    places = [text.index(line) for line in LINES.values()]
    assert places == sorted(places)


def test_the_chapters_stand_in_the_order_of_their_lines() -> None:
    chapters = [page for page in toc() if page in LINES]
    assert chapters == list(LINES), "a chapter of the post is missing or out of order"


def test_each_chapter_stands_in_the_part_its_folder_names() -> None:
    folders = ["book", "announcement", "faq-and-license", "slides", "press", "notebooks", "reference"]
    for folder, part in zip(folders, content()["parts"], strict=True):
        assert {Path(page["file"]).parent.name for page in part["chapters"]} == {folder}, part["caption"]


def test_every_page_of_the_book_is_in_the_contents() -> None:
    written = {p.relative_to(ROOT).with_suffix("").as_posix() for p in (ROOT / "book").rglob("*.md")}
    labs = {p.relative_to(ROOT).with_suffix("").as_posix() for p in (ROOT / "notebooks").glob("*.ipynb")}
    assert written | labs == set(toc())


def test_the_built_contents_are_the_same(site: Path) -> None:
    """What a reader sees at the side of every page."""
    nav = soup(site, f"{toc()[1]}.html").select_one("nav#contents")
    assert [p.get_text(strip=True) for p in nav.select("p.caption")] == PARTS
    assert len(nav.select("li.toctree-l1 > a")) == len(toc()) - 1


def test_every_page_has_one_source() -> None:
    assert [page for page in toc() if len(written(page)) != 1] == []


def test_every_line_of_the_post_has_its_place_in_the_book(site: Path) -> None:
    """The label that the package gives to a line is an anchor of a chapter."""
    from smartos.post.lines import PLACES

    there = {anchor for page in toc() for anchor in anchors(site, f"{page}.html")}
    assert sorted({label for *_, label in PLACES} - there) == []
