"""The monitor: it gives a guest a machine, serves what the guest's exits ask, logs each, and knows when to stop.

Where the real port has its probes, this monitor fires them, under the names and argument types of the port's source at
its announcement (illumos-kvm, 13 August 2011). The port fires them in the kernel, this monitor in user space, once per
exit that reaches it. A pointer to a `struct kvm_vcpu` is stood in for by the virtual processor's number, 0.

Left out: devices beyond those of `devices`, more than one processor, interrupts, a disk to boot from.
"""

import time
from collections.abc import Callable

from smartos.kvm import kvm_cpu, recorded, unicorn_cpu
from smartos.kvm.devices import RAM_SIZE, Devices
from smartos.kvm.engine import Cpu
from smartos.kvm.errors import AlreadyRun, BadEngine, GuestFault, GuestTooLarge, NoEngine
from smartos.kvm.exits import HLT, INTR, IO, MMIO, Access, Exit, Run
from smartos.kvm.guests import GUESTS, ORIGIN, Guest
from smartos.probes import declare

Console = Callable[[str], None]

ENTRY = declare("sdt:kvm:kvm_guest_enter:kvm-guest-entry", "struct kvm_vcpu *")
VM_ENTRY = declare("sdt:kvm:vcpu_enter_guest:kvm-vm-entry", "int")
VRUN = declare("sdt:kvm:vmx_vcpu_run:kvm-vrun", "unsigned long")
EXIT = declare("sdt:kvm:kvm_guest_exit:kvm-guest-exit", "struct kvm_vcpu *")
VEXIT = declare("sdt:kvm:vmx_handle_exit:kvm-vexit", "unsigned long", "uint32_t")
PIO = declare("sdt:kvm:kvm_emulate_pio:kvm-pio", "int", "unsigned", "int", "unsigned long")
MMIO_READ = declare("sdt:kvm:emulator_read_emulated:kvm-mmio-read", "unsigned int", "uintptr_t", "uint64_t")
UNSATISFIED = declare("sdt:kvm:emulator_read_emulated:kvm-mmio-read-unsatisfied", "unsigned int", "uintptr_t")
MMIO_WRITE = declare("sdt:kvm:emulator_write_emulated_onepage:kvm-mmio-write", "unsigned int", "uintptr_t", "uint64_t")

# A table, and no structure of a processor: what Intel's would give (manual, volume 3, appendix C) for the four reasons
# that reach this monitor, on whatever processor or engine the guest runs. kvm-vexit and D's vmregs[] take it from here.
EXIT_REASONS = {INTR: 1, HLT: 12, IO: 30, MMIO: 48}
# Fields of the VMCS by the processor's encoding, for D's vmregs[]: why the guest was left, and where it goes on.
VM_EXIT_REASON, GUEST_RIP = 0x4402, 0x681E

ENGINES = ("kvm", "unicorn", "recorded")
_ENDS = {HLT: "halted", INTR: "was stopped for time"}


def _make(engine: str, guest: Guest) -> tuple[Cpu, str]:
    """An engine with `guest` loaded, and the sentence on why it can run. Raises a :class:`NoEngine`."""
    if engine == "kvm":
        why = kvm_cpu.usable()
        return kvm_cpu.KvmCpu(guest.image), why
    if engine == "unicorn":
        why = unicorn_cpu.usable()
        return unicorn_cpu.UnicornCpu(guest.image), why
    cpu = recorded.RecordedCpu(guest)
    return cpu, f"This is a recording, made on {cpu.source}."


def _vmregs(exit: Exit) -> dict[int, int]:
    """What D's vmregs[] has to say of an exit."""
    return {VM_EXIT_REASON: EXIT_REASONS[exit.reason], GUEST_RIP: exit.resume or 0}


def engines() -> dict[str, str]:
    """For each engine, whether it can run here and why, as a sentence."""
    said = {}
    for name, usable in (("kvm", kvm_cpu.usable), ("unicorn", unicorn_cpu.usable)):
        try:
            said[name] = usable()
        except NoEngine as lacking:
            said[name] = str(lacking)
    said["recorded"] = f"There are recordings of {', '.join(GUESTS)}."
    return said


