"""The licence pages: the findings they state, the areas they draw, the answers they give."""

import json
import re

import pytest

from smartos import post
from smartos.explore.kit.squarify import squarify
from smartos.explore.post import decide, licences
from smartos.post import clauses
from tools.paths import ROOT


def shingles(text: str, size: int = 8) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-z]+", text.lower())
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}


@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        ("CDDL", "cddl"), ("CDDL+MIT+BSD", "cddl"), ("GPL", "gpl"), ("GPL+BSD", "gpl-with"), ("CDDL+GPL", "gpl-with"),
        ("LGPL+GPL+MPL-2.0", "gpl-with"), ("LGPL+public-domain", "lgpl"), ("MIT", "mit"), ("ISC+BSD", "kin"),
        ("no-notice", "none"), ("copyright-only", "none"),
    ],
)  # fmt: skip
def test_each_tag_has_one_family_and_only_gpl_by_itself_is_gpl_alone(tag: str, kind: str) -> None:
    assert licences.family(tag) == kind


def test_no_file_of_the_kernel_is_under_the_gpl_alone() -> None:
    assert licences.counted("kernel")["gpl"] == (0, 0)
    assert licences.counted("illumos")["gpl"][0] == 439


def test_the_cddl_files_of_the_port_are_the_two_plug_ins() -> None:
    cddl = {f.path for f in licences.SCOPES["port"].files() if licences.family(f.licence) == "cddl"}
    assert cddl == {"kvm_link.c", "kvm_mdb.c"}


@pytest.mark.parametrize(
    ("scope", "repo", "name"),
    [
        ("kernel", "illumos-joyent", "kernel only (usr/src/uts)"),
        ("illumos", "illumos-joyent", "all-source"),
        ("port", "illumos-kvm", "port-only (excl. linux/ reference copy and tools/)"),
        ("kvm", "illumos-kvm", "all-source"),
        ("qemu", "illumos-kvm-cmd", "all-source"),
        ("live", "smartos-live", "all-source"),
    ],
)
def test_the_families_add_up_to_the_published_counts(scope: str, repo: str, name: str) -> None:
    published = dict.fromkeys(licences.FAMILIES, 0)
    for count in post.licence_counts():
        if (count.repo, count.era, count.scope) == (repo, "launch", name):
            published[licences.family(count.licence)] += count.files
    assert {kind: files for kind, (files, _) in licences.counted(scope).items()} == published


def test_boxes_have_areas_in_proportion_and_fill_the_whole_without_overlap() -> None:
    sizes = [6, 6, 4, 3, 2, 2, 1]
    boxes = squarify(sizes, (0, 0, 6, 4))
    assert [round(w * h, 9) for _, _, w, h in boxes] == sizes
    for i, (x, y, w, h) in enumerate(boxes):
        assert x >= -1e-9 and y >= -1e-9 and x + w <= 6 + 1e-9 and y + h <= 4 + 1e-9
        for other in boxes[i + 1 :]:
            apart = x + w <= other[0] + 1e-9 or other[0] + other[2] <= x + 1e-9
            assert apart or y + h <= other[1] + 1e-9 or other[1] + other[3] <= y + 1e-9


def test_a_row_is_closed_before_the_next_box_would_spoil_it() -> None:
    """Worked by hand: two sixes make a row of 3 by 2 boxes; a four beside them would make all three slimmer."""
    first, second, third, *_ = squarify([6, 6, 4, 3, 2, 2, 1], (0, 0, 6, 4))
    assert first == pytest.approx((0, 0, 3, 2)) and second == pytest.approx((0, 2, 3, 2))
    assert third[0] == pytest.approx(3)


def test_a_size_of_nothing_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="above zero"):
        squarify([2, 0], (0, 0, 1, 1))


def test_every_state_of_the_treemap_is_a_figure_with_a_sentence_and_a_table_that_add_up() -> None:
    for state in licences.explorer().states():
        frame = licences.frame(**state)
        assert frame.figure.startswith('<svg role="img" aria-label="In ') and frame.says.endswith(".")
        assert sum(row[1] for row in frame.table.rows) == len(licences.SCOPES[state["scope"]].files())


