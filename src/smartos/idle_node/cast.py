"""Who is at work on the workload's node: processes with their threads and CPUs.

Objects have the members of illumos' `proc_t`, `kthread_t` and `cpu_t` that programs read. The cast follows a node of
2011: the global zone's services, and zones of which some hold a guest. `zpool-zones` is the process that the pool's
threads belong to (`spa_thread`): what others write reaches the disk under its name. A process's own frames are made up.
"""

from smartos.idle_node.calls import Calls

_ZONES = (
    "global", "b8c1d0f2-9b39-4d0c-8f9e-6f3a6f0f1c11", "1f4a7c3e-52aa-4e0b-9d3d-0a77c1d5e2b7",
    "c6a0e5d4-7f11-4a5e-8a54-2b9f00d3c8aa",
)  # fmt: skip
SYSTEM = ("sched", "fsflush", "zpool-zones", "zsched")  # no program of their own: SSYS in the kernel's p_flag
CAST = (
    # pid, ppid, execname, zone, uid, what it does, milliseconds between two bursts, arguments
    (1, 0, "init", 0, 0, "poller", 5000, "/sbin/init"),
    (3, 0, "fsflush", 0, 0, "flusher", 1000, "fsflush"),
    (5, 0, "zpool-zones", 0, 0, "syncer", 5000, "zpool-zones"),
    (7, 1, "svc.startd", 0, 0, "poller", 1500, "/lib/svc/bin/svc.startd"),
    (9, 1, "svc.configd", 0, 0, "door", 1200, "/lib/svc/bin/svc.configd"),
    (58, 1, "syseventd", 0, 0, "poller", 2500, "/usr/lib/sysevent/syseventd"),
    (112, 1, "nscd", 0, 0, "door", 400, "/usr/sbin/nscd"),
    (160, 1, "syslogd", 0, 0, "logger", 1800, "/usr/sbin/syslogd"),
    (187, 1, "cron", 0, 0, "spawner", 3000, "/usr/sbin/cron"),
    (203, 1, "ntpd", 0, 0, "poller", 1000, "/usr/lib/inet/ntpd -p /var/run/ntp.pid"),
    (241, 1, "sshd", 0, 0, "network", 700, "/usr/lib/ssh/sshd"),
    (266, 1, "vmadmd", 0, 0, "poller", 600, "/usr/node/bin/node /usr/vm/sbin/vmadmd"),
    (301, 1, "zoneadmd", 0, 0, "door", 2000, "zoneadmd -z 1f4a7c3e-52aa-4e0b-9d3d-0a77c1d5e2b7"),
    (420, 301, "zsched", 1, 0, "waiter", 60000, "zsched"),
    (455, 420, "httpd", 1, 80, "network", 60, "/opt/local/sbin/httpd -k start"),
    (456, 420, "httpd", 1, 80, "network", 80, "/opt/local/sbin/httpd -k start"),
    (470, 420, "node", 1, 103, "network", 45, "node server.js"),
    (610, 301, "qemu-system-x86_", 2, 0, "guest", 20, "/smartdc/bin/qemu-system-x86_64 -m 1024 -smp 1"),
    (655, 301, "qemu-system-x86_", 3, 0, "guest", 25, "/smartdc/bin/qemu-system-x86_64 -m 2048 -smp 2"),
)  # fmt: skip

_BODIES = {
    "httpd": ("httpd`child_main+0x4c3", "httpd`make_child+0x14d", "httpd`ap_mpm_run+0x8f2", "httpd`main+0xb1d", "httpd`_start+0x83"),
    "node": ("node`ev_run+0x2a1", "node`main+0x1b", "node`_start+0x83"),
    "qemu-system-x86_": ("qemu-system-x86_64`kvm_run+0x1c1", "qemu-system-x86_64`kvm_cpu_exec+0x1e",
                         "qemu-system-x86_64`ap_main_loop+0x13c", "libc.so.1`_thrp_setup+0xbc", "libc.so.1`_lwp_start"),
}  # fmt: skip
_WRAPPERS = {
    "read": "__read", "write": "__write", "open": "__open", "close": "__close", "pollsys": "__pollsys", "lwp_park": "__lwp_park",
    "door": "__door_return", "portfs": "__portfs", "accept": "_so_accept", "pwrite": "__pwrite", "forksys": "__forkx",
    "exece": "execve", "waitsys": "__waitid", "clock_gettime": "__clock_gettime", "rexit": "_exit", "memcpy": "memcpy",
}  # fmt: skip


