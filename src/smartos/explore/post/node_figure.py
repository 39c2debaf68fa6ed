"""One node, drawn: what stands on what in SmartOS on the day of the post, and the ways that things take through it.

Hardware is at the bottom, the illumos kernel on it with ZFS, DTrace, KVM and Crossbow inside, and above the kernel the
zones: the global zone, a zone of native processes, and a zone whose one process is a QEMU that holds a guest. No
copy of the conceptual diagram that the post points at was found; the arrangement and the drawing are this book's own.
The ways follow the sources of launch: illumos-kvm 44e36b4495, illumos-kvm-cmd 8fa43e83a2 (a VNIC reached over DLPI by
`-net vnic`, a zvol as raw device) and illumos-joyent c9c7122c5f (the kvm brand and its hook that creates the VNIC).

Left out: the driver names of an illumos guest, interrupts on the way back, the boot, and everything outside one node.
"""

from dataclasses import dataclass

from smartos.explore.kit.controls import Choice
from smartos.explore.kit.explorer import Explorer
from smartos.explore.kit.frame import Frame, Table
from smartos.explore.kit.glyphs import TECHS, outline
from smartos.explore.kit.svg import FONT, drawing, element, group, line, rect, text

WIDTH, HEIGHT = 340, 450
SIZE = 12


@dataclass(frozen=True)
class Part:
    """One box of the figure: its place, the technology it belongs to, what it stands on and what it does."""

    box: tuple[float, float, float, float]
    words: str
    tech: str
    on: str
    does: str


PARTS = {
    "disks": Part((12, 400, 100, 40), "disks", "", "nothing", "hold the pool's blocks"),
    "cpus": Part((120, 400, 92, 40), "CPUs", "", "nothing", "run kernel, processes and, in guest mode, guests"),
    "nic": Part((220, 400, 108, 40), "network card", "", "nothing", "puts packets on the wire"),
    "kernel": Part((4, 246, 332, 130), "illumos kernel", "", "hardware", "is the one kernel of all zones"),
    "dtrace": Part((12, 272, 68, 26), "DTrace", "dtrace", "kernel", "fires enabled probes, aggregates what they see"),
    "zfs": Part((12, 310, 100, 58), "ZFS", "zfs", "disks", "keeps files and volumes as trees of checksummed blocks"),
    "pool": Part((18, 316, 40, 22), "pool", "zfs", "disks", "decides on which disks a block lands"),
    "zvol": Part((66, 316, 40, 22), "zvol", "zfs", "the pool", "shows part of the pool as a raw disk"),
    "kvm": Part((120, 310, 92, 58), "KVM", "kvm", "CPUs", "enters and leaves guest mode for a process"),
    "dev": Part((126, 316, 80, 22), "/dev/kvm", "kvm", "KVM", "is the device that QEMU opens to have a guest run"),
    "crossbow": Part((220, 310, 108, 58), "Crossbow", "crossbow", "network card", "splits a card into virtual ones"),
    "vnic": Part((226, 316, 42, 22), "VNIC", "crossbow", "Crossbow", "is the guest's own card, made with its zone"),
    "flow": Part((280, 316, 42, 22), "lane", "crossbow", "network card", "is the VNIC's own queue, kernel and card"),
    "global": Part((4, 24, 72, 198), "global zone", "zones", "kernel", "sees every zone and may look into the kernel"),
    "dladm": Part((11, 54, 58, 24), "dladm", "zones", "global zone", "creates a VNIC when a zone comes up"),
    "consumer": Part((11, 188, 58, 26), "dtrace", "dtrace", "global zone", "compiles D and reads the answers"),
    "native": Part((82, 24, 72, 198), "OS zone", "zones", "kernel", "holds native processes, unaware of neighbours"),
    "sshd": Part((89, 54, 58, 24), "sshd", "zones", "OS zone", "is an ordinary process"),
    "process": Part((89, 188, 58, 26), "httpd", "zones", "OS zone", "is a process like any of the kernel's"),
    "kvmzone": Part((160, 24, 176, 198), "KVM zone", "zones", "kernel", "confines QEMU: few privileges, fixed /usr"),
    "qemu": Part((166, 46, 164, 170), "QEMU, its only process", "kvm", "KVM zone", "emulates the guest's devices"),
    "guest": Part((186, 68, 138, 84), "guest system", "kvm", "QEMU and KVM", "is another system, with its own kernel"),
    "vblk": Part((192, 118, 60, 26), "virtio-blk", "kvm", "guest", "is the guest's disk driver"),
    "vnet": Part((258, 118, 60, 26), "virtio-net", "kvm", "guest", "is the guest's network driver"),
    "backblk": Part((192, 180, 60, 28), "drive", "kvm", "QEMU", "answers virtio-blk from a zvol"),
    "backnet": Part((258, 180, 60, 28), "-net vnic", "kvm", "QEMU", "answers virtio-net from a VNIC, over DLPI"),
}  # fmt: skip
HARDWARE = ("disks", "cpus", "nic")
HOLDERS = {"kernel", "zfs", "kvm", "crossbow", "global", "native", "kvmzone", "qemu", "guest"}
STANDS = [(62, 368, 62, 400), (166, 368, 166, 400), (274, 368, 274, 400)]
TICKS = (98, 190, 320)
RAIL = 285


