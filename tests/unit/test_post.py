"""The post as data: complete, in order, and true to the file."""

import hashlib
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from smartos import post
from tools.paths import ROOT

BOOK = ROOT / "book"
LABEL = re.compile(r"^\(([\w-]+)\)=", re.MULTILINE)


def labels() -> dict[str, Path]:
    """Every label of the chapters and the page it stands in."""
    return {label: page for page in BOOK.rglob("*.md") for label in LABEL.findall(page.read_text("utf-8"))}


def test_lines_give_the_text_back_byte_for_byte() -> None:
    assert "\n".join(line.text for line in post.lines()) == post.text()
    assert hashlib.sha256(post.text().encode()).hexdigest().startswith("dff6bd4dfb36802e")


def test_no_line_is_left_without_a_place_in_the_book() -> None:
    known = labels()
    homeless = [line.n for line in post.lines() if line.text.strip() and line.where not in known]
    assert homeless == []


def test_every_japanese_line_has_a_translation_and_only_those_need_one() -> None:
    for line in post.lines():
        assert bool(line.english) == (line.lang in ("ja", "mixed")), line.n


def test_sections_run_in_the_order_of_the_post() -> None:
    seen = list(dict.fromkeys(line.section for line in post.lines() if line.section and line.section != "frame"))
    assert seen == [name for name in post.SECTIONS if name != "frame"]


def test_damage_names_a_fact_and_what_was_recovered_is_not_in_the_text() -> None:
    for loss in post.damage():
        assert loss.fact in post.facts()
        assert 0 <= loss.after < len(post.lines())
        assert (loss.status == "recovered") == bool(loss.recovered)
        if post.lines()[0].lang and loss.english:
            assert loss.recovered not in post.text()


def test_every_fact_has_a_known_confidence_and_none_is_from_memory() -> None:
    for fact in post.facts().values():
        letters = set(re.findall(r"\b[A-Z]\b", fact.confidence))
        assert letters <= set(post.CONFIDENCE), fact
        assert letters or fact.confidence == "–", fact


SECOND_ROUND = """
P12 A8 A9 S13 S14 S15 S16 S17 F13 F14 F15 F16 R4b R11 R12 X2b X6b N6 Z8 Z9 C5 W12 W13 W14 W15 W16 K7 O12 H1
""".split()


@pytest.mark.parametrize("ident", SECOND_ROUND)
def test_the_facts_found_since_are_held_with_a_source(ident: str) -> None:
    assert post.fact(ident).source


@pytest.mark.parametrize(
    ("ident", "must", "must_not"),
    [
        ("N4", "about fifty devices", "zfs allowed"),
        ("X2", "two days before", "README only"),
        ("W2", "Jenkinsfile", None),
        ("W7", "author date", "RFD 121 (2018): replacement"),
        ("F11", "illumos 875", "leftover"),
        ("D5", "kvm-xxx", None),
    ],
)
def test_a_fact_that_was_wrong_is_told_as_it_is_now_known(ident: str, must: str, must_not: str | None) -> None:
    fact = post.fact(ident)
    assert must in fact.text and (must_not is None or must_not not in fact.text)


def test_an_unknown_fact_is_named_with_its_neighbours() -> None:
    with pytest.raises(KeyError, match="S1"):
        post.fact("S99")


def test_the_port_s_counts_are_those_that_the_deck_plots() -> None:
    """Fact S2: the values of slide 9's chart, read off the data."""
    commits = post.commits()
    assert max(c.ifdef_xxx for c in commits) == 356
    launch = [c for c in commits if c.date.date().isoformat() <= "2011-08-13"]
    assert launch[-1].ifdef_xxx == 23
    assert len(commits) == 442


def test_licence_counts_agree_with_the_files_they_count() -> None:
    for repo in ("illumos-joyent", "illumos-kvm", "illumos-kvm-cmd", "smartos-live"):
        files = Counter(f.licence for f in post.licence_files(repo))
        counts = {c.licence: c.files for c in post.licence_counts() if c.repo == repo and c.era == "launch" and c.scope == "all-source"}
        assert counts == dict(files), repo


