"""The indentation of `-F`: entries go in, returns come out, what is between them is marked.

A probe whose name is or ends in `entry` (after a hyphen) enters, `return` likewise; several clauses at one probe count
once. Follows `dt_flowindent` of libdtrace.
"""

from dataclasses import dataclass

from smartos.dtrace.kernel.buffer import Ecb

ENTRY, RETURN, NONE = "entry", "return", ""


@dataclass
class Flow:
    """How deep the tracing of one CPU is (or of all, where entries come in order of time)."""

    indent: int = 0
    prefix: str = ""
    kind: str = NONE

    def before(self, ecb: Ecb, last: Ecb | None, following: Ecb | None) -> None:
        """Settle prefix and indentation for an entry; `last` and `following` are the clauses of its neighbours."""
        name, syscall = ecb.probe.name, ecb.probe.provider == "syscall"
        self.kind = next((kind for kind in (ENTRY, RETURN) if name == kind or name.endswith("-" + kind)), NONE)
        arrow = {ENTRY: " => " if syscall else " -> ", RETURN: " <= " if syscall else " <- "}.get(self.kind, "")
        other = last if self.kind == ENTRY else following if self.kind == RETURN else None
        if other is not None and other is not ecb and other.probe.id == ecb.probe.id:
            self.kind = NONE
        self.prefix = arrow if self.kind else "| "
        if self.kind == RETURN and self.indent > 0:
            self.indent -= 2

    def after(self) -> None:
        """The entry has been headed: what follows an entry is deeper."""
        if self.kind == ENTRY:
            self.indent += 2