@dataclass(frozen=True)
class Way:
    """A path through the node: its `lines` in the figure, its `steps` as (part, what happens), and its sentence."""

    label: str
    says: str
    lines: tuple[str, ...]
    steps: tuple[tuple[str, str], ...]


WAYS = {
    "disk": Way(
        "a guest’s disk write",
        "The guest’s driver rings (1), which ends guest mode: KVM (2) returns to QEMU (3), and QEMU writes to a zvol as to "
        "a raw disk (4). ZFS gives the block a new place in the pool (5), and the disks keep it (6).",
        ("M192 131H180V310", "M204 310V208", "M240 208V234H86V316", "M66 327H58", "M62 368V400"),
        (("vblk", "The guest’s driver puts the write into a ring that it shares with QEMU, and tells the device so."),
         ("kvm", "Telling it is an exit: the CPU leaves guest mode, and KVM returns to QEMU with the reason."),
         ("backblk", "QEMU takes the write out of the ring and gives it to the raw device that its -drive names."),
         ("zvol", "The volume under /dev/zvol/rdsk takes the bytes."),
         ("pool", "ZFS writes a new block and a new path of pointers to it."),
         ("disks", "The disks hold the new blocks; the old ones stay until they are freed.")),
    ),
    "packet": Way(
        "a guest’s packet",
        "The guest’s driver rings (1), and by way of KVM (2) the packet is QEMU’s (3), whose vnic backend sends it over "
        "DLPI to the guest’s own VNIC (4). From there its lane (5) leads to the network card (6).",
        ("M288 144V164H180V310", "M204 310V226H270V208", "M298 208V240H247V316", "M268 327H280", "M274 368V400"),
        (("vnet", "The guest’s driver puts the packet into a ring that it shares with QEMU, and tells the device so."),
         ("kvm", "Telling it is an exit: the CPU leaves guest mode, and KVM returns to QEMU with the reason."),
         ("backnet", "QEMU’s -net vnic backend takes the packet and writes it to the VNIC over DLPI."),
         ("vnic", "The VNIC, created for this zone, checks the sender’s addresses."),
         ("flow", "The lane keeps it apart from other zones’ packets."),
         ("nic", "The card sends it.")),
    ),
    "exit": Way(
        "a VM exit",
        "The guest runs on the CPU itself until it does something it may not do there (1); the CPU then leaves guest "
        "mode (2) into KVM (3). Only if a device is concerned does KVM return to QEMU (4).",
        ("M186 94H176V234H116V388H134V400", "M166 400V368", "M196 310V216"),
        (("guest", "An instruction such as CPUID must not run in guest mode."),
         ("cpus", "The CPU saves the guest’s state and leaves guest mode."),
         ("kvm", "KVM reads the reason, settles it, and enters the guest again."),
         ("qemu", "What only an emulated device can answer goes up to QEMU first.")),
    ),
    "enabling": Way(
        "a D program",
        "dtrace in the global zone compiles the program (1) and the kernel enables the probes that it names (2). "
        "When KVM passes such a probe (3), the kernel counts on the spot; nobody else is stopped or asked.",
        ("M40 214V272", "M80 285H190", "M190 285V310"),
        (("consumer", "dtrace compiles the D program and hands it to the kernel."),
         ("dtrace", "The kernel checks it, then switches the named probes on."),
         ("kvm", "At a probe such as kvm-guest-exit the program’s clause runs in place and aggregates.")),
    ),
    "native": Way(
        "a native process",
        "A process in an OS zone (1) calls the one kernel directly: its file is in the pool (2) and its blocks are on "
        "the disks (3). No guest and no emulated device is on the way.",
        ("M118 214V234H94V304H38V316", "M62 368V400"),
        (("process", "write() is a system call into the kernel that every zone shares."),
         ("pool", "The zone’s files are a dataset of the pool."),
         ("disks", "The disks hold the blocks.")),
    ),
}  # fmt: skip

WHOLE = (
    "Three zones stand on one illumos kernel, and a guest lives in the third: inside QEMU, the only process of its "
    "zone. ZFS, KVM and Crossbow in the kernel stand on disks, CPUs and network card; DTrace has probes in all of them."
)


def node(highlight: str | None = None) -> Frame:
    """The node, with one way through it marked and told, or whole. Raises ValueError for a way it does not have."""
    if highlight is None:
        return Frame(draw(None), WHOLE, parts_table())
    if highlight not in WAYS:
        raise ValueError(f"the node has no way {highlight!r}; it has {', '.join(WAYS)}")
    way = WAYS[highlight]
    return Frame(draw(way), way.says, steps_table(way))


def parts_table() -> Table:
    """Every part: what it stands on, whose it is, what it does."""
    rows = [(name_of(part), part.on, tech_of(part), part.does) for part in PARTS.values()]
    columns = ["Part", "Stands on", "Technology", "What it does"]
    return Table(columns, rows, "The parts of the node, from the bottom up.")


