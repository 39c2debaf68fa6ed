"""A question before the figure: the reader says what will come, and then looks.

The key is what the model yields when the page is made. So a question whose answer the model no longer gives stops the
build, and no reader is told wrong. Every answer to choose has its explanation, for a wrong guess teaches as much as a
right one. Without script the question stands as text and all its answers are folded below it.

Left out: points, and any record but the one that the reader's own browser keeps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from smartos.explore.kit.frame import cell_text
from smartos.explore.kit.part import LatticeError, Part, marked


@dataclass(frozen=True)
class Answer:
    """One answer to choose: its value, what whoever chooses it is told, and its words where the value is not enough."""

    value: object
    explanation: str
    label: str | None = None

    @property
    def words(self) -> str:
        return self.label or cell_text(self.value)


class Predict(Part):
    """A question with a few answers; the right one is the one whose value equals `key`.

    Compute the key, and type at most what is wrong::

        exits = len(run("hi").log)
        Predict("hi-exits", "How many exits will the monitor see?", [
            Answer(8, "That is one for each instruction, but `mov` stays inside."),
            Answer(exits, "The three `out` and the `hlt` leave the guest."),
        ], key=exits)

    Numbers stand in their order, so that their place tells nothing. In an explanation `backticks` set code. Raises
    :class:`LatticeError` when no answer or several have the key's value, or when an answer lacks its explanation.
    """

    kind = "predict"

    def __init__(self, name: str, question: str, answers: Sequence[Answer], key: object) -> None:
        super().__init__(name, "Predict")
        numbers = all(isinstance(a.value, int | float) and not isinstance(a.value, bool) for a in answers)
        self.question, self.key = question, key
        self.answers = sorted(answers, key=lambda a: a.value) if numbers else list(answers)
        self._check()

    def _check(self) -> None:
        values = [str(answer.value) for answer in self.answers]
        if len(values) < 2 or len(set(values)) != len(values):
            raise LatticeError(f"question {self.name} needs two or more answers with different values, not {values}")
        silent = [answer.words for answer in self.answers if not answer.explanation.strip()]
        if silent:
            raise LatticeError(f"question {self.name} explains nothing to whoever answers {', '.join(silent)}")
        right = [answer for answer in self.answers if answer.value == self.key]
        if len(right) != 1:
            raise LatticeError(f"question {self.name} has {len(right)} answers equal to its key {self.key!r}, not one")

    @property
    def labels(self) -> str:
        return f"{self.name}-title {self.name}-question"

    def verdict(self, answer: Answer) -> dict:
        """What whoever gives this answer is told."""
        return {"right": answer.value == self.key, "says": marked(answer.explanation)}

    def verdicts(self) -> dict[str, dict]:
        """The verdict on each answer, under its value as text."""
        return {str(answer.value): self.verdict(answer) for answer in self.answers}

    def ask(self, question: dict) -> dict:
        """`{"answer": text}` → `{"right": …, "says": …}`."""
        verdicts, given = self.verdicts(), question["answer"]
        return verdicts.get(given) or {"error": f"question {self.name} has no answer {given!r}"}

    def store(self, stored: bool = True) -> dict:
        """The name; with `stored`, the verdict on each answer."""
        data = {"name": self.name, "kind": self.kind}
        return {**data, "verdicts": self.verdicts()} if stored else data

    def markup(self, stored: bool = True) -> str:
        """The question with its answers, what waits for script, and all explanations folded for when none comes."""
        choices = "".join(
            f'<label class="choice"><input type="radio" name="answer" value="{escape(str(a.value), quote=True)}" hidden>'
            f"<span>{marked(a.words)}</span></label>"
            for a in self.answers
        )
        return (
            f'<form autocomplete="off"><fieldset>'
            f'<legend id="{self.name}-question">{marked(self.question)}</legend>{choices}</fieldset>'
            f'<p class="part-buttons" hidden><button>Answer</button>'
            f'<button type="button" class="quiet" data-again hidden>Ask again</button></p></form>'
            f'<div class="verdict" aria-live="polite"></div>{self._still()}'
        )

    def _still(self) -> str:
        """The answers for print and for pages without script: the right one, then what is wrong with the others."""
        right = [a for a in self.answers if a.value == self.key]
        others = [a for a in self.answers if a.value != self.key]
        told = "".join(f"<p><b>{marked(a.words)}</b>: {marked(a.explanation)}</p>" for a in [*right, *others])
        return f'<details class="fold still"><summary>Answer</summary><div class="fold-body">{told}</div></details>'
