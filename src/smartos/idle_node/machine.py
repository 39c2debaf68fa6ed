"""The machine under the node's processes: its CPUs, its clock, who waits, who runs, who is interrupted.

A thread that has work waits for its CPU, runs, and gives it up when it sleeps. Interrupts are threads of process 0, so
what they fire has the name `sched`, whoever was interrupted. Everything fires with the calls that its thread is in
(:mod:`smartos.idle_node.calls`), the function of a statically defined probe the innermost of them.

Left out: preemption, priorities that change, and threads beyond one a process.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import Random

from smartos.idle_node import calls, points
from smartos.idle_node.cast import Process, make_cpu, user_stack
from smartos.probes import Probe, Userland, acting
from smartos.zfs.vdev.zio import B_BUSY, B_DONE, B_READ, IO_DONE, IO_START, NO_FILE, BufInfo, DevInfo

US, MS = 1000, 1000_000
_DISK = DevInfo("sd", "sd1", "/devices/pci@0,0/pci15ad,1976@10/sd@1,0:a", 31, 64, 1)
_MAJORS = {"sd": 31, "e1000g": 52}
_COUNTERS = {"read": ("sysread", "readch"), "write": ("syswrite", "writech"), "open": ("namei",)}


class Node:
    """CPUs and a clock, from `now` on (nanoseconds since boot)."""

    def __init__(self, seed: int, now: int, cpus: int) -> None:
        self._random = Random(seed)
        self.cpus = [make_cpu(n) for n in range(cpus)]
        self.now = now
        self.idle = [Process(0, 0, "sched", 0, 0, cpu, "sched") for cpu in self.cpus]
        for cpu, idle in zip(self.cpus, self.idle, strict=True):
            cpu.cpu_idle_thread = cpu.cpu_thread = idle.thread
            idle.calls.inside = list(calls.IDLE)
        self.interrupts = [Process(0, 0, "sched", 0, 0, cpu, "sched") for cpu in self.cpus]
        self.running: list[Process | None] = [None] * cpus
        self._queue: list[tuple[int, int, Iterator[int]]] = []
        self._order = 0

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
                context = {**self.idle[min(cpu, len(self.idle) - 1)].context, "cpu": cpu}
                return place(context["stack"][0]), 0, context  # type: ignore[index]
            if not process.system and self._random.random() < 0.4:
                frames = user_stack(process.name, "memcpy")
                return 0, place(frames[0]), {**process.context, "stack": (), "ustack": frames}
            call, path = self._random.choice(calls.SAMPLED.get(process.name, calls.SAMPLED[""]))
            stack = calls.Calls(*(() if process.system else process.calls.inside[:1]), *path).stack
            frames = () if process.system else user_stack(process.name, call)
            return place(stack[0]), 0, {**process.context, "stack": stack, "ustack": frames}

        return sample

    # ---- calls

    def enter(self, process: Process, *functions: str) -> None:
        """The thread calls these functions, one from the other."""
        for function in functions:
            process.calls.enter(function, process)

    def leave(self, process: Process, count: int = 1) -> None:
        """It returns from so many."""
        for _ in range(count):
            process.calls.leave(process)

    @contextmanager
    def inside(self, process: Process, functions: Sequence[str]) -> Iterator[None]:
        """The thread is in these functions, one called by the other, while the block runs."""
        self.enter(process, *functions)
        yield
        self.leave(process, len(functions))

    def tell(self, process: Process, *probes: tuple[Probe, *tuple[object, ...]]) -> None:
        """Fire probes that stand in one function of the kernel, in it: each is a probe and its arguments."""
        function = calls.function_of(probes[0][0])
        deeper = process.calls.inside[-1] != function
        if deeper:
            self.enter(process, function)
        for probe, *args in probes:
            if probe.listeners:
                with acting(**process.context):
                    probe.fire(*args)
        if deeper:
            self.leave(process)

    def _call(
        self, process: Process, name: str, *args: object, result: int = 0, errno: int = 0, takes: int = 0,
        inside: Iterator[int] | None = None,
    ) -> Iterator[int]:  # fmt: skip
        """A system call: entry, some time or what goes on `inside` it, return."""
        entry, back = points.SYSCALLS[name]
        args = tuple(Userland(arg) if isinstance(arg, str) else arg for arg in args)
        process.within = name
        if entry.listeners:
            with acting(**process.context):
                entry.fire(*(*args, 0, 0, 0, 0, 0, 0)[: len(entry.argtypes)])
        with self.inside(process, calls.WITHIN.get(name, ())):
            for counter in _COUNTERS.get(name, ()):
                self.tell(process, (points.SYSINFO[counter], max(result, 1) if counter.endswith("ch") else 1, None))
            if inside is not None:
                yield from inside
            yield takes or 800 + self._random.randrange(4 * US)
        value = -1 if errno else result
        if back.listeners:
            with acting(**{**process.context, "errno": errno}):
                back.fire(value, value)

    def _fault(self, process: Process) -> None:
        self.enter(process, "unix`trap")
        self.tell(process, (points.SYSINFO["trap"], 1, None))
        self.tell(process, (points.VMINFO["as_fault"], 1, None))
        self.tell(process, (points.VMINFO[self._random.choice(("zfod", "cow_fault", "pgfrec"))], 1, None))
        self.leave(process)

    # ---- CPUs

    def _interrupting(self, process: Process, path: tuple[str, ...]) -> Process:
        """The interrupt thread of a process's CPU, which belongs to process 0, in the middle of `path`."""
        thread = self.interrupts[process.cpu.cpu_id]  # type: ignore[attr-defined]
        thread.calls.inside = []
        self.enter(thread, *path)
        return thread

    def _on(self, process: Process) -> Iterator[int]:
        """Be woken by the clock's interrupt, wait for the CPU, get it, and return to where it slept."""
        cpu = process.cpu
        number = cpu.cpu_id  # type: ignore[attr-defined]
        waker = self._interrupting(process, calls.SOFTINT)
        process.thread.t_state = 2  # type: ignore[attr-defined]
        cpu.cpu_disp.disp_nrunnable += 1  # type: ignore[attr-defined]
        self.tell(waker, (points.SCHED["wakeup"], process.thread))
        self.tell(waker, (points.SCHED["enqueue"], process.thread, cpu.cpu_disp, 0))  # type: ignore[attr-defined]
        self.leave(waker, len(calls.SOFTINT))
        while self.running[number] is not None:
            yield 100 * US + self._random.randrange(200 * US)
        cpu.cpu_disp.disp_nrunnable -= 1  # type: ignore[attr-defined]
        self.running[number] = process
        idle = self.idle[number]
        self.tell(idle, (points.SCHED["dequeue"], process.thread, cpu.cpu_disp))  # type: ignore[attr-defined]
        self.enter(idle, "unix`swtch")
        self.tell(idle, (points.SYSINFO["pswitch"], 1, None))
        self.tell(idle, (points.SCHED["off-cpu"], process.thread))
        cpu.cpu_thread = process.thread  # type: ignore[attr-defined]
        process.thread.t_state = 4  # type: ignore[attr-defined]
        self.tell(process, (points.SCHED["on-cpu"],))
        self.leave(process, process.asleep)
        process.asleep = 0
        yield 2 * US

    def _rest(self, process: Process) -> None:
        """Sleep for want of work, in the way of this process."""
        process.within = process.rests
        self._off(process, calls.RESTS[process.rests])

    def _off(self, process: Process, path: tuple[str, ...] = ()) -> None:
        """Give up the CPU, asleep at the end of a path of calls; without one it has ended."""
        number = process.cpu.cpu_id  # type: ignore[attr-defined]
        idle = self.idle[number]
        self.enter(process, *path)
        if path:
            self.tell(process, (points.SCHED["sleep"],))
        self.enter(process, "unix`swtch")
        process.asleep = len(path) + 1
        process.thread.t_state = 1  # type: ignore[attr-defined]
        self.tell(process, (points.SCHED["off-cpu"], idle.thread))
        self.running[number] = None
        process.cpu.cpu_thread = idle.thread  # type: ignore[attr-defined]
        self.tell(idle, (points.SCHED["on-cpu"],))
        if idle.calls.inside[-1] == "unix`swtch":
            self.leave(idle)

    # ---- devices

    def _interrupt(self, process: Process, driver: str, instance: int, what: Callable[[Process], None]) -> None:
        """A device interrupts the CPU of a process, whoever runs there; `what` gets the interrupt's thread."""
        device = {"devi_binding_name": driver, "devi_node_name": driver, "devi_instance": instance, "devi_major": _MAJORS[driver]}
        thread = self._interrupting(process, calls.HARDINT)
        self.tell(thread, (points.INTERRUPT["start"], device, None, 0, 0))
        what(thread)
        self.tell(thread, (points.INTERRUPT["complete"], device, None, 0, 0, 1))
        self.leave(thread, len(calls.HARDINT))

    def _transfer(self, process: Process, way: int, size: int, path: tuple[str, ...]) -> int:
        """Hand a transfer to the disk at the end of a path of calls; when it will be done. Its end is an interrupt."""
        block = self._random.randrange(1 << 24)
        with self.inside(process, path):
            self.tell(process, (IO_START, BufInfo(B_BUSY | way, size, block), _DISK, NO_FILE))
        takes = 200 * US + int(self._random.expovariate(1 / (3 * MS)))
        self._put(self.now + takes, self._done(process, BufInfo(B_BUSY | B_DONE | way, size, block)))
        return takes

    def _done(self, process: Process, buf: BufInfo) -> Iterator[int]:
        def finish(thread: Process) -> None:
            with self.inside(thread, calls.TRANSFER_DONE):
                self.tell(thread, (IO_DONE, buf, _DISK, NO_FILE))

        self._interrupt(process, "sd", 1, finish)
        yield -1

    def _read_file(self, process: Process, size: int) -> Iterator[int]:
        """What a read of a file does whose blocks are not in the ARC: this thread asks the disk, and sleeps till it has them."""
        with self.inside(process, calls.READ_FILE):
            takes = self._transfer(process, B_READ, size, calls.ARC_MISS)
            self._off(process, calls.DISK_WAIT)
            yield takes + US
            yield from self._on(process)

    def _write_file(self, process: Process, path: tuple[str, ...] = calls.WRITE_FILE) -> Iterator[int]:
        """What a write to a file or volume of ZFS does: it changes the ARC and returns. The disk hears of it from `zpool-zones`."""
        with self.inside(process, path):
            yield 3 * US