def test_no_kernel_file_is_under_the_gpl_alone() -> None:
    """Fact L1."""
    kernel = [f for f in post.licence_files("illumos-joyent") if f.path.startswith("usr/src/uts/")]
    assert len(kernel) == 8085
    assert [f.path for f in kernel if f.licence == "GPL"] == []


def test_launch_has_44_probe_names_at_55_sites() -> None:
    """Fact D5."""
    sites = post.sdt_probes()
    assert (len({s["probe_name_as_seen_in_dtrace"] for s in sites}), len(sites)) == (44, 55)


def test_zones_paper_s_ratios_are_recomputed() -> None:
    for row in post.zones_perf():
        assert 100 * row["zone"] / row["base"] == pytest.approx(row["recomputed_pct"], abs=0.005)


def test_every_key_that_the_data_cite_is_in_the_bibliography() -> None:
    keys = set(post.bibliography())
    cited = {c for e in post.timeline() for c in e.cites} | {a.cite for a in post.press()} | {x.cite for x in post.links()}
    assert cited - keys <= {""}


def cited_on_pages() -> set[str]:
    """Every key that a page or a lab cites, and those that the timeline names on its page."""
    roles = re.compile(r"\{cite(?::\w+)?\}`([^`]+)`")
    pages = [page.read_text("utf-8") for page in BOOK.rglob("*.md")]
    for lab in (ROOT / "notebooks").glob("*.ipynb"):
        pages += ["".join(cell["source"]) for cell in json.loads(lab.read_text("utf-8"))["cells"]]
    keys = {key.strip() for page in pages for found in roles.findall(page) for key in found.split(",")}
    return keys | {key for event in post.timeline() for key in event.cites}


def test_the_bibliography_is_what_the_book_cites_and_nothing_else() -> None:
    """The page says so."""
    assert sorted(set(post.bibliography()) ^ cited_on_pages()) == []


@pytest.mark.parametrize(
    ("key", "title"),
    [
        ("cantrill2011llquantize", "Log/linear quantizations in DTrace"),
        ("cantrill2010hello", "Hello Joyent!"),
        ("cantrill2011sdc", "Standing up SmartDataCenter"),
        ("cantrill2005tr35", "TR35"),
        ("cantrill2014sdc", "SmartDataCenter and Manta are now open source"),
    ],
)
def test_an_entry_has_the_title_that_its_author_printed(key: str, title: str) -> None:
    """Read in bcantrill/blog, from the head of each entry."""
    entry = post.bibliography()[key]
    assert entry["title"] == title
    assert "title read off" not in entry.get("note", "")


def test_timeline_is_in_order() -> None:
    dates = [event.date for event in post.timeline()]
    assert dates == sorted(dates)


def test_the_guests_are_those_of_the_list() -> None:
    listed = re.sub(r"\s+", " ", " ".join(line.text for line in post.lines()[31:34]))
    for guest in post.guests():
        assert guest.name in listed, guest.name
    assert len(post.guests()) == len(re.split(r", |(?<=32-bit) (?=Plan)|(?<=BSD) (?=QNX)", listed.strip()))


def test_term_matrix_counts_what_a_reader_counts() -> None:
    rows = {name: counts for name, counts, _words in post.term_matrix()}
    assert rows["The Register"]["KVM"] == 3
    assert rows["Press release"]["illumos"] == 0


def test_what_is_counted_is_the_whole_of_what_is_held() -> None:
    """A count over a clipped passage says more of the clipping than of the text."""
    held = {text.name: text for text in post.texts()}
    passage = held["ReadWriteWeb"].text
    assert passage.startswith("Thanks to the Solaris/Illumos heritage") and passage.endswith("like DTrace and ZFS.")
    assert len(re.findall(r"\.(?: |$)", passage)) == 4
    item = held["LWN.net"].text
    assert item.startswith("SmartOS is a new Solaris/IllumOS-based distribution") and item.endswith("to Solaris.")
    for text in post.texts():
        assert text.share, text.name


