"""The kernel's interface to KVM: the few requests, structures and numbers that one virtual processor needs.

Names, numbers and layouts are those of `linux/kvm.h` and `asm/kvm.h` for x86-64; what each request does is in the
kernel's `Documentation/virt/kvm/api.rst`. Left out: everything else in those files, other architectures among it.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Iterable
from functools import cache

try:
    import fcntl
except ImportError:  # no ioctl on this system, hence no KVM
    fcntl = None

API_VERSION = 12  # "stable" since Linux 2.6.22; the document says to refuse any other


def _request(number: int, size: int = 0, direction: int = 0) -> int:
    """An ioctl request of KVM, as `asm-generic/ioctl.h` packs it (direction 1 writes to the kernel, 2 reads)."""
    return direction << 30 | size << 16 | 0xAE << 8 | number


REGS = struct.Struct("=18Q")  # rax rbx rcx rdx rsi rdi rsp rbp r8–r15 rip rflags
RIP, RFLAGS = 16, 17
SREGS_SIZE = 312  # struct kvm_sregs
CS_BASE, CS_SELECTOR, CR0, EFER = 0, 12, 224, 264  # offsets in it
REGION = struct.Struct("=IIQQQ")  # slot, flags, guest_phys_addr, memory_size, userspace_addr
CPUID_HEAD, CPUID_ENTRY = struct.Struct("=II"), struct.Struct("=10I")
STATS_HEAD = struct.Struct("=6I")  # flags, name_size, num_desc, id_offset, desc_offset, data_offset
STATS_ENTRY = struct.Struct("=IhHII")  # flags, exponent, size, offset, bucket_size; then the name

KVM_GET_API_VERSION = _request(0x00)
KVM_CREATE_VM = _request(0x01)
KVM_CHECK_EXTENSION = _request(0x03)
KVM_GET_VCPU_MMAP_SIZE = _request(0x04)
KVM_CREATE_VCPU = _request(0x41)
KVM_SET_USER_MEMORY_REGION = _request(0x46, REGION.size, 1)
KVM_SET_TSS_ADDR = _request(0x47)
KVM_RUN = _request(0x80)
KVM_GET_REGS = _request(0x81, REGS.size, 2)
KVM_SET_REGS = _request(0x82, REGS.size, 1)
KVM_GET_SREGS = _request(0x83, SREGS_SIZE, 2)
KVM_SET_SREGS = _request(0x84, SREGS_SIZE, 1)
KVM_SET_SIGNAL_MASK = _request(0x8B, 4, 1)  # the size is that of the head alone
KVM_SET_CPUID2 = _request(0x90, CPUID_HEAD.size, 1)
KVM_GET_STATS_FD = _request(0xCE)

CAP_IMMEDIATE_EXIT, CAP_BINARY_STATS_FD = 136, 203

# struct kvm_run, shared with the kernel: offsets of what we use
IMMEDIATE_EXIT, EXIT_REASON, EXIT_DATA = 1, 8, 32
IO_DATA = struct.Struct("=BBHIQ")  # direction (1 is out), size, port, count, data_offset
MMIO_DATA = struct.Struct("=Q8sIB")  # phys_addr, data, len, is_write
EXIT_IO, EXIT_HLT, EXIT_MMIO, EXIT_SHUTDOWN, EXIT_FAIL_ENTRY, EXIT_INTERNAL_ERROR = 2, 5, 6, 8, 9, 17
ERROR_EMULATION = 1  # of EXIT_INTERNAL_ERROR, in the word at EXIT_DATA


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def ioctl(fd: int, request: int, argument: int | bytes | bytearray = 0) -> int:
    """A request that answers at once. A bytearray is filled in place. Raises OSError."""
    return fcntl.ioctl(fd, request, argument)


def kvm_run(vcpu: int) -> bool:
    """Enter the guest and stay until it exits; False when a signal (or `immediate_exit`) ended the stay instead.

    `fcntl.ioctl` may repeat a request that a signal interrupts, so this one goes through the C library.
    """
    if _libc().ioctl(ctypes.c_int(vcpu), ctypes.c_ulong(KVM_RUN), ctypes.c_ulong(0)) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINTR, errno.EAGAIN):
        return False
    raise OSError(code, f"KVM_RUN: {os.strerror(code)}")


def cpuid2(table: dict[int, tuple[int, int, int, int]]) -> bytes:
    """A CPUID table as `struct kvm_cpuid2`."""
    entries = (CPUID_ENTRY.pack(leaf, 0, 0, *registers, 0, 0, 0) for leaf, registers in table.items())
    return CPUID_HEAD.pack(len(table), 0) + b"".join(entries)


def signal_mask(blocked: Iterable[int]) -> bytes:
    """A set of signals as `struct kvm_signal_mask`: the kernel's own set, a bit each from signal 1."""
    return struct.pack("=IQ", 8, sum(1 << number - 1 for number in blocked))


def statistics(vcpu: int) -> dict[str, int]:
    """The kernel's own counters for a virtual processor (KVM_GET_STATS_FD), those that are single numbers."""
    fd = ioctl(vcpu, KVM_GET_STATS_FD)
    try:
        data = os.read(fd, 1 << 16)
    finally:
        os.close(fd)
    _, name_size, count, _, descriptors, values = STATS_HEAD.unpack_from(data)
    counters = {}
    for start in range(descriptors, descriptors + count * (STATS_ENTRY.size + name_size), STATS_ENTRY.size + name_size):
        _, _, size, offset, _ = STATS_ENTRY.unpack_from(data, start)
        name = data[start + STATS_ENTRY.size :][:name_size].split(b"\0")[0].decode()
        if size == 1:
            counters[name] = struct.unpack_from("=Q", data, values + offset)[0]
    return counters
