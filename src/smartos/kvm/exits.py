"""Exits: the moments at which the processor leaves the guest, and what a whole run of them amounts to.

The reasons carry the names of `linux/kvm.h`. Left out: exits that the kernel handles itself (CPUID, page faults,
control registers), which never reach a virtual machine monitor.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from smartos.kvm.guests import Guest

IO, MMIO, HLT, INTR = "KVM_EXIT_IO", "KVM_EXIT_MMIO", "KVM_EXIT_HLT", "KVM_EXIT_INTR"


@dataclass(frozen=True)
class Access:
    """What an exit asks of the monitor. `direction` is in, out, read, write or empty; `address` is a port or a
    guest-physical address; `size` is in bytes; `value` is what the guest writes, None where it reads."""

    reason: str
    direction: str = ""
    address: int = 0
    size: int = 0
    value: int | None = None


@dataclass(frozen=True)
class Exit:
    """One exit, served. `value` is what was written or answered; `resume` is the address at which the guest goes on
    and `mode` the processor's mode there (both empty when the run did not ask for them)."""

    n: int
    reason: str
    direction: str = ""
    address: int = 0
    size: int = 0
    value: int | None = None
    resume: int | None = None
    mode: str = ""

    @property
    def detail(self) -> str:
        """The exit in words: which way, where, how wide, what."""
        if self.reason == IO:
            port = f"port {self.address:#x}"
            shown = f" {chr(self.value)!r}" if self.address == 0x3F8 and 32 <= self.value < 127 else ""
            return f"{self.direction} {port}: {self.value:#0{2 + 2 * self.size}x}{shown}"
        if self.reason == MMIO:
            return f"{self.direction} {self.address:#x}, {self.size} bytes: {self.value:#x}"
        return {HLT: "nothing left to do", INTR: "stopped from outside"}[self.reason]


@dataclass
class Run:
    """A finished run: which engine ran it and why that one, what it wrote, and the log of its exits.

    `why` has a line for each engine that was tried, `end` says how the run ended, `status` is what the guest wrote to
    the exit port, `seconds` is the time that it all took (0 for a recording), and `kernel` holds KVM's own counters for
    this virtual processor, where KVM ran it.
    """

    guest: Guest
    engine: str
    why: str
    serial: str = ""
    log: list[Exit] = field(default_factory=list)
    end: str = ""
    status: int | None = None
    seconds: float = 0.0
    kernel: dict[str, int] | None = None

    def counts(self, key: Callable[[Exit], object] = lambda exit: exit.reason) -> dict:
        """How many exits there were of each reason, or of each value of `key`, the most frequent first."""
        return dict(Counter(map(key, self.log)).most_common())

    def describe(self) -> str:
        """The run in a few lines: which engine and why that one, then how it ended."""
        counts = ", ".join(f"{number:,} {reason}" for reason, number in self.counts().items())
        exits = "1 exit" if len(self.log) == 1 else f"{len(self.log):,} exits"
        return f"{self.why}\nThe guest {self.guest.name} {self.end} after {exits} ({counts})."
