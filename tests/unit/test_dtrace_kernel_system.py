"""What the system is to D: the table of probes, kernel types, the library, the workload, recordings."""

import io
from collections import Counter

import pytest

from smartos import probes
from smartos import recording as events
from smartos.dtrace import profile, run_script, trace
from smartos.dtrace.ctf import Struct, Types, resolve, sizeof, spelling
from smartos.dtrace.errors import DError
from smartos.dtrace.system import ktypes, kvm, library
from smartos.dtrace.system.setup import setting
from smartos.dtrace.system.table import Table
from smartos.dtrace.tree import ProbeDesc
from smartos.idle_node import Workload


def test_the_first_three_probes_are_dtrace_s_own():
    assert [(row.id, row.name) for row in Table().matching(ProbeDesc("dtrace"))] == [(1, "BEGIN"), (2, "END"), (3, "ERROR")]


def test_a_number_does_not_depend_on_what_was_asked_first():
    one, other = Table(), Table()
    list(one.all())
    assert next(iter(other.matching(ProbeDesc("sdt", "kvm", "", "kvm-vexit")))).id == next(
        iter(one.matching(ProbeDesc("sdt", "kvm", "", "kvm-vexit")))).id  # fmt: skip


def test_a_profile_probe_is_made_when_it_is_asked_for():
    table = Table()
    found = list(table.matching(ProbeDesc("", "", "", "tick-7ms")))
    assert [row.interval for row in found] == [7_000_000] and list(table.matching(ProbeDesc(id=found[0].id))) == found
    assert not list(table.matching(ProbeDesc("", "", "", "tick-7")))[0].interval - profile.SECOND // 7


def test_all_44_names_of_the_port_are_there():
    assert len({key[3] for key in kvm.probes()}) == 44
    rows = list(Table().matching(ProbeDesc("sdt", "kvm")))
    assert {row.name for row in rows} == {key[3] for key in kvm.probes()}
    assert [row.name for row in Table().matching(ProbeDesc("kvm"))] == [row.name for row in rows]


def test_arguments_have_the_types_that_the_port_gives_them():
    probe = next(iter(setting().probes.matching(ProbeDesc("sdt", "kvm", "", "kvm-vexit"))))
    assert [spelling(arg.native) for arg in probe.args] == ["unsigned long", "uint32_t"]


def test_stable_providers_translate():
    probe = next(iter(setting().probes.matching(ProbeDesc("io", "", "bdev_strategy", "start"))))
    assert [(spelling(arg.native), arg.mapping, spelling(arg.translated)) for arg in probe.args] == [
        ("buf_t *", 0, "bufinfo_t *"), ("buf_t *", 0, "devinfo_t *"), ("buf_t *", 0, "fileinfo_t *")]  # fmt: skip


