"""The functions that a thread has entered and not left: what `stack()` shows, each of them a probe of `fbt`.

    calls = Calls("unix`sys_syscall")
    for function in READ_FILE:
        calls.enter(function, who)

A stack is never written down here. It is what has been entered, innermost first, so it cannot show a function that did
not fire its `fbt` entry. Written in assembler, and so without the prologue that fbt looks for, are the outermost frames
of a thread and `resume`: they are in stacks and are no probes, as in illumos.

The order of calls is that of the kernel at launch (`zio.c`, `arc.c`, `dmu.c`, `taskq.c`, `avintr.c`, `callout.c`, and
`kvm.c` of the port); offsets into the functions are made up. Left out: the arguments of functions, which are all 0,
functions that call others and come back before a path goes on, and inlining.
"""

from collections.abc import Mapping
from functools import cache
from typing import Protocol

from smartos.probes import Probe, acting, declare, matching
from smartos.zfs.live import txg, zpl  # noqa: F401 - they declare some of these functions, with their arguments
from smartos.zfs.vdev import (  # noqa: F401 - they declare some of these functions, with their arguments
    mirror as vdev_mirror,
)

ASSEMBLER = frozenset(("unix`sys_syscall", "unix`thread_start", "unix`resume", "unix`lwp_rtt_initial"))

HARDINT = ("unix`switch_sp_and_call", "unix`dispatch_hardint", "unix`av_dispatch_autovect")
SOFTINT = ("unix`switch_sp_and_call", "unix`dispatch_softint", "unix`av_dispatch_softvect", "unix`cbe_softclock",
           "genunix`cyclic_softint", "genunix`callout_realtime", "genunix`callout_expire", "genunix`callout_list_expire",
           "genunix`cv_signal")  # fmt: skip
IDLE = ("unix`thread_start", "unix`idle", "unix`cpu_idle_adaptive", "unix`cpu_idle", "unix`mach_cpu_idle")
PACKET_IN = ("e1000g`e1000g_intr_pciexpress", "e1000g`e1000g_intr_work", "mac`mac_rx_ring", "mac`mac_rx_common",
             "mac`mac_rx_srs_process", "mac`mac_rx_srs_proto_fanout", "mac`mac_rx_soft_ring_process", "ip`ip_input")  # fmt: skip
TO_TCP = ("ip`ill_input_short_v4", "ip`ire_recv_local_v4", "ip`ip_fanout_v4", "ip`squeue_enter")
SENDING = ("genunix`fop_write", "sockfs`socket_vop_write", "sockfs`socket_sendmsg", "sockfs`so_sendmsg", "ip`tcp_sendmsg")
TO_IP = ("ip`tcp_output", "ip`tcp_send_data", "ip`conn_ip_output")
TRANSFER_DONE = ("scsi`scsi_hba_pkt_comp", "sd`sd_buf_iodone")
READ_FILE = ("genunix`fop_read", "zfs`zfs_read", "zfs`dmu_read_uio", "zfs`dmu_buf_hold_array", "zfs`dmu_buf_hold_array_by_dnode")
ARC_MISS = (
    "zfs`dbuf_read", "zfs`dbuf_read_impl", "zfs`arc_read", "zfs`arc_read_nolock", "zfs`zio_nowait", "zfs`zio_execute",
    "zfs`zio_vdev_io_start", "zfs`vdev_mirror_io_start", "zfs`zio_nowait", "zfs`zio_execute", "zfs`zio_vdev_io_start",
    "zfs`vdev_disk_io_start",
)  # fmt: skip
WRITE_FILE = ("genunix`fop_write", "zfs`zfs_write", "zfs`dmu_write_uio_dbuf")
WRITE_VOLUME = ("genunix`fop_write", "specfs`spec_write", "genunix`cdev_write", "zfs`zvol_write", "zfs`dmu_write_uio")
TASKQ = ("unix`thread_start", "genunix`taskq_thread")
ISSUE = ("zfs`zio_execute", "zfs`zio_vdev_io_start", "zfs`vdev_disk_io_start")
VCPU = ("genunix`ioctl", "genunix`fop_ioctl", "specfs`spec_ioctl", "genunix`cdev_ioctl", "kvm`kvm_ioctl",
        "kvm`kvm_arch_vcpu_ioctl_run", "kvm`__vcpu_run")  # fmt: skip
