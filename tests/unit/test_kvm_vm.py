"""The monitor, on the engines that every machine has: what it logs, when it stops, how it says what is wrong.

The software CPU (unicorn) is one of the tests' requirements, so nothing here is skipped.
"""

import json

import pytest

from smartos.kvm import (
    GUESTS,
    VM,
    AlreadyRun,
    BadEngine,
    Guest,
    GuestFault,
    GuestTooLarge,
    KvmError,
    NoEngine,
    NoKVM,
    NoRecording,
    NoUnicorn,
    engines,
    kvm_cpu,
    run,
    unicorn_cpu,
)  # fmt: skip
from smartos.kvm.__main__ import record
from smartos.kvm.recorded import provenance, recordings

SOFT = ("unicorn", "recorded")


def guest(*code: str) -> Guest:
    """A guest of these instructions, in hexadecimal."""
    lines, address = [], 0x1000
    for one in code:
        lines.append(f"{address:04x}  {one:<20}  ?")
        address += len(one) // 2
    return Guest("test", "\n".join(lines))


@pytest.mark.parametrize("engine", SOFT)
def test_the_smallest_guest_makes_four_exits(engine: str) -> None:
    done = run("hi", engine)
    assert done.serial == "Hi\n" and done.end == "halted"
    assert done.counts() == {"KVM_EXIT_IO": 3, "KVM_EXIT_HLT": 1}
    assert [exit.detail for exit in done.log] == [
        "out port 0x3f8: 0x48 'H'", "out port 0x3f8: 0x69 'i'", "out port 0x3f8: 0x0a", "nothing left to do",
    ]  # fmt: skip
    assert [exit.resume for exit in done.log] == [0x1006, 0x1009, 0x100C, 0x100D]


@pytest.mark.parametrize("engine", SOFT)
def test_the_long_guest_reports_each_mode(engine: str) -> None:
    done = run("modes", engine)
    square = f"{0xFFFFFFFF**2:016x}"
    assert done.serial.splitlines() == ["real mode", "protected mode", "long mode", square, "smartos-mini"]
    assert list(dict.fromkeys(exit.mode for exit in done.log)) == ["real", "protected", "long"]
    assert done.counts() == {"KVM_EXIT_IO": 66, "KVM_EXIT_MMIO": 2, "KVM_EXIT_HLT": 1}


def test_the_console_gets_each_character_as_it_is_written() -> None:
    seen = []
    run("hi", "unicorn", console=seen.append)
    assert seen == ["H", "i", "\n"]


def test_the_software_cpu_does_what_was_recorded() -> None:
    for name in ("hi", "modes", "knock"):
        assert run(name, "recorded").log == run(name, "unicorn").log


def test_every_recording_is_of_dev_kvm_and_says_of_which() -> None:
    for name in GUESTS:
        made = provenance(name)
        assert made.engine == "kvm" and "Linux" in made.host and "kvm_" in made.host
        assert run(name, "recorded").why == f"This is a recording, made on /dev/kvm ({made.host})."


def test_recordings_made_anew_hold_the_same_exits_and_say_their_own_engine() -> None:
    made, kept = json.loads(record("unicorn")), recordings()
    assert {key: one["exits"] for key, one in made.items()} == {key: one["exits"] for key, one in kept.items()}
    assert {(one["engine"], one["host"]) for one in made.values()} == {("unicorn", f"unicorn {unicorn_cpu.version()}")}


def test_an_endless_guest_is_stopped_for_time() -> None:
    done = run("spin", "unicorn", seconds=0.2)
    assert done.end == "was stopped for time" and [exit.reason for exit in done.log] == ["KVM_EXIT_INTR"]
    assert 0.2 <= done.seconds < 5


def test_a_guest_that_exits_for_ever_is_stopped_by_either_bound() -> None:
    endless = guest("e680", "ebfc")  # out 0x80, al; jump back
    assert run(endless, "unicorn", exits=1000).end == "was stopped for the number of its exits"
    done = run(endless, "unicorn", seconds=0.1)
    assert done.end == "was stopped for time" and len(done.log) > 1


def test_a_guest_can_end_itself() -> None:
    done = run(guest("b007", "e6f4"), "unicorn")  # mov al, 7; out 0xf4, al
    assert done.status == 7 and done.end == "ended itself with status 7"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (("e642",), "at port 0x42 meets no device"),
        (("b8f0ff", "8ed8", "a10080"), "read of 2 byte.* at 0x107f00 meets neither RAM nor a device"),
        (("b8f0ff", "8ed8", "a30080"), "write of 2 byte.* at 0x107f00 meets neither RAM nor a device"),
        (("0f0b",), "gave up at 0x1000: Invalid instruction"),
        (("ea000000f0",), "Invalid memory fetch"),
    ],
    ids=["unknown port", "read beyond RAM", "write beyond RAM", "no such instruction", "jump beyond RAM"],
)
def test_a_stray_guest_is_one_clear_line(code: tuple[str, ...], message: str) -> None:
    with pytest.raises(GuestFault, match=message):
        run(guest(*code), "unicorn")


