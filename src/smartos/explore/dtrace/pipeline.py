"""The whole way of a D clause: text, typed tree, DIF, the kernel's check, and then the registers while it runs.

Everything shown comes from the compiler, the check and the interpreter; the last step fires the probe and says what
dtrace printed. Left out: the tables of a DIF object, relocations, and the actions' records.
"""

from dataclasses import dataclass
from functools import cache

from smartos.dtrace.check.globals import new_environment
from smartos.dtrace.code.listing import instruction
from smartos.dtrace.dif import STR, Difo
from smartos.dtrace.kernel.difo_check import validate
from smartos.dtrace.vm.frame import Frame as Firing
from smartos.dtrace.vm.machine import Machine, Run
from smartos.explore.dtrace.pipeline_draw import draw
from smartos.explore.dtrace.tree import Row, rows
from smartos.explore.dtrace.watch import Few, Watch
from smartos.explore.dtrace.words import Moment, walk
from smartos.explore.kit.controls import Choice
from smartos.explore.kit.explorer import Stepper
from smartos.explore.kit.frame import Frame, Table

PROBE = "syscall::write:entry"


@dataclass(frozen=True)
class Clause:
    """A clause in pieces, each with the number of the DIF object that it becomes, or None. "\\n" begins a line."""

    label: str
    pieces: tuple[tuple[str, int | None], ...]

    @property
    def text(self) -> str:
        """The clause as it is compiled."""
        return "".join(piece for piece, _ in self.pieces)


CLAUSES = {
    "and": Clause(
        "a predicate with &&", ((f"{PROBE}\n/", None), ('execname == "qemu" && arg2 > 4096', 0), ("/\n{ @ = count(); }", None))
    ),
    "ternary": Clause(
        "a choice with ? :", ((f"{PROBE}\n{{ trace(", None), ('arg2 > 4096 ? "large" : "small"', 0), ("); }", None))
    ),
    "cast": Clause("integers and a cast", ((f"{PROBE}\n{{ trace(", None), ("(char)arg2 * 2 + 1", 0), ("); }", None))),
    "call": Clause(
        "calls of two functions", ((f"{PROBE}\n{{ trace(", None), ('strlen(strjoin(execname, "!"))', 0), ("); }", None))
    ),
    "sum": Clause(
        "an aggregation with a key",
        ((f"{PROBE}\n{{ @[", None), ("execname", 0), ("] = sum(", None), ("arg2 / 1024", 1), ("); }", None)),
    ),
}  # fmt: skip
FIRINGS = {"qemu": (1, 0, 8192), "ls": (1, 0, 200)}


@dataclass(frozen=True)
class Scene:
    """One step: the stage, the sentence, and what there is to show."""

    stage: str
    says: str
    part: int | None = None  # the object at hand
    tree: tuple[Row, ...] = ()
    moment: Moment | None = None
    checked: bool = False
    result: tuple[str, ...] = ()


@cache
def compiled(clause: str) -> tuple[tuple[Row, ...], tuple[Difo, ...]]:
    """The typed tree of a clause and its DIF objects."""
    watch = Watch(CLAUSES[clause].text, [PROBE])
    return tuple(rows(CLAUSES[clause].text, new_environment(probes=Few([PROBE])))), tuple(watch.program.difos)


def scenes(clause: str, firing: str) -> list[Scene]:
    """All steps of one clause for one firing."""
    tree, objects = compiled(clause)
    kinds = " and ".join("a string" if difo.type.kind == STR else f"{difo.type.size} bytes" for difo in objects)
    words = sum(len(difo.code) for difo in objects)
    many = "one DIF object" if len(objects) == 1 else f"{len(objects)} DIF objects"
    types = sorted({row.type for row in tree if row.type})
    written = f"The clause as it is written. What is marked becomes {many}; the rest says when, and what to do with the value."
    typed = f"Parsed and checked: each node has a C type, here {', '.join(types)}, and what does not fit is refused."
    found = [
        Scene("text", written),
        Scene("tree", typed, tree=tree),
        Scene("DIF", f"Code: {many} of {words} words in all, returning {kinds}. Every branch names a later word.", 0),
    ]
    for part, difo in enumerate(objects):
        bad = validate(difo)
        what = "; ".join(bad) if bad else "opcodes, registers, tables and variables exist, and no branch goes back"
        found.append(Scene("check", f"The kernel checks every word itself: {what}. It accepts the object.", part, checked=True))
    return found + ran(clause, firing)