WITHIN = {
    "pollsys": ("genunix`pollsys", "genunix`poll_common"), "lwp_park": ("genunix`syslwp_park", "genunix`lwp_park"),
    "portfs": ("portfs`portfs", "portfs`port_getn"), "read": ("genunix`read",), "write": ("genunix`write",),
    "ioctl": ("genunix`ioctl", "genunix`fop_ioctl"), "pwrite": ("genunix`pwrite",), "accept": ("sockfs`accept",),
}  # fmt: skip
"""The kernel's functions that a system call is in, where it takes its time."""
_SWAPPED = ("genunix`cv_wait_sig_swap", "genunix`cv_wait_sig_swap_core")
DISK_WAIT = ("zfs`zio_wait", "genunix`cv_wait")
"""How a thread waits for the disk, from the function that asked it on."""
RESTS = {
    "pollsys": (*WITHIN["pollsys"], "genunix`cv_timedwait_sig_hires"), "portfs": (*WITHIN["portfs"], "genunix`cv_waituntil_sig"),
    "lwp_park": (*WITHIN["lwp_park"], "genunix`cv_waituntil_sig", *_SWAPPED), "ioctl": (*VCPU, "kvm`kvm_vcpu_block", *_SWAPPED),
    "fsflush": ("genunix`fsflush", "genunix`cv_wait"), "zsched": ("genunix`zsched", "genunix`cv_wait"),
    "txg": ("zfs`txg_sync_thread", "zfs`txg_thread_wait", "genunix`cv_timedwait"),
}  # fmt: skip
"""Where a process sleeps that has nothing to do: in a system call, or in a system process's own loop."""
SAMPLED: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "": (
        ("pollsys", ("genunix`pollsys", "genunix`poll_common", "genunix`cv_timedwait_sig_hires")),
        ("read", ("genunix`read", "genunix`fop_read")),
        ("read", ("genunix`read", "genunix`fop_read", "sockfs`socket_vop_read", "sockfs`socket_recvmsg", "sockfs`so_recvmsg", "genunix`uiomove")),
    ),
    "fsflush": (("", ("unix`thread_start", "genunix`fsflush")),),
    "zpool-zones": (
        ("", (*TASKQ, *ISSUE[:2])),
        ("", (*TASKQ, "zfs`zio_execute", "zfs`zio_write_bp_init", "zfs`zio_compress_data", "zfs`lzjb_compress")),
    ),
    "qemu-system-x86_": (
        ("ioctl", (*VCPU, "kvm`vcpu_enter_guest", "kvm`vmx_vcpu_run")),
        ("ioctl", (*VCPU, "kvm`vcpu_enter_guest", "kvm`vmx_handle_exit")),
    ),
}  # fmt: skip
"""Where the profile provider finds a process in the kernel: the system call, and the functions from its first on."""


def _functions(*groups: object) -> list[str]:
    """Every function of the paths above, once each, in the order of the groups."""
    found: dict[str, None] = {}
    for group in groups:
        if isinstance(group, str):
            found.update({group: None} if "`" in group else {})
        elif isinstance(group, Mapping):
            found.update(dict.fromkeys(_functions(*group.values())))
        else:
            found.update(dict.fromkeys(_functions(*group)))  # type: ignore[misc]
    return list(found)


def _declared(function: str, name: str) -> Probe:
    """The `fbt` probe of a function, which a model may have declared, with its arguments."""
    module, _, own = function.partition("`")
    description = f"fbt:{module}:{own}:{name}"
    known = matching(description)
    return known[0] if known else declare(description, *("uintptr_t",) * (2 if name == "return" else 5))


def _pair(function: str) -> tuple[Probe, Probe]:
    return _declared(function, "entry"), _declared(function, "return")


FBT: dict[str, tuple[Probe, Probe]] = {
    function: _pair(function)
    for function in _functions(
        HARDINT, SOFTINT, IDLE, PACKET_IN, TO_TCP, SENDING, TO_IP, TRANSFER_DONE, READ_FILE, ARC_MISS, WRITE_FILE, WRITE_VOLUME,
        TASKQ, ISSUE, VCPU, WITHIN, DISK_WAIT, RESTS, SAMPLED, ("unix`swtch", "unix`trap", "genunix`rexit"),
    )
    if function not in ASSEMBLER
}  # fmt: skip
"""Entry and return of each function."""


def function_of(probe: Probe) -> str:
    """The function that a statically defined probe stands in, as a frame names it; its `fbt` pair comes with it."""
    function = f"{probe.module}`{probe.function}"
    if function not in FBT and function not in ASSEMBLER:
        FBT[function] = _pair(function)
    return function


@cache
def frame(function: str) -> str:
    """The function with an offset, as stacks have it."""
    return f"{function}+{sum(map(ord, function)) * 7 % 0x3E0 + 5:#x}"


class Who(Protocol):
    """A thread: who it is, and where, as :func:`smartos.probes.acting` takes it."""

    @property
    def context(self) -> Mapping[str, object]:
        """D's built-in variables."""


class Calls:
    """The functions that a thread is in, the outermost first."""

    def __init__(self, *base: str) -> None:
        self.inside = list(base)

    @property
    def stack(self) -> tuple[str, ...]:
        """As `stack()` shows them, the innermost first."""
        return tuple([frame(function) for function in reversed(self.inside)])

    def enter(self, function: str, who: Who) -> None:
        """Call a function: its entry fires while the caller is the innermost frame."""
        self._fire(function, 0, who)
        self.inside.append(function)

    def leave(self, who: Who) -> None:
        """Return from the innermost function."""
        self._fire(self.inside.pop(), 1, who)

    @staticmethod
    def _fire(function: str, end: int, who: Who) -> None:
        pair = FBT.get(function)
        if pair is not None and pair[end].listeners:
            with acting(**who.context):
                pair[end].fire(*(0,) * len(pair[end].argtypes))
