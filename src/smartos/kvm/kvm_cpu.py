"""A virtual processor on the kernel's KVM.

KVM promises the guest's registers only once an I/O or MMIO exit has been completed by the next KVM_RUN, so a run that
asks where the guest is enters once more with `immediate_exit`, which completes the exit and comes straight back.
A guest that never exits is taken off the processor by a signal, in any thread and without a handler: the signal is
blocked in the thread, but not while it is inside KVM_RUN (KVM_SET_SIGNAL_MASK), which therefore returns and leaves it
pending. Follows `Documentation/virt/kvm/api.rst` of Linux. Left out: more than one processor, interrupts, an in-kernel
interrupt controller.
"""

import ctypes
import mmap
import os
import platform
import signal
import struct
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from smartos.kvm import api
from smartos.kvm.cpuid import TABLE
from smartos.kvm.devices import RAM_SIZE
from smartos.kvm.engine import Host, mode_of
from smartos.kvm.errors import GuestFault, NoKVM
from smartos.kvm.exits import HLT, INTR, IO, MMIO, Access
from smartos.kvm.guests import ORIGIN

TSS = 0x7FFBD000  # three pages that VT-x without "unrestricted guest" needs for real mode, far from RAM
KICK = getattr(signal, "SIGRTMIN", None)  # the signal that ends a stay in the guest; nobody else uses it

DEVICE = "/dev/kvm"


def open_device(path: str = DEVICE) -> int:
    """Open KVM's device and check its version. Raises :class:`NoKVM` with the cause."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NoKVM(f"{path} is absent on this machine.") from None
    except PermissionError:
        raise NoKVM(f"{path} may not be opened by this user; its group (often kvm) may.") from None
    except OSError as error:
        raise NoKVM(f"{path} does not open: {error.strerror}.") from None
    try:
        version = api.ioctl(fd, api.KVM_GET_API_VERSION)
        lacking = version == api.API_VERSION and not api.ioctl(fd, api.KVM_CHECK_EXTENSION, api.CAP_IMMEDIATE_EXIT)
    except OSError as error:
        os.close(fd)
        raise NoKVM(f"{path} does not answer as KVM does: {error.strerror}.") from None
    if version != api.API_VERSION or lacking:
        os.close(fd)
        wanted = f"API version {version}, and this program speaks {api.API_VERSION}"
        raise NoKVM(f"{path} {'lacks immediate_exit (Linux 4.12)' if lacking else f'has {wanted}'}.")
    return fd


def usable() -> str:
    """Why KVM can be used here, as a sentence. Raises :class:`NoKVM` where it cannot."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        raise NoKVM(f"KVM runs these guests on an x86-64 processor, and this is {platform.machine() or 'another'}.")
    if api.fcntl is None:
        raise NoKVM(f"{DEVICE} is absent on this machine.")
    os.close(open_device())
    return f"{DEVICE} is here and answers API version {api.API_VERSION}."


