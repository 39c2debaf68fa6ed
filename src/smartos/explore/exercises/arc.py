"""Caches from a seed: a few requests to a small ARC, and what a list, or p, is after them.

The problems are those of :func:`smartos.zfs.arc.problems.problem`. Left out: caches of more than four pages.
"""

from smartos.explore.kit.frame import Table
from smartos.explore.kit.practice import Practice, Problem, unlike
from smartos.explore.kit.reply import Text
from smartos.zfs.arc.paper import LRU
from smartos.zfs.arc.problems import problem as made
from smartos.zfs.arc.problems import shown

LISTS = ("T1", "T2", "B1", "B2")
RULE = (
    "A page that the cache holds goes to the young end of T2. A page that nothing knows goes to T1. A ghost of B1 makes "
    "p larger, a ghost of B2 makes it smaller, and both go to T2. When room is needed, T1 gives its oldest page if T1 "
    "is longer than p, and T2 otherwise; the name of what left becomes a ghost."
)


def problem(seed: int) -> Problem:
    """A trace, and one question about what ARC has after it."""
    one = made(seed)
    asked, answer, worked = one["asked"], one["answer"], one["steps"]
    rows = [
        (step["n"], step["page"], *(" ".join(step[name]) for name in LISTS), shown(step["p"]), step["says"])
        for step in worked
    ]
    table = Table(["Request", "Page", *LISTS, "p", "What happens"], rows, f"The cache of seed {seed}, from old to young")
    question = str(one["question"])
    if asked == "p":
        said, reply, key = f"p is {shown(answer)}.", Text(), shown(answer)
        slips = {shown(worked[0]["p"]): "That is where p began. A ghost has moved it."}
        question += " Write it as the figure does: a whole number, or two digits after the point."
    elif len(answer) == 1:
        said, reply, key, slips = f"{asked} holds {answer[0]} alone.", Text(), answer[0], {}
    else:
        said, reply, key = f"{asked} holds {' '.join(answer)}.", Text(), " ".join(answer)
        slips = {" ".join(reversed(answer)): "Those are the pages, the other way round: begin with the next to go."}
    if asked in ("T1", "T2") and (cached := _lru(one["c"], one["requests"])) not in (key, *slips):
        slips[cached] = "That is what a plain LRU of this size would hold, in one list."
    if asked != "p":
        question += " Write the letters with spaces between them."
    return Problem(
        question, reply, key, [RULE, table, said], said, f"{RULE} Follow the requests one by one.",
        slips=unlike(key, slips),
    )  # fmt: skip


def _lru(c: int, requests: list[str]) -> str:
    """The pages that LRU holds, from the next to go to the latest."""
    cache = LRU(c)
    for page in requests:
        cache.request(page)
    return " ".join(cache.pages)


def practice() -> Practice:
    """Caches to follow by hand, as many as there are seeds."""
    return Practice("arc-practice", "Practice: what does ARC hold?", problem)
