"""Endless practice: a seed makes a problem, and the same model that made it checks the answer and works it out.

A built page stores a few dozen problems with their keys, so it needs no Python for them. Where Python runs, every
seed has its problem: `#name?seed=7` is the address of one.

Left out: a choice of difficulty, and any count of what was right.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from smartos.explore.kit.frame import Table
from smartos.explore.kit.part import LatticeError, Part, marked
from smartos.explore.kit.reply import Reply

SEEDS = 1_000_000_000


def unlike(key: object, slips: Mapping[object, str]) -> dict[object, str]:
    """The slips without the key: what is a mistake in most problems of a kind is right in some."""
    return {wrong: words for wrong, words in slips.items() if wrong != key}


@dataclass(frozen=True)
class Problem:
    """A problem with its key, which the model computed, and the way there.

    `figure` is SVG or HTML. `steps` are the worked solution: sentences and tables. `right` and `wrong` are told to
    whoever answers so, and `slips` has better words for wrong answers that have a reason. Raises
    :class:`LatticeError` when the key is not an answer that could be given, or a slip is the key.
    """

    text: str
    reply: Reply
    key: object
    steps: Sequence[str | Table]
    right: str
    wrong: str
    figure: str = ""
    slips: Mapping[object, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.reply.normal(self.canonical) != self.canonical:
            raise LatticeError(f"the key {self.key!r} cannot be given as an answer; {self.reply.kind} takes {self.reply.takes}")
        if self.canonical in self.told:
            raise LatticeError(f"the slip {self.key!r} is the key itself")

    @property
    def canonical(self) -> str:
        """The key as a reply is read."""
        return self.reply.canonical(self.key)

    @property
    def told(self) -> dict[str, str]:
        """The slips as replies are read."""
        return {self.reply.canonical(key): words for key, words in self.slips.items()}

    def check(self, answer: object) -> tuple[bool, str]:
        """Whether an answer is right, and what to say to it."""
        given = self.reply.normal(str(answer))
        if given is None:
            return False, f"This takes {self.reply.takes}."
        return (True, self.right) if given == self.canonical else (False, self.told.get(given, self.wrong))

    def solve(self) -> list[str | Table]:
        """The worked solution, sentence by sentence."""
        return list(self.steps)

    def shown(self) -> dict:
        """What the reader gets to see of it, as HTML."""
        steps = [step.html() if isinstance(step, Table) else f"<p>{marked(step)}</p>" for step in self.solve()]
        return {"text": f"<p>{marked(self.text)}</p>", "figure": self.figure, "field": self.reply.html(), "solution": "".join(steps)}

    def data(self) -> dict:
        """The problem with its key, for a page that checks answers by itself."""
        told = {key: marked(words) for key, words in self.told.items()}
        words = {"right": marked(self.right), "wrong": marked(self.wrong), "slips": told}
        return {**self.shown(), "reply": self.reply.data(), "key": self.canonical, **words}


class Practice(Part):
    """Problems without end: `make(seed)` yields the :class:`Problem` of a seed, always the same.

    `seeds` are those that a built page stores; the first stands in the page. Raises :class:`LatticeError` when a seed
    is not a whole number from 0 on, or comes twice.
    """

    kind = "practice"

    def __init__(self, name: str, title: str, make: Callable[[int], Problem], seeds: Sequence[int] = range(36)) -> None:
        super().__init__(name, title)
        self.seeds, self._make = list(seeds), make
        self._known: dict[int, Problem] = {}
        if not self.seeds or len(set(self.seeds)) != len(self.seeds) or not all(0 <= seed < SEEDS for seed in self.seeds):
            raise LatticeError(f"practice {name} needs different seeds from 0 to {SEEDS - 1:,}, not {self.seeds}")

    def problem(self, seed: int) -> Problem:
        """The problem of a seed, made once."""
        if seed not in self._known:
            self._known[seed] = self._make(seed)
        return self._known[seed]

    def ask(self, question: dict) -> dict:
        """`{"seed": text}` → text, figure, field and solution; with `"answer": text`, the verdict on it instead."""
        if not re.fullmatch("[0-9]{1,9}", question["seed"]):
            return {"error": f"A seed is a whole number from 0 to {SEEDS - 1:,}."}
        problem = self.problem(int(question["seed"]))
        if "answer" not in question:
            return problem.shown()
        right, says = problem.check(question["answer"])
        read = problem.reply.normal(question["answer"]) is not None
        return {"right": right if read else None, "says": marked(says)}

    def store(self, stored: bool = True) -> dict:
        """The seed as the one control that an address can name; with `stored`, the problems of all declared seeds."""
        data = {
            "name": self.name, "kind": self.kind, "start": 0,
            "controls": [{"key": "seed"}], "default": [str(self.seeds[0])],
        }  # fmt: skip
        problems = {"problems": {str(seed): self.problem(seed).data() for seed in self.seeds}}
        return {**data, **problems} if stored else data

    def markup(self, stored: bool = True) -> str:
        """The first problem, what waits for script, and the worked solution folded."""
        first, shown = self.seeds[0], self.problem(self.seeds[0]).shown()
        return (
            f'<div class="practice-seed" hidden><label>Seed '
            f'<input type="number" data-seed min="0" max="{SEEDS - 1}" step="1" value="{first}" autocomplete="off"></label>'
            f'<button type="button" data-another>Another problem</button><span class="explorer-note" role="status"></span></div>'
            f'<div class="practice-problem" aria-live="polite"><div class="practice-text">{shown["text"]}</div>'
            f'<div class="practice-figure">{shown["figure"]}</div></div>'
            f'<form class="practice-form" autocomplete="off"><div class="practice-field" hidden>{shown["field"]}</div>'
            f'<p class="part-buttons" hidden><button>Check</button></p></form>'
            f'<div class="verdict" aria-live="polite"></div>'
            '<details class="fold practice-solution"><summary>The worked solution</summary>'
            f'<div class="fold-body">{shown["solution"]}</div></details>'
        )
