"""Practice from seeds: keys are the models', replies are read alike in Python and in the page, and nothing repeats."""

import json
import random
import re
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup

from smartos.explore import LatticeError, Practice, Problem
from smartos.explore.dtrace.dirt import late, served
from smartos.explore.dtrace.quantize import ats, bucket
from smartos.explore.exercises import guest as practice_guest
from smartos.explore.exercises import late as practice_late
from smartos.explore.exercises import quantize as practice_quantize
from smartos.explore.kit.part import unpacked
from smartos.explore.kit.reply import Hex, Number, Pick, Reply, Text
from smartos.kvm import NoEngine, run
from tools.assets import node
from tools.paths import ROOT

MAKERS = [practice_guest, practice_late, practice_quantize]
REPLIES: list[Reply] = [Number(), Number("ms"), Hex(), Text(), Pick(("yes", "no"))]
TYPED = [
    "", " ", "42", " 42 ", "042", "-7", "−7", "- 7", "-0", "1,024", "1024", "1 024", "1 024", "12,34", "1,5", "1.5", "٣",
    "４２", "0x2a", "0X2A", "-0x10", "2a", "2Ah", "$2a", "0x", "h", "x", "42 ms", "42ms", "42 MS", "ms", "42 s", "Ho",
    "ho", "“Ho”", "'Ho'", '"Ho"', "`Ho`", '""', "'", "H o", "H\n o", "Ｈｏ", "yes", "Yes", "no ", "constructor", "9" * 60,
    "\u2028Ho\u2028", "\u00a042\u00a0", "ﬁ", "🙂" * 30, "1_000_000", "1’000", "00,100", "0x1F", "İms",
]  # fmt: skip


def simple(**changes: object) -> Problem:
    given: dict[str, Any] = {
        "text": "What is twice `21`?", "reply": Number(), "key": 42, "steps": ["Twice 21 is 42."],
        "right": "Twice 21.", "wrong": "Double it.", "slips": {21: "That is 21 itself."},
    }  # fmt: skip
    return Problem(**{**given, **changes})


@pytest.mark.parametrize("maker", MAKERS)
def test_every_seed_has_a_problem_whose_key_is_right_and_whose_slips_are_wrong(maker: Any) -> None:
    for seed in [*range(200), 999_999_999]:
        problem = maker.problem(seed)
        assert problem == maker.problem(seed), "the same seed makes the same problem"
        assert problem.check(problem.canonical) == (True, problem.right)
        for slip, words in problem.told.items():
            assert problem.check(slip) == (False, words)
        assert problem.solve() and problem.text.endswith(("?", "."))


@pytest.mark.parametrize("maker", MAKERS)
def test_seeds_make_different_problems_of_every_kind(maker: Any) -> None:
    problems = [maker.problem(seed) for seed in range(36)]
    assert len({p.text + p.figure for p in problems}) >= 30
    assert len({p.canonical for p in problems}) >= 12


@pytest.mark.parametrize("engine", ["unicorn", "kvm"])
def test_the_walk_through_a_guest_agrees_with_a_processor(engine: str) -> None:
    for seed in range(60):
        code = practice_guest.program(seed)
        steps = practice_guest.walk(code)
        try:
            done = run(practice_guest.assembled(code), engine)
        except NoEngine as missing:
            pytest.skip(str(missing))
        assert (len(done.log), done.serial) == (practice_guest.exits(steps), practice_guest.printed(steps)), seed
        assert done.end == "halted"


def test_what_is_left_in_al_is_what_a_processor_prints_of_it() -> None:
    """The same guest with one more `out` before its halt prints the register."""
    for seed in range(60):
        code = practice_guest.program(seed)
        al = practice_guest.walk(code)[-1].al
        shown = [*code[:-1], practice_guest.Instruction("mov dx", 0x3F8), practice_guest.Instruction("out"), code[-1]]
        assert run(practice_guest.assembled(shown), "unicorn").serial[-1] == chr(al)


def test_the_guests_questions_have_the_walks_answers() -> None:
    for seed in range(90):
        steps = practice_guest.walk(practice_guest.program(seed))
        expected = (practice_guest.exits(steps), practice_guest.printed(steps), steps[-1].al)[seed % 3]
        assert practice_guest.problem(seed).key == expected


def test_rows_and_signs_are_those_of_the_quantize_model() -> None:
    for seed in range(100):
        problem = practice_quantize.problem(seed)
        if seed % 2:
            value = int(re.search(r"runs for ([\d,]+) ns", problem.text)[1].replace(",", ""))
            assert problem.key == bucket(value)
        else:
            rows = BeautifulSoup(problem.figure, "html.parser").select("tbody tr")
            counts = {int(row.th.get_text()): int(row.td.get_text().replace(",", "")) for row in rows}
            asked = int(re.search(r"does row (\d+) draw", problem.text)[1])
            assert problem.key == ats(counts[asked], sum(counts.values()))