def test_the_hatches_of_different_states_never_share_an_id() -> None:
    seen: list[str] = []
    for state in licences.explorer().states():
        seen += re.findall(r' id="([^"]+)"', licences.treemap(**state))
    assert len(seen) == len(set(seen))


def test_the_stored_treemaps_stay_light() -> None:
    assert len(json.dumps(licences.explorer().store(), separators=(",", ":"))) < 220_000


def test_every_case_is_answered_for_every_licence_by_clauses_that_exist() -> None:
    cited = set()
    for licence in clauses.LICENCES:
        for action, (_, things) in clauses.ACTIONS.items():
            found, named = clauses.answer(licence, action)
            assert len(found.reach) == len(things) and set(found.reach) <= set(clauses.REACH)
            assert named and all(clause.licence == licence and clause.asks for clause in named)
            cited |= {(licence, clause.number) for clause in named}
    assert cited == {(licence, number) for licence, held in clauses.CLAUSES.items() for number in held}


def test_every_clause_cites_an_entry_of_the_bibliography() -> None:
    assert set(clauses.SOURCES.values()) <= set(post.bibliography())


def test_the_only_disputed_answer_is_the_linking_of_a_gpl_module() -> None:
    assert [key for key, found in clauses.ANSWERS.items() if "open" in found.reach] == [("GPL", "link")]


def test_file_based_licences_leave_the_neighbour_alone_and_the_gpl_does_not() -> None:
    neighbour = {licence: clauses.answer(licence, "change")[0].reach[1] for licence in clauses.LICENCES}
    assert neighbour == {"CDDL": "theirs", "MPL": "theirs", "MIT": "theirs", "GPL": "bound"}


def test_the_mpl_s_numbers_are_those_of_the_shipped_licence() -> None:
    text = (ROOT / "LICENSE").read_text()
    for number in clauses.CLAUSES["MPL"]:
        assert re.search(rf"^{re.escape(number)}\. ", text, re.M), number


def test_the_clauses_are_told_in_our_words() -> None:
    theirs = shingles((ROOT / "LICENSE").read_text())
    for number, asks in clauses.CLAUSES["MPL"].items():
        assert not shingles(asks) & theirs, number


def test_what_the_gpl_lets_out_of_the_source_is_told_with_its_condition() -> None:
    """COPYING.linux, section 3: the exception for the system, and the exception to it."""
    exception = clauses.clause("GPL", "3, exception").asks
    assert "operating system" in exception and "comes along" in exception
    assert "3, exception" in clauses.answer("GPL", "ship")[0].clauses


def test_the_cddl_s_new_file_is_yours_only_without_covered_code_in_it() -> None:
    says = clauses.answer("CDDL", "add")[0]
    assert "no CDDL code in it" in says.says and "1.9" in says.clauses


def test_the_mpl_s_way_to_the_gpl_can_be_closed() -> None:
    assert "Exhibit B" in clauses.clause("MPL", "1.5").asks
    assert "1.5" in clauses.answer("MPL", "link")[0].clauses


def test_an_unknown_case_is_refused_with_the_known_ones() -> None:
    with pytest.raises(KeyError, match="change, add, link, ship"):
        clauses.answer("CDDL", "sell")
    with pytest.raises(KeyError, match=r"3\.6"):
        clauses.clause("CDDL", "3.7")


def test_the_decision_aid_shows_the_clauses_and_says_the_answer() -> None:
    frame = decide.reach("CDDL", "ship")
    assert "CDDL 1.0, § 3.5" in frame.figure and "CDDL 1.0, § 3.1" in frame.figure
    assert frame.table.rows[0] == ["the binary", "your terms"]
    assert len(list(decide.explorer().states())) == 16


def test_the_shipped_licences_are_whole() -> None:
    mpl, by = (ROOT / "LICENSE").read_text(), (ROOT / "LICENSE-text").read_text()
    assert mpl.startswith("Mozilla Public License Version 2.0") and "Exhibit B" in mpl
    assert by.startswith("Attribution 4.0 International") and "Section 8 -- Interpretation." in by
