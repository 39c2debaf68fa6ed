"""The words that chapters mark: a technology, a passage in Japanese, an answer that unfolds.

    {tech}`zfs`  {tech}`ZFS's <zfs>`  {ja}`前置き`

    :::{ja}
    前置きが長くて申し訳ありませんが
    :::
"""

import re

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxRole
from sphinx_design.dropdown import dropdown_main, dropdown_title

from smartos.explore.kit.glyphs import TECHS, glyph


class tech(nodes.inline):
    """A technology's name with its glyph."""


class ja(nodes.inline):
    """Japanese words in a line."""


class ja_block(nodes.General, nodes.Element):
    """Japanese paragraphs."""


class TechRole(SphinxRole):
    """{tech}`zfs`, or with words of one's own: {tech}`the pool <zfs>`."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        titled = re.fullmatch(r"(.+?)\s*<([\w-]+)>", self.text, re.DOTALL)
        name = (titled[2] if titled else self.text).strip().lower()
        if name not in TECHS:
            message = f"{{tech}}`{self.text}` names no technology; there are {', '.join(TECHS)}"
            error = self.inliner.reporter.error(message, line=self.lineno)
            return [self.inliner.problematic(self.rawtext, self.rawtext, error)], [error]
        words = titled[1] if titled else TECHS[name].title
        return [tech(self.rawtext, nodes.Text(words), name=name)], []


class JaRole(SphinxRole):
    """{ja}`日本語`."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        return [ja(self.rawtext, nodes.Text(self.text))], []


class JaDirective(Directive):
    """Japanese paragraphs; a class may be given as argument."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        block = ja_block(classes=(self.arguments or [""])[0].split())
        self.state.nested_parse(self.content, self.content_offset, block)
        return [block]


def with_apostrophes(text: str) -> str:
    """A year without its century begins with an apostrophe, where smart quotes set an opening mark."""
    return re.sub(r"‘(?=\d\d(?!\w))", "’", text)


def mark_japanese(document: nodes.document) -> None:
    """A quotation whose first words are Japanese is marked, so that no Latin quotation mark is hung before it."""
    for quote in document.findall(nodes.block_quote):
        paragraph = quote[0] if quote.children else None
        if isinstance(paragraph, ja_block) or (paragraph is not None and paragraph.children and isinstance(paragraph[0], ja)):
            quote["classes"].append("bare")


class SetWords(SphinxTransform):
    """Quotation marks as they should be."""

    default_priority = 800

    def apply(self, **kwargs: object) -> None:
        for text in list(self.document.findall(nodes.Text)):
            if "‘" in text and not isinstance(text.parent, nodes.literal | nodes.literal_block):
                text.parent.replace(text, nodes.Text(with_apostrophes(str(text))))
        mark_japanese(self.document)


class FoldAdmonitions(SphinxPostTransform):
    """Admonitions of class `dropdown` or `toggle` become native disclosures, which need no script."""

    default_priority = 200
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        for node in list(self.document.findall(nodes.Admonition)):
            if not {"dropdown", "toggle"} & set(node.get("classes", [])):
                continue
            title = node.pop(0).children if isinstance(node[0], nodes.title) else [nodes.Text(node.tagname.title())]
            classes = [c for c in node["classes"] if c not in ("dropdown", "toggle", "toggle-shown")]
            fold = dropdown_main(classes=["fold", *classes], opened="toggle-shown" in node["classes"])
            fold += dropdown_title("", "", *title)
            body = nodes.container("", *node.children, classes=["fold-body"])
            fold += body
            fold["ids"] = node["ids"]
            node.replace_self(fold)


def visit_tech(self, node: tech) -> None:
    name = node["name"]
    self.body.append(f'<span class="tech tech-{name}">{glyph(name, 16)}')


def visit_ja(self, node: ja) -> None:
    self.body.append('<span lang="ja">')


def depart_span(self, node: nodes.Node) -> None:
    self.body.append("</span>")


def visit_ja_block(self, node: ja_block) -> None:
    self.body.append(self.starttag(node, "div", lang="ja"))


def depart_ja_block(self, node: ja_block) -> None:
    self.body.append("</div>\n")


def nothing(self, node: nodes.Node) -> None:
    """What other builders than HTML make of a mark: the words alone."""


def add_words(app: Sphinx) -> None:
    plain = (nothing, nothing)
    others = {"text": plain, "latex": plain, "man": plain, "texinfo": plain}
    app.add_node(tech, html=(visit_tech, depart_span), **others)
    app.add_node(ja, html=(visit_ja, depart_span), **others)
    app.add_node(ja_block, html=(visit_ja_block, depart_ja_block), **others)
    app.add_role("tech", TechRole())
    app.add_role("ja", JaRole())
    app.add_directive("ja", JaDirective)
    app.add_transform(SetWords)
    app.add_post_transform(FoldAdmonitions)
