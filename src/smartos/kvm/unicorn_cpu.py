"""A virtual processor in software: the package unicorn, which is QEMU's translator without its machines.

There is no kernel and no exit here: hooks stop at each I/O instruction and at each access to the device's page, and
hand it on in the words of KVM, so that one monitor serves both. Left out: interrupts, exceptions that the guest would
handle itself, what an instruction costs.
"""

import time

from smartos.kvm.cpuid import TABLE
from smartos.kvm.devices import ADDER, PAGE, RAM_SIZE
from smartos.kvm.engine import Host, mode_of
from smartos.kvm.errors import GuestFault, NoUnicorn
from smartos.kvm.exits import HLT, INTR, IO, MMIO, Access
from smartos.kvm.guests import ORIGIN

try:
    import unicorn
    from unicorn import x86_const as x86
except ImportError:
    unicorn = None

EFER = 0xC0000080
HLT_CODE = b"\xf4"
CLOCK_EVERY = 1024  # instructions between looks at the clock


def usable() -> str:
    """Why the software CPU can be used here. Raises :class:`NoUnicorn` where it cannot."""
    if unicorn is None:
        raise NoUnicorn("The package unicorn is not installed (pip install unicorn).")
    return f"The software CPU is unicorn {version()}."


def version() -> str:
    """The version of the package unicorn."""
    return unicorn.__version__


class UnicornCpu:
    """One software processor with RAM and the device's page."""

    def __init__(self, image: bytes) -> None:
        usable()
        self._uc = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_16)
        self._uc.mem_map(0, RAM_SIZE)
        self._uc.mem_map(ADDER, PAGE)
        self._uc.mem_write(ORIGIN, image)
        self._steps, self._at, self._next, self._stopped = 0, ORIGIN, ORIGIN, False
        self._fault: GuestFault | None = None

    def run(self, host: Host, seconds: float, locate: bool) -> None:
        self._host, self._locate, self._deadline = host, locate, time.monotonic() + seconds
        uc = self._uc
        uc.hook_add(unicorn.UC_HOOK_CODE, self._step)
        uc.hook_add(unicorn.UC_HOOK_INSN, self._in, None, 1, 0, x86.UC_X86_INS_IN)
        uc.hook_add(unicorn.UC_HOOK_INSN, self._out, None, 1, 0, x86.UC_X86_INS_OUT)
        uc.hook_add(unicorn.UC_HOOK_INSN, self._cpuid, None, 1, 0, x86.UC_X86_INS_CPUID)
        uc.hook_add(unicorn.UC_HOOK_MEM_READ, self._read, None, ADDER, ADDER + PAGE - 1)
        uc.hook_add(unicorn.UC_HOOK_MEM_WRITE, self._write, None, ADDER, ADDER + PAGE - 1)
        uc.hook_add(unicorn.UC_HOOK_MEM_READ_UNMAPPED, self._read)
        uc.hook_add(unicorn.UC_HOOK_MEM_WRITE_UNMAPPED, self._write)
        try:
            uc.emu_start(ORIGIN, 0xFFFF_FFFF_FFFF)
        except unicorn.UcError as error:
            self._fault = self._fault or GuestFault(f"The software CPU gave up at {self._at:#x}: {error}.")
        if self._fault:
            raise self._fault
        if not self._stopped and uc.mem_read(self._at, 1) == HLT_CODE:
            self._exit(Access(HLT))

    def _exit(self, access: Access) -> int:
        """Hand an exit to the monitor, and stop when it has had enough."""
        try:
            value = self._host.serve(access)
        except GuestFault as fault:  # a hook must not raise: unicorn's C code is below it
            self._fault = fault
            self._uc.emu_stop()
            return 0
        where = (self._next, self._mode()) if self._locate and access.reason != INTR else (None, "")
        if not self._host.note(access, value, *where):
            self._stopped = True
            self._uc.emu_stop()
        return value

    def _mode(self) -> str:
        return mode_of(self._uc.reg_read(x86.UC_X86_REG_CR0), self._uc.msr_read(EFER))

    def _step(self, uc, address, size, _) -> None:
        self._at, self._next = address, address + size
        self._steps += 1
        if self._steps % CLOCK_EVERY == 0 and not self._stopped and time.monotonic() >= self._deadline:
            self._exit(Access(INTR))

    def _in(self, uc, port, size, _) -> int:
        return self._exit(Access(IO, "in", port, size))

    def _out(self, uc, port, size, value, _) -> None:
        self._exit(Access(IO, "out", port, size, value % 2 ** (8 * size)))

    def _read(self, uc, kind, address, size, value, _) -> bool:
        value = self._exit(Access(MMIO, "read", address, size))
        if not self._fault:
            uc.mem_write(address, value.to_bytes(size, "little"))
        return not self._fault

    def _write(self, uc, kind, address, size, value, _) -> bool:
        self._exit(Access(MMIO, "write", address, size, value % 2 ** (8 * size)))
        return not self._fault

    def _cpuid(self, uc, _) -> int:
        answers = TABLE.get(uc.reg_read(x86.UC_X86_REG_EAX), (0, 0, 0, 0))
        registers = (x86.UC_X86_REG_EAX, x86.UC_X86_REG_EBX, x86.UC_X86_REG_ECX, x86.UC_X86_REG_EDX)
        for register, answer in zip(registers, answers, strict=True):
            uc.reg_write(register, answer)
        return 1

    def kernel(self) -> None:
        return None

    def close(self) -> None:
        self._uc = None
