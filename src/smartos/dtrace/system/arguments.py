"""The arguments of the stable providers' probes: which native argument each `args[]` comes from, and what it becomes.

A probe of these providers carries a pointer into the kernel (`buf_t *`); a program sees a stable structure
(`bufinfo_t *`), which a translator of the D library makes of it, member by member. Facts from `sdt_subr.c` of illumos.
"""

from collections.abc import Iterator

Arg = tuple[str, int, str]
"""Native type, number of the native argument, type after translation (or the native one again)."""

_THREAD = (("kthread_t *", 0, "lwpsinfo_t *"), ("kthread_t *", 0, "psinfo_t *"))
_IO = (("buf_t *", 0, "bufinfo_t *"), ("buf_t *", 0, "devinfo_t *"), ("buf_t *", 0, "fileinfo_t *"))
_QUEUE = (*_THREAD, ("disp_t *", 1, "cpuinfo_t *"))
_IP = (
    ("mblk_t *", 0, "pktinfo_t *"), ("conn_t *", 1, "csinfo_t *"), ("void_ip_t *", 2, "ipinfo_t *"),
    ("__dtrace_ipsr_ill_t *", 3, "ifinfo_t *"), ("ipha_t *", 4, "ipv4info_t *"), ("ip6_t *", 5, "ipv6info_t *"),
    ("int", 6, "int"),
)  # fmt: skip
_TCP = (
    ("mblk_t *", 0, "pktinfo_t *"), ("ip_xmit_attr_t *", 1, "csinfo_t *"), ("void_ip_t *", 2, "ipinfo_t *"),
    ("tcp_t *", 3, "tcpsinfo_t *"), ("tcph_t *", 4, "tcpinfo_t *"),
)  # fmt: skip
_UDP = (*_TCP[:3], ("udp_t *", 3, "udpsinfo_t *"), ("udpha_t *", 4, "udpinfo_t *"))
_INT = ("int", 0, "int")

_TABLE: dict[tuple[str, str], tuple[Arg, ...]] = {
    **{("sched", name): _THREAD for name in
       ("wakeup", "off-cpu", "tick", "schedctl-preempt", "surrender", "cpucaps-sleep", "cpucaps-wakeup")},
    ("sched", "dequeue"): _QUEUE,
    ("sched", "enqueue"): (*_QUEUE, ("int", 2, "int")),
    ("sched", "change-pri"): (*_THREAD, ("pri_t", 1, "pri_t")),
    ("sched", "schedctl-nopreempt"): (*_THREAD, ("int", 1, "int")),
    ("sched", "schedctl-yield"): (_INT,),
    ("proc", "create"): (("proc_t *", 0, "psinfo_t *"),),
    ("proc", "exec"): (("string", 0, "string"),),
    **{("proc", name): (_INT,) for name in ("exec-failure", "exit")},
    ("proc", "fault"): (_INT, ("siginfo_t *", 1, "siginfo_t *")),
    ("proc", "lwp-create"): _THREAD,
    ("proc", "signal-clear"): (_INT, ("siginfo_t *", 1, "siginfo_t *")),
    ("proc", "signal-discard"): (_THREAD[0], ("proc_t *", 1, "psinfo_t *"), ("int", 2, "int")),
    ("proc", "signal-handle"): (_INT, ("siginfo_t *", 1, "siginfo_t *"), ("void (*)(void)", 2, "void (*)(void)")),
    ("proc", "signal-send"): (*_THREAD, ("int", 1, "int")),
    **{("io", name): _IO for name in ("start", "done", "wait-start", "wait-done")},
    **{("ip", name): _IP for name in ("send", "receive")},
    **{("tcp", name): _TCP for name in ("connect-established", "connect-refused", "connect-request",
                                        "accept-established", "accept-refused", "send", "receive")},
    ("tcp", "state-change"): (("void", 0, "void"), _TCP[1], ("void", 2, "void"), _TCP[3], ("void", 4, "void"),
                              ("int32_t", 5, "tcplsinfo_t *")),
    **{("udp", name): _UDP for name in ("send", "receive")},
    ("sysevent", "post"): (("evch_bind_t *", 0, "syseventchaninfo_t *"), ("sysevent_impl_t *", 1, "syseventinfo_t *")),
}  # fmt: skip
_ANY: dict[str, tuple[Arg, ...]] = {
    "mib": (_INT,), "fsinfo": (("vnode_t *", 0, "fileinfo_t *"), ("int", 1, "int")),
}  # fmt: skip


def translated(provider: str, name: str) -> tuple[Arg, ...] | None:
    """The arguments of a stable provider's probe; empty for one without, None for another provider's."""
    if provider in ("sched", "proc", "io", "ip", "tcp", "udp", "sysevent"):
        return _TABLE.get((provider, name), ())
    return _ANY.get(provider)


def natives(args: tuple[Arg, ...]) -> Iterator[str]:
    """The native types, in the order of the native arguments."""
    found = {number: native for native, number, _ in args}
    for number in range(max(found, default=-1) + 1):
        yield found.get(number, "uintptr_t")
