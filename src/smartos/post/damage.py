"""What the archived copy of the post lost, and what another stored copy gives back.

Two stored copies of the blog page were compared with this one (facts P2 to P5). Both end before the slides, so for the
second half of the post nothing can be compared. No copy keeps an address.
"""

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Damage:
    """A loss just after line `after` (0 is the top): `recovered` text when another copy has it, else empty."""

    after: int
    lost: str
    recovered: str = ""
    english: str = ""
    fact: str = "P5"

    @property
    def status(self) -> str:
        """`recovered`, or `unknown` when no copy gives it back."""
        return "recovered" if self.recovered else "unknown"


@cache
def damage() -> tuple[Damage, ...]:
    """The losses, in the order of the lines."""
    return (
        Damage(3, "the date heading of the blog page", "2011/08/16", fact="P3"),
        Damage(6, "a rule between the date and the text", "-----", fact="P3"),
        Damage(8, "the end of the sentence, with its verb", "一般公開されました:", "has now been released to the public:", "P3"),
        Damage(8, "the address of the press release"),
        Damage(25, "the words that introduce the page", "概念図:", "conceptual diagram:", "P3"),
        Damage(26, "the address of the page, and the diagram itself"),
        Damage(29, "the end of the quotation", ' system,"', fact="P3"),
        Damage(35, "the words before the quotation", "このページに", "on this page", "P3"),
        Damage(39, "the word before the FAQ", "当然ながら", "of course", "P3"),
        Damage(40, "the address of the FAQ"),
        Damage(49, "the address of the slides"),
        Damage(53, "two of the slide’s four features, ZFS and DTrace; who left them out is unknown", fact="P9"),
        Damage(63, "the slide’s last bullet; who left it out is unknown", fact="P9"),
        Damage(66, "the slide’s other bullets; who left them out is unknown", fact="P9"),
        Damage(71, "the slide’s other bullets; who left them out is unknown", fact="P9"),
        Damage(75, "the address of the blog"),
        Damage(79, "the end of the sentence, which named the first place of the text"),
        Damage(83, "the address of the article"),
        Damage(91, "the line after the comma, if there was one"),
        Damage(93, "the closing quotation mark, if there was one"),
        Damage(94, "the address of the article"),
        Damage(104, "the address of the article"),
        Damage(106, "the address of the page"),
        Damage(108, "the address of the Japanese site"),
        Damage(110, "the title of the entry"),
        Damage(113, "the address of the schedule"),
        Damage(114, "the subject of the older post"),
        Damage(116, "the subject of the older post"),
        Damage(119, "the address of the report"),
    )
