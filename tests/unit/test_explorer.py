"""The Explorers: what is stored for the page is what the function yields, state by state."""

import re
import shutil
import subprocess

import pytest
from bs4 import BeautifulSoup

from smartos.explore import Choice, Explorer, Flag, Frame, LatticeError, Range, Stepper, Table
from smartos.explore.kit.live import front_end, widget_bundle
from smartos.explore.kit.part import STORED, unpacked


def frame(disks: int, parity: int, fast: bool = False) -> Frame:
    return Frame(f"<svg>{disks}{parity}{fast}</svg>", f"{disks} disks, parity {parity}.", Table(["d"], [(disks,)]))


def explorer(**more: object) -> Explorer:
    controls = {"disks": Range("Disks", [3, 4, 5]), "parity": Choice("Parity", [(1, "single"), (2, "double")]), "fast": Flag("Fast")}
    return Explorer("raidz", "RAID-Z", frame, controls, **more)


def stored(page: str) -> dict:
    return unpacked(BeautifulSoup(page, "html.parser").select_one(".part-store").string)


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
        asked = subject.ask({"state": {key: str(value) for key, value in state.items()}})
        assert asked == {"frames": [[expected.figure, expected.says, expected.table.html()]]}


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


def free() -> Explorer:
    """An explorer whose first control takes what is between its listed values."""
    return Explorer(
        "free", "Free", lambda n, half: Frame(f"<svg>{n}</svg>", f"It is {n + half}."),
        {"n": Range("N", [1, 5, 9], "ms", between=(0, 20)), "half": Range("Half", [0.0, 0.5], between=(0, 1))},
    )  # fmt: skip


def test_between_the_listed_values_the_model_is_asked() -> None:
    assert free().ask({"state": {"n": "7", "half": "0.25"}}) == {"frames": [["<svg>7</svg>", "It is 7.25.", ""]]}
    assert free().frames(n=20, half=1)[0].says == "It is 21."
    page = BeautifulSoup(free()._repr_html_(), "html.parser")
    field = page.select_one("input[data-exact=n]")
    assert (field["min"], field["max"], field["value"]) == ("0", "20", "1")
    assert "ms" in field["aria-label"]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"n": "21", "half": "0"}, "“N” takes a whole number from 0 to 20, not 21"),
        ({"n": "2.5", "half": "0"}, "“N” takes a whole number from 0 to 20"),
        ({"n": "", "half": "0"}, "“N” takes a whole number"),
        ({"n": "1", "half": "much"}, "“Half” takes a number from 0 to 1, not 'much'"),
    ],
)
def test_a_value_outside_is_refused_in_words(state: dict, words: str) -> None:
    assert words in free().ask({"state": state})["error"]


def test_a_listed_control_takes_its_list_only() -> None:
    assert "it has 3, 4, 5" in explorer().ask({"state": {"disks": "6", "parity": "1", "fast": "False"}})["error"]


def test_without_its_store_a_part_keeps_its_first_state_and_its_controls() -> None:
    page = BeautifulSoup(explorer().html(stored=False), "html.parser")
    data = unpacked(page.select_one(".part-store").string)
    assert "runs" not in data and [control["key"] for control in data["controls"]] == ["disks", "parity", "fast"]
    assert page.select_one(".explorer-says").get_text() == "3 disks, parity 1."


def test_the_page_is_asked_for_while_a_book_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a notebook gets the small HTML, and a widget where there is a kernel to answer it (tests/site/test_live.py)."""
    monkeypatch.setenv(STORED, "1")
    assert "runs" in stored(explorer()._repr_mimebundle_()["text/html"])
    monkeypatch.delenv(STORED)
    assert "runs" not in stored(explorer()._repr_mimebundle_()["text/html"])
    assert widget_bundle(explorer()) == {}, "no kernel runs here"


def test_the_front_end_is_one_module_for_a_notebook(tmp_path) -> None:
    module = front_end()
    assert re.findall(r"(?m)^(?:import|export) .*", module) == ["export default { render };"]
    names = re.findall(r"(?m)^(?:async )?(?:function|const|let|class) (\w+)", module)
    assert sorted({name for name in names if names.count(name) > 1}) == [], "two files of it use the same name"
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node on the PATH to parse it with")
    (tmp_path / "front.mjs").write_text(module, "utf-8")
    done = subprocess.run([node, "--check", tmp_path / "front.mjs"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_room_is_kept_for_the_tallest_drawing_and_the_longest_sentence() -> None:
    drawn = {1: 'viewBox="0 0 100 50"', 2: 'viewBox="0 0 100 80"'}
    subject = Explorer(
        "tall", "Tall", lambda n: Frame(f'<svg role="img" aria-label="x" {drawn[n]}></svg>', "Word " * n), {"n": Choice("N", [1, 2])}
    )  # fmt: skip
    page = BeautifulSoup(subject.html(), "html.parser")
    assert page.select_one(".explorer-stage")["style"] == "--wide: 100; --tall: 80"
    assert page.select_one("figcaption")["data-longest"] == "Word Word "
    html = Explorer("long", "Long", lambda n: Frame(f"<p>{'word ' * n}</p>", "One."), {"n": Choice("N", [1, 2])}).html()
    rooms = BeautifulSoup(html, "html.parser").select(".explorer-room[aria-hidden][inert]")
    assert [room.get_text() for room in rooms] == ["word ", "word word "]


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


def cells(values: list[object], column: str = "Value") -> list[str]:
    """The words of one column."""
    html = Table(["Name", column], [(str(i), value) for i, value in enumerate(values)], plain=["Year"]).html()
    return [cell.get_text() for cell in BeautifulSoup(html, "html.parser").select("td")]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([99.6, 96.0, 100.3, 97.8], ["99.6", "96.0", "100.3", "97.8"]),
        ([38.45, 23332.58, 283.3, 38767.62], ["38.45", "23,332.58", "283.30", "38,767.62"]),
        ([1.0, 2.0], ["1", "2"]),
        ([0.125, 3.0], ["0.12", "3.00"]),
        ([12, 2.5], ["12.0", "2.5"]),
        ([12, "none", 2.25], ["12.00", "none", "2.25"]),
        ([12, 34567], ["12", "34,567"]),
    ],
)
def test_the_numbers_of_a_column_share_one_format(values: list[object], shown: list[str]) -> None:
    assert cells(values) == shown


def test_a_column_of_different_quantities_is_told_so_and_each_keeps_its_own_format() -> None:
    table = Table(["quantity", "value"], [("answers", 60), ("mean wait, ms", 9.7)], mixed=["value"])
    assert [cell.get_text() for cell in BeautifulSoup(table.html(), "html.parser").select("td")] == ["60", "9.7"]


def test_text_in_tables_and_sentences_is_escaped() -> None:
    assert "<b>" not in Table(["a"], [("<b>",)]).html()
    assert "<b>" not in Frame("", "<b>").html()
