"""The consumer: what dtrace(1M) makes of the buffers that the kernel's side hands over, as text.

Between naps it asks for the status, takes the aggregations and switches the buffers, each at its own rate (`statusrate`,
`aggrate`, `switchrate`), in the kernel's virtual time: :meth:`Consumer.due` says when, :meth:`Consumer.wake` does it. So
exit() takes effect when the status is next asked for, and a printa() shows what its aggregation has by then.
:meth:`Consumer.finish` stops the tracing, reads all that is left and prints the aggregations that no printa() has
printed. What a record prints is in :mod:`~smartos.dtrace.consumer.records`.

Text goes out as str; inside, a character is a byte. Left out: `-B`, processes, notices of changed buffer sizes, which
the command gives. Follows `dt_consume.c` and `dt_work.c` of libdtrace, and `chew` of the command.
"""

import io
from collections.abc import Callable, Iterator
from datetime import UTC, tzinfo
from typing import Any

from smartos.dtrace.consumer import messages
from smartos.dtrace.consumer.aggprint import Table
from smartos.dtrace.consumer.aggstore import Store
from smartos.dtrace.consumer.charts import Style
from smartos.dtrace.consumer.flow import NONE, Flow
from smartos.dtrace.consumer.names import INDENT, Names
from smartos.dtrace.consumer.records import Records
from smartos.dtrace.consumer.render import Abort, Sheet
from smartos.dtrace.kernel.aggregate import Aggregation
from smartos.dtrace.kernel.buffer import Ecb, Entry
from smartos.dtrace.options import Options
from smartos.dtrace.printf.cformat import encoded
from smartos.dtrace.printf.format import WIDEST

FILL, SWITCH = 1, 2  # values of bufpolicy


