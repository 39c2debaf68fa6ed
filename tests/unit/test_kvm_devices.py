"""The guest's devices: the serial port's registers as a driver meets them, one clear line where there is none."""

import pytest

from smartos.kvm import GuestFault
from smartos.kvm.devices import ADDER, END, IGNORED, SERIAL, Devices
from smartos.kvm.exits import IO, MMIO, Access


def out(devices: Devices, port: int, value: int, size: int = 1) -> int:
    return devices.serve(Access(IO, "out", port, size, value))


def test_each_byte_reaches_the_console_at_once() -> None:
    seen = []
    devices = Devices(seen.append)
    out(devices, SERIAL, ord("H"))
    assert seen == ["H"]
    out(devices, SERIAL, ord("i"))
    assert seen == ["H", "i"] and devices.serial.text == "Hi"


def test_transmitter_is_always_empty() -> None:
    assert Devices().serve(Access(IO, "in", SERIAL + 5, 1)) & 0x60 == 0x60


def test_setting_the_line_speed_prints_nothing() -> None:
    """A driver writes the divisor to registers 0 and 1 while bit 7 of the line control register is set."""
    devices = Devices()
    for register, value in ((3, 0x80), (0, 1), (1, 0), (3, 0x03), (0, ord("x"))):
        out(devices, SERIAL + register, value)
    assert devices.serial.text == "x"


def test_a_register_keeps_what_is_written() -> None:
    devices = Devices()
    out(devices, SERIAL + 7, 0x5A)  # the scratch register, by which drivers find an 8250
    assert devices.serve(Access(IO, "in", SERIAL + 7, 1)) == 0x5A


def test_the_adding_register_adds_and_wraps_at_64_bits() -> None:
    devices = Devices()
    devices.serve(Access(MMIO, "write", ADDER, 8, 2**64 - 1))
    devices.serve(Access(MMIO, "write", ADDER, 8, 8))
    assert devices.serve(Access(MMIO, "read", ADDER, 8)) == 7


def test_ignored_and_end_port() -> None:
    devices = Devices()
    assert out(devices, IGNORED, 9) == 9 and devices.status is None
    out(devices, END, 3)
    assert devices.status == 3


@pytest.mark.parametrize(
    ("access", "message"),
    [
        (Access(IO, "out", 0x42, 1, 0), r"out of 1 byte\(s\) at port 0x42 meets no device; .*0x3f8"),
        (Access(IO, "in", SERIAL, 2), r"in of 2 byte\(s\) at port 0x3f8 meets no device"),
        (Access(IO, "in", END, 1), r"port 0xf4 meets no device; .*\(out only\)"),
        (Access(MMIO, "read", 0x80000, 4), r"4 byte\(s\) at 0x80000 meets neither .*; RAM ends at 0x80000"),
    ],
)
def test_where_no_device_is_one_line_says_what_there_is(access: Access, message: str) -> None:
    with pytest.raises(GuestFault, match=message):
        Devices().serve(access)
