"""Japanese in the search: a word is found wherever it stands in a sentence, however short it is.

Japanese sets no space between words, and Sphinx's English search takes a whole sentence for one word, of which it finds
parts of three characters and more. Here each run of Japanese is filed under its single characters and its pairs of
neighbours, and a question is cut into pairs in the same way, so a page is found that has all of them. Latin words
beside Japanese ones become words of their own.

Left out: whether the pairs stand in the page in the order of the question; stems and readings of Japanese words.
"""

import re

from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish

RUN = "\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff66-\uff9f"
PARTS = re.compile(rf"[{RUN}]+|[^\W{RUN}]+")
JAPANESE = re.compile(f"[{RUN}]")

# `var`, since searchtools.js declares the same name with `var` for those who bring none.
QUERY = r"""
var splitQuery = (query) =>
  (query.match(/[RUN]+|(?:(?![RUN])[\p{Letter}\p{Number}_\p{Emoji_Presentation}])+/gu) ?? []).flatMap((part) => {
    if (!/^[RUN]/u.test(part)) return [part];
    const signs = [...part];
    return signs.length === 1 ? signs : signs.slice(1).map((sign, i) => signs[i] + sign);
  });
""".replace("RUN", RUN)


class SearchBook(SearchEnglish):
    """The English search, which also knows Japanese."""

    js_splitter_code = QUERY

    def split(self, input: str) -> list[str]:
        """The words of a text; of a run of Japanese, its characters and its pairs of neighbours."""
        words = []
        for part in PARTS.findall(input):
            japanese = JAPANESE.match(part)
            words += [*part, *map("".join, zip(part, part[1:], strict=False))] if japanese else [part]
        return words

    def word_filter(self, word: str) -> bool:
        """Whether a word is filed: all of Japanese, and of the rest what Sphinx files."""
        return bool(JAPANESE.match(word)) or super().word_filter(word)


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.add_search_language(SearchBook)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
