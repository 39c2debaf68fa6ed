"""A small virtual machine monitor: guests of our own, run on /dev/kvm, with every exit logged.

`run(guest)` runs one of :data:`GUESTS` on the first engine that this machine has: the kernel's KVM, a software CPU
(unicorn), or a recording of an earlier run. The log of exits is the same on each.
"""

from smartos.kvm.errors import (
    AlreadyRun,
    BadEngine,
    GuestFault,
    GuestTooLarge,
    KvmError,
    NoEngine,
    NoKVM,
    NoRecording,
    NoUnicorn,
)  # fmt: skip
from smartos.kvm.exits import Exit, Run
from smartos.kvm.guests import GUESTS, Guest
from smartos.kvm.vm import ENGINES, VM, engines, run

__all__ = [
    "ENGINES", "GUESTS", "VM", "AlreadyRun", "BadEngine", "Exit", "Guest", "GuestFault", "GuestTooLarge", "KvmError",
    "NoEngine", "NoKVM", "NoRecording", "NoUnicorn", "Run", "engines", "run",
]  # fmt: skip