def test_a_quotation_from_a_text_that_is_held_stands_in_it() -> None:
    """Whoever quotes a press text on a page quotes what is counted."""
    by_key = {"readwriteweb2011": "ReadWriteWeb", "lwn455008": "LWN.net"}
    held = {text.name: " ".join(text.text.split()) for text in post.texts()}
    page = (BOOK / "press" / "coverage.md").read_text("utf-8")
    found = re.findall(r"“([^”]+)” \{cite\}`(\w+)`", page)
    quoted = [(words, key) for words, key in found if key in by_key]
    assert quoted
    assert [words for words, key in quoted if words.rstrip(",.") not in held[by_key[key]]] == []


def test_every_text_about_the_announcement_is_counted_or_says_why_not() -> None:
    counted = {text.name for text in post.texts()}
    for article in post.press():
        assert (article.counted in counted) if article.counted else "counted: nothing" in article.held, article.outlet


def test_who_names_illumos_is_not_a_matter_of_where_a_passage_was_cut() -> None:
    rows = {name: counts for name, counts, _words in post.term_matrix()}
    assert rows["ReadWriteWeb"]["illumos"] and rows["LWN.net"]["illumos"]
    assert all(rows["ReadWriteWeb"][term] for term in ("KVM", "Zones", "ZFS", "DTrace"))


def test_commits_that_touch_the_driver_are_those_of_the_log() -> None:
    """Fact W12: `git log -- '*.c' '*.h'` since 2012, by year."""
    since = [commit for commit in post.commits() if commit.date.year >= 2012]
    assert len(since) == 57
    by_year = Counter(commit.date.year for commit in since if commit.driver)
    assert [by_year[year] for year in range(2012, 2026)] == [8, 3, 4, 4, 0, 1, 9, 5, 0, 1, 1, 0, 0, 0]
    last = max((commit for commit in since if commit.driver), key=lambda commit: commit.date)
    assert (last.commit[:7], last.date.date().isoformat()) == ("a82c4d2", "2022-01-27")


def test_the_brand_of_launch_lets_in_about_fifty_devices() -> None:
    """Facts N4 and N6."""
    brand = post.kvm_brand()
    devices = [entry for entry in brand if entry.kind == "device"]
    assert {"kvm", "zfs", "dsk", "rdsk", "poll", "swap", "tcp", "udp"} <= {entry.name for entry in devices}
    assert (sum(not entry.ip_type for entry in devices), sum(entry.ip_type == "exclusive" for entry in devices)) == (50, 27)
    prohibited = {entry.name for entry in brand if entry.kind == "privilege prohibited"}
    assert {"dtrace_kernel", "sys_devices", "proc_zone"} <= prohibited
    assert {"dtrace_proc", "dtrace_user"} <= {entry.name for entry in brand if entry.kind == "privilege default"}


def test_the_deck_s_summaries_tell_the_page_and_nothing_of_our_files() -> None:
    for page in post.slides():
        assert not re.search(r"csv|\bgit\b|mailing-list", page["summary_in_own_words"]), page["page"]


def test_no_guest_is_called_older_than_what_came_before_it() -> None:
    """Fact O12: VMware's product for the PC is of May 1999."""
    (freebsd,) = [guest for guest in post.guests() if guest.name == "FreeBSD 4.9"]
    assert freebsd.year > 1999 and "Older than virtualization on the PC" not in freebsd.hard


def test_the_lead_reads_on_over_its_two_lines() -> None:
    """Line 7 has the honour, line 8 the man and the company: each English stands beside its Japanese."""
    seven, eight = (post.lines()[n - 1] for n in (7, 8))
    assert "TR35" in seven.text and "TR35" in seven.english and "DTrace" in seven.english
    assert "Cantrill" in eight.english and "Joyent" in eight.english and "DTrace" not in eight.english


def test_line_72_has_both_readings() -> None:
    english = post.lines()[71].english
    assert "framework" in english and "DTrace" in english and " or " in english


def test_unknown_repository_and_era_are_named() -> None:
    with pytest.raises(ValueError, match="illumos-kvm-cmd"):
        post.licence_files("linux")
    with pytest.raises(ValueError, match="announce-2011-08-13"):
        post.sdt_probes("never")