class Consumer:
    """Reads a kernel's buffers and writes text.

    `out` and `err` take `write(str)`. `names` looks addresses up, `zone` is the time zone of `%Y`. `system` runs a
    command of system() and gives its output; `opener` opens a file for freopen() to append to. `program` is what
    messages begin with. `status` is exit()'s argument so far.

    Raises :class:`~smartos.dtrace.consumer.render.Abort` where the real one gives up ("processing aborted").
    """

    def __init__(
        self,
        kernel: Any,
        options: Options | None = None,
        out: Any = None,
        err: Any = None,
        *,
        names: Names | None = None,
        zone: tzinfo = UTC,
        system: Callable[[str], str] | None = None,
        opener: Callable[[str], Any] | None = None,
        program: str = "dtrace",
    ) -> None:
        self.kernel, self.program = kernel, program
        self.options: Options = kernel.options if options is None else options
        self.out, self.err = out if out is not None else io.StringIO(), err if err is not None else io.StringIO()
        self.names = names or getattr(kernel, "names", None) or Names()
        self.sheet = Sheet(self.names, zone=zone)
        self.store = Store(self.options, self.names)
        self.files: dict[str, io.StringIO] = {}
        self.opener = opener or (lambda name: self.files.setdefault(name, io.StringIO()))
        self.system = system or (lambda command: "")
        self.status = 0
        self.records = Records(self)
        self.stdout = self.out
        self.flow = Flow()
        self.begun = self.headed = self.declared = False
        self.last: Ecb | None = None
        self._text: list[str] = []
        self._done: dict[str, int] = {}  # by rate: when it was last acted on
        self._losses = messages.Losses()

    # ---- writing

    def write(self, text: str) -> None:
        """Add text to what is to be written."""
        self._text.append(text)

    def flush(self) -> None:
        """Write it; bytes that are no UTF-8 become the replacement character. Raises :class:`Abort` where that fails."""
        if not self._text:
            return
        text = "".join(self._text)
        self._text.clear()
        try:
            self.out.write(text if text.isascii() else encoded(text).decode("utf-8", "replace"))
            if self.out is not self.stdout:
                self.out.flush()
        except OSError as wrong:
            self.out = self.stdout
            raise Abort(wrong.strerror or str(wrong)) from None

    def error(self, message: str) -> None:
        """Write a message to standard error; it ends in a newline."""
        self.err.write(f"{self.program}: " + message)

    # ---- reading

    def ecb(self, epid: int) -> Ecb:
        """The clause of that number."""
        return self.kernel.plans[epid - 1].ecb

    def style(self) -> Style:
        """How charts look by the options at hand."""
        encoding = self.options.get("encoding")
        return Style("aggzoom" in self.options, None if encoding is None else encoding == "utf8")

    def table(self) -> Table:
        """A table of aggregations, for one printing."""
        self.sheet.style = self.style()
        return Table(self.store, self.sheet, self.indent)

    @property
    def indent(self) -> int:
        """Blanks before each frame of a stack."""
        return min(self.options.number("stackindent", INDENT), WIDEST)

    def due(self) -> int:
        """When the consumer wakes next, in the kernel's time; at once when it has never been awake."""
        names = ["statusrate"] if self._keeps else ["statusrate", "aggrate", "switchrate"]
        return min(self._done.get(name, -(1 << 62)) + self.options.number(name) for name in names)

    @property
    def _keeps(self) -> bool:
        """Whether the buffers are read only after the end."""
        return self.options.number("bufpolicy", SWITCH) != SWITCH

    def _its_time(self, name: str) -> bool:
        """Whether the rate of that name says that something is to be done now; if so, it is taken as done."""
        now = self.kernel.clock.now
        if name not in self._done:
            self._done[name] = now
        elif now - self._done[name] < self.options.number(name):
            return False
        else:
            self._done[name] = now - (now - self._done[name]) % max(self.options.number(name), 1)
        return True

    def wake(self) -> bool:
        """Do what is due. True when the tracing has ended: by exit(), or because a fill buffer is full."""
        if ended := self._status():
            self._done.clear()
        elif self._keeps:
            return False
        if self._its_time("aggrate"):
            self._snapshot()
        if self._its_time("switchrate"):
            self._switch()
        return ended

    def work(self) -> None:
        """Do everything now, whatever the rates say."""
        self._tell()
        self._snapshot()
        self._switch()

    def finish(self, aggregations: bool = True) -> None:
        """Stop the tracing if it goes on, read what is left, and print the aggregations that are still to be printed."""
        if hasattr(self.kernel, "stop"):
            self.kernel.stop()
        self.work()
        self.write("\n")
        if aggregations:
            self.write(self.table().everything())
        self.flush()

    def _status(self) -> bool:
        """Ask for the status, if it is time; whether the tracing has ended. If the kernel says that it is to end, END fires."""
        if not self._its_time("statusrate"):
            return False
        self._tell()
        status = self.kernel.status()
        if status.killed:
            raise Abort("Abort due to systemic unresponsiveness")
        if not (status.exiting or status.filled and self.options.number("bufpolicy", SWITCH) == FILL):
            return False
        self.kernel.stop()
        self._tell()
        return True

    def _tell(self, what: str = "") -> None:
        """Say what was lost: on each CPU of the buffers of that kind, or in the state as a whole."""
        self._losses.add(self.kernel.drops())
        for message in self._losses.told(what, "droptags" in self.options):
            self.error(message)

    def _snapshot(self) -> None:
        """Take what the aggregations have gathered."""
        self._declare()
        self._tell("aggregation")
        self.store.merge(self.kernel.take_aggregations())

    def _switch(self) -> None:
        """Read the buffers and print what is in them."""
        self.consume(self.kernel.drain())
        self._tell("principal")

    def _declare(self) -> None:
        """Tell the store of all aggregations that the clauses have."""
        if self.declared:
            return
        self.declared = True
        for plan in getattr(self.kernel, "plans", ()):
            for agg in plan.ecb.aggregations:
                ident = agg.statement.aggregation if agg.statement else None
                if ident is not None:
                    self.store.declare(agg.id, Aggregation(ident.id, ident.name, agg.act.kind, agg.act.arg, agg.keys))

    def consume(self, entries: list[Entry]) -> None:
        """Print entries, in the order that the `temporal` option says."""
        for group in self._groups(entries):
            followers = _followers(group)
            for entry, following in zip(group, followers, strict=True):
                self._entry(entry, following)
        self.flush()

    def _groups(self, entries: list[Entry]) -> Iterator[list[Entry]]:
        """All in order of time; or CPU by CPU, with BEGIN's first and END's last."""
        if "temporal" in self.options:
            yield sorted(entries, key=lambda entry: entry.timestamp)
            return
        begin = [e for e in entries if self._of(e, "BEGIN")]
        end = [e for e in entries if self._of(e, "END")]
        first, last = begin[0].cpu if begin else None, end[-1].cpu if end else None
        cpus = sorted({e.cpu for e in entries}, key=lambda cpu: (cpu != first, cpu == last and first != last, cpu))
        if first is not None and first == last:
            yield begin
            cpus.append(cpus.pop(0))
        for cpu in cpus:
            self.flow = Flow()
            group = [e for e in entries if e.cpu == cpu]
            yield [e for e in group if not self._of(e, "BEGIN")] if first is not None and first == last == cpu else group

    def _of(self, entry: Entry, name: str) -> bool:
        """Whether an entry, or the clause whose fault it is, belongs to BEGIN or END."""
        ecb = self.ecb(entry.fault.epid) if entry.fault else entry.ecb
        return ecb.probe.provider == "dtrace" and ecb.probe.name == name

    def _entry(self, entry: Entry, following: Ecb | None) -> None:
        ecb = entry.ecb
        if entry.fault is not None:
            self.error(messages.fault(self.ecb(entry.fault.epid), entry.fault))
        else:
            if "flowindent" in self.options:
                self.flow.before(ecb, self.last, following)
            self._heading(entry)
            if "flowindent" in self.options:
                self.flow.after()
            self.records.print(entry)
            if "quiet" not in self.options:
                self.write("\n")
        self.last = ecb

    def _heading(self, entry: Entry) -> None:
        """The columns before an entry, and once the heading of them."""
        probe = entry.ecb.probe
        quiet, flow = "quiet" in self.options, "flowindent" in self.options
        if not self.headed:
            self.headed = True
            if flow:
                self.write(f"{'CPU':>3} {'FUNCTION':<41}\n")
            elif not quiet:
                self.write(f"{'CPU':>3} {'ID':>6} {'FUNCTION:NAME':>32}\n")
        if flow:
            name = probe.function + (f":{probe.name}" if self.flow.kind == NONE else "")
            self.write(f"{entry.cpu:>3} {' ' * self.flow.indent + self.flow.prefix + name:<41} ")
        elif not quiet:
            self.write(f"{entry.cpu:>3} {probe.id:>6} {probe.function + ':' + probe.name:>32} ")

    def reopen(self, name: str | None) -> str:
        """Send what follows to another file, or with None to where it went at first; what is wrong, if it cannot be."""
        self.flush()
        if name is None:
            self.out = self.stdout
            return ""
        try:
            self.out = self.opener(name)
        except OSError as wrong:
            return wrong.strerror or str(wrong)
        return ""

    def truncate(self) -> None:
        """Empty the file that is written to, where that can be."""
        self.flush()
        if self.out.seekable() if hasattr(self.out, "seekable") else False:
            self.out.seek(0)
            self.out.truncate(0)


def _followers(entries: list[Entry]) -> list[Ecb | None]:
    """For each entry the clause of the next one on its CPU."""
    found: list[Ecb | None] = [None] * len(entries)
    following: dict[int, Ecb] = {}
    for at in range(len(entries) - 1, -1, -1):
        found[at] = following.get(entries[at].cpu)
        following[entries[at].cpu] = entries[at].ecb
    return found


__all__ = ["Abort", "Consumer"]
