"""Stability attributes: how to compare and read them, and those of the real system's providers.

Every identifier and probe says how stable its name and its data are and on what class of machine it depends. What a
program may rely on is the least of all that it uses. Follows libdtrace's `dt_subr.c` and the providers' own tables.
"""

from smartos.dtrace.ident import CLASSES, LEVELS, Stability

STABLE = Stability(6, 6, 5)
EVOLVING = Stability(5, 5, 5)
UNSTABLE = Stability(4, 4, 5)
PRIVATE = Stability(1, 1, 0)
GREATEST = Stability(7, 7, 5)

Provider = tuple[Stability, Stability, Stability, Stability, Stability]  # of provider, module, function, name, arguments


def _table(provider: str, module: str, function: str, name: str, args: str) -> Provider:
    parts = [Stability(LEVELS.index(a), LEVELS.index(b), CLASSES.index(c)) for a, b, c in
             (text.split("/") for text in (provider, module, function, name, args))]  # fmt: skip
    return tuple(parts)  # type: ignore[return-value]


_P, _PI = "Private/Private/Unknown", "Private/Private/ISA"
_E, _EI = "Evolving/Evolving/Common", "Evolving/Evolving/ISA"
_S, _UI = "Stable/Stable/Common", "Unstable/Unstable/ISA"
_STABLE_TABLE = _table(_EI, _P, _P, _EI, _EI)
_INFO = _table(_EI, _P, _P, _EI, _PI)
_NETWORK = _table(_EI, _P, _P, _PI, _EI)
_PROVIDERS: dict[str, Provider] = {
    "dtrace": _table(_S, _P, _P, _S, _S),
    "profile": _table(_E, "Unstable/Unstable/Unknown", _P, _E, _E),
    "syscall": _table(_E, _P, _PI, _E, _PI),
    "lockstat": _table(_E, _P, _P, _E, _E),
    "fbt": _table(_EI, _P, _PI, _EI, _PI),
    "sdt": _table(_EI, _P, _P, _PI, _PI),
    "cpc": _table(_E, _P, _P, "Evolving/Evolving/CPU", _E),
    "vtrace": _table(_UI, _P, _P, _P, _UI),
    "fsinfo": _table(_EI, _P, _P, _P, _EI),
    "fpuinfo": _table(_EI, _P, _P, "Evolving/Evolving/CPU", _PI),
    **dict.fromkeys(("sysinfo", "vminfo"), _INFO),
    **dict.fromkeys(("sched", "proc", "io", "ip", "tcp", "udp", "mib"), _STABLE_TABLE),
    **dict.fromkeys(("iscsi", "nfsv3", "nfsv4", "smb", "fc", "srp"), _NETWORK),
}
DECLARED: Provider = (PRIVATE,) * 5  # of a provider that only a D declaration knows, before any pragma
NONE: Provider = (UNSTABLE,) * 5  # of a description that names no provider, or matches nothing


def of_provider(name: str) -> Provider:
    """The attributes of a provider of the real system; those of process providers for `pid123`, of sdt for what is new."""
    if name in _PROVIDERS:
        return _PROVIDERS[name]
    if name.startswith("pid") and name[3:].isdigit():
        return _table(_EI, _P, _P, _EI, _P)
    return _PROVIDERS["sdt"]


def least(a: Stability, b: Stability) -> Stability:
    """The lesser of two in each of the three parts."""
    return Stability(min(a[0], b[0]), min(a[1], b[1]), min(a[2], b[2]))


def below(a: Stability, b: Stability) -> bool:
    """Whether any part of the first is less than that of the second."""
    return a[0] < b[0] or a[1] < b[1] or a[2] < b[2]


def parse(text: str) -> Stability | None:
    """`Name/Data/Class` as `#pragma D attributes` has it, or None; parts left out are the greatest."""
    parts = text.split("/") if text else []
    if len(parts) > 3:
        return None
    found = list(GREATEST)
    for at, part in enumerate(parts):
        names = [name.lower() for name in (CLASSES if at == 2 else LEVELS)]
        if not part:
            break
        if part.lower() not in names:
            return None
        found[at] = names.index(part.lower())
    return Stability(*found)
