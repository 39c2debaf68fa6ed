"""An idle SmartOS node, which is never quite idle: a few dozen processes that wake, do a little and sleep again.

    load = Workload(seed=1, now=0)
    while load.next() < 10**9:
        load.fire()

Each process is a generator of steps; a step fires what the real kernel would fire there, through `smartos.probes` with
`acting(…)`, and takes some time. The same seed gives the same events. Nothing here knows who listens.

What is fired: `syscall:::`, `proc:::`, `sched:::`, `sysinfo:::`, `vminfo:::`, for disk and network `io:::`, `ip:::` and
`tcp:::`, and `fbt:::` for each function that a stack shows. Arguments are objects with the members of the kernel's
structures. As on a real node, a write of a process changes the ARC and no more: every five seconds the pool's own
process, `zpool-zones`, writes what has changed, and only reads that miss the ARC go to the disk under their process's
name.

Left out: what the processes are for, and `io:::wait-start` and `wait-done`, for which ZFS never waits. The cast follows
a node of 2011: the global zone's services, and zones of which some hold a guest.
"""

from collections.abc import Callable, Iterator

from smartos.idle_node import calls, net, points
from smartos.idle_node.cast import CAST, Process, Struct
from smartos.idle_node.machine import MS, US, Node
from smartos.probes import Probe, acting
from smartos.zfs.vdev.zio import B_WRITE, IO_DONE, IO_START

TXG_TIMEOUT = 5000 * MS  # zfs_txg_timeout
_POINTS = [probe for table in points.TABLES for probe in table.values()] + [IO_START, IO_DONE, *net.IP.values(), *net.TCP.values()]
for _point in _POINTS:
    calls.function_of(_point)
PROBES: tuple[Probe, ...] = (
    *(probe for pair in points.SYSCALLS.values() for probe in pair), *_POINTS, *(probe for pair in calls.FBT.values() for probe in pair),
)  # fmt: skip


