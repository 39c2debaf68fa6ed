"""The probes of a whole system that is at work: system calls, processes, the dispatcher, counters, virtual memory.

Names, functions and argument types are those of illumos (its table of system calls, and the places of the `DTRACE_PROC`,
`DTRACE_SCHED`, `CPU_STATS` and `DTRACE_IO` macros). Most system calls are declared and never fired: they are there to be
listed and matched. :mod:`smartos.idle_node` fires the others.
"""

from smartos.probes import Probe, declare
from smartos.zfs.vdev.zio import IO_START

_SYSCALLS = """
nosys indir exit psecflags read write open close linkat link unlink symlinkat chdir time mknod chmod chown brk stat lseek
getpid mount readlinkat setuid getuid stime pcsample alarm fstat pause stty gtty access nice statfs sync kill fstatfs
setpgrp uucopystr times prof faccessat setgid getgid mknodat sysi86 ioctl uadmin fchownat utssys fdsync exece umask chroot
fcntl ulimit renameat unlinkat fstatat fstatat64 openat openat64 tasksys getpagesizes rctlsys sidsys lwp_park sendfilev
rmdir mkdir getdents privsys ucredsys sysfs getmsg putmsg lstat symlink readlink setgroups getgroups fchmod fchown
sigprocmask sigsuspend sigaltstack sigaction sigpending getsetcontext fchmodat mkdirat statvfs fstatvfs getloadavg waitsys
sigsendset hrtsys utimesys sigresend priocntlsys pathconf mincore mmap mprotect munmap fpathconf vfork fchdir readv writev
mmapobj setrlimit getrlimit lchown memcntl getpmsg putpmsg rename uname setegid sysconfig adjtime systeminfo seteuid
forksys sigtimedwait lwp_info yield lwp_sema_post lwp_sema_trywait lwp_detach corectl modctl fchroot vhangup gettimeofday
getitimer setitimer lwp_create lwp_exit lwp_suspend lwp_continue lwp_kill lwp_self lwp_sigmask lwp_private lwp_wait
lwp_mutex_wakeup lwp_cond_wait lwp_cond_signal lwp_cond_broadcast pread pwrite llseek brandsys lgrpsys rusagesys portfs
pollsys labelsys acl auditsys processor_bind processor_info p_online sigqueue clock_gettime clock_settime clock_getres
timer_create timer_delete timer_settime timer_gettime timer_getoverrun nanosleep facl door setreuid setregid signotify
schedctl resolvepath lwp_mutex_timedlock lwp_sema_timedwait lwp_rwlock_sys getdents64 smmaplf32 stat64 lstat64 fstat64
statvfs64 fstatvfs64 setrlimit64 getrlimit64 pread64 pwrite64 open64 zone getcwd so_socket so_socketpair bind listen accept
connect shutdown recv recvfrom recvmsg send sendmsg sendto getpeername getsockname getsockopt setsockopt sockconfig
ntp_gettime ntp_adjtime lwp_mutex_unlock lwp_mutex_trylock lwp_mutex_register cladm uucopy umount2 rexit fork1
""".split()
_ARGUMENTS = {
    "read": ("int", "void *", "size_t"), "write": ("int", "const void *", "size_t"), "open": ("const char *", "int", "int"),
    "close": ("int",), "ioctl": ("int", "int", "void *"), "stat": ("const char *", "struct stat *"),
    "lwp_park": ("int", "timespec_t *", "id_t"), "pollsys": ("void *", "int", "timespec_t *", "void *"),
    "nanosleep": ("timespec_t *", "timespec_t *"), "brk": ("caddr_t",), "exece": ("const char *", "char **", "char **"),
    "kill": ("int", "int"), "waitsys": ("int", "id_t", "siginfo_t *", "int"), "send": ("int", "void *", "size_t", "int"),
    "recv": ("int", "void *", "size_t", "int"), "portfs": ("int", "uintptr_t", "uintptr_t", "uintptr_t"), "gtime": (),
    "clock_gettime": ("int", "timespec_t *"), "access": ("const char *", "int"), "accept": ("int", "void *", "void *"),
    "forksys": ("int", "int"), "rexit": ("int",), "mmap": ("caddr_t", "size_t", "int", "int", "int", "off_t"),
    "pwrite": ("int", "void *", "size_t", "off_t"), "pread": ("int", "void *", "size_t", "off_t"),
}  # fmt: skip


def _syscalls() -> dict[str, tuple[Probe, Probe]]:
    found = {}
    for name in dict.fromkeys(_SYSCALLS):
        types = _ARGUMENTS.get(name, ("uintptr_t",) * 3)
        found[name] = declare(f"syscall::{name}:entry", *types), declare(f"syscall::{name}:return", "long", "long")
    return found


