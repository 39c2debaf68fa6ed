"""The monitor's probes against the port's source: names and argument types of the probes at the announcement.

The oracle is `kvm_sdt_probes.csv`, a scan of illumos-kvm's sources at commit 44e36b4.
"""

import csv
from importlib.resources import files

import pytest

from smartos.kvm import run, vm
from smartos.probes import matching, subscribe

OURS = [probe for probe in matching("sdt:kvm::") if probe.name.startswith("kvm-")]


def port() -> dict[str, set[tuple[str, ...]]]:
    """Each probe of the port at launch, with the argument types of each place that fires it."""
    text = files("smartos.post").joinpath("data", "kvm_sdt_probes.csv").read_text("utf-8")
    found: dict[str, set[tuple[str, ...]]] = {}
    for row in csv.DictReader(text.splitlines()):
        if row["era"].startswith("announce"):
            types = tuple(row["arg_types"].split(";")) if row["arg_types"] else ()
            found.setdefault(row["probe_name_as_seen_in_dtrace"], set()).add(types)
    return found


@pytest.mark.parametrize("probe", OURS, ids=lambda probe: probe.name)
def test_each_probe_is_one_of_the_ports(probe) -> None:
    assert probe.argtypes in port()[probe.name]


def firings(guest: str, description: str = "sdt:kvm::") -> list[tuple[str, tuple]]:
    heard = []
    with subscribe(lambda probe, args, context: heard.append((probe.name, args)), description):
        run(guest, "unicorn")
    return heard


def test_an_exit_fires_in_the_ports_order() -> None:
    assert firings("hi")[:7] == [
        ("kvm-guest-entry", (0,)), ("kvm-vm-entry", (0,)), ("kvm-vrun", (0x1000,)), ("kvm-guest-exit", (0,)),
        ("kvm-vexit", (0x1005, 30)), ("kvm-pio", (1, 0x3F8, 1, 1)), ("kvm-guest-entry", (0,)),
    ]  # fmt: skip


def test_every_exit_is_seen_once() -> None:
    heard = [name for name, _ in firings("modes")]
    log = run("modes", "unicorn").counts()
    for name in ("kvm-guest-entry", "kvm-guest-exit", "kvm-vexit"):
        assert heard.count(name) == sum(log.values())
    assert heard.count("kvm-pio") == log["KVM_EXIT_IO"]
    for name in ("kvm-mmio-read", "kvm-mmio-read-unsatisfied", "kvm-mmio-write"):
        assert heard.count(name) == 1


@pytest.mark.parametrize("probe", OURS, ids=lambda probe: probe.name)
def test_each_probe_can_be_heard_alone(probe) -> None:
    assert {name for name, _ in firings("modes", str(probe))} == {probe.name}


def test_exit_reasons_are_the_processors() -> None:
    """Intel's manual, volume 3, appendix C: external interrupt 1, HLT 12, I/O instruction 30, EPT violation 48."""
    assert sorted(vm.EXIT_REASONS.values()) == [1, 12, 30, 48]
