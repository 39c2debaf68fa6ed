"""The records of one entry, one after the other: what each action prints, or does to the consumer.

Follows the loop over records in `dt_consume_cpu` of libdtrace, with its order of questions.
"""

from typing import TYPE_CHECKING

from smartos.dtrace.consumer import messages, names, printtype
from smartos.dtrace.consumer.aggstore import Element
from smartos.dtrace.consumer.render import Abort, render
from smartos.dtrace.consumer.traced import dump, traced
from smartos.dtrace.errors import OptionError
from smartos.dtrace.kernel.buffer import Entry, Record, Value
from smartos.dtrace.kernel.cells import Cell, raw, signed, text, unsigned, wrap
from smartos.dtrace.printf.format import Format
from smartos.dtrace.program import Act, Lib

if TYPE_CHECKING:
    from smartos.dtrace.consumer.consume import Consumer

_STACKS = (Act.STACK, Act.USTACK, Act.JSTACK)
_SYMBOLS = (Act.SYM, Act.MOD, Act.USYM, Act.UMOD, Act.UADDR)
_FORMATTED = (Act.PRINTF, Act.PRINTA, Act.SYSTEM, Act.FREOPEN)
RESTORE = "."
"""The format that an empty freopen() gets: standard output again."""


def _format(record: Record) -> Format | None:
    """The format of the statement that a record begins."""
    return record.act.format or (record.statement.format if record.statement else None)


class Records:
    """Prints entries for a consumer."""

    def __init__(self, consumer: "Consumer") -> None:
        self.consumer = consumer
        self.size = 0  # of the tracemem() at hand, where its size was computed

    def print(self, entry: Entry) -> None:
        """Print all records of an entry."""
        records, values = entry.ecb.records, entry.values
        at = 0
        while at < len(records):
            at += self._record(entry, records[at], 0 if values[at] is None else values[at], at)

    def _record(self, entry: Entry, record: Record, value: Value, at: int) -> int:
        """Print one record; how many it was, with those that belong to it."""
        consumer, act, cell = self.consumer, record.action, Cell(value, record.size)
        if act is Act.LIBACT:
            return self._library(entry, record, value, at)
        if act is Act.TRACEMEM_DYNSIZE and record.size == 8:
            self.size = unsigned(value, 8)
            return 1
        if act is Act.EXIT:
            consumer.status = signed(value, 4)
            return 1
        if act in _STACKS:
            consumer.write(names.stack(cell, act, consumer.names, consumer.indent))
        elif act in _SYMBOLS:
            consumer.write(f"  {names.address(cell, act, consumer.names):<50}")
        elif act in _FORMATTED and _format(record) is not None:
            return self._formatted(entry, record, at)
        elif act is Act.PRINTA:
            return self._printa(entry, at)
        elif act in (Act.TRACEMEM, Act.TRACEMEM_DYNSIZE):
            size = self.size if 0 < self.size <= record.size else record.size
            self.size = 0
            consumer.write(dump(raw(value, record.size)[:size]) if size else "")
        elif act is Act.DIFEXPR and record.act.type is not None:
            consumer.write(printtype.printed(record.act.type, raw(value, record.size), consumer.names))
        else:
            consumer.write(traced(cell, "quiet" in consumer.options, "rawbytes" in consumer.options))
        return 1

    def _statement(self, entry: Entry, at: int) -> int:
        """How many records, from one on, belong to its statement."""
        records = entry.ecb.records
        end = at + 1
        while end < len(records) and records[end].statement is records[at].statement is not None:
            end += 1
        return end - at

    def _formatted(self, entry: Entry, record: Record, at: int) -> int:
        """printf(), system() and freopen(), or a printa() with a format."""
        consumer, fmt = self.consumer, _format(record)
        consumer.sheet.style = consumer.style()
        if record.action is Act.PRINTA:
            return self._printa_format(entry, fmt, at)
        pairs = list(zip(entry.ecb.records[at:], entry.values[at:], strict=True))
        written, used = render(fmt, pairs, consumer.sheet)
        if record.action is Act.PRINTF:
            consumer.write(written)
        else:
            written = written[: consumer.options.number("strsize", 256) - 1]
            self._outside(entry, record.action, fmt, written)
        return max(used, 1)

    def _outside(self, entry: Entry, act: Act, fmt: Format, argument: str) -> None:
        """system() and freopen()."""
        consumer = self.consumer
        if act is Act.SYSTEM:
            consumer.flush()
            consumer.out.write(consumer.system(argument.encode("latin-1").decode("utf-8", "replace")))
            return
        restore = fmt.text == RESTORE
        wrong = consumer.reopen(None if restore else argument)
        if wrong:
            consumer.error(messages.library(entry.ecb, f'couldn\'t freopen() "{argument}": {wrong}'))

    def _idents(self, entry: Entry, at: int) -> list[int]:
        """The aggregations of a printa(), by number."""
        count = self._statement(entry, at)
        return [int(value) if isinstance(value, int) else 0 for value in entry.values[at : at + count]]

    def _printa(self, entry: Entry, at: int) -> int:
        idents = self._idents(entry, at)
        table = self.consumer.table()
        self.consumer.write("\n")
        self.consumer.write(table.one(idents[0]) if len(idents) == 1 else table.several(idents))
        for ident in idents:
            self.consumer.store.mark(ident)
        return len(idents)

    def _printa_format(self, entry: Entry, fmt: Format, at: int) -> int:
        store, sheet = self.consumer.store, self.consumer.sheet
        idents = self._idents(entry, at)
        rows: list[tuple[Element, list[Element]]]
        if len(idents) == 1:
            rows = [(e, [e]) for e in store.sorted() if e.aggregation.id == idents[0]]
        else:
            rows = store.joined(idents)
        for key, elements in rows:
            pairs = [(record, cell.value) for record, cell in key.cells]
            self.consumer.write(render(fmt, pairs, sheet, elements)[0])
        for ident in idents:
            store.mark(ident)
        return len(idents)

    def _library(self, entry: Entry, record: Record, value: Value, at: int) -> int:
        """clear(), normalize(), trunc() and the like, which the consumer does to what it has."""
        consumer, what = self.consumer, record.act.arg
        ident = unsigned(value, record.size) if isinstance(value, int) else 0
        if what == Lib.CLEAR:
            consumer.store.clear(ident)
        elif what == Lib.DENORMALIZE:
            consumer.store.normalize(ident, 1)
        elif what == Lib.FTRUNCATE:
            consumer.truncate()
        elif what in (Lib.NORMALIZE, Lib.TRUNC, Lib.SETOPT):
            if at + 1 >= len(entry.ecb.records):
                raise Abort({Lib.NORMALIZE: "Invalid normalization", Lib.TRUNC: "Invalid truncation"}.get(
                    Lib(what), "Invalid setopt() library action"))  # fmt: skip
            size = entry.ecb.records[at + 1].size
            argument = 0 if entry.values[at + 1] is None else entry.values[at + 1]
            assert argument is not None
            if what == Lib.NORMALIZE:
                consumer.store.normalize(ident, unsigned(argument, size))
            elif what == Lib.TRUNC:
                consumer.store.truncate(ident, wrap(signed(argument, size)))
            else:
                self._setopt(entry, text(value, record.size), text(argument, size) if size > 8 else "1")
            return 2
        return 1

    def _setopt(self, entry: Entry, name: str, value: str) -> None:
        try:
            self.consumer.options.set(name, value, active=True)
        except OptionError as wrong:
            self.consumer.error(messages.library(entry.ecb, f'couldn\'t set option "{name}" to "{value}": {wrong}\n'))
