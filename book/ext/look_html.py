"""The last touches on a page's HTML, where Sphinx and its extensions write something that a reader cannot use well.

Scripts (the stored frames of explorers among them) are left alone.
"""

import re
from collections import Counter
from html import escape, unescape

SCRIPT = re.compile(r"(<script\b.*?</script>)", re.DOTALL)
TABLE = re.compile(r'<div class="pst-scrollable-table-container">(?=\s*<table)(.*?</table>)\s*</div>', re.DOTALL)
REGION = re.compile(r'(<div class="table-frame"[^>]*? aria-label=")([^"]*)(")')
JAPANESE = re.compile(r'<blockquote>(?=\s*(?:<div>)?<p>(?:<span lang="ja">[^<]*</span>|<br ?/?>|\s)+</p>)')
EXTERNAL = re.compile(r'<a class="reference external" href="(https?://[^"]*)"')


def polished(body: str) -> str:
    """A page's body, better."""
    labels: Counter[str] = Counter()
    parts = SCRIPT.split(body)
    parts[::2] = [touched(part, labels) for part in parts[::2]]
    return "".join(parts)


def touched(html: str, labels: Counter[str]) -> str:
    """One stretch of HTML between scripts; `labels` counts the names of tables over the page."""
    html = TABLE.sub(framed, html)
    html = REGION.sub(lambda found: found[1] + unlike(found[2], labels) + found[3], html)
    html = html.replace("<aside ", '<div role="note" ').replace("</aside>", "</div>")
    html = re.sub(r'(<div role="note" [^>]*?) role="[^"]*"', r"\1", html)
    html = re.sub(r'<p class="sidebar-title">\s*</p>', "", html)
    html = re.sub(r'(<a class="headerlink" [^>]*?)title="([^"]*)">[^<]*<', r'\1title="\2" aria-label="\2">#<', html)
    html = html.replace(' href="#">', ' href="#main">')
    html = re.sub(r"<th\b[^>]*></th>", "<td></td>", html)
    html = html.replace(' role="doc-biblioentry"', "")
    html = html.replace('<div role="list" class="citation-list">', '<div class="citation-list">')
    html = html.replace('<summary aria-label="Toggle hidden content">', '<summary>')
    html = JAPANESE.sub('<blockquote lang="ja">', html)  # its quotation marks are not Latin ones
    return EXTERNAL.sub(r'<a class="reference external" rel="external noopener" href="\1"', html)


def framed(found: re.Match[str]) -> str:
    """A Markdown table in a frame of its own that scrolls and that the keyboard reaches."""
    table = found[1]
    label = escape(name_of(table), quote=True)
    return f'<div class="table-frame" role="region" aria-label="{label}" tabindex="0">{table}</div>'


def name_of(table: str) -> str:
    """A table's caption, else what its columns are."""
    caption = re.search(r'<span class="caption-text">(.*?)</span>|<caption[^>]*>(.*?)</caption>', table, re.DOTALL)
    if caption:
        return words(caption[1] or caption[2])
    columns = [words(head) for head in re.findall(r"<th\b[^>]*>(.*?)</th>", table.split("</thead>")[0], re.DOTALL)]
    return f"Table of {', '.join(column for column in columns if column)}" if any(columns) else "Table"


def words(html: str) -> str:
    """The text of a piece of HTML."""
    return unescape(re.sub(r"<[^>]+>", "", html)).replace("#", "").strip()


def unlike(label: str, labels: Counter[str]) -> str:
    """A label that no table of the page has had before."""
    labels[label] += 1
    return label if labels[label] == 1 else f"{label} ({labels[label]})"
