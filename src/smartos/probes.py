"""Probe points: the places where a running system lets itself be watched, named as the real system names them.

A model declares its probes once, and fires them where the real code has its probe macro::

    PIO = declare("sdt:kvm:kvm_emulate_pio:kvm-pio", "int", "unsigned", "int", "unsigned long")
    ...
    if PIO.listeners:
        PIO.fire(1, 0x3F8, 1, 1)

The test of `listeners` is all that a probe costs while nobody listens. No model knows who does; a consumer subscribes
with a description in DTrace's form, provider:module:function:name, where an empty part or a `*` matches anything.

Left out: probes that come and go while the system runs, and the arguments' types beyond their C names. Follows
statically defined tracing (`sys/sdt.h`) and `dtrace(1M)`'s probe descriptions of illumos.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

Callback = Callable[["Probe", tuple, Mapping[str, object]], None]

_registry: dict[str, "Probe"] = {}
_subscriptions: list[tuple[str, Callback]] = []
_context: ContextVar[Mapping[str, object]] = ContextVar("context", default={})


class Userland(str):
    """A string argument that lies in the memory of the process that acts, not in the kernel's: a system call's path."""


class ProbeError(ValueError):
    """A description matches nothing, or a probe is declared or fired in two ways."""


@dataclass(eq=False)
class Probe:
    """One named point. `argtypes` are C types as the source writes them; `listeners` is empty while it is disabled."""

    provider: str
    module: str
    function: str
    name: str
    argtypes: tuple[str, ...] = ()
    listeners: list[Callback] = field(default_factory=list, repr=False)

    def __str__(self) -> str:
        return f"{self.provider}:{self.module}:{self.function}:{self.name}"

    def fire(self, *args: object, **context: object) -> None:
        """Tell every listener. `context` adds to what :func:`acting` has set, as `timestamp=…`, for this firing."""
        if len(args) != len(self.argtypes):
            raise ProbeError(f"{self} carries {len(self.argtypes)} arguments, and was fired with {len(args)}")
        around = _context.get()
        if context:
            around = {**around, **context}
        listeners = self.listeners
        if len(listeners) == 1:
            listeners[0](self, args, around)
            return
        for listener in tuple(listeners):
            listener(self, args, around)


def declare(description: str, *argtypes: str) -> Probe:
    """Create and register a probe; declaring the same one again returns it."""
    parts = description.split(":")
    if len(parts) != 4 or not parts[0] or not parts[3]:
        raise ProbeError(f"{description!r} is not provider:module:function:name with a provider and a name")
    probe = _registry.setdefault(description, Probe(*parts, argtypes))
    if probe.argtypes != argtypes:
        raise ProbeError(f"{description} is declared with {probe.argtypes} and again with {argtypes}")
    if not probe.listeners:
        probe.listeners.extend(callback for wanted, callback in _subscriptions if matches(wanted, probe))
    return probe


def matches(description: str, probe: Probe) -> bool:
    """Whether a description names the probe. As in D, parts missing on the left match anything: `kvm-pio` will do."""
    parts = description.split(":")
    if len(parts) > 4:
        raise ProbeError(f"{description!r} has {len(parts)} parts; provider:module:function:name has four")
    wanted = [""] * (4 - len(parts)) + parts
    own = (probe.provider, probe.module, probe.function, probe.name)
    return all(not pattern or fnmatchcase(part, pattern) for pattern, part in zip(wanted, own, strict=True))


def matching(description: str = "") -> list[Probe]:
    """The declared probes that a description names, in the order of declaration."""
    return [probe for probe in _registry.values() if matches(description, probe)]


@contextmanager
def subscribe(callback: Callback, description: str = "") -> Iterator[list[Probe]]:
    """Enable the named probes while the block runs: `callback(probe, args, context)` hears each firing.

    Raises :class:`ProbeError` when the description names no probe, as DTrace does.
    """
    enabled = matching(description)
    if not enabled:
        raise ProbeError(f"probe description {description} does not match any probes")
    subscription = (description, callback)
    _subscriptions.append(subscription)
    for probe in enabled:
        probe.listeners.append(callback)
    try:
        yield enabled
    finally:
        _subscriptions.remove(subscription)
        for probe in matching(description):
            probe.listeners.remove(callback)


@contextmanager
def acting(**context: object) -> Iterator[None]:
    """Say who acts while the block runs, in D's built-in variables: pid, execname, zonename, cpu, timestamp …"""
    token = _context.set({**_context.get(), **context})
    try:
        yield
    finally:
        _context.reset(token)
