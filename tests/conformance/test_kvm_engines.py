"""KVM against the software CPU, and our count of exits against the kernel's own.

The oracles are two processors that know nothing of each other: the machine's, through /dev/kvm, and unicorn's.
"""

import gc
import json
import os
import signal
import struct
import threading
from collections.abc import Callable

import pytest

from smartos.kvm import GUESTS, VM, AlreadyRun, Guest, GuestFault, NoKVM, api, kvm_cpu, run
from smartos.kvm.__main__ import record
from smartos.kvm.cpuid import NAME
from smartos.kvm.kvm_cpu import KvmCpu
from smartos.kvm.recorded import recordings


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
    made, kept = json.loads(record("kvm")), recordings()
    assert {key: one["exits"] for key, one in made.items()} == {key: one["exits"] for key, one in kept.items()}
    assert {one["engine"] for one in made.values()} == {one["engine"] for one in kept.values()} == {"kvm"}


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


def test_executing_beyond_ram_and_an_instruction_that_kvm_refuses_are_two_faults() -> None:
    beyond = Guest("beyond", "1000  ea000000f0            jmp 0xf000:0")
    with pytest.raises(GuestFault, match="executes at 0xf0000, where it has no RAM"):
        run(beyond, "kvm", seconds=2)
    within = KvmCpu(GUESTS["hi"].image)
    struct.pack_into("=I", within._run, api.EXIT_REASON, api.EXIT_INTERNAL_ERROR)
    struct.pack_into("=I", within._run, api.EXIT_DATA, api.ERROR_EMULATION)
    with pytest.raises(GuestFault, match="cannot emulate the instruction at 0x1000, baf803b0"):
        within._access()
    struct.pack_into("=I", within._run, api.EXIT_DATA, 4)
    with pytest.raises(GuestFault, match="internal error 4 at 0x1000"):
        within._access()
    within.close()


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_no_descriptor_is_left_open() -> None:
    run("hi", "kvm")
    before = descriptors()
    for _ in range(5):
        run("hi", "kvm")
    assert descriptors() == before


def test_machines_that_never_run_give_their_descriptors_back() -> None:
    run("hi", "kvm")
    before = descriptors()
    for _ in range(100):
        VM(GUESTS["hi"], "kvm")
    gc.collect()
    assert descriptors() == before
    with VM(GUESTS["hi"], "kvm") as machine:
        assert descriptors() > before
    assert descriptors() == before
    machine.close()


def test_a_machine_runs_once_and_says_so() -> None:
    machine = VM(GUESTS["hi"], "kvm")
    machine.run()
    with pytest.raises(AlreadyRun, match="guest hi has run; make a new VM"):
        machine.run()


def in_a_thread(work: Callable[[], object]) -> object:
    done = []
    thread = threading.Thread(target=lambda: done.append(work()))
    thread.start()
    thread.join(60)
    return done[0]


def test_another_thread_runs_on_kvm_too() -> None:
    done = in_a_thread(lambda: run("modes"))
    assert done.engine == "kvm" and done.log == run("modes", "recorded").log


def test_an_endless_guest_is_stopped_in_another_thread() -> None:
    done = in_a_thread(lambda: run("spin", "kvm", seconds=0.2))
    assert done.end == "was stopped for time" and 0.2 <= done.seconds < 5


def test_two_endless_guests_at_once_are_each_stopped() -> None:
    others = [threading.Thread(target=run, args=("spin", "kvm"), kwargs={"seconds": 0.3}) for _ in range(2)]
    for thread in others:
        thread.start()
    assert run("spin", "kvm", seconds=0.2).end == "was stopped for time"
    for thread in others:
        thread.join(60)
        assert not thread.is_alive()


def test_the_threads_signals_are_as_before() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    run("spin", "kvm", seconds=0.1)
    run("hi", "kvm", seconds=0.0)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before and not signal.sigpending()
