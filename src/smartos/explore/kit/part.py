"""What can be worked in a page: markup that stands by itself, data for its front end, and answers to what that asks.

A part has three hosts and one front end (`static/*.js`). In the built page its data hold everything that the front end
will ask, so no kernel is needed; in a notebook a widget puts the questions to Python (:mod:`smartos.explore.kit.live`); and
when the reader runs Python in the page, the page puts them to the same object there. A part decides nothing about its
host, and the front end shows nothing that :meth:`Part.ask` or the store did not yield.

While a book is built, `STORED` is set in the environment by the book's extension: a kernel cannot know by itself that
the page it fills will outlive it.
"""

import base64
import gzip
import json
import os
import re
from html import escape
from typing import ClassVar

STORED = "SMARTOS_STORED"


class LatticeError(ValueError):
    """A part is declared, or asked, in a way it does not allow."""


class Part:
    """Something with a name and a title that can be worked; `kind` picks its front end.

    `name` is its address in the page (`#name`). Raises :class:`LatticeError` when the name cannot be one.
    """

    kind: ClassVar[str]

    def __init__(self, name: str, title: str) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
            raise LatticeError(f"the name {name!r} becomes an address; use small letters, digits and hyphens")
        self.name, self.title = name, title

    def markup(self, stored: bool) -> str:
        """The default state as HTML, complete without script."""
        raise NotImplementedError

    def store(self, stored: bool) -> dict:
        """What the front end needs as plain data; with `stored`, all that it can ever ask."""
        raise NotImplementedError

    def ask(self, question: dict) -> dict:
        """The answer to a question of the front end, as plain data; `{"error": …}` when it cannot be given."""
        raise NotImplementedError

    def titled(self, stored: bool) -> str:
        """The markup under the part's title."""
        return f'<p class="part-title" id="{self.name}-title">{escape(self.title)}</p>{self.markup(stored)}'

    @property
    def labels(self) -> str:
        """The ids of what names the part."""
        return f"{self.name}-title"

    def html(self, stored: bool = True) -> str:
        """The part for a page. Without `stored`, its front end asks Python for every state but the first."""
        return (
            f'<section class="part {self.kind}" id="{self.name}" data-part="{self.kind}" aria-labelledby="{self.labels}">'
            f'{self.titled(stored)}'
            f'<script type="application/octet-stream" class="part-store">{packed(self.store(stored))}</script></section>'
        )

    def _repr_html_(self) -> str:
        return self.html()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict:
        """A page's HTML while a book is built; else a live widget, with the default state for viewers without one."""
        if os.environ.get(STORED):
            return {"text/plain": repr(self), "text/html": self.html()}
        from smartos.explore.kit.live import widget_bundle

        still = {"text/plain": repr(self), "text/html": self.html(stored=False)}
        return {**still, **widget_bundle(self)}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: {self.title}>"


def marked(text: str) -> str:
    """A sentence as HTML; what stands in `backticks` is code, and nothing else is markup."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def packed(data: dict) -> str:
    """Data as gzip in base64: a few per cent of its size in the page, and nothing in it that could end a script."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def unpacked(text: str) -> dict:
    """What :func:`packed` has packed."""
    return json.loads(gzip.decompress(base64.b64decode(text)))