SYSCALLS = _syscalls()
"""Entry and return of each system call."""

_T, _P, _D = "kthread_t *", "proc_t *", "disp_t *"
PROC = {
    "create": declare("proc:genunix:cfork:create", _P),
    "exec": declare("proc:genunix:exec_common:exec", "char *"),
    "exec-success": declare("proc:genunix:exec_common:exec-success"),
    "exec-failure": declare("proc:genunix:exec_common:exec-failure", "int"),
    "exit": declare("proc:genunix:proc_exit:exit", "int"),
    "lwp-create": declare("proc:genunix:lwp_create:lwp-create", _T),
    "lwp-exit": declare("proc:genunix:proc_exit:lwp-exit"),
    "lwp-start": declare("proc:unix:lwp_rtt_initial:lwp-start"),
    "start": declare("proc:unix:lwp_rtt_initial:start"),
    "signal-send": declare("proc:genunix:sigtoproc:signal-send", _T, "int"),
    "signal-discard": declare("proc:genunix:sigtoproc:signal-discard", _T, _P, "int"),
    "signal-handle": declare("proc:genunix:psig:signal-handle", "int", "siginfo_t *", "void (*)(void)"),
    "signal-clear": declare("proc:genunix:sigtimedwait:signal-clear", "int", "siginfo_t *"),
    "fault": declare("proc:unix:trap:fault", "int", "siginfo_t *"),
}
SCHED = {
    "on-cpu": declare("sched:unix:resume:on-cpu"),
    "off-cpu": declare("sched:unix:resume:off-cpu", _T),
    "remain-cpu": declare("sched:unix:swtch:remain-cpu"),
    "preempt": declare("sched:unix:preempt:preempt"),
    "enqueue": declare("sched:unix:setbackdq:enqueue", _T, _D, "int"),
    "dequeue": declare("sched:unix:disp:dequeue", _T, _D),
    "sleep": declare("sched:genunix:cv_block:sleep"),
    "wakeup": declare("sched:genunix:sleepq_wakeone_chan:wakeup", _T),
    "tick": declare("sched:genunix:clock_tick:tick", _T),
    "change-pri": declare("sched:genunix:thread_change_pri:change-pri", _T, "pri_t"),
    "surrender": declare("sched:unix:cpu_surrender:surrender", _T),
    "schedctl-yield": declare("sched:TS:ts_yield:schedctl-yield", "int"),
}
SYSINFO = {
    "pswitch": declare("sysinfo:unix:swtch:pswitch", "int", "int *"),
    "inv_swtch": declare("sysinfo:unix:preempt:inv_swtch", "int", "int *"),
    "sysread": declare("sysinfo:genunix:read:sysread", "int", "int *"),
    "syswrite": declare("sysinfo:genunix:write:syswrite", "int", "int *"),
    "readch": declare("sysinfo:genunix:read:readch", "int", "int *"),
    "writech": declare("sysinfo:genunix:write:writech", "int", "int *"),
    "sysfork": declare("sysinfo:genunix:cfork:sysfork", "int", "int *"),
    "sysexec": declare("sysinfo:genunix:exec_common:sysexec", "int", "int *"),
    "namei": declare("sysinfo:genunix:lookuppnvp:namei", "int", "int *"),
    "trap": declare("sysinfo:unix:trap:trap", "int", "int *"),
    "xcalls": declare("sysinfo:unix:xc_common:xcalls", "int", "int *"),
}
VMINFO = {
    "as_fault": declare("vminfo:genunix:as_fault:as_fault", "int", "int *"),
    "zfod": declare("vminfo:genunix:anon_zero:zfod", "int", "int *"),
    "cow_fault": declare("vminfo:genunix:anon_private:cow_fault", "int", "int *"),
    "maj_fault": declare("vminfo:genunix:pageio_setup:maj_fault", "int", "int *"),
    "pgin": declare("vminfo:genunix:pageio_setup:pgin", "int", "int *"),
    "pgout": declare("vminfo:genunix:pageio_setup:pgout", "int", "int *"),
    "pgfrec": declare("vminfo:genunix:page_reclaim:pgfrec", "int", "int *"),
}
WAIT = {
    "wait-start": declare("io:genunix:biowait:wait-start", *IO_START.argtypes),
    "wait-done": declare("io:genunix:biowait:wait-done", *IO_START.argtypes),
}
_VECTOR = ("struct dev_info *", "void *", "caddr_t", "caddr_t")
INTERRUPT = {
    "start": declare("sdt:unix:av_dispatch_autovect:interrupt-start", *_VECTOR),
    "complete": declare("sdt:unix:av_dispatch_autovect:interrupt-complete", *_VECTOR, "int"),
}
TABLES = PROC, SCHED, SYSINFO, VMINFO, WAIT, INTERRUPT
