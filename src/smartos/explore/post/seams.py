"""Where two of the five technologies touch on a node of August 2011: one place a pair, where one was found.

Each place has its source in the chapter on the four technologies. Left out: second places of a pair; and that no place
was found for a pair does not mean that there is none.
"""

from itertools import combinations

FIVE = ("Zones", "ZFS", "DTrace", "KVM", "Crossbow")
SEAMS = {
    ("ZFS", "KVM"): "a guest's disk is a volume in the pool",
    ("Zones", "KVM"): "QEMU is the only process of its zone",
    ("KVM", "Crossbow"): "each guest has a VNIC of its own",
    ("DTrace", "KVM"): "probes in the driver; vmregs[] reads guest state",
    ("Zones", "ZFS"): "I/O of a greedy zone is delayed",
    ("Zones", "Crossbow"): "starting the zone creates the VNIC",
    ("Zones", "DTrace"): "a guest's zone may not trace the kernel",
    ("ZFS", "DTrace"): "a guest's disk I/O becomes a distribution",
}
PAIRS = tuple(combinations(FIVE, 2))


def unjoined() -> str:
    """The pairs without a place, in words."""
    known = {frozenset(pair) for pair in SEAMS}
    return " and ".join(f"{a} with {b}" for a, b in PAIRS if frozenset((a, b)) not in known)
