"""Questions before figures: the key is the model's, every answer is explained, and nothing gives the key away."""

import re

import pytest
from bs4 import BeautifulSoup

from smartos.explore import Answer, LatticeError, Predict
from smartos.explore.kit.part import marked, unpacked

EXITS = 4


def question(*answers: Answer, key: object = EXITS) -> Predict:
    given = answers or (
        Answer(8, "One for each instruction."),
        Answer(EXITS, "The three `out` and the `hlt`."),
        Answer(1, "The `hlt` alone."),
    )
    return Predict("exits", "How many exits, if `out` leaves?", given, key)


def soup(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "html.parser")


def test_the_answer_that_equals_the_key_is_right_and_no_other() -> None:
    assert {text: v["right"] for text, v in question().verdicts().items()} == {"1": False, "4": True, "8": False}


def test_a_verdict_is_the_same_asked_or_stored() -> None:
    subject = question()
    stored = unpacked(soup(subject.html()).select_one(".part-store").string)
    assert stored["verdicts"] == {text: subject.ask({"answer": text}) for text in ("1", "4", "8")}
    assert stored["verdicts"]["4"]["says"] == "The three <code>out</code> and the <code>hlt</code>."


def test_without_the_store_the_page_does_not_know_the_key() -> None:
    assert question().store(stored=False) == {"name": "exits", "kind": "predict"}


def test_an_answer_that_is_not_one_is_said_to_be_none() -> None:
    assert question().ask({"answer": "5"}) == {"error": "question exits has no answer '5'"}


def test_numbers_stand_in_their_order_and_words_as_they_are_given() -> None:
    assert [answer.value for answer in question().answers] == [1, 4, 8]
    words = question(Answer("b", "B."), Answer("a", "A."), key="a")
    assert [answer.value for answer in words.answers] == ["b", "a"]


def test_the_markup_asks_with_a_fieldset_whose_controls_wait_for_script() -> None:
    page = soup(question().html())
    assert page.select_one("fieldset > legend").get_text() == "How many exits, if out leaves?"
    radios = page.select("fieldset label > input[type=radio]")
    assert [radio["value"] for radio in radios] == ["1", "4", "8"]
    assert all(radio.has_attr("hidden") for radio in radios)
    assert all(button.has_attr("hidden") or button.parent.has_attr("hidden") for button in page.select("button"))


def test_nothing_outside_the_folded_answers_tells_the_key() -> None:
    page = soup(question().html())
    page.select_one("details").decompose()
    page.select_one("script").decompose()
    for answer in question().answers:
        assert soup(marked(answer.explanation)).get_text() not in page.get_text()
    labels = page.select("label")
    assert len({re.sub(r"\d", "", str(label)) for label in labels}) == 1, "the answers differ in more than their words"


def test_the_folded_answers_begin_with_the_right_one() -> None:
    told = soup(question().html()).select("details p")
    assert told[0].get_text() == "4: The three out and the hlt."
    assert len(told) == 3


def test_the_section_is_named_by_its_question() -> None:
    page = soup(question().html())
    names = [page.find(id=name).get_text() for name in page.section["aria-labelledby"].split()]
    assert names == ["Predict", "How many exits, if out leaves?"]


@pytest.mark.parametrize(
    ("answers", "key", "words"),
    [
        ([Answer(1, "No."), Answer(2, "No.")], 3, "has 0 answers equal to its key 3"),
        ([Answer(1, "One."), Answer(1.0, "One too.")], 1, "has 2 answers equal to its key 1"),
        ([Answer(1, "One."), Answer(1, "Again.")], 1, "different values"),
        ([Answer(1, "One.")], 1, "two or more"),
        ([Answer(1, "One."), Answer(2, " ")], 1, "explains nothing to whoever answers 2"),
    ],
)
def test_a_question_without_one_explained_right_answer_is_refused(answers: list[Answer], key: object, words: str) -> None:
    with pytest.raises(LatticeError, match=re.escape(words)):
        question(*answers, key=key)


def test_backticks_are_the_only_markup() -> None:
    assert marked("<b>`a < b`</b>") == "&lt;b&gt;<code>a &lt; b</code>&lt;/b&gt;"