class VM:
    """A guest in its machine. :meth:`run` runs it once; `log` grows with every exit. One that is not to run is closed,
    by :meth:`close` or at the end of a `with`."""

    def __init__(
        self, guest: Guest, engine: str = "auto", console: Console | None = None, exits: int = 1_000_000
    ) -> None:
        if engine not in ("auto", *ENGINES):
            raise BadEngine(f"There is no engine {engine!r}; the engines are auto, {', '.join(ENGINES)}.")
        if ORIGIN + len(guest.image) > RAM_SIZE:
            room = RAM_SIZE - ORIGIN
            raise GuestTooLarge(f"The guest {guest.name} has {len(guest.image):,} bytes; its RAM has {room:,}.")
        self.guest, self.devices, self.log, self.end = guest, Devices(console), [], ""
        self._most, self._over = exits, ""
        self.cpu, self.engine, self.why = self._choose(engine)

    def _choose(self, engine: str) -> tuple[Cpu, str, str]:
        lacking = []
        for name in ENGINES if engine == "auto" else (engine,):
            try:
                cpu, why = _make(name, self.guest)
                return cpu, name, "\n".join([*lacking, why])
            except NoEngine as error:
                lacking.append(str(error))
                last = error
        raise last if len(lacking) == 1 else NoEngine(" ".join(lacking))

    def run(self, seconds: float = 10.0, locate: bool = True) -> Run:
        """Run the guest to its end, or for at most `seconds`. Raises :class:`GuestFault`, :class:`AlreadyRun`."""
        if self._over:
            raise AlreadyRun(f"The machine of the guest {self.guest.name} {self._over}; make a new VM to run it again.")
        self._over = "has run"
        self._resume = ORIGIN
        started = time.perf_counter()
        self._deadline = time.monotonic() + seconds
        self._fire_entry()
        try:
            self.cpu.run(self, seconds, locate)
            elapsed = 0.0 if self.engine == "recorded" else time.perf_counter() - started
            if not self.end:
                raise GuestFault(f"The guest {self.guest.name} stopped without saying why.")
            kernel = self.cpu.kernel()
        except GuestFault as fault:
            fault.exits = tuple(self.log)
            raise
        finally:
            self.close()
        return Run(
            self.guest, self.engine, self.why, self.devices.serial.text, self.log, self.end, self.devices.status,
            elapsed, kernel,
        )  # fmt: skip

    def close(self) -> None:
        """Give back what the machine holds. A second time does nothing."""
        self._over = self._over or "is closed"
        self.cpu.close()

    def __enter__(self) -> "VM":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def serve(self, access: Access) -> int:
        """Carry out what an exit asks."""
        return self.devices.serve(access) if access.reason in (IO, MMIO) else 0

    def note(self, access: Access, value: int, resume: int | None, mode: str) -> bool:
        """Log an exit and fire its probes; False when the guest is not to go on."""
        number = len(self.log) + 1
        exit = Exit(number, access.reason, access.direction, access.address, access.size, value, resume, mode)
        self.log.append(exit)
        self._fire_exit(exit)
        self._resume = resume or 0
        if access.reason in _ENDS:
            self.end = _ENDS[access.reason]
        elif self.devices.status is not None:
            self.end = f"ended itself with status {self.devices.status}"
        elif len(self.log) >= self._most:
            self.end = "was stopped for the number of its exits"
        elif len(self.log) % 256 == 0 and time.monotonic() > self._deadline and self.engine != "recorded":
            self.end = _ENDS[INTR]
        if self.end:
            return False
        self._fire_entry()
        return True

    def _fire_entry(self) -> None:
        if ENTRY.listeners:
            ENTRY.fire(0, timestamp=time.perf_counter_ns())
        if VM_ENTRY.listeners:
            VM_ENTRY.fire(0)
        if VRUN.listeners:
            VRUN.fire(self._resume)

    def _fire_exit(self, exit: Exit) -> None:
        """The probes of one exit, in the port's order."""
        if EXIT.listeners:
            EXIT.fire(0, timestamp=time.perf_counter_ns(), vmregs=_vmregs(exit))
        if VEXIT.listeners:
            line = self.guest.before(exit.resume)
            VEXIT.fire(line.address if line else exit.resume or 0, EXIT_REASONS[exit.reason], vmregs=_vmregs(exit))
        if exit.reason == IO and PIO.listeners:
            PIO.fire(int(exit.direction == "out"), exit.address, exit.size, 1)
        if exit.direction == "write" and MMIO_WRITE.listeners:
            MMIO_WRITE.fire(exit.size, exit.address, exit.value)
        if exit.direction == "read":
            if UNSATISFIED.listeners:
                UNSATISFIED.fire(exit.size, exit.address)
            if MMIO_READ.listeners:
                MMIO_READ.fire(exit.size, exit.address, exit.value)


def run(
    guest: Guest | str,
    engine: str = "auto",
    console: Console | None = None,
    seconds: float = 10.0,
    exits: int = 1_000_000,
    locate: bool = True,
) -> Run:
    """Run a guest (or the name of one of ours) and give what came of it.

    `engine` is kvm, unicorn, recorded, or auto for the first of these that works; `console` receives each character
    as the guest writes it; `seconds` and `exits` bound the run; `locate` asks for the address and mode of each exit,
    which costs a further entry into the kernel. Raises a :class:`KvmError` of the kind that says what is wrong.
    """
    if isinstance(guest, str):
        if guest not in GUESTS:
            raise BadEngine(f"There is no guest {guest!r}; the guests are {', '.join(GUESTS)}.")
        guest = GUESTS[guest]
    return VM(guest, engine, console, exits).run(seconds, locate)
