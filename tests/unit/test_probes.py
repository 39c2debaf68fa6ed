"""Probes: named as the real system names them, silent while nobody listens, typed when somebody does."""

import pytest

from smartos import probes
from smartos.probes import ProbeError, acting, declare, matching, subscribe

PIO = declare("test:kvm:kvm_emulate_pio:test-pio", "int", "unsigned")
TICK = declare("test:::tick")


def heard(description: str, fire) -> list[tuple]:
    """What a listener to `description` hears while `fire` runs."""
    firings = []
    with subscribe(lambda probe, args, context: firings.append((probe.name, args, dict(context))), description):
        fire()
    return firings


def test_a_probe_nobody_listens_to_is_one_truth_test() -> None:
    assert not PIO.listeners
    with subscribe(lambda *_: None, "test:::test-pio"):
        assert PIO.listeners and not TICK.listeners
    assert not PIO.listeners


def test_a_listener_hears_arguments_and_context() -> None:
    def fire() -> None:
        with acting(pid=4668, execname="qemu"), acting(cpu=1):
            PIO.fire(1, 0x3F8, timestamp=7)

    context = {"pid": 4668, "execname": "qemu", "cpu": 1, "timestamp": 7}
    assert heard("test-pio", fire) == [("test-pio", (1, 0x3F8), context)]


def test_context_ends_with_its_block() -> None:
    with acting(pid=1):
        pass
    assert heard("test-pio", lambda: PIO.fire(0, 0)) == [("test-pio", (0, 0), {})]


@pytest.mark.parametrize(
    ("description", "names"),
    [
        ("test:::", {"test-pio", "tick"}),
        ("test:kvm::", {"test-pio"}),
        ("test:k*:kvm_emulate_???:", {"test-pio"}),
        ("kvm_emulate_pio:", {"test-pio"}),
        ("test:::tick", {"tick"}),
    ],
)
def test_descriptions_match_as_in_d(description: str, names: set[str]) -> None:
    assert {probe.name for probe in matching(description) if probe.provider == "test"} == names


def test_two_listeners_hear_the_same_firing() -> None:
    calls = []
    with subscribe(lambda *_: calls.append("first"), "tick"), subscribe(lambda *_: calls.append("second"), "test:::"):
        TICK.fire()
    assert calls == ["first", "second"]


def test_a_probe_declared_later_is_heard_too() -> None:
    calls = []
    with subscribe(lambda probe, *_: calls.append(str(probe)), "test:::"):
        late = declare("test:late::born")
        late.fire()
    assert calls == ["test:late::born"] and not late.listeners
    del probes._registry["test:late::born"]


def test_declaring_twice_gives_the_same_probe() -> None:
    assert declare("test:kvm:kvm_emulate_pio:test-pio", "int", "unsigned") is PIO
    with pytest.raises(ProbeError, match="again with"):
        declare("test:kvm:kvm_emulate_pio:test-pio", "int")


def test_wrong_use_says_what_is_wrong() -> None:
    with pytest.raises(ProbeError, match="carries 2 arguments, and was fired with 1"):
        PIO.fire(1)
    with pytest.raises(ProbeError, match="does not match any probes"), subscribe(print, "no-such-probe"):
        pass
    with pytest.raises(ProbeError, match="has 5 parts"), subscribe(print, "a:b:c:d:e"):
        pass
    with pytest.raises(ProbeError, match="provider:module:function:name"):
        declare("kvm-pio")
