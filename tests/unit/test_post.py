"""The post as data: complete, in order, and true to the file."""

import hashlib
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


def test_unknown_repository_and_era_are_named() -> None:
    with pytest.raises(ValueError, match="illumos-kvm-cmd"):
        post.licence_files("linux")
    with pytest.raises(ValueError, match="announce-2011-08-13"):
        post.sdt_probes("never")
