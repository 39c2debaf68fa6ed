"""What a licence asks of you, drawn as how far it reaches over the things in front of you.

The answers and their clauses are those of :mod:`smartos.post.clauses`. Left out: whatever that module leaves out; a
disputed reach is drawn as disputed.
"""

from html import escape

from smartos.explore.kit import svg
from smartos.explore.kit.controls import Choice
from smartos.explore.kit.explorer import Explorer
from smartos.explore.kit.frame import Frame, Table
from smartos.post.clauses import ACTIONS, LICENCES, REACH, answer

# Fill, stroke and dash of each reach; the words stand on it too.
LOOKS = {
    "bound": ("accent", "accent", ""), "notice": ("paper", "accent", ""), "free": ("paper", "ink", ""),
    "theirs": ("paper", "rule", ""), "open": ("paper", "accent", "6 4"),
}  # fmt: skip


def reach(licence: str, action: str) -> Frame:
    """What one licence asks in one case: how far it reaches, and the clauses that say so."""
    found, clauses = answer(licence, action)
    things = ACTIONS[action][1]
    marks = []
    for i, (thing, how) in enumerate(zip(things, found.reach, strict=True)):
        fill, stroke, dash = LOOKS[how]
        y = 4 + i * 46
        marks.append(svg.text(0, y + 23, thing, size=15))
        marks.append(svg.rect(190, y, 246, 36, fill=fill, stroke=stroke, stroke_width=2, stroke_dasharray=dash or None))
        ink = "paper" if how == "bound" else "ink"
        marks.append(svg.text(313, y + 23, REACH[how], fill=ink, anchor="middle", size=15))
    figure = svg.drawing(440, 142, f"{LICENCES[licence]}: {found.says}", *marks)
    listed = "".join(f"<li><strong>{escape(c.name)}</strong> {escape(c.asks)}</li>" for c in clauses)
    rows = [[thing, REACH[how]] for thing, how in zip(things, found.reach, strict=True)]
    caption = f"{ACTIONS[action][0]}, under the {LICENCES[licence]}"
    return Frame(f'{figure}<ul class="clauses">{listed}</ul>', found.says, Table(["thing", "its terms"], rows, caption))


def explorer() -> Explorer:
    """The decision aid: what you did, and the licence of the code you did it to."""
    return Explorer(
        "decide", "What the licence asks, and where it says so",
        lambda action, licence: reach(licence, action),
        {
            "action": Choice("What you did", [(key, words) for key, (words, _) in ACTIONS.items()]),
            "licence": Choice("The code’s licence", list(LICENCES.items())),
        },
        keys=[{"action": action, "licence": "GPL"} for action in ("change", "link")] + [{"action": "link"}],
    )  # fmt: skip
