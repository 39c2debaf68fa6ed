"""Who is at work on the workload's node: processes with their threads and CPUs, and what their stacks look like.

Objects have the members of illumos' `proc_t`, `kthread_t` and `cpu_t` that programs read. The cast follows a node of
2011: the global zone's services, and zones of which some hold a guest. Stacks are texts, frame by frame.
"""

_ZONES = (
    "global", "b8c1d0f2-9b39-4d0c-8f9e-6f3a6f0f1c11", "1f4a7c3e-52aa-4e0b-9d3d-0a77c1d5e2b7",
    "c6a0e5d4-7f11-4a5e-8a54-2b9f00d3c8aa",
)  # fmt: skip
CAST = (
    # pid, ppid, execname, zone, uid, what it does, milliseconds between two bursts, arguments
    (1, 0, "init", 0, 0, "poller", 5000, "/sbin/init"),
    (3, 0, "fsflush", 0, 0, "flusher", 1000, "fsflush"),
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
    (420, 301, "zsched", 1, 0, "poller", 4000, "zsched"),
    (455, 420, "httpd", 1, 80, "network", 60, "/opt/local/sbin/httpd -k start"),
    (456, 420, "httpd", 1, 80, "network", 80, "/opt/local/sbin/httpd -k start"),
    (470, 420, "node", 1, 103, "network", 45, "node server.js"),
    (610, 301, "qemu-system-x86_", 2, 0, "guest", 20, "/smartdc/bin/qemu-system-x86_64 -m 1024 -smp 1"),
    (655, 301, "qemu-system-x86_", 3, 0, "guest", 25, "/smartdc/bin/qemu-system-x86_64 -m 2048 -smp 2"),
)  # fmt: skip

CALLING = ("unix`sys_syscall+0x17a",)
SLEEPING = (
    "unix`resume+0x186", "unix`swtch+0x141", "genunix`cv_wait_sig_swap_core+0x174", "genunix`poll_common+0x461",
    "unix`sys_syscall+0x17a",
)  # fmt: skip
WRITING = ("genunix`bdev_strategy+0x6a", "zfs`vdev_disk_io_start+0x16b", "zfs`zio_vdev_io_start+0x1ea", "zfs`zio_execute+0x8d",
            "genunix`taskq_thread+0x248", "unix`thread_start+0x8")  # fmt: skip
IDLE = ("unix`mach_cpu_idle+0x6", "unix`cpu_idle+0xaf", "unix`cpu_idle_adaptive+0x19", "unix`idle+0x114", "unix`thread_start+0x8")
DONE = ("genunix`biodone+0x84", "sd`sd_buf_iodone+0x62", "scsi`scsi_hba_pkt_comp+0x2f0", "unix`av_dispatch_autovect+0x7c",
         "unix`dispatch_hardint+0x33", "unix`switch_sp_and_call+0x13")  # fmt: skip
STACKS = {
    "": (
        ("unix`mutex_enter+0x10", "genunix`cv_timedwait_sig_hires+0x1ed", "genunix`poll_common+0x461", "unix`sys_syscall+0x17a"),
        ("genunix`fop_read+0x6b", "genunix`read+0x2b8", "unix`sys_syscall+0x17a"),
        ("unix`copyout+0x3d", "genunix`uiomove+0xa3", "sockfs`so_recvmsg+0x12a", "genunix`read+0x262", "unix`sys_syscall+0x17a"),
    ),
    "fsflush": (("zfs`zio_vdev_io_start+0x1ea", "zfs`zio_execute+0x8d", "genunix`taskq_thread+0x248", "unix`thread_start+0x8"),),
    "qemu-system-x86_": (
        ("kvm`vmx_vcpu_run+0x2f1", "kvm`vcpu_enter_guest+0x3f0", "kvm`__vcpu_run+0x8b", "genunix`ioctl+0x18e",
         "unix`sys_syscall+0x17a"),
        ("kvm`vmx_handle_exit+0x91", "kvm`vcpu_enter_guest+0x4f1", "kvm`__vcpu_run+0x8b", "genunix`ioctl+0x18e",
         "unix`sys_syscall+0x17a"),
    ),
}  # fmt: skip
USTACKS = (
    ("libc.so.1`__read+0x7", "main+0x2f0", "_start+0x7d"),
    ("libc.so.1`__pollsys+0x7", "libc.so.1`poll+0x66", "main+0x1a4", "_start+0x7d"),
    ("libc.so.1`memcpy+0x40", "handle_request+0x1b2", "main+0x3d8", "_start+0x7d"),
)


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
    """A process with one thread: `proc` and `thread` are what probes carry, `context` what :func:`acting` gets."""

    def __init__(self, pid: int, ppid: int, name: str, zone: int, uid: int, cpu: Struct, args: str = "") -> None:
        self.pid, self.name, self.cpu = pid, name, cpu
        where = Struct(zone_name=_ZONES[zone], zone_id=zone, zone_nodename="headnode" if not zone else _ZONES[zone][:8])
        cred = Struct(cr_ref=1, cr_uid=uid, cr_gid=uid and 10, cr_ruid=uid, cr_rgid=uid and 10, cr_suid=uid, cr_zone=where)
        number = Struct(pid_id=pid)
        root = Struct(v_path="/", v_op=Struct(vnop_name="zfs"), v_vfsp=Struct(vfs_dev=0))
        self.proc = Struct(
            p_pidp=number, p_pgidp=number, p_ppid=ppid, p_lwpcnt=1, p_lwprcnt=1, p_stat=2, p_cred=cred, p_zone=where,
            p_sessp=Struct(s_sidp=number, s_ref=1), p_task=Struct(tk_tkid=1, tk_proj=Struct(kpj_id=0)), p_pool=Struct(pool_id=0),
            p_model=0x200000, p_flag=int(pid in (0, 3)),
            p_user=Struct(u_comm=name, u_psargs=args or name, u_argc=max(len(args.split()), 1), u_cdir=root),
        )  # fmt: skip
        self.thread = Struct(
            t_tid=1, t_procp=self.proc, t_cpu=cpu, t_state=1, t_pri=59, t_cid=1 if pid else 0, t_cred=cred, t_lpl=cpu.cpu_lpl,
            t_bind_cpu=-1, t_bind_pset=-1, t_proc_flag=4,
        )  # fmt: skip
        self.proc.p_tlist = self.thread
        self.context: dict[str, object] = {
            "pid": pid, "ppid": ppid, "tid": 1, "uid": uid, "gid": uid and 10, "execname": name, "zonename": _ZONES[zone],
            "curthread": self.thread, "cpu": cpu.cpu_id, "stack": CALLING,
            "ustack": USTACKS[pid % len(USTACKS)] if pid > 3 else (),
        }  # fmt: skip
