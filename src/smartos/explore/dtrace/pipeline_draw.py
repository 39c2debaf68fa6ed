"""How a step of a D clause's way is drawn: the source above, then the tree, or the listing with the machine below it."""

from html import escape
from typing import TYPE_CHECKING

from smartos.dtrace.code.listing import instruction
from smartos.dtrace.dif import Difo
from smartos.explore.dtrace.words import Moment
from smartos.explore.kit.svg import drawing, element, group, line, rect, text

if TYPE_CHECKING:
    from smartos.explore.dtrace.pipeline import Clause, Scene

WIDTH, MONO, SIZE = 440, "var(--mono, monospace)", 12
CHAR = 7.25  # of SIZE; the listing's columns need no more
ROW, TOP = 17, 34
STAGES = ("text", "tree", "DIF", "check", "run", "result")
COLUMNS = (26, 50, 118, 330)  # offset, word, instruction, note


def draw(clause: "Clause", scene: "Scene", difo: Difo | None) -> str:
    """One step."""
    y = TOP
    parts = [_stages(scene.stage)]
    source, y = _source(clause, scene, y)
    parts += [*source, line(0, y + 2, WIDTH, y + 2, "rule")]
    y += 22
    if scene.tree:
        shown, y = _tree(scene, y)
    elif difo is not None:
        shown, y = _listing(difo, scene, y)
        if scene.moment is not None:
            more, y = _machine(scene.moment, y)
            shown += more
    elif scene.result:
        shown, y = _result(scene, y)
    else:
        shown = []
    return drawing(WIDTH, y, scene.says, *parts, *shown)


def _stages(stage: str) -> str:
    """The six stages, the one at hand set apart."""
    words, x = [], 0.0
    for name in STAGES:
        here = name == stage
        words.append(text(x, 14, name, "ink" if here else "ink-2", size=13, font_weight="bold" if here else None))
        wide = len(name) * 7.4
        if here:
            words.append(line(x, 19, x + wide - 2, 19, "dtrace", stroke_width=2.5))
        x += wide + 14
        if name != STAGES[-1]:
            words.append(text(x - 2, 14, "→", "ink-2"))
            x += 22
    return "".join(words)


def _source(clause: "Clause", scene: "Scene", y: float) -> tuple[list[str], float]:
    """The clause's lines; what the object at hand came from is underlined, or all objects' parts at the beginning."""
    marks, spans, top = [], [], y
    x, y = 0.0, y + 14
    for piece, part in clause.pieces:
        marked = part is not None and (scene.stage in ("text", "DIF", "tree") or part == scene.part)
        for at, words in enumerate(piece.split("\n")):
            if at:
                x, y = 0.0, y + ROW
            if words:
                wide = len(words) * CHAR
                length = f"{wide:g}"
                spans.append(element("text", escape(words), x=f"{x:g}", y=f"{y:g}", textLength=length,
                                     font_weight="bold" if marked else None, style="white-space:pre"))  # fmt: skip
                if marked:
                    marks.append(line(x, y + 4, x + wide, y + 4, "dtrace", stroke_width=2))
                x += wide
    if scene.stage == "text":
        for row, words in enumerate(clause.text.split("\n")):
            what = "which probe" if not row else "whether: the predicate" if words[0] == "/" else "what: the action"
            marks.append(text(WIDTH - 1, top + 14 + ROW * row, what, "ink-2", "end", SIZE))
    return [group(*spans, fill="ink", font_size=SIZE, font_family=MONO), *marks], y + 10


def _tree(scene: "Scene", y: float) -> tuple[list[str], float]:
    words, lines, last = [], [], {}
    for row in scene.tree:
        x = 8 + 22 * row.depth
        words.append(text(x, y, row.label, "ink" if row.depth else "ink-2", size=SIZE, font_family=MONO if row.depth else None))
        if row.type:
            words.append(text(290, y, row.type, "dtrace", size=SIZE, font_family=MONO))
            start = x + len(row.label) * CHAR + 6
            lines.append(line(start, y - 4, 284, y - 4, "rule", stroke_dasharray="1 4"))
        if row.depth > 0 and row.depth - 1 in last:
            px, py = 8 + 22 * (row.depth - 1) + 4, last[row.depth - 1]
            lines.append(element("path", d=f"M{px} {py + 5:g}V{y - 4:g}H{x - 4}", fill="none", stroke="rule"))
        last[row.depth] = y
        y += ROW + 2
    return [*lines, *words], y - 6


