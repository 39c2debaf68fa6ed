"""What somebody who has taken over QEMU can reach, with and without a zone around it.

The zone is the kvm brand as the launch repository defines it (facts N4 and N6); how many devices it lets in is counted
from its entries. The figure shows what the brand forbids and what it hands in; it does not claim that nothing else can
go wrong, the shared kernel above all.

Left out: most of the names that the brand lets in, such as `tcp`, `poll` and `null`, which are the kernel's own doors for
any process; and what a zone's configuration adds to the brand, the guest's disk and network interface excepted.
"""

from smartos.explore.kit.controls import Choice
from smartos.explore.kit.explorer import Explorer
from smartos.explore.kit.frame import Frame, Table
from smartos.explore.kit.svg import drawing, line, rect, text
from smartos.post.datasets import kvm_brand

PLACES = [("zone", "a zone of the kvm brand"), ("global", "the global zone, as root")]

# The names under /dev that the brand lets in: those for every zone of it, and those for one with an IP stack of its own.
DEVICES = [entry for entry in kvm_brand() if entry.kind == "device"]
OWN_STACK = sum(entry.ip_type == "exclusive" for entry in DEVICES)

# What is there, whether a process in the kvm zone reaches it, and by what rule of the brand.
REACH = [
    ("other guests’ processes", False, "a zone sees only its own processes; proc_zone is prohibited"),
    ("other devices", False, f"sys_devices is prohibited; the brand lets in {len(DEVICES) - OWN_STACK} names under /dev, "
     f"{OWN_STACK} more with an IP stack of its own, and no other"),
    ("kernel tracing", False, "dtrace_kernel is prohibited; of DTrace, dtrace_proc and dtrace_user are granted"),
    ("system configuration", False, "sys_config and sys_res_config are prohibited"),
    ("/usr, /lib, /sbin", False, "mounted read-only, and so is /smartdc"),
    ("its own zvol", True, "it is the guest’s disk"),
    ("its own VNIC", True, "it is the guest’s network"),
    ("/dev/kvm", True, "it is how the guest runs, and a way into the kernel’s code"),
]


def frame(place: str) -> Frame:
    """QEMU at the left, what it reaches at the right; a closed way ends at the wall."""
    zoned = place == "zone"
    parts = [
        rect(4, 30, 128, 268, fill="zones" if zoned else "none", fill_opacity="0.1" if zoned else None,
             stroke="zones" if zoned else "rule", stroke_width=3 if zoned else 1, stroke_dasharray=None if zoned else "4 4"),
        text(68, 20, "kvm zone" if zoned else "global zone", anchor="middle", size=14, fill="ink"),
        rect(26, 128, 84, 64, fill="paper", stroke="kvm", stroke_width=1.5),
        text(68, 156, "QEMU", anchor="middle", size=14), text(68, 176, "taken over", anchor="middle", size=13, fill="ink-2"),
    ]  # fmt: skip
    for i, (what, inside, _) in enumerate(REACH):
        y, open_ = 44 + i * 34, inside or not zoned
        end = 214 if open_ else 132
        parts += [
            line(110, 160, end, y, stroke="kvm" if open_ else "ink-2", stroke_width=1.75, stroke_dasharray=None if open_ else "3 4"),
            text(222, y + 5, what, size=14, fill="ink" if open_ else "ink-2"),
        ]
        if not open_:
            parts.append(text(196, y + 5, "no", anchor="middle", size=13, fill="ink-2"))
    reached = [what for what, inside, _ in REACH if inside or not zoned]
    says = f"In {dict(PLACES)[place]}, a QEMU that is taken over reaches {len(reached)} of the {len(REACH)} things drawn" + (
        ": its own disk, its own network interface, and /dev/kvm, which leads into the kernel." if zoned else "."
    )
    rows = [(what, "yes" if inside or not zoned else "no", rule if zoned else "root in the global zone") for what, inside, rule in REACH]
    return Frame(drawing(440, 306, says, *parts), says, Table(["Thing", "Reached", "Why"], rows, caption="What a QEMU that is taken over reaches."))


def explorer() -> Explorer:
    """The same process in two places."""
    return Explorer("confine", "What an exploited QEMU can reach", frame, {"place": Choice("QEMU runs in", PLACES)}, keys=[{"place": "global"}])