class Workload(Node):
    """The node at work from `now` on (nanoseconds since boot).

    `watcher` is a further process of the global zone, a dtrace(1M) that looks at its buffers every so many nanoseconds:
    its pid, its parent's, and that interval.
    """

    def __init__(self, seed: int = 0, now: int = 0, cpus: int = 1, watcher: tuple[int, int, int] | None = None) -> None:
        super().__init__(seed, now, cpus)
        self._next_pid = 4800
        for place, (pid, ppid, name, zone, uid, kind, pause, args) in enumerate(CAST):
            process = Process(pid, ppid, name, zone, uid, self.cpus[place % cpus], args)
            process.rests = _RESTS[kind]
            self._put(now + int(self._random.random() * pause * MS), self._life(process, kind, pause))
        if watcher is not None:
            process = Process(watcher[0], watcher[1], "dtrace", 0, 0, self.cpus[-1], "dtrace")
            process.rests = "lwp_park"
            self._put(now + watcher[2], self._watch(process, watcher[2]))

    # ---- lives

    def _life(self, process: Process, kind: str, pause: int) -> Iterator[int]:
        burst: Callable[[Process], Iterator[int]] = getattr(self, f"_{kind}")
        while True:
            began = self.now
            yield from self._on(process)
            yield from burst(process)
            self._rest(process)
            if kind == "syncer":
                yield max(began + TXG_TIMEOUT - self.now, 1)
            else:
                yield int(self._random.expovariate(1 / (pause * MS))) + 50 * US

    def _watch(self, process: Process, interval: int) -> Iterator[int]:
        """The life of dtrace(1M) itself: sleep, read the buffers of each CPU, sleep."""
        while True:
            start = self.now
            yield from self._on(process)
            for cpu in range(len(self.cpus)):
                yield from self._call(process, "ioctl", 3, 0x64740001 + cpu, 0x8046E00)
            self._rest(process)
            yield max(start + interval - self.now, 1)

    def _poller(self, process: Process) -> Iterator[int]:
        yield from self._call(process, "pollsys", 0x8047B20, 3, 0x8047A10, 0, result=self._random.randrange(2))
        yield from self._call(process, "clock_gettime", 4, 0x8047A00)
        if self._random.random() < 0.5:
            yield from self._call(process, "ioctl", 5, 0x5401, 0x8047A40)
        self._fault(process)

    def _door(self, process: Process) -> Iterator[int]:
        for _ in range(1 + self._random.randrange(3)):
            yield from self._call(process, "lwp_park", 0, 0x8047B00, 0)
            yield from self._call(process, "door", 0, 0x8047C00, 0x40)
        if self._random.random() < 0.3:
            yield from self._call(process, "open", "/etc/resolv.conf", 0, 0, result=-1, errno=2)

    def _logger(self, process: Process) -> Iterator[int]:
        size = 60 + self._random.randrange(80)
        yield from self._call(process, "read", 4, 0x8070000, 1024, result=size)
        yield from self._call(process, "write", 7, 0x8070000, size, result=size, inside=self._write_file(process))

    def _network(self, process: Process) -> Iterator[int]:
        size = 1 << 5 + self._random.randrange(8)
        yield from self._call(process, "portfs", 6, 3, 0x8047800, 1, result=1)
        link = net.Connection(self._random, 22 if process.name == "sshd" else 80, process.pid)
        self._interrupt(process, "e1000g", 0, lambda thread: link.accepted(self, thread))
        yield from self._call(process, "accept", 5, 0x8047700, 0x80476FC, result=9)
        self._interrupt(process, "e1000g", 0, lambda thread: link.receive(self, thread, size))
        yield from self._call(process, "read", 9, 0x80A0000, 8192, result=size)
        if self._random.random() < 0.4:
            yield from self._call(process, "open", "/opt/local/share/httpd/htdocs/index.html", 0, 0, result=11)
            missing = self._read_file(process, 131072) if self._random.random() < 0.2 else None
            yield from self._call(process, "read", 11, 0x80B0000, 65536, result=45 + self._random.randrange(60000), inside=missing)
            yield from self._call(process, "close", 11)
        answer = 45 + (self._random.randrange(20000) if self._random.random() < 0.4 else 0)
        sending = self._sending(process, link, answer)
        yield from self._call(process, "write", 9, 0x80B0000, answer, result=answer, inside=sending)
        yield from self._call(process, "close", 9)

    def _sending(self, process: Process, link: net.Connection, size: int) -> Iterator[int]:
        with self.inside(process, calls.SENDING):
            link.send(self, process, size)
            yield US

    def _guest(self, process: Process) -> Iterator[int]:
        for _ in range(1 + self._random.randrange(4)):
            running = self._in_guest(process, 20 * US + self._random.randrange(400 * US))
            yield from self._call(process, "ioctl", 12, 0x2000AE80, 0, inside=running)
        if self._random.random() < 0.1:
            self.tell(process, (points.SYSINFO["xcalls"], 1, None))
        if self._random.random() < 0.2:
            place = self._random.randrange(1 << 20) << 12
            writing = self._write_file(process, calls.WRITE_VOLUME)
            yield from self._call(process, "pwrite", 14, 0xFB000000, 4096, place, result=4096, inside=writing)
        yield from self._call(process, "read", 8, 0x8046000, 512, result=-1, errno=11)

    def _in_guest(self, process: Process, takes: int) -> Iterator[int]:
        with self.inside(process, (*calls.VCPU[2:], "kvm`vcpu_enter_guest", "kvm`vmx_vcpu_run")):
            yield takes

    def _flusher(self, process: Process) -> Iterator[int]:
        """fsflush looks for old pages. ZFS has none that it would see."""
        with self.inside(process, ("genunix`fsflush",)):
            yield 15 * US

    def _waiter(self, process: Process) -> Iterator[int]:
        """zsched does nothing: it is the parent of the zone's processes."""
        yield US

    def _syncer(self, process: Process) -> Iterator[int]:
        """A transaction group goes to the disk: the pool's threads compress and issue what has changed since the last one."""
        with self.inside(process, calls.TASKQ[1:]):
            for _ in range(12 + self._random.randrange(30)):
                yield 20 * US + self._random.randrange(80 * US)
                self._transfer(process, B_WRITE, 1 << 12 + self._random.randrange(6), calls.ISSUE)

    def _spawner(self, process: Process) -> Iterator[int]:
        """fork, exec, work, exit, wait: what cron does with a job."""
        self._next_pid += 1 + self._random.randrange(3)
        child = Process(self._next_pid, process.pid, process.name, 0, 0, process.cpu)
        child.proc.p_parent = process.proc  # type: ignore[attr-defined]
        yield from self._call(process, "forksys", 0, 0, result=child.pid, inside=self._forking(process, child))
        job = self._random.choice(("/bin/date", "/usr/bin/ls", "/usr/sbin/logadm"))
        self._rest(process)
        yield 30 * US
        yield from self._on(child)
        self.tell(child, (points.PROC["start"],), (points.PROC["lwp-start"],))
        yield from self._call(child, "exece", job, 0x8047F00, 0x8047F80, inside=self._becoming(child, job))
        yield from self._call(child, "open", "/etc/TIMEZONE", 0, 0, result=3)
        yield from self._call(child, "read", 3, 0x8050000, 4096, result=215)
        yield from self._call(child, "write", 1, 0x8051000, 29, result=29)
        child.within = "rexit"
        entry = points.SYSCALLS["rexit"][0]
        if entry.listeners:
            with acting(**child.context):
                entry.fire(0)
        with self.inside(child, ("genunix`rexit",)):
            self.tell(child, (points.PROC["lwp-exit"],), (points.PROC["exit"], 1))
            self.tell(child, (points.PROC["signal-send"], process.thread, 18))
            self._off(child)
        yield 40 * US
        yield from self._on(process)
        self.tell(process, (points.PROC["signal-handle"], 18, Struct(si_signo=18, si_code=1, si_pid=child.pid), 0x8052B10))
        yield from self._call(process, "waitsys", 0, child.pid, 0x8047000, 3)

    def _forking(self, process: Process, child: Process) -> Iterator[int]:
        with self.inside(process, ("genunix`cfork",)):
            self.tell(process, (points.SYSINFO["sysfork"], 1, None))
            self.tell(process, (points.PROC["lwp-create"], child.thread))
            self.tell(process, (points.PROC["create"], child.proc))
            yield 120 * US

    def _becoming(self, child: Process, path: str) -> Iterator[int]:
        with self.inside(child, ("genunix`exec_common",)):
            self.tell(child, (points.PROC["exec"], path), (points.SYSINFO["sysexec"], 1, None))
            yield 250 * US
            child.become(path)
            self._fault(child)
            self.tell(child, (points.PROC["exec-success"],))


_RESTS = {
    "poller": "pollsys", "door": "lwp_park", "logger": "lwp_park", "spawner": "pollsys", "network": "portfs", "guest": "ioctl",
    "flusher": "fsflush", "syncer": "txg", "waiter": "zsched",
}  # fmt: skip
"""Where a process of each kind sleeps when it has nothing to do."""
