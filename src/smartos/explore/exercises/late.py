"""Queues from a seed: when a request gets its answer behind one that stalls, and how many answers come too late.

The answers are those of :func:`smartos.explore.dtrace.dirt.served`, with fewer requests, so that they can be worked by hand.
Left out: two stalls that run into each other.
"""

import random

from smartos.explore.dtrace.dirt import late, served
from smartos.explore.kit.frame import Table
from smartos.explore.kit.practice import Practice, Problem, unlike
from smartos.explore.kit.reply import Number

REQUESTS = 12


def problem(seed: int) -> Problem:
    """A queue, and the wait of one request or the number of the late ones."""
    draw = random.Random(seed)
    spacing = draw.randrange(4, 9)
    service = draw.randrange(2, spacing)
    stalled, stall = draw.randrange(1, 4), spacing * draw.randrange(2, 6) + draw.randrange(3)
    answers = served(spacing, stall, REQUESTS, (stalled,), service)
    rows = [(n, a.arrived, a.arrived + a.waited, a.waited) for n, a in enumerate(answers, 1)]
    setting = (
        f"Requests come every {spacing} ms, the first at 0 ms, and are answered in their order. An answer takes "
        f"{service} ms, but request {stalled + 1} stalls for {stall} ms more."
    )
    rule = (
        f"A request begins when it comes, or when the one before it has its answer, whichever is later; then it takes "
        f"{service} ms, and request {stalled + 1} takes {service + stall} ms."
    )
    table = Table(["Request", "Comes (ms)", "Answered (ms)", "Waited (ms)"], rows, f"The queue of seed {seed}")
    if seed % 2:
        deadline = draw.choice(sorted({a.waited for a in answers if a.waited > service})) - draw.randrange(2)
        key = late(answers, deadline)
        said = f"Waits above {deadline} ms: {key} of {REQUESTS}."
        slips = {late(answers, deadline - 1): f"A wait of {deadline} ms is still in time."}
        if key > 1:
            slips[1] = "That is the one that stalled. It makes some behind it late as well."
        asked, reply = f"An answer is late after {deadline} ms of waiting. How many of the first {REQUESTS} are late?", Number()
    else:
        n = draw.randrange(stalled + 1, REQUESTS)
        key = answers[n].arrived + answers[n].waited
        said = f"Request {n + 1} comes at {answers[n].arrived} ms and has its answer at {key} ms."
        slips = {
            answers[n].arrived + service: "That is when it would be answered if nobody stood before it.",
            answers[n].waited: "That is how long it waits; the question is when.",
        }
        asked, reply = f"When does request {n + 1} get its answer?", Number("ms")
    return Problem(
        f"{setting} {asked}", reply, key, [rule, table, said], said, rule,
        slips=unlike(key, slips),
    )  # fmt: skip


def practice() -> Practice:
    """Queues to work by hand, as many as there are seeds."""
    return Practice("late-practice", "Practice: when does the answer come?", problem)