def test_a_fault_keeps_the_exits_before_it() -> None:
    with pytest.raises(GuestFault) as caught:
        run(guest("e680", "e642"), "unicorn")
    assert [exit.address for exit in caught.value.exits] == [0x80]


def test_wrong_names_say_which_there_are() -> None:
    with pytest.raises(BadEngine, match="no engine 'xen'; the engines are auto, kvm, unicorn, recorded"):
        run("hi", "xen")
    with pytest.raises(BadEngine, match="no guest 'linux'; the guests are hi, modes, knock, spin"):
        run("linux")


@pytest.mark.parametrize("engine", SOFT)
def test_a_machine_runs_once_and_says_so(engine: str) -> None:
    machine = VM(GUESTS["hi"], engine)
    machine.run()
    with pytest.raises(AlreadyRun, match="guest hi has run; make a new VM"):
        machine.run()
    assert len(machine.log) == 4


@pytest.mark.parametrize("engine", SOFT)
def test_a_machine_that_is_closed_unrun_says_so(engine: str) -> None:
    with VM(GUESTS["hi"], engine) as machine:
        pass
    machine.close()
    with pytest.raises(AlreadyRun, match="guest hi is closed; make a new VM"):
        machine.run()


def test_a_guest_larger_than_its_ram_is_refused() -> None:
    with pytest.raises(GuestTooLarge, match="has 600,000 bytes; its RAM has 520,192"):
        VM(guest("90" * 600_000), "unicorn")


def test_only_the_recorded_guests_can_be_replayed() -> None:
    with pytest.raises(NoRecording, match="no recording of the guest hi-patched"):
        run(GUESTS["hi"].patched(0x1006, "b06f"), "recorded")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with neither KVM nor unicorn."""

    def absent() -> str:
        raise NoKVM("/dev/kvm is absent on this machine.")

    monkeypatch.setattr(kvm_cpu, "usable", absent)
    monkeypatch.setattr(unicorn_cpu, "unicorn", None)


def test_a_bare_machine_replays_and_says_so(bare: None) -> None:
    done = run("hi")
    assert done.engine == "recorded" and done.serial == "Hi\n" and done.seconds == 0
    assert "/dev/kvm is absent" in done.why and "unicorn is not installed" in done.why and "recording" in done.why


def test_a_bare_machine_says_all_that_is_missing(bare: None) -> None:
    with pytest.raises(NoUnicorn, match="pip install unicorn"):
        run("hi", "unicorn")
    with pytest.raises(NoEngine, match="absent.*not installed.*no recording"):
        run(GUESTS["hi"].patched(0x1006, "b06f"))


def test_without_kvm_the_software_cpu_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> str:
        raise NoKVM("/dev/kvm is absent on this machine.")

    monkeypatch.setattr(kvm_cpu, "usable", absent)
    done = run("hi")
    assert done.engine == "unicorn"
    assert done.why.startswith("/dev/kvm is absent on this machine.\nThe software CPU is unicorn")
    assert engines()["kvm"] == "/dev/kvm is absent on this machine."


def test_the_device_says_why_it_does_not_open(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoKVM, match="is absent on this machine"):
        kvm_cpu.open_device(str(tmp_path / "kvm"))
    (tmp_path / "file").write_text("")
    with pytest.raises(NoKVM, match="does not answer as KVM does"):
        kvm_cpu.open_device(str(tmp_path / "file"))
    monkeypatch.setattr(kvm_cpu.api, "ioctl", lambda fd, request, argument=0: 11)
    with pytest.raises(NoKVM, match="has API version 11, and this program speaks 12"):
        kvm_cpu.open_device(str(tmp_path / "file"))

    def forbidden(path: str, flags: int) -> int:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(kvm_cpu.os, "open", forbidden)
    with pytest.raises(NoKVM, match="may not be opened by this user"):
        kvm_cpu.open_device()


def test_every_error_is_of_one_family() -> None:
    names = (AlreadyRun, BadEngine, GuestFault, GuestTooLarge, NoEngine, NoKVM, NoRecording, NoUnicorn)
    assert all(issubclass(name, KvmError) for name in names)