def test_queues_are_those_of_the_late_answers() -> None:
    for seed in range(100):
        problem = practice_late.problem(seed)
        spacing, service, stalled, stall = map(
            int, re.search(r"every (\d+) ms.* takes (\d+) ms, but request (\d+) stalls for (\d+) ms", problem.text).groups()
        )
        answers = served(spacing, stall, practice_late.REQUESTS, (stalled - 1,), service)
        if seed % 2:
            deadline = int(re.search(r"late after (\d+) ms", problem.text)[1])
            assert problem.key == late(answers, deadline)
        else:
            n = int(re.search(r"does request (\d+) get", problem.text)[1])
            assert problem.key == answers[n - 1].arrived + answers[n - 1].waited


def test_fewer_requests_are_the_first_of_more() -> None:
    assert served(4, 40, 20) == served(4, 40)[:20]


@pytest.mark.parametrize(
    ("reply", "text", "normal"),
    [
        (Number(), " 1,024 ", "1024"), (Number(), "0x400", "1024"), (Number(), "−7", "-7"), (Number(), "1.5", None),
        (Number(), "1,5", None), (Number("ms"), "42 ms", "42"), (Number("ms"), "42", "42"), (Number(), "４２", "42"),
        (Hex(), "0x03F8", "3f8"), (Hex(), "3f8h", "3f8"), (Hex(), "3g", None), (Text(), " “Ho” ", "Ho"),
        (Text(), "ho", "ho"), (Text(), "", None), (Pick(("yes", "no")), "no", "no"), (Pick(("yes", "no")), "No", None),
    ],
)  # fmt: skip
def test_a_reply_is_read_by_what_it_means(reply: Reply, text: str, normal: str | None) -> None:
    assert reply.normal(text) == normal


def test_the_page_reads_replies_as_python_does() -> None:
    """Both rules on the same texts, and on a thousand made of the letters that matter."""
    draw = random.Random(2011)
    letters = "0123456789abcdefhxHo-−,._'’ \t\n$ms“”\"'`２Ａ\u00a0\u2009"
    texts = [*TYPED, *("".join(draw.choices(letters, k=draw.randrange(1, 9))) for _ in range(1000))]
    cases = [[reply.data(), text] for reply in REPLIES for text in texts]
    script = (
        f"import {{ normal }} from {json.dumps((ROOT / 'src/smartos/explore/static/reply.js').as_uri())};"
        "const cases = JSON.parse(await new Response(process.stdin).text());"
        "console.log(JSON.stringify(cases.map(([reply, text]) => normal(reply, text))));"
    )
    _, environment = node()
    command = [shutil.which("node", path=environment["PATH"]), "--no-warnings", "--input-type=module", "-e", script]
    done = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, env=environment, check=True)
    expected = [reply.normal(text) for reply in REPLIES for text in texts]
    differing = [(case, a, b) for case, a, b in zip(cases, expected, json.loads(done.stdout), strict=True) if a != b]
    assert differing == []


def test_a_check_says_why() -> None:
    assert simple().check("42") == (True, "Twice 21.")
    assert simple().check(21) == (False, "That is 21 itself.")
    assert simple().check("7") == (False, "Double it.")
    assert simple().check("seven") == (False, "This takes a whole number.")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: simple(key=1.5), "cannot be given as an answer"),
        (lambda: simple(reply=Pick(("a", "b")), key="c", slips={}), "cannot be given"),
        (lambda: simple(slips={42: "No."}), "is the key itself"),
        (lambda: Practice("p", "P", lambda seed: simple(), seeds=[]), "different seeds"),
        (lambda: Practice("p", "P", lambda seed: simple(), seeds=[1, 1]), "different seeds"),
        (lambda: Practice("p", "P", lambda seed: simple(), seeds=[-1]), "different seeds"),
    ],
)
def test_a_wrong_declaration_is_refused(make: Callable[[], object], words: str) -> None:
    with pytest.raises(LatticeError, match=re.escape(words)):
        make()


def test_any_seed_can_be_asked_for_and_answered() -> None:
    subject = practice_late.practice()
    problem = practice_late.problem(123_456)
    assert subject.ask({"seed": "123456"}) == problem.shown()
    assert subject.ask({"seed": "123456", "answer": problem.canonical})["right"] is True
    assert subject.ask({"seed": "123456", "answer": "none"}) == {"right": None, "says": "This takes a whole number, in ms."}
    assert "whole number" in subject.ask({"seed": "-1"})["error"]
    assert "whole number" in subject.ask({"seed": "1" * 10})["error"]


@pytest.mark.parametrize("maker", MAKERS)
def test_the_page_stores_what_the_model_makes(maker: Any) -> None:
    subject = maker.practice()
    store = unpacked(BeautifulSoup(subject.html(), "html.parser").select_one(".part-store").string)
    assert list(store["problems"]) == [str(seed) for seed in range(36)]
    for seed, stored in store["problems"].items():
        assert stored == maker.problem(int(seed)).data()
    assert "problems" not in subject.store(stored=False)


def test_the_first_problem_stands_in_the_page_and_its_solution_is_folded() -> None:
    page = BeautifulSoup(Practice("p", "P", lambda seed: simple()).html(), "html.parser")
    assert page.select_one(".practice-text").get_text() == "What is twice 21?"
    assert page.select_one("details .fold-body").get_text() == "Twice 21 is 42."
    assert all(row.has_attr("hidden") for row in page.select(".practice-seed, .practice-field, .part-buttons"))
