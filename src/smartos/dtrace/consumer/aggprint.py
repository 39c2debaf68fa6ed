"""Aggregations printed as tables: printa() without a format, and what is left when the tracing ends.

Keys stand in columns, then one value or several; charts follow on lines of their own. With `agghist` a count becomes a
bar, with `aggpack` a quantize() becomes a line. Follows `dt_print_datum` and `dt_print_aggs` of libdtrace.
"""

from collections.abc import Sequence

from smartos.dtrace.consumer import charts, names
from smartos.dtrace.consumer.aggstore import Element, Store
from smartos.dtrace.consumer.render import Sheet
from smartos.dtrace.consumer.traced import WIDTHS, key
from smartos.dtrace.kernel import aggregate
from smartos.dtrace.kernel.buffer import Record
from smartos.dtrace.kernel.cells import Cell
from smartos.dtrace.program import Act

_STACKS = (Act.STACK, Act.USTACK, Act.JSTACK)
_SYMBOLS = (Act.SYM, Act.MOD, Act.USYM, Act.UMOD, Act.UADDR)
_PACKED = (Act.QUANTIZE, Act.LQUANTIZE)


class Table:
    """One printing: it remembers for which aggregation a head has been written."""

    def __init__(self, store: Store, sheet: Sheet, indent: int = names.INDENT) -> None:
        self.store, self.sheet, self.indent = store, sheet, indent
        self.headed = 0

    def everything(self) -> str:
        """All aggregations that no printa() has printed."""
        elements = self.store.sorted()
        out = "".join(self.row(e, [e]) for e in elements if not e.aggregation.printed)
        self.store.done(elements)
        return out

    def one(self, ident: int) -> str:
        """One aggregation, as printa() prints it."""
        elements = self.store.sorted()
        out = "".join(self.row(e, [e]) for e in elements if e.aggregation.id == ident)
        self.store.done(elements)
        return out

    def several(self, idents: Sequence[int]) -> str:
        """Several aggregations side by side."""
        return "".join(self.row(key, elements) for key, elements in self.store.joined(list(idents)))

    def row(self, representative: Element, elements: Sequence[Element]) -> str:
        """The keys of one element and the values of one or several."""
        hist, pack = representative.total is not None, representative.bins is not None
        out = [self._head(representative)] if hist or pack else []
        rawbytes = "rawbytes" in self.store.options
        for record, cell in representative.cells:
            out.append(self._key(record, cell, hist or pack, rawbytes))
        out += [self._value(element, hist, pack) for element in elements]
        return "".join(out) + ("" if hist or pack else "\n")

    def _head(self, element: Element) -> str:
        if self.headed == element.aggregation.id:
            return ""
        self.headed = element.aggregation.id
        width = sum(WIDTHS.get(record.size, 16) + 1 for record in element.aggregation.keys)
        if element.total is not None or element.bins is None:
            return charts.header(width)
        return charts.packed_header(element.aggregation.act, width, *element.bins)

    def _key(self, record: Record, cell: Cell, packed: bool, rawbytes: bool) -> str:
        if record.action in _STACKS:
            return names.stack(cell, record.action, self.sheet.names, self.indent)
        if record.action in _SYMBOLS:
            return f"  {names.address(cell, record.action, self.sheet.names):<50}"
        return key(cell, packed, rawbytes)

    def _value(self, element: Element, hist: bool, pack: bool) -> str:
        act, state, normal, style = element.aggregation.act, element.state, element.normal, self.sheet.style
        if hist and element.total is not None:
            line = charts.line(state[0], normal, element.total, element.positives, element.negatives, style)
            return " " + line
        if pack and act is Act.QUANTIZE and element.bins:
            return charts.packed_quantize(state, *element.bins, style)
        if pack and act is Act.LQUANTIZE:
            return charts.packed_lquantize(state, style)
        match act:
            case Act.QUANTIZE:
                return charts.quantize(state, normal, style)
            case Act.LQUANTIZE:
                return charts.lquantize(state, normal, style)
            case Act.LLQUANTIZE:
                return charts.llquantize(state, normal, style)
            case Act.AVG:
                return f" {aggregate.average(state, normal):>16}"
            case Act.STDDEV:
                return f" {aggregate.deviation(state, normal):>16}"
        return f" {charts.shown(state[0], normal):>16}"
