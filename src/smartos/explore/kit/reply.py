"""How a reply is read before it is compared: what the reader meant counts, and how it was typed does not.

The page reads replies by the same rule (`static/reply.js`); a test gives both the same texts. What cannot be read at
all is no wrong answer: `takes` then says what would do.

Left out: fractions, arithmetic, spelling.
"""

import re
import unicodedata
from dataclasses import dataclass
from html import escape

from smartos.explore.kit.part import marked

LONGEST = 40
WHOLE = re.compile(r"(-?)(?:0x([0-9a-f]+)|([0-9]+|[0-9]{1,3}(?:[,_'’ ][0-9]{3})+))")
HEX = re.compile(r"(?:0x|\$)?([0-9a-f]+)h?")
QUOTED = re.compile(r"\"(.*)\"|'(.*)'|“(.*)”|‘(.*)’|`(.*)`", re.DOTALL)


def plain(text: str) -> str:
    """`text` with full-width letters made narrow, blanks run together, none at the ends, and no more than can be meant."""
    folded = unicodedata.normalize("NFKC", text[:LONGEST]).replace("−", "-")
    return re.sub(r"[ \t\n]+", " ", folded).strip(" ")


@dataclass(frozen=True)
class Number:
    """A whole number, decimal or with 0x; `unit` may follow it."""

    unit: str = ""
    kind = "number"

    @property
    def takes(self) -> str:
        return f"a whole number{f', in {self.unit}' if self.unit else ''}"

    def normal(self, text: str) -> str | None:
        """The number in decimal digits, or None when `text` is not one."""
        bare = plain(text).lower().removesuffix(self.unit.lower()).rstrip(" ") if self.unit else plain(text).lower()
        found = WHOLE.fullmatch(bare)
        if not found:
            return None
        value = int(found[2], 16) if found[2] else int(re.sub("[^0-9]", "", found[3]))
        return str(-value if found[1] else value)

    def canonical(self, key: object) -> str:
        """A key as `normal` gives it."""
        return str(key)

    def data(self) -> dict:
        """What the page reads replies by."""
        return {"kind": self.kind, "takes": self.takes, "unit": self.unit}

    def html(self) -> str:
        """The field for a reply."""
        return typed(f"Your answer{f' ({self.unit})' if self.unit else ''}", "numeric")


@dataclass(frozen=True)
class Hex:
    """A number in hexadecimal: 3f8, 0x3f8 and 3f8h are the same."""

    kind = "hex"
    takes = "a number in hexadecimal"

    def normal(self, text: str) -> str | None:
        """The digits without sign or leading zeros, or None."""
        found = HEX.fullmatch(plain(text).lower())
        return f"{int(found[1], 16):x}" if found else None

    def canonical(self, key: object) -> str:
        return f"{key:x}"

    def data(self) -> dict:
        return {"kind": self.kind, "takes": self.takes}

    def html(self) -> str:
        return typed("Your answer (hexadecimal)", "text")


@dataclass(frozen=True)
class Text:
    """A few characters, capitals apart from small letters; quotation marks around them do not count."""

    kind = "text"
    takes = "at least one character"

    def normal(self, text: str) -> str | None:
        """The characters alone, or None when there are none."""
        bare = plain(text)
        found = QUOTED.fullmatch(bare)
        return (next(part for part in found.groups() if part is not None) if found else bare) or None

    def canonical(self, key: object) -> str:
        return str(key)

    def data(self) -> dict:
        return {"kind": self.kind, "takes": self.takes}

    def html(self) -> str:
        return typed("Your answer", "text")


@dataclass(frozen=True)
class Pick:
    """One of a few labels."""

    labels: tuple[str, ...]
    kind = "pick"
    takes = "one of the answers"

    def normal(self, text: str) -> str | None:
        """The label, or None when it is none of them."""
        return text if text in self.labels else None

    def canonical(self, key: object) -> str:
        return str(key)

    def data(self) -> dict:
        return {"kind": self.kind, "takes": self.takes, "labels": list(self.labels)}

    def html(self) -> str:
        choices = "".join(
            f'<label class="choice"><input type="radio" name="answer" value="{escape(label, quote=True)}">'
            f"<span>{marked(label)}</span></label>"
            for label in self.labels
        )
        return f"<fieldset><legend>Your answer</legend>{choices}</fieldset>"


Reply = Number | Hex | Text | Pick


def typed(label: str, mode: str) -> str:
    """A labelled field for a short text."""
    return (
        f'<label class="reply">{escape(label)} '
        f'<input type="text" name="answer" inputmode="{mode}" spellcheck="false" autocapitalize="none" size="12"></label>'
    )