def _listing(difo: Difo, scene: "Scene", y: float) -> tuple[list[str], float]:
    """Offset, word, instruction, note; the current one framed, what ran dotted, what a branch jumped over struck out."""
    moment, words, marks = scene.moment, [], []
    top = y
    passed = 0 if moment is None or not moment.done else moment.jump[1] if moment.jump else moment.done[-1]
    for at, word in enumerate(difo.code):
        code, _, note = (part.strip() for part in instruction(difo, word).partition("!"))
        cells = (f"{at:02d}", f"{word:08x}", " ".join(code.split()), _note(note))
        run = moment is not None and at in moment.done
        over = not run and at < passed
        for x, cell in zip(COLUMNS, cells, strict=True):
            if cell:
                ink = "ink-2" if over or x in (COLUMNS[1], COLUMNS[3]) else None
                words.append(element("text", escape(cell), x=x, y=f"{y:g}", fill=ink,
                                     text_decoration="line-through" if over and x == COLUMNS[2] else None))  # fmt: skip
        if scene.checked:
            marks.append(text(8, y, "✓", "dtrace", size=13))
        if moment is not None and at == moment.pc:
            marks.append(rect(22, y - 12.5, WIDTH - 23, ROW, stroke="dtrace", stroke_width=1.75, rx=2))
        elif run:
            marks.append(element("circle", cx=12, cy=f"{y - 4:g}", r=2.5, fill="dtrace"))
        y += ROW
    if moment is not None and moment.jump:
        start, end = (top - 4 + ROW * n for n in moment.jump)
        marks.append(element("path", d=f"M20 {start:g}H6V{end:g}H18M13 {end - 4:g}L18 {end:g}L13 {end + 4:g}", fill="none",
                             stroke="dtrace", stroke_width=1.75))  # fmt: skip
    return [group(*words, fill="ink", font_size=SIZE, font_family=MONO), *marks], y


def _note(note: str) -> str:
    """What an operand stands for: a variable's name without the quotes that the listing puts round it."""
    left, _, what = note.rpartition(" = ")
    return what.strip('"') if left.startswith("DT_VAR") else what


def _machine(moment: Moment, y: float) -> tuple[list[str], float]:
    """Eight registers in two columns, the condition codes, the tuple stack."""
    parts = [line(0, y - 8, WIDTH, y - 8, "rule")]
    words = []
    y += 10
    for number, shown in enumerate(moment.shown):
        x, at = 8 + 216 * (number // 4), y + ROW * (number % 4)
        changed = number == moment.changed
        zero = moment.regs[number] == 0
        words.append(element("text", f"%r{number}", x=x, y=f"{at:g}", fill="ink-2"))
        words.append(element("text", escape(_short(shown)), x=x + 30, y=f"{at:g}", fill="ink-2" if zero else None,
                             font_weight="bold" if changed else None))  # fmt: skip
        if changed:
            parts.append(line(x + 30, at + 4, x + 30 + len(_short(shown)) * CHAR, at + 4, "dtrace", stroke_width=2))
    y += 4 * ROW + 4
    x = 8.0
    parts.append(text(x, y, "condition codes", "ink-2", size=SIZE))
    for name, on, x in zip(("negative", "zero", "carry"), moment.codes, (112, 196, 250), strict=True):
        ink, weight = ("ink", "bold") if on else ("ink-2", None)
        parts.append(text(x, y, f"{'✓' if on else '–'} {name}", ink, size=SIZE, font_weight=weight))
    y += ROW + 1
    parts.append(text(8, y, "tuple stack", "ink-2", size=SIZE))
    held = ", ".join(moment.stack) or "empty"
    parts.append(text(112, y, held, "ink" if moment.stack else "ink-2", size=SIZE, font_family=MONO if moment.stack else None))
    return [*parts, group(*words, fill="ink", font_size=SIZE, font_family=MONO)], y + 12


def _short(shown: str) -> str:
    return shown if len(shown) <= 22 else shown[:21] + "…"


def _result(scene: "Scene", y: float) -> tuple[list[str], float]:
    """What dtrace -q prints, long runs of blanks cut."""
    parts = [text(8, y, "dtrace -q prints", "ink-2", size=SIZE)]
    for words in scene.result:
        y += ROW + 4
        parts.append(text(24, y, "   ".join(words.split()), "ink", size=14, font_family=MONO, style="white-space:pre"))
    return parts, y + 14