def test_every_kernel_type_can_be_laid_out():
    types = Types()
    ktypes.install(types)
    for name in ktypes._definitions():
        kind = resolve(types.lookup(name))
        if isinstance(kind, Struct) and kind.complete:
            ends = [member.offset // 8 + sizeof(member.type) for member in kind.members if not member.bitfield]
            assert max(ends, default=0) <= kind.size, name


@pytest.mark.parametrize("name", library.FILES)
def test_every_library_file_compiles(name):
    made = setting()
    made.library.load([name])
    assert name in made.library.loaded


def test_a_program_loads_only_what_it_names():
    made = setting()
    made.library.need("BEGIN { trace(EAGAIN) }")
    assert made.library.loaded == {"errno.d"}
    made.library.need("tick-1s { @[curpsinfo->pr_fname, cpu] = count() }")
    assert made.library.loaded == {"errno.d", "procfs.d", "sched.d"}


def test_without_the_library_its_names_are_unknown():
    from smartos.dtrace.options import Options

    options = Options.command()
    options.set("nolibs")
    assert "failed to resolve EAGAIN" in run_script("BEGIN { trace(EAGAIN) }", options=options).err


def _events(seed: int, seconds: int = 2) -> Counter:
    found: Counter = Counter()
    load = Workload(seed)
    with probes.subscribe(lambda probe, args, context: found.update([(str(probe), context.get("execname"))])):
        while load.next() < seconds * 10**9:
            load.fire()
    return found


def test_the_workload_is_the_same_for_the_same_seed():
    assert _events(1) == _events(1) != _events(2)


def test_the_workload_has_what_programs_ask_for():
    names = {probe.split(":")[0] for probe, _ in _events(1, 8)}
    assert names >= {"syscall", "proc", "sched", "sysinfo", "vminfo", "io", "ip", "tcp"}


def _watched(seconds: int = 12, wanted: str = "") -> list[tuple[str, dict]]:
    found: list[tuple[str, dict]] = []
    load = Workload(1)
    with probes.subscribe(lambda probe, args, context: found.append((str(probe), dict(context))), wanted):
        while load.next() < seconds * 10**9:
            load.fire()
    return found


def _functions(stack: tuple[str, ...]) -> list[str]:
    return [frame.rpartition("+")[0] for frame in stack]


def test_every_frame_of_the_node_s_stacks_is_a_probe_of_fbt():
    from smartos.idle_node import calls

    frames = {function for _, context in _watched(3) for function in _functions(context["stack"])}
    listed = {f"{row.module}`{row.function}" for row in Table().all() if row.provider == "fbt"}
    assert len(frames) > 60 and frames - listed <= calls.ASSEMBLER


def test_a_stack_is_what_fbt_saw_entered():
    inside: dict[object, list[str]] = {}
    for probe, context in _watched(3, "fbt:::"):
        _, module, function, name = probe.split(":")
        called, stack = f"{module}`{function}", _functions(context["stack"])[::-1]
        known = inside.setdefault(context["curthread"], stack + [called] * (name == "return"))
        if name == "entry":
            assert stack == known
            known.append(called)
        else:
            assert stack == known[:-1] and known.pop() == called
    assert max(map(len, inside.values())) < 16, "what was entered is left, too: nobody is deeper than an idle virtual CPU"


def test_writes_reach_the_disk_under_the_pool_s_name():
    """ZFS writes what processes changed in threads of its own: who waits for the disk in his own name, reads."""
    started = _watched(wanted="io:::start")
    writers = {c["execname"] for _, c in started if "thread_start" in c["stack"][-1]}
    readers = {c["execname"]: c for _, c in started if "sys_syscall" in c["stack"][-1]}
    assert writers == {"zpool-zones"} and "zpool-zones" not in readers and "fsflush" not in readers
    assert "zfs`zfs_read" in _functions(readers["httpd"]["stack"])
    assert readers["httpd"]["ustack"][0].startswith("libc.so.1`__read+") and "httpd`main" in readers["httpd"]["ustack"][-2]
    assert {c["execname"] for _, c in _watched(wanted="io:::done")} == {"sched"}
    calling = {c["execname"] for _, c in _watched(wanted="fbt:zfs:zfs_write:entry")}
    assert calling == {"syslogd"} and not calling & writers


def test_a_process_without_a_program_has_no_stack_of_its_own():
    for _, context in _watched(3):
        assert bool(context["ustack"]) == (context["execname"] not in ("sched", "fsflush", "zpool-zones", "zsched"))


def test_system_calls_by_name():
    done = run_script("syscall::read:entry { @[execname] = count() } tick-3s { exit(0) }", quiet=True)
    counted = {line.split()[0]: int(line.split()[1]) for line in done.out.splitlines() if line.strip()}
    assert counted["httpd"] > 10 and counted["qemu-system-x86_"] > 10


def test_the_tool_is_a_process_of_the_system():
    done = run_script("sched:::on-cpu /pid == $pid/ { @[execname] = count() } tick-5s { exit(0) }", quiet=True)
    assert done.out.split()[0] == "dtrace"


def test_profile_samples_who_runs():
    done = run_script("profile-997 { @[arg0 ? \"kernel\" : \"user\"] = count() } tick-2s { exit(0) }", quiet=True)
    assert set(done.out.split()[::2]) == {"kernel", "user"}


def test_a_disk_takes_its_time():
    done = run_script("io:::start { s[arg0] = timestamp } io:::done /s[arg0]/ { @ = avg(timestamp - s[arg0]); s[arg0] = 0 } "
                      "tick-4s { exit(0) }", quiet=True)  # fmt: skip
    assert 200_000 < int(done.out.split()[0]) < 20_000_000


def test_a_recording_fires_the_same_again():
    file, load = io.StringIO(), Workload(5)
    program = 'io:::start { @[execname, args[1]->dev_statname] = sum(args[0]->b_bcount) } syscall::open:entry { @o[copyinstr(arg0)] = count() }'
    with trace(program) as live, events.record(file, "", clock=lambda: load.now):
        while load.next() < 2 * 10**9:
            load.fire()
    lines = file.getvalue().splitlines()
    with trace(program) as again:
        assert events.replay(lines) == len(lines) - 1
    assert again.output == live.output != "\n"


def test_a_recording_keeps_its_times():
    point = probes.declare("sdt:test:unit_again:unit-again", "int")
    file = io.StringIO()
    with events.record(file, "sdt:test::unit-again"):
        for at in (5, 20, 1005):
            point.fire(at, timestamp=at)
    assert [event.time for event in events.load(file.getvalue().splitlines())] == [0, 15, 1000]


def test_a_recording_that_is_none():
    with pytest.raises(events.RecordingError, match="version 9"):
        list(events.load(['{"smartos-events": 9, "probes": {}}']))
    with pytest.raises(events.RecordingError, match="line 2"):
        list(events.load(['{"smartos-events": 1, "probes": {}}', "nonsense"]))


def test_a_probe_that_nobody_has():
    with pytest.raises(DError, match="does not match any probes"):
        with trace("nosuch:::probe { }"):
            pass


def test_a_clock_s_thread_is_the_one_that_it_has_interrupted():
    done = run_script("tick-1000 { self->seen = 1; } syscall:::entry /self->seen/ { exit(3); } tick-20s { exit(4); }", quiet=True)
    assert done.status == 3
