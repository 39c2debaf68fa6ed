"""The Explorers: what is stored for the page is what the function yields, state by state."""

import json
import re

import pytest
from bs4 import BeautifulSoup

from smartos.explore import Choice, Explorer, Flag, Frame, Range, Stepper, Table
from smartos.explore.controls import LatticeError


def frame(disks: int, parity: int, fast: bool = False) -> Frame:
    return Frame(f"<svg>{disks}{parity}{fast}</svg>", f"{disks} disks, parity {parity}.", Table(["d"], [(disks,)]))


def explorer(**more: object) -> Explorer:
    controls = {"disks": Range("Disks", [3, 4, 5]), "parity": Choice("Parity", [(1, "single"), (2, "double")]), "fast": Flag("Fast")}
    return Explorer("raidz", "RAID-Z", frame, controls, **more)


def stored(page: str) -> dict:
    return json.loads(BeautifulSoup(page, "html.parser").select_one(".explorer-store").string)


def test_every_state_of_the_lattice_is_stored_as_the_function_yields_it() -> None:
    subject = explorer()
    store = subject.store()
    states = list(subject.states())
    assert len(states) == len(store["runs"]) == 12
    for state, run in zip(states, store["runs"], strict=True):
        expected = frame(**state)
        (figure, says, table), *rest = run
        assert rest == []
        assert store["figures"][figure] == expected.figure
        assert store["says"][says] == expected.says
        assert store["tables"][table] == expected.table.html()


def test_equal_figures_are_stored_once() -> None:
    same = Explorer("same", "Same", lambda a: Frame("<svg/>", "One."), {"a": Range("A", [1, 2, 3])})
    assert same.store()["figures"] == ["<svg/>"]


def test_the_page_shows_the_default_state_before_any_script_runs() -> None:
    page = BeautifulSoup(explorer(default={"disks": 5, "parity": 2})._repr_html_(), "html.parser")
    assert page.select_one(".explorer-says").get_text() == "5 disks, parity 2."
    assert page.select_one("input[data-control=disks]")["value"] == "2"
    assert page.select_one("option[selected]").get_text() == "double"


def test_every_control_has_a_label() -> None:
    page = BeautifulSoup(explorer()._repr_html_(), "html.parser")
    for control in page.select("input, select"):
        assert page.find("label", attrs={"for": control["id"]}), control


def test_key_states_stand_in_the_page_for_print() -> None:
    page = BeautifulSoup(explorer(keys=[{"disks": 4}])._repr_html_(), "html.parser")
    assert "4 disks" in page.select_one(".explorer-keys").get_text()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: explorer(default={"disks": 9}), "disks=9"),
        (lambda: explorer(default={"size": 1}), "no control 'size'"),
        (lambda: Explorer("Big", "t", frame, {}), "'Big'"),
        (lambda: Range("Disks", []), "no values"),
        (lambda: Choice("Disks", [1, 1]), "twice"),
        (lambda: Range("Disks", [1, 2], names=["one"]), "1 names"),
    ],
)
def test_a_wrong_declaration_is_refused_by_name(make, words: str) -> None:
    with pytest.raises(LatticeError, match=re.escape(words)):
        make()


def test_a_closing_tag_in_a_frame_does_not_end_the_store() -> None:
    subject = Explorer("x", "X", lambda a: Frame("<svg></script></svg>", "One."), {"a": Flag("A")})
    assert stored(subject._repr_html_())["figures"] == ["<svg></script></svg>"]


def test_a_stepper_stores_each_run_and_counts_its_start_from_the_end() -> None:
    subject = Stepper("walk", "Walk", lambda n: [Frame(f"{i}", f"Step {i}.") for i in range(n)], {"n": Choice("N", [2, 4])}, {"n": 4}, at=-1)
    store = subject.store()
    assert [len(run) for run in store["runs"]] == [2, 4]
    assert store["start"] == 3
    transcript = BeautifulSoup(subject._repr_html_(), "html.parser").select(".explorer-transcript li")
    assert [item.get_text() for item in transcript] == [f"Step {i}." for i in range(4)]


def test_a_run_without_steps_is_refused() -> None:
    with pytest.raises(LatticeError, match="at least one frame"):
        Stepper("walk", "Walk", lambda: []).store()


def test_tables_set_numbers_apart_and_keep_years_plain() -> None:
    html = Table(["Name", "Year", "Files"], [("a", 2011, 12345)], plain=["Year"], caption="Files.").html()
    page = BeautifulSoup(html, "html.parser")
    assert [cell.get_text() for cell in page.select("td")] == ["2011", "12,345"]
    assert page.select_one("tbody th")["scope"] == "row"
    assert page.select_one("caption").get_text() == "Files."


def test_text_in_tables_and_sentences_is_escaped() -> None:
    assert "<b>" not in Table(["a"], [("<b>",)]).html()
    assert "<b>" not in Frame("", "<b>").html()