def ran(clause: str, firing: str) -> list[Scene]:
    """The steps of one firing, instruction by instruction, and its result."""
    args, who = FIRINGS[firing], {"execname": firing}
    watch = Watch(CLAUSES[clause].text, [PROBE], [("quiet", None)])
    machine, ecb = watch.kernel.firing.machine, watch.program.ecbs[0]
    state = Firing(machine, watch.probes.named(PROBE), args, who)
    fires = f"The probe fires: {firing} writes {args[2]:,} bytes. All registers are zero."
    found = [Scene("run", fires, 0, moment=start(machine, watch, state))]
    skipped = False
    for part, difo in enumerate(watch.program.difos):
        moments = walk(Run(machine, machine.prepare(difo), state))
        found += [Scene("run", moment.says, part, moment=moment) for moment in moments]
        if difo is ecb.predicate and moments[-1].regs[1] == 0:
            skipped = True
            break
    watch.fire(PROBE, *args, **who)
    said = tuple(line for line in watch.end().splitlines() if line.strip())
    if skipped:
        says = "The predicate is false, so the clause does nothing: no action runs and nothing is recorded."
    elif ecb.predicate is not None:
        says = "The predicate is true, so the action runs: the aggregation counts one."
    elif ecb.statements[0].aggregation is not None:
        says = "The second value is added, in the kernel, to the sum that the first value is the key of."
    else:
        says = "The value goes into the buffer, and dtrace prints it when it next reads."
    return [*found, Scene("result", says, result=said or ("(nothing)",))]


def start(machine: Machine, watch: Watch, state: Firing) -> Moment:
    """The registers before the first instruction."""
    run = Run(machine, machine.prepare(watch.program.difos[0]), state)
    return Moment(None, "", tuple(run.regs), tuple(map(str, run.regs)), (False, False, False), (), ())


def steps(clause: str, firing: str) -> list[Frame]:
    """The frames of one clause and one firing."""
    _, objects = compiled(clause)
    found = []
    for scene in scenes(clause, firing):
        difo = objects[scene.part] if scene.part is not None else None
        found.append(Frame(draw(CLAUSES[clause], scene, difo), scene.says, table(scene, difo)))
    return found


def table(scene: Scene, difo: Difo | None) -> Table | None:
    """The step's values."""
    if scene.tree:
        nodes = [(row.depth, row.label, row.type or "none") for row in scene.tree]
        return Table(["Depth", "Node", "Type"], nodes, "The typed tree")
    if scene.moment is not None:
        cells = [(f"%r{n}", f"0x{value:x}", scene.moment.shown[n]) for n, value in enumerate(scene.moment.regs)]
        names = ("negative", "zero", "carry")
        cells += [(f"code: {name}", "", "set" if on else "not set") for name, on in zip(names, scene.moment.codes, strict=True)]
        return Table(["Register", "Holds", "That is"], cells, "The machine")
    if difo is not None:
        listed = [(f"{at:02d}", f"{word:08x}", " ".join(instruction(difo, word).split())) for at, word in enumerate(difo.code)]
        return Table(["Offset", "Word", "Instruction"], listed, "The DIF object")
    if scene.result:
        return Table(["dtrace -q prints"], [(" ".join(line.split()),) for line in scene.result], "The result")
    return None


def stepper() -> Stepper:
    """A clause from its text to its result."""
    return Stepper(
        "d-pipeline", "A D clause from its text to its result", steps,
        {
            "clause": Choice("The clause", [(name, clause.label) for name, clause in CLAUSES.items()]),
            "firing": Choice("The probe fires", [("qemu", "for qemu, 8,192 bytes"), ("ls", "for ls, 200 bytes")]),
        },
        default={"clause": "and", "firing": "qemu"},
        keys=[{"clause": "and", "firing": "ls"}, {"clause": "sum", "firing": "qemu"}],
        at=15,
    )  # fmt: skip
