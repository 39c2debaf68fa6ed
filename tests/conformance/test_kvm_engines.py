"""KVM against the software CPU, and our count of exits against the kernel's own.

The oracles are two processors that know nothing of each other: the machine's, through /dev/kvm, and unicorn's.
"""

import signal
import threading

import pytest

from smartos.kvm import GUESTS, Guest, GuestFault, NoKVM, kvm_cpu, run
from smartos.kvm.cpuid import NAME


def missing() -> str:
    """What this machine lacks for KVM, empty when nothing."""
    try:
        kvm_cpu.usable()
    except NoKVM as lacking:
        return str(lacking)
    return ""


pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "KVM can be used")


@pytest.mark.parametrize("name", ["hi", "modes", "knock"])
def test_kvm_and_the_software_cpu_log_the_same(name: str) -> None:
    ours, soft = run(name, "kvm"), run(name, "unicorn")
    assert ours.log == soft.log
    assert (ours.serial, ours.end) == (soft.serial, soft.end)
    assert ours.engine == "kvm" and ours.kernel is not soft.kernel


def test_kvm_does_what_was_recorded() -> None:
    assert run("modes", "kvm").log == run("modes", "recorded").log


@pytest.mark.parametrize("name", ["hi", "modes", "knock"])
def test_the_kernel_counts_what_we_count(name: str) -> None:
    """`exits` may be larger: the kernel also counts those it handles alone and those of host interrupts."""
    done = run(name, "kvm")
    if done.kernel is None:
        pytest.skip("this kernel has no KVM_GET_STATS_FD (Linux 5.14)")
    counted = done.counts()
    assert done.kernel["exits"] >= len(done.log)
    assert done.kernel["halt_exits"] == counted["KVM_EXIT_HLT"]
    assert done.kernel["mmio_exits"] == counted.get("KVM_EXIT_MMIO", 0)
    if name == "knock":
        assert done.kernel["exits"] < 1.1 * len(done.log), "nearly all exits of this guest are the ones it asks for"


def test_the_guest_sees_our_cpuid_table() -> None:
    assert run("modes", "kvm").serial.splitlines()[-1] == NAME.decode()


def test_not_asking_where_changes_nothing_else() -> None:
    plain = run("modes", "kvm", locate=False)
    assert plain.serial == run("modes", "unicorn").serial
    assert {exit.resume for exit in plain.log} == {None}


def test_an_endless_guest_is_stopped_by_a_signal_and_the_handler_comes_back() -> None:
    before = signal.getsignal(signal.SIGALRM)
    done = run("spin", "kvm", seconds=0.2)
    assert done.end == "was stopped for time" and [exit.reason for exit in done.log] == ["KVM_EXIT_INTR"]
    assert 0.2 <= done.seconds < 5
    assert signal.getsignal(signal.SIGALRM) is before and signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_guest_that_exits_for_ever_is_stopped_for_time() -> None:
    endless = Guest("endless", "1000  e680                  out 0x80, al\n1002  ebfc                  jmp 0x1000")
    assert run(endless, "kvm", seconds=0.1).end == "was stopped for time"


def test_a_triple_fault_is_a_shutdown() -> None:
    """UD2 in protected mode with no interrupt table: no handler for it, nor for the fault that follows."""
    with pytest.raises(GuestFault, match="processor shut down"):
        run(GUESTS["modes"].patched(0x1028, "0f0b909090"), "kvm", seconds=2)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("e642", "at port 0x42 meets no device"),
        ("b8f0ff8ed8a10080", "read of 2 byte.* at 0x107f00 meets neither RAM nor a device"),
        ("b8f0ff8ed8a30080", "write of 2 byte.* at 0x107f00 meets neither RAM nor a device"),
    ],
    ids=["unknown port", "read beyond RAM", "write beyond RAM"],
)
def test_a_stray_guest_is_the_same_clear_line(code: str, message: str) -> None:
    stray = Guest("stray", f"1000  {code:<20}  ?")
    for engine in ("kvm", "unicorn"):
        with pytest.raises(GuestFault, match=message):
            run(stray, engine, seconds=2)


def test_no_descriptor_is_left_open() -> None:
    import os

    run("hi", "kvm")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        run("hi", "kvm")
    assert len(os.listdir("/proc/self/fd")) == before


def test_another_thread_gets_the_software_cpu() -> None:
    done = []
    thread = threading.Thread(target=lambda: done.append(run("hi")))
    thread.start()
    thread.join()
    assert done[0].engine == "unicorn" and "main thread" in done[0].why
