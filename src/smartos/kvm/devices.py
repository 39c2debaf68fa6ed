"""The devices that the guest's machine has: a serial port, a port that ignores, a port that ends, an adding register.

The serial port follows the register layout of the 8250 that a PC has at 0x3f8; the ports 0x80 and 0xf4 are where PCs
and QEMU have theirs. Left out: interrupts, received bytes, line speed, every device that a PC also has.
"""

from collections.abc import Callable

from smartos.kvm.errors import GuestFault
from smartos.kvm.exits import IO, Access

SERIAL, IGNORED, END = 0x3F8, 0x80, 0xF4
RAM_SIZE = 0x80000
ADDER = 0x100000
PAGE = 0x1000

DATA, INTERRUPT_ID, LINE_CONTROL, LINE_STATUS = 0, 2, 3, 5
DLAB = 0x80  # in the line control register: registers 0 and 1 hold the speed divisor
EMPTY = 0x60  # in the line status register: transmitter holding register and transmitter are empty


class Serial:
    """An 8250 that is always ready to send; each byte goes to `console` as a character at once."""

    def __init__(self, console: Callable[[str], None] | None = None) -> None:
        self.text = ""
        self._console = console
        self._registers = bytearray(8)

    def read(self, register: int) -> int:
        return {DATA: 0, INTERRUPT_ID: 0x01, LINE_STATUS: EMPTY}.get(register, self._registers[register])

    def write(self, register: int, value: int) -> None:
        self._registers[register] = value
        if register == DATA and not self._registers[LINE_CONTROL] & DLAB:
            self.text += chr(value)
            if self._console:
                self._console(chr(value))


class Devices:
    """What answers at ports and at guest-physical addresses without RAM."""

    def __init__(self, console: Callable[[str], None] | None = None) -> None:
        self.serial = Serial(console)
        self.total = 0
        self.status: int | None = None

    def serve(self, access: Access) -> int:
        """Carry out an access; returns the value written, or the answer. Raises GuestFault where no device is."""
        return self._port(access) if access.reason == IO else self._memory(access)

    def _port(self, access: Access) -> int:
        register = access.address - SERIAL
        if 0 <= register < 8 and access.size == 1:
            if access.value is None:
                return self.serial.read(register)
            self.serial.write(register, access.value)
        elif access.address == END and access.value is not None:
            self.status = access.value
        elif access.address != IGNORED:
            raise GuestFault(
                f"The guest's {access.direction} of {access.size} byte(s) at port {access.address:#x} meets no device; "
                f"its machine has {SERIAL:#x} to {SERIAL + 7:#x} (serial, by bytes), {IGNORED:#x}, {END:#x} (out only)."
            )
        return 0 if access.value is None else access.value

    def _memory(self, access: Access) -> int:
        """The adding register: it takes the sum of all that is written to it, and reads as that sum."""
        if access.address != ADDER:
            raise GuestFault(
                f"The guest's {access.direction} of {access.size} byte(s) at {access.address:#x} meets neither RAM nor "
                f"a device; RAM ends at {RAM_SIZE:#x}, and the only device is at {ADDER:#x}."
            )
        if access.value is not None:
            self.total = (self.total + access.value) % 2**64
            return access.value
        return self.total % 2 ** (8 * access.size)