@contextmanager
def _kicked(vcpu: int, seconds: float) -> Iterator[None]:
    """End this thread's stay in the guest after `seconds`. The signal stays pending, so a kick in between counts too."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {KICK})
    api.ioctl(vcpu, api.KVM_SET_SIGNAL_MASK, api.signal_mask(before - {KICK}))
    timer = threading.Timer(seconds, signal.pthread_kill, (threading.get_ident(), KICK))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        signal.sigtimedwait({KICK}, 0)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _close_all(fds: list[int]) -> None:
    while fds:
        os.close(fds.pop())


class KvmCpu:
    """One virtual processor and its RAM in a virtual machine of its own. It holds file descriptors until it is closed."""

    def __init__(self, image: bytes) -> None:
        self._fds = [open_device()]
        self._forgotten = weakref.finalize(self, _close_all, self._fds)
        try:
            self._create(image)
        except OSError as error:
            self.close()
            raise NoKVM(f"KVM does not give a virtual machine: {error.strerror}.") from None

    def _create(self, image: bytes) -> None:
        kvm = self._fds[0]
        machine = api.ioctl(kvm, api.KVM_CREATE_VM)
        self._fds.append(machine)
        api.ioctl(machine, api.KVM_SET_TSS_ADDR, TSS)
        self._ram = mmap.mmap(-1, RAM_SIZE)
        self._ram[ORIGIN : ORIGIN + len(image)] = image
        address = ctypes.addressof(ctypes.c_char.from_buffer(self._ram))
        api.ioctl(machine, api.KVM_SET_USER_MEMORY_REGION, api.REGION.pack(0, 0, 0, RAM_SIZE, address))
        self._vcpu = api.ioctl(machine, api.KVM_CREATE_VCPU, 0)
        self._fds.append(self._vcpu)
        self._run = mmap.mmap(self._vcpu, api.ioctl(kvm, api.KVM_GET_VCPU_MMAP_SIZE))
        self._counted = bool(api.ioctl(kvm, api.KVM_CHECK_EXTENSION, api.CAP_BINARY_STATS_FD))
        api.ioctl(self._vcpu, api.KVM_SET_CPUID2, api.cpuid2(TABLE))
        sregs = self._sregs()
        struct.pack_into("=Q", sregs, api.CS_BASE, 0)
        struct.pack_into("=H", sregs, api.CS_SELECTOR, 0)
        api.ioctl(self._vcpu, api.KVM_SET_SREGS, sregs)
        registers = [0] * 18
        registers[api.RIP], registers[api.RFLAGS] = ORIGIN, 2
        api.ioctl(self._vcpu, api.KVM_SET_REGS, api.REGS.pack(*registers))

    def _sregs(self) -> bytearray:
        sregs = bytearray(api.SREGS_SIZE)
        api.ioctl(self._vcpu, api.KVM_GET_SREGS, sregs)
        return sregs

    def run(self, host: Host, seconds: float, locate: bool) -> None:
        """Enter the guest again and again until `host` has had enough or `seconds` have passed."""
        deadline = time.monotonic() + seconds
        with _kicked(self._vcpu, seconds):
            while True:
                if api.kvm_run(self._vcpu):
                    access = self._access()
                elif time.monotonic() >= deadline:
                    access = Access(INTR)
                else:
                    continue
                value = host.serve(access)
                if access.value is None:
                    self._answer(access, value)
                if not host.note(access, value, *self._where(access) if locate else (None, "")):
                    return

    def _access(self) -> Access:
        """What the kernel says about the exit, in the page that it shares with us."""
        reason = struct.unpack_from("=I", self._run, api.EXIT_REASON)[0]
        if reason == api.EXIT_IO:
            out, size, port, count, offset = api.IO_DATA.unpack_from(self._run, api.EXIT_DATA)
            if count != 1:
                raise GuestFault(f"The guest's string instruction moves {count} items at port {port:#x}, not one.")
            value = int.from_bytes(self._run[offset : offset + size], "little") if out else None
            return Access(IO, "out" if out else "in", port, size, value)
        if reason == api.EXIT_MMIO:
            address, data, size, write = api.MMIO_DATA.unpack_from(self._run, api.EXIT_DATA)
            value = int.from_bytes(data[:size], "little") if write else None
            return Access(MMIO, "write" if write else "read", address, size, value)
        if reason == api.EXIT_HLT:
            return Access(HLT)
        if reason == api.EXIT_INTERNAL_ERROR:
            raise GuestFault(self._internal_error())
        raise GuestFault(FAULTS.get(reason, f"KVM gave exit reason {reason}, which this monitor does not know."))

    def _internal_error(self) -> str:
        """Why KVM could not go on: there is nothing to execute there, or an instruction that it does not emulate."""
        error = struct.unpack_from("=I", self._run, api.EXIT_DATA)[0]
        at = struct.unpack_from("=Q", self._sregs(), api.CS_BASE)[0] + self._registers()[api.RIP]
        if at >= RAM_SIZE:
            return f"The guest executes at {at:#x}, where it has no RAM."
        if error == api.ERROR_EMULATION:
            return f"KVM cannot emulate the instruction at {at:#x}, {self._ram[at : at + 4].hex()}."
        return f"KVM could not go on: internal error {error} at {at:#x}."

    def _answer(self, access: Access, value: int) -> None:
        if access.reason == IO:
            offset = api.IO_DATA.unpack_from(self._run, api.EXIT_DATA)[4]
            self._run[offset : offset + access.size] = value.to_bytes(access.size, "little")
        elif access.reason == MMIO:
            start = api.EXIT_DATA + 8
            self._run[start : start + access.size] = value.to_bytes(access.size, "little")

    def _where(self, access: Access) -> tuple[int | None, str]:
        """Complete the exit without running the guest, and read where it goes on."""
        if access.reason == INTR:
            return None, ""
        self._run[api.IMMEDIATE_EXIT] = 1
        api.kvm_run(self._vcpu)
        self._run[api.IMMEDIATE_EXIT] = 0
        sregs = self._sregs()
        cr0, efer = (struct.unpack_from("=Q", sregs, offset)[0] for offset in (api.CR0, api.EFER))
        return self._registers()[api.RIP], mode_of(cr0, efer)

    def _registers(self) -> tuple[int, ...]:
        registers = bytearray(api.REGS.size)
        api.ioctl(self._vcpu, api.KVM_GET_REGS, registers)
        return api.REGS.unpack(registers)

    def kernel(self) -> dict[str, int] | None:
        """The kernel's counters, None where it has none to give (before Linux 5.14)."""
        return api.statistics(self._vcpu) if self._counted else None

    def close(self) -> None:
        self._run = None  # the kernel keeps a virtual machine for as long as this page is mapped
        _close_all(self._fds)


FAULTS = {
    api.EXIT_SHUTDOWN: "The guest's processor shut down: a fault, while handling a fault, while handling a fault.",
    api.EXIT_FAIL_ENTRY: "The processor refused to enter the guest: its registers are in no state that it knows.",
}