def steps_table(way: Way) -> Table:
    """One way, step by step."""
    rows = [
        (str(i), name_of(PARTS[key]), tech_of(PARTS[key]), what) for i, (key, what) in enumerate(way.steps, 1)
    ]  # fmt: skip
    return Table(["Step", "Where", "Technology", "What happens"], rows, f"The steps of {way.label}.")


def name_of(part: Part) -> str:
    return part.words.partition(",")[0]


def tech_of(part: Part) -> str:
    return TECHS[part.tech].title if part.tech else "none"


def draw(way: Way | None) -> str:
    """The figure as SVG; the parts on `way` are filled and numbered, its lines drawn in ink."""
    marked = {key: i for i, (key, _) in enumerate(way.steps, 1)} if way else {}
    says = way.says if way else WHOLE
    body = [text(26, 16, "Zones", fill=ink("zones"), size=SIZE + 1, font_weight=600), placed_glyph("zones", 4, 3, 17)]
    body += [box(key, key in marked) for key in PARTS]
    body += [line(*ends, stroke="rule") for ends in STANDS] + rail()
    if way:
        inked = {"fill": "none", "stroke": "ink", "stroke_width": 2, "stroke_linejoin": "round"}
        body += [element("path", d=d, **inked) for d in way.lines]
        body += [badge(key, number) for key, number in marked.items()]
    return drawing(WIDTH, HEIGHT, says, group(*body, font_family=FONT))


def ink(tech: str) -> str:
    """The technology's colour for text; the palette's own value where there is no stylesheet."""
    return f"var(--{tech}-ink, {LETTERS[tech]})"


LETTERS = {"zfs": "#00639c", "dtrace": "#a84900", "zones": "#00704f", "kvm": "#98416f", "crossbow": "#855a00"}


def box(key: str, marked: bool) -> str:
    """One part: a holder has its name on top, the others in the middle."""
    part = PARTS[key]
    x, y, w, h = part.box
    colour = part.tech or ("ink-2" if key in HARDWARE else "edge")
    fill = "paper-2" if key == "kernel" else "paper"
    frame = rect(x, y, w, h, fill=paper(fill), stroke=stroke(colour), stroke_width=2 if marked else 1, rx=3)
    if marked:
        frame += rect(x, y, w, h, fill=stroke(colour), stroke="none", rx=3, fill_opacity="0.16")
    return frame + name(key, part)


def name(key: str, part: Part) -> str:
    """A part's words where they belong; ZFS, KVM, Crossbow and DTrace have their glyph before them."""
    x, y, w, h = part.box
    if key in ("zfs", "kvm", "crossbow", "dtrace"):
        base = y + (18 if key == "dtrace" else h - 9)
        words = text(x + 25, base, part.words, fill=ink(part.tech), size=SIZE + 1, font_weight=600)
        return placed_glyph(part.tech, x + 5, base - 13, 17) + words
    if key == "kernel":
        return text(x + w - 8, y + 17, part.words, anchor="end", size=SIZE, font_weight=600)
    if key in HOLDERS:
        return text(x + 7, y + 15, part.words, size=SIZE)
    return text(x + w / 2, y + h / 2 + 4, part.words, anchor="middle", size=SIZE)


def placed_glyph(tech: str, x: float, y: float, size: float) -> str:
    return group(outline(tech), transform=f"translate({x:g} {y:g}) scale({size / 24:.3f})")


def rail() -> list[str]:
    """DTrace's line through the kernel, with a probe point at each of the three others."""
    start = PARTS["dtrace"].box[0] + PARTS["dtrace"].box[2]
    dots = [element("circle", cx=x, cy=RAIL, r=3, fill=paper("paper-2"), stroke="dtrace") for x in TICKS]
    drops = [line(x, RAIL, x, 310, stroke="dtrace") for x in TICKS]
    return [line(start, RAIL, 328, RAIL, stroke="dtrace"), *drops, *dots]


def badge(key: str, number: int) -> str:
    """The number of a step, on its part's upper left corner; on the right where the name is on the left."""
    x, y, w, _ = PARTS[key].box
    x += w - 2 if key in HOLDERS else 0
    disc = element("circle", cx=x + 1, cy=y + 1, r=8.5, fill="ink", stroke=paper("paper"), stroke_width=1.5)
    return disc + text(x + 1, y + 5.2, str(number), fill="paper", anchor="middle", size=SIZE, font_weight=600)


def paper(name: str) -> str:
    return "var(--paper-2, #f6f5f1)" if name == "paper-2" else "var(--paper, #fffffe)"


def stroke(colour: str) -> str:
    return "var(--edge, #7d7b75)" if colour == "edge" else colour


def explorer() -> Explorer:
    """The figure with a choice of what to follow."""
    options = [("node", "the whole node"), *((key, way.label) for key, way in WAYS.items())]
    return Explorer(
        "node", "One SmartOS node, and who stands on whom", lambda follow: node(None if follow == "node" else follow),
        {"follow": Choice("Follow", options)}, keys=[{"follow": "disk"}, {"follow": "packet"}],
    )  # fmt: skip
