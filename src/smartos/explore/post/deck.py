"""The deck of 15 August 2011, page by page, with the pages that the post quotes."""

from smartos.explore.kit.frame import Table
from smartos.post import slides

# The page in the file, and how much of it the post has, after fact P9.
QUOTED = {2: "2 of 4 features", 22: "4 of 5 bullets", 23: "1 of 7 bullets", 27: "1 of 4 bullets"}


def pages() -> Table:
    """Every page: its title, what it says in our words, what the post has of it."""
    rows = [(s["page"], s["title"], s["summary_in_own_words"], QUOTED.get(s["page"], "")) for s in slides()]
    return Table(["Page", "Title", "What it says", "In the post"], rows, caption=f"Experiences Porting KVM to SmartOS, {len(rows)} pages.", plain=["Page"], name="deck")