def user_stack(program: str, call: str) -> tuple[str, ...]:
    """The frames of a process of that name in a function of libc: that of a system call, or another."""
    return f"libc.so.1`{_WRAPPERS.get(call, call)}+0x7", *_BODIES.get(program, (f"{program}`main+0x1a4", f"{program}`_start+0x7d"))


class Struct:
    """An object with the members that it is given."""

    def __init__(self, **members: object) -> None:
        self.__dict__.update(members)


def make_cpu(number: int) -> Struct:
    """A CPU with its dispatch queue."""
    cpu = Struct(
        cpu_id=number, cpu_seqid=number, cpu_part=Struct(cp_id=0, cp_ncpus=1), cpu_lpl=Struct(lpl_lgrpid=0),
        cpu_physid=Struct(cpu_chipid=0), cpu_dispatch_pri=-1, cpu_runrun=0,
        cpu_type_info=Struct(pi_state=2, pi_processor_type="i386", pi_fputypes="i387 compatible", pi_clock=2660),
    )  # fmt: skip
    cpu.cpu_self = cpu
    cpu.cpu_disp = Struct(disp_npri=170, disp_maxrunpri=-1, disp_nrunnable=0, disp_cpu=cpu)
    return cpu


class Process:
    """A process with one thread: `proc` and `thread` are what probes carry, `context` what :func:`acting` gets.

    `calls` are the kernel's functions that it is in, `within` the last system call, whose wrapper its own stack begins with,
    `rests` how it sleeps when it has nothing to do, and `asleep` how many functions deep it does.
    """

    def __init__(self, pid: int, ppid: int, name: str, zone: int, uid: int, cpu: Struct, args: str = "") -> None:
        self.pid, self.name, self.cpu = pid, name, cpu
        self.system = system = name in SYSTEM
        where = Struct(zone_name=_ZONES[zone], zone_id=zone, zone_nodename="headnode" if not zone else _ZONES[zone][:8])
        cred = Struct(cr_ref=1, cr_uid=uid, cr_gid=uid and 10, cr_ruid=uid, cr_rgid=uid and 10, cr_suid=uid, cr_zone=where)
        number = Struct(pid_id=pid)
        root = Struct(v_path="/", v_op=Struct(vnop_name="zfs"), v_vfsp=Struct(vfs_dev=0))
        self.proc = Struct(
            p_pidp=number, p_pgidp=number, p_ppid=ppid, p_lwpcnt=1, p_lwprcnt=1, p_stat=2, p_cred=cred, p_zone=where,
            p_sessp=Struct(s_sidp=number, s_ref=1), p_task=Struct(tk_tkid=1, tk_proj=Struct(kpj_id=0)), p_pool=Struct(pool_id=0),
            p_model=0x200000, p_flag=int(system),
            p_user=Struct(u_comm=name, u_psargs=args or name, u_argc=max(len(args.split()), 1), u_cdir=root),
        )  # fmt: skip
        self.thread = Struct(
            t_tid=1, t_procp=self.proc, t_cpu=cpu, t_state=1, t_pri=59, t_cid=1 if pid else 0, t_cred=cred, t_lpl=cpu.cpu_lpl,
            t_bind_cpu=-1, t_bind_pset=-1, t_proc_flag=4,
        )  # fmt: skip
        self.proc.p_tlist = self.thread
        self.calls = Calls("unix`thread_start" if system else "unix`sys_syscall")
        self.within, self.rests, self.asleep = "read", "", 0
        self._who: dict[str, object] = {
            "pid": pid, "ppid": ppid, "tid": 1, "uid": uid, "gid": uid and 10, "zonename": _ZONES[zone],
            "curthread": self.thread, "cpu": cpu.cpu_id,
        }  # fmt: skip

    @property
    def context(self) -> dict[str, object]:
        """Who acts, and where: the functions that it is in, and in its own program the call that led there."""
        ustack = () if self.system else user_stack(self.name, self.within)
        return {**self._who, "execname": self.name, "stack": self.calls.stack, "ustack": ustack}

    def become(self, path: str) -> None:
        """Run another program: what exec leaves of a process."""
        self.name = path.rpartition("/")[2]
        self.proc.p_user.u_comm, self.proc.p_user.u_psargs = self.name, path  # type: ignore[attr-defined]
