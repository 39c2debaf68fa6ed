"""An idle SmartOS node, which is never quite idle: a few dozen processes that wake, do a little and sleep again.

    load = Workload(seed=1, now=0)
    while load.next() < 10**9:
        load.fire()

Each process is a generator of steps; a step fires what the real kernel would fire there, through `smartos.probes` with
`acting(…)`, and takes some time. A thread that has work waits for its CPU, runs, and gives it up when it sleeps. The same
seed gives the same events. Nothing here knows who listens.

What is fired: `syscall:::`, `proc:::`, `sched:::`, `sysinfo:::`, `vminfo:::` and, for disk and network, `io:::`, `ip:::` and
`tcp:::`. Arguments are objects with the members of the kernel's structures. Left out: preemption, priorities that change,
and what the processes are for. The cast follows a node of 2011: the global zone's services, and zones of which some hold a guest.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping
from random import Random

from smartos.probes import Probe, Userland, acting
from smartos.workload import net, points
from smartos.workload.cast import CAST, DONE, IDLE, SLEEPING, STACKS, USTACKS, WRITING, Process, Struct, make_cpu
from smartos.zfs.vdev_io import B_BUSY, B_DONE, B_READ, B_WRITE, IO_DONE, IO_START, NO_FILE, BufInfo, DevInfo

US, MS = 1000, 1000_000
_DISK = DevInfo("sd", "sd1", "/devices/pci@0,0/pci15ad,1976@10/sd@1,0:a", 31, 64, 1)
_MAJORS = {"sd": 31, "e1000g": 52}
PROBES: tuple[Probe, ...] = (
    *(probe for pair in points.SYSCALLS.values() for probe in pair),
    *(probe for table in points.TABLES for probe in table.values()),
    *net.IP.values(), *net.TCP.values(), IO_START, IO_DONE,
)  # fmt: skip


class Workload:
    """The node at work from `now` on (nanoseconds since boot).

    `watcher` is a further process of the global zone, a dtrace(1M) that looks at its buffers every so many nanoseconds:
    its pid, its parent's, and that interval.
    """

    def __init__(self, seed: int = 0, now: int = 0, cpus: int = 1, watcher: tuple[int, int, int] | None = None) -> None:
        self._random = Random(seed)
        self.cpus = [make_cpu(n) for n in range(cpus)]
        self.now = now
        self.idle = [Process(0, 0, "sched", 0, 0, cpu, "sched") for cpu in self.cpus]
        for cpu, idle in zip(self.cpus, self.idle, strict=True):
            cpu.cpu_idle_thread = cpu.cpu_thread = idle.thread
        self.running: list[Process | None] = [None] * cpus
        self._queue: list[tuple[int, int, Iterator[int]]] = []
        self._order = 0
        self._next_pid = 4800
        for place, (pid, ppid, name, zone, uid, kind, pause, args) in enumerate(CAST):
            process = Process(pid, ppid, name, zone, uid, self.cpus[place % cpus], args)
            self._put(now + int(self._random.random() * pause * MS), self._life(process, kind, pause))
        if watcher is not None:
            process = Process(watcher[0], watcher[1], "dtrace", 0, 0, self.cpus[-1], "dtrace")
            self._put(now + watcher[2], self._watch(process, watcher[2]))

    def _put(self, when: int, life: Iterator[int]) -> None:
        self._order += 1
        heapq.heappush(self._queue, (when, self._order, life))

    def next(self) -> int | None:
        """When something happens next."""
        return self._queue[0][0] if self._queue else None

    def fire(self) -> None:
        """Let it happen: one step of one process."""
        when, _, life = heapq.heappop(self._queue)
        self.now = when
        pause = next(life, None)
        if pause is not None and pause >= 0:
            self._put(when + pause, life)

    def pass_until(self, now: int) -> None:
        """Let all happen that is due."""
        while self._queue and self._queue[0][0] <= now:
            self.fire()

    def sampler(self, place: Callable[[str], int]) -> Callable[[int, int], tuple[int, int, Mapping[str, object]]]:
        """For the profile provider: what a CPU is doing, as kernel and user program counter and context.

        `place` gives the address that a frame `module`function+0x12` stands for.
        """

        def sample(cpu: int, now: int) -> tuple[int, int, Mapping[str, object]]:
            self.pass_until(now)
            process = self.running[cpu] if cpu < len(self.running) else None
            if process is None:
                idle = self.idle[min(cpu, len(self.idle) - 1)]
                return place(IDLE[0]), 0, {**idle.context, "cpu": cpu, "stack": IDLE}
            user = process.pid > 3 and self._random.random() < 0.4
            stack = self._random.choice(STACKS.get(process.name, STACKS[""]))
            frames = self._random.choice(USTACKS) if process.pid > 3 else ()
            context = {**process.context, "ustack": frames}
            if user:
                return 0, place(frames[0]), {**context, "stack": ()}
            return place(stack[0]), 0, {**context, "stack": stack}

        return sample

    # ---- lives

    def _life(self, process: Process, kind: str, pause: int) -> Iterator[int]:
        burst: Callable[[Process], Iterator[int]] = getattr(self, f"_{kind}")
        while True:
            yield from self._on(process)
            yield from burst(process)
            self._off(process)
            yield int(self._random.expovariate(1 / (pause * MS))) + 50 * US

    def _watch(self, process: Process, interval: int) -> Iterator[int]:
        """The life of dtrace(1M) itself: sleep, read the buffers of each CPU, sleep."""
        while True:
            start = self.now
            yield from self._on(process)
            for cpu in range(len(self.cpus)):
                yield from self._call(process, "ioctl", 3, 0x64740001 + cpu, 0x8046E00)
            self._off(process)
            yield max(start + interval - self.now, 1)

    def _on(self, process: Process) -> Iterator[int]:
        """Be woken by the idle loop's interrupt, wait for the CPU, get it."""
        cpu = process.cpu
        number = cpu.cpu_id  # type: ignore[attr-defined]
        waker = self.running[number] or self.idle[number]
        process.thread.t_state = 2  # type: ignore[attr-defined]
        cpu.cpu_disp.disp_nrunnable += 1  # type: ignore[attr-defined]
        with acting(**waker.context):
            _tell(points.SCHED["wakeup"], process.thread)
            _tell(points.SCHED["enqueue"], process.thread, cpu.cpu_disp, 0)  # type: ignore[attr-defined]
        while self.running[number] is not None:
            yield 100 * US + self._random.randrange(200 * US)
        cpu.cpu_disp.disp_nrunnable -= 1  # type: ignore[attr-defined]
        self.running[number] = process
        idle = self.idle[number]
        with acting(**idle.context):
            _tell(points.SCHED["dequeue"], process.thread, cpu.cpu_disp)  # type: ignore[attr-defined]
            _tell(points.SYSINFO["pswitch"], 1, None)
            _tell(points.SCHED["off-cpu"], process.thread)
        cpu.cpu_thread = process.thread  # type: ignore[attr-defined]
        process.thread.t_state = 4  # type: ignore[attr-defined]
        with acting(**{**process.context, "stack": SLEEPING}):
            _tell(points.SCHED["on-cpu"])
        yield 2 * US

    def _off(self, process: Process) -> None:
        number = process.cpu.cpu_id  # type: ignore[attr-defined]
        idle = self.idle[number]
        with acting(**{**process.context, "stack": SLEEPING}):
            _tell(points.SCHED["sleep"])
            process.thread.t_state = 1  # type: ignore[attr-defined]
            _tell(points.SCHED["off-cpu"], idle.thread)
        self.running[number] = None
        process.cpu.cpu_thread = idle.thread  # type: ignore[attr-defined]
        with acting(**{**idle.context, "stack": IDLE}):
            _tell(points.SCHED["on-cpu"])

    def _call(self, process: Process, name: str, *args: object, result: int = 0, errno: int = 0, takes: int = 0) -> Iterator[int]:
        """A system call: entry, some time, return."""
        entry, back = points.SYSCALLS[name]
        args = tuple(Userland(arg) if isinstance(arg, str) else arg for arg in args)
        with acting(**process.context):
            if entry.listeners:
                entry.fire(*(*args, 0, 0, 0, 0, 0, 0)[: len(entry.argtypes)])
            counters = _COUNTERS.get(name, ())
            for counter in counters:
                _tell(points.SYSINFO[counter], max(result, 1) if counter.endswith("ch") else 1, None)
        yield takes or 800 + self._random.randrange(4 * US)
        value = -1 if errno else result
        with acting(**{**process.context, "errno": errno}):
            _tell(back, value, value)

    def _fault(self, process: Process) -> None:
        with acting(**process.context):
            _tell(points.SYSINFO["trap"], 1, None)
            _tell(points.VMINFO["as_fault"], 1, None)
            _tell(points.VMINFO[self._random.choice(("zfod", "cow_fault", "pgfrec"))], 1, None)

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
        yield from self._call(process, "write", 7, 0x8070000, size, result=size)
        yield from self._disk(process, B_WRITE, 8192)

    def _network(self, process: Process) -> Iterator[int]:
        size = 1 << 5 + self._random.randrange(8)
        yield from self._call(process, "portfs", 6, 3, 0x8047800, 1, result=1)
        link = net.Connection(self._random, 22 if process.name == "sshd" else 80, process.pid)
        self._interrupt(process, "e1000g", 0, link.accepted)
        yield from self._call(process, "accept", 5, 0x8047700, 0x80476FC, result=9)
        self._interrupt(process, "e1000g", 0, lambda: link.receive(size))
        yield from self._call(process, "read", 9, 0x80A0000, 8192, result=size)
        if self._random.random() < 0.4:
            yield from self._call(process, "open", "/opt/local/share/httpd/htdocs/index.html", 0, 0, result=11)
            yield from self._call(process, "read", 11, 0x80B0000, 65536, result=45 + self._random.randrange(60000))
            yield from self._call(process, "close", 11)
            if self._random.random() < 0.2:
                yield from self._disk(process, B_READ, 131072)
        answer = 45 + (self._random.randrange(20000) if self._random.random() < 0.4 else 0)
        with acting(**process.context):
            link.send(answer)
        yield from self._call(process, "write", 9, 0x80B0000, answer, result=answer)
        yield from self._call(process, "close", 9)

    def _interrupt(
        self, process: Process, driver: str, instance: int, what: Callable[[], None], stack: tuple[str, ...] = IDLE
    ) -> None:
        """A device interrupts the CPU of a process, whoever runs there."""
        number = process.cpu.cpu_id  # type: ignore[attr-defined]
        device = {"devi_binding_name": driver, "devi_node_name": driver, "devi_instance": instance, "devi_major": _MAJORS[driver]}
        running = self.running[number] or self.idle[number]
        with acting(**{**running.context, "stack": stack}):
            _tell(points.INTERRUPT["start"], device, None, 0, 0)
            what()
            _tell(points.INTERRUPT["complete"], device, None, 0, 0, 1)

    def _guest(self, process: Process) -> Iterator[int]:
        for _ in range(1 + self._random.randrange(4)):
            yield from self._call(process, "ioctl", 12, 0x2000AE80, 0, takes=20 * US + self._random.randrange(400 * US))
        if self._random.random() < 0.1:
            with acting(**process.context):
                _tell(points.SYSINFO["xcalls"], 1, None)
        if self._random.random() < 0.2:
            yield from self._call(process, "pwrite", 14, 0xFB000000, 4096, self._random.randrange(1 << 20) << 12, result=4096)
            yield from self._disk(process, B_WRITE, 4096)
        yield from self._call(process, "read", 8, 0x8046000, 512, result=-1, errno=11)

    def _flusher(self, process: Process) -> Iterator[int]:
        for _ in range(2 + self._random.randrange(5)):
            yield from self._disk(process, B_WRITE, 1 << 12 + self._random.randrange(5))

    def _disk(self, process: Process, way: int, size: int) -> Iterator[int]:
        """A read or write of the disk: started here, done some milliseconds later in an interrupt; till then it sleeps."""
        block = self._random.randrange(1 << 24)
        buf = BufInfo(B_BUSY | way, size, block), _DISK, NO_FILE
        with acting(**{**process.context, "stack": WRITING}):
            _tell(IO_START, *buf)
            _tell(points.WAIT["wait-start"], *buf)
        self._off(process)
        yield 200 * US + int(self._random.expovariate(1 / (3 * MS)))
        done = BufInfo(B_BUSY | B_DONE | way, size, block)
        self._interrupt(process, "sd", 1, lambda: _tell(IO_DONE, done, _DISK, NO_FILE), DONE)
        yield from self._on(process)
        with acting(**{**process.context, "stack": WRITING}):
            _tell(points.WAIT["wait-done"], *buf)

    def _spawner(self, process: Process) -> Iterator[int]:
        """fork, exec, work, exit, wait: what cron does with a job."""
        self._next_pid += 1 + self._random.randrange(3)
        child = Process(self._next_pid, process.pid, process.name, 0, 0, process.cpu)
        child.proc.p_parent = process.proc  # type: ignore[attr-defined]
        entry, back = points.SYSCALLS["forksys"]
        with acting(**process.context):
            _tell(entry, 0, 0)
            _tell(points.SYSINFO["sysfork"], 1, None)
            _tell(points.PROC["lwp-create"], child.thread)
            _tell(points.PROC["create"], child.proc)
        yield 120 * US
        with acting(**process.context):
            _tell(back, child.pid, child.pid)
        job = self._random.choice(("/bin/date", "/usr/bin/ls", "/usr/sbin/logadm"))
        self._off(process)
        yield 30 * US
        yield from self._on(child)
        with acting(**child.context):
            _tell(points.PROC["start"])
            _tell(points.PROC["lwp-start"])
        yield from self._exec(child, job)
        yield from self._call(child, "open", "/etc/TIMEZONE", 0, 0, result=3)
        yield from self._call(child, "read", 3, 0x8050000, 4096, result=215)
        yield from self._call(child, "write", 1, 0x8051000, 29, result=29)
        with acting(**child.context):
            _tell(points.SYSCALLS["rexit"][0], 0)
            _tell(points.PROC["lwp-exit"])
            _tell(points.PROC["exit"], 1)
            _tell(points.PROC["signal-send"], process.thread, 18)
        self._off(child)
        yield 40 * US
        yield from self._on(process)
        with acting(**process.context):
            _tell(points.PROC["signal-handle"], 18, Struct(si_signo=18, si_code=1, si_pid=child.pid), 0x8052B10)
        yield from self._call(process, "waitsys", 0, child.pid, 0x8047000, 3)

    def _exec(self, child: Process, path: str) -> Iterator[int]:
        entry, back = points.SYSCALLS["exece"]
        with acting(**child.context):
            _tell(entry, path, 0x8047F00, 0x8047F80)
            _tell(points.PROC["exec"], path)
            _tell(points.SYSINFO["sysexec"], 1, None)
        yield 250 * US
        child.name = path.rpartition("/")[2]
        child.proc.p_user.u_comm, child.proc.p_user.u_psargs = child.name, path  # type: ignore[attr-defined]
        child.context = {**child.context, "execname": child.name}
        self._fault(child)
        with acting(**child.context):
            _tell(points.PROC["exec-success"])
            _tell(back, 0, 0)


def _tell(probe: Probe, *args: object) -> None:
    if probe.listeners:
        probe.fire(*args)


_COUNTERS = {"read": ("sysread", "readch"), "write": ("syswrite", "writech"), "open": ("namei",)}
