"""A few requests and a small cache, to be worked out by hand: what ARC does at each, and exercises from seeds.

:func:`steps` runs the paper's ARC over a short trace and says each request; :func:`problem` picks a trace by its seed
and asks what one of the lists, or p, is after it. The answer is read off the model. Everything is plain data.

Left out: a page to show it on, and a judgement of how hard a problem is. Follows Figure 4 of Megiddo and Modha, "ARC: A
Self-Tuning, Low Overhead Replacement Cache", FAST 2003.
"""

import random
from collections.abc import Sequence

from smartos.zfs.arc.paper import ARC, Event

LETTERS = "ABCDEF"
ASKED = ("T1", "T2", "B1", "B2", "p")


def shown(p: float) -> str:
    """A target as it is written: whole numbers without a point, others with two digits after it."""
    return f"{p:.2f}".rstrip("0").rstrip(".")


def says(page: str, events: Sequence[Event], before: float) -> str:
    """One request in a sentence or two, from its events; `before` is p before it."""
    first = events[0]
    if first.what == "hit":
        return f"{page} is in {first.old}: a hit. It goes to the young end of T2."
    words = {"B1": f"{page} is a ghost in B1.", "B2": f"{page} is a ghost in B2."}
    parts = [words.get(first.old, f"No list knows {page}.")]
    for event in events[1:]:
        if event.what == "adapt":
            moved = "grows to" if event.p > before else "shrinks to" if event.p < before else "stays at"
            parts.append(f"p {moved} {shown(event.p)}.")
        elif event.what == "delete":
            parts.append(f"{event.old} forgets {event.page}.")
        elif event.what == "evict":
            parts.append(f"{event.page} is evicted from {event.old}, and its name joins {event.new}.")
        elif event.what == "insert":
            parts.append(f"{page} is fetched into {event.new}.")
    return " ".join(parts)


def steps(c: int, requests: Sequence[str]) -> list[dict[str, object]]:
    """What ARC(c) does at each request: n, page, outcome, left, says, p, and the lists T1, T2, B1, B2 from LRU to MRU.

    `outcome` is hit, miss, or the ghost list that knew the page; `left` are the pages that left the cache.
    """
    cache = ARC(c)
    found: list[dict[str, object]] = []
    for n, page in enumerate(requests, 1):
        before, start = cache.p, len(cache.log)
        cache.request(page)
        events = cache.log[start:]
        outcome = events[0].old if events[0].what == "ghost hit" else events[0].what
        left = [e.page for e in events if e.what in ("evict", "delete") and e.old in ("T1", "T2")]
        found.append({
            "n": n, "page": page, "outcome": outcome, "left": left, "says": says(page, events, before), "p": cache.p,
            **cache.lists(),
        })  # fmt: skip
    return found


def problem(seed: int) -> dict[str, object]:
    """An exercise: seed, c, requests, asked (a list's name or p), question, answer, and the steps of :func:`steps`.

    Its requests have a hit and a ghost hit, and the list that is asked for is not empty. The answer is the list from
    LRU to MRU, or p rounded to two digits.
    """
    rng = random.Random(seed)
    while True:
        c = 3 + int(rng.random() * 2)
        pages = LETTERS[: c + 2]
        requests = [pages[int(rng.random() * len(pages))] for _ in range(2 * c + 3)]
        asked = ASKED[int(rng.random() * len(ASKED))]
        worked = steps(c, requests)
        outcomes = {step["outcome"] for step in worked}
        last = worked[-1][asked]
        if "hit" in outcomes and outcomes & {"B1", "B2"} and last:
            break
    what = "What is p" if asked == "p" else f"What is in {asked}, from the next to go to the latest,"
    return {
        "seed": seed, "c": c, "requests": requests, "asked": asked,
        "question": f"An empty ARC of {c} pages is asked for {', '.join(requests)}. {what} afterwards?",
        "answer": round(last, 2) if asked == "p" else last,
        "steps": worked,
    }  # fmt: skip
