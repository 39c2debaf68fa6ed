"""A probe's clauses compiled to one Python function, which listens to the model's probe in place of the generic way.

It does what :mod:`~smartos.dtrace.kernel.firing` does, in the same order, and leaves the same entries, aggregations, variables,
drops and faults. An expression that the translator does not cover is interpreted; a clause with an action that is not
covered (those that destroy, and those that only print) leaves the whole probe to the generic way. The time is only read
where it is used: the clock is told that it would have been.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from smartos.dtrace.ctf import Enum, Integer, resolve
from smartos.dtrace.kernel.activity import Activity
from smartos.dtrace.kernel.aggregate import adder, lquantize_arg
from smartos.dtrace.kernel.buffer import Entry
from smartos.dtrace.kernel.buffers import POLICIES, SWITCH
from smartos.dtrace.kernel.ecb import SIMPLE, Plan, Step, aggregation
from smartos.dtrace.program import Act
from smartos.dtrace.vm.fault import Fault
from smartos.dtrace.vm.frame import Frame
from smartos.dtrace.vm.jit import define, fetched
from smartos.dtrace.vm.jit_difo import Translator, Uncovered, Unit
from smartos.dtrace.vm.jit_runtime import namespace
from smartos.dtrace.vm.jit_values import Number, Value
from smartos.dtrace.vm.memory import TOP
from smartos.dtrace.vm.steps import SIGN

if TYPE_CHECKING:
    from smartos.dtrace.dif import Difo
    from smartos.dtrace.kernel.firing import Firing

LONG, MOST_ANSWERS = 12, 4096  # lines of a choice that is worth remembering, and how many answers are kept
_LITERAL = re.compile(r"""b'[^']*'|b"[^"]*\"""")
_PURE = re.compile(r" *(if [\w !=<>&|^~+*()-]+:|else:|(v\d+|x\d+|passed) = (?!\w+\()[\w &|^~+*()-]+)")
_ASSIGNS = re.compile(r" *(v\d+|x\d+|passed) = ")
_VALUES = re.compile(r"\b(?:v\d+|x\d+|passed)\b")
NOW = "now = clock.now if now is None else now"  # a fault fires ERROR, which takes time, and the clauses after it are of before
STACKS = frozenset((Act.STACK, Act.USTACK, Act.JSTACK))
STATE = frozenset((Act.EXIT, Act.SPECULATE, Act.COMMIT, Act.DISCARD))


def listener(firing: "Firing", number: int) -> Callable[..., None] | None:
    """What hears a probe of the table, or None where the generic way has to."""
    plans = firing.kernel.by_probe.get(number, [])
    covered = all(
        not plan.ecb.error and all(step.kind in SIMPLE | STACKS | STATE or aggregation(step.kind) for step in plan.steps)
        for plan in plans
    )
    if not plans or not covered or plans[0].ecb.probe.provider == "dtrace" or not firing.machine.kernel:
        return None
    return Listener(firing, number, plans).make()


def _integers(probe: Any, count: int) -> bool:
    """Whether all arguments of a probe are integers by their types: then nothing of them is packed."""
    natives = {arg.mapping: resolve(arg.native) for arg in probe.args or ()}
    return all(isinstance(natives.get(number), Integer | Enum) for number in range(count))


class Listener:
    """Writes the function of one probe."""

    def __init__(self, firing: "Firing", number: int, plans: list[Plan]) -> None:
        self.firing, self.kernel, self.number, self.plans = firing, firing.kernel, number, plans
        probe = plans[0].ecb.probe
        source = getattr(probe, "source", None)
        self.convert = firing.convert.get(number)
        if source is not None and _integers(probe, len(source.argtypes)):
            self.convert = None
        nargs = len(source.argtypes) if source is not None and self.convert is None else None
        self.unit = Unit(firing.machine, probe, nargs=nargs)
        options = self.kernel.options
        # Whether the buffers are those that drop what does not fit: their room is asked inline.
        self.plain = options.number("bufpolicy") == POLICIES.index(SWITCH) and options.number("cpu", -1) == -1

    def make(self) -> Callable[..., None]:
        """The function."""
        unit, kernel = self.unit, self.kernel
        for number, plan in enumerate(self.plans):
            self.plan(plan, {step.kind for before in self.plans[:number] for step in before.steps})
        body = "\n".join(unit.lines)
        threads = self.firing.threads if self.number in self.firing.thread_wanted else None
        head = [
            "def hear(probe, args, context):",
            f" if kernel.activity is not active: return fire({self.number}, args, context)",
            *([" if 'curthread' not in context: context = {**context, 'curthread': threads.of(context)}"] if threads else []),
            " get = context.get",
            " cpu = context['cpu'] if 'cpu' in context else 0",
            " buffer = buffers.get(cpu) or new_buffer(cpu)",
            *([" principal = buffer"] if "principal" in body else []),
        ]
        if "now" in body:
            head.append(" now = None")
        head += [" if 'timestamp' in context: clock.read(context)", " else: clock.pending += 1"]
        if any(step.kind is Act.SPECULATE for plan in kernel.plans for step in plan.steps):
            head.append(" kernel.clean()")
        looks = any(word in body for word in ("args", "load(", "string(", "read(", "frame", "key_bytes("))
        if self.convert is not None and looks:
            head.append(" args = convert(args)")
        elif kernel.types is not None and looks:
            head.append(" types.firing += 1")
        if "shared" in body:
            head.append(" shared = None")
        names = namespace(self.firing.machine) | unit.constants
        names |= {
            "kernel": kernel, "active": Activity.ACTIVE, "fire": self.firing.fire, "clock": kernel.clock,
            "buffers": kernel.buffers, "new_buffer": kernel.buffer, "convert": self.convert, "types": kernel.types,
            "threads": threads, "Entry": Entry, "kept": self.firing._kept, "nothing": {}, "aggregate": self.aggregated,
            "begin": self.begin, "failed": self.failed, "exited": self.firing.exit, "speculate": self.firing.speculate,
            "keep": self.firing.keep, "discard": self.firing.discard,
        }  # fmt: skip
        return define("hear", head + unit.lines, names)

    # ---- called by what is written

    def begin(
        self, plan: Plan, shared: Frame | None, args: tuple, context: Any, now: int | None, cpu: int, buffer: Any, offset: int
    ) -> Frame:
        """The frame of a clause; the firing's, if another clause has made one. `now` is None if nobody has looked yet."""
        clock = self.kernel.clock
        now = clock.now if now is None else now
        frame = shared or Frame(self.firing.machine, plan.ecb.probe, args, context, now, clock.wall - clock.now + now, cpu)
        frame.begin(plan.ecb.epid)
        frame.limit = min(frame.limit, frame.scratch + buffer.scratch(offset, plan.ecb.needed))
        return frame

    def aggregated(self, step: Step, key: tuple, value: int, incr: int, cpu: int) -> None:
        """A key that is new: the generic way, and the table of the aggregation's keys is kept for the next time."""
        self.firing.aggregate(step, key, value, incr, cpu)
        self.firing._kept[step.aggid] = self.firing._aggs[step.aggid][2]

    def failed(self, plan: Plan, at: int, fault: Fault, context: Any, buffer: Any, offset: int) -> None:
        """A clause has faulted in its action `at`."""
        from smartos.dtrace.kernel.firing import _Run

        frame = Frame(self.firing.machine, plan.ecb.probe, (), context, 0, 0, context.get("cpu", 0))
        run = _Run(self.firing, plan, frame, buffer, offset)
        run.at = at
        self.firing._fault(run, fault)

    # ---- writing

    def plan(self, plan: Plan, before: set[int]) -> None:
        """One clause. `before` are the kinds of action in those that ran before it in the same firing."""
        unit, ecb = self.unit, plan.ecb
        known = unit.keep(plan)
        unit.epid = ecb.epid
        unit.begin = f"frame = shared = begin({known}, shared, args, context, now, cpu, buffer, offset)"
        if Act.SPECULATE in before:
            unit.emit(1, "buffer = principal")
        if Act.EXIT in before:
            unit.emit(1, "if kernel.activity is not active: return")
        if self.plain:
            unit.emit(1, "offset = buffer.offset")
            empty = not ecb.size and ecb.needed <= self.kernel.options.number("bufsize")  # an empty buffer has room for it
            if empty:
                unit.emit(1, "if offset:")
            unit.emit(1 + empty, f"offset = offset + {ecb.alignment - 1} & {-ecb.alignment}")
            unit.emit(1 + empty, f"if offset + {ecb.needed} > buffer.size: offset = -1; buffer.drops += 1")
        else:
            unit.emit(1, f"offset = buffer.reserve({ecb.needed}, {ecb.alignment}, kernel.reserve)")
        unit.emit(1, "if offset >= 0:")
        start = len(unit.lines)
        depth = 3
        if ecb.desc.predicate is not None:
            passed, _ = self.expression(ecb.desc.predicate, "passed", 8, 0, depth)
            self.test(passed, depth)
            depth += 1
        values = self.actions(plan, depth)
        if Act.COMMIT not in {step.kind for step in plan.steps}:
            self.entry(plan, values, depth)
        body = unit.lines[start:]
        if any("pc =" in line or "Fault(" in line or "Dropped" in line for line in body):
            unit.lines[start:] = [
                *(["  frame = None"] if any("frame" in line for line in body) else []),
                "  pc, at = -1, 0", "  try:", *body, "  except Dropped: pass", "  except Fault as fault:",
                "   if fault.offset < 0: fault.offset = pc", f"   {NOW}",
                f"   failed({known}, at, fault, context, buffer, offset)",
            ]  # fmt: skip
        else:
            unit.lines[start:] = ["  if True:", *body]

    def entry(self, plan: Plan, values: str, depth: int) -> None:
        """Leave an entry with these values."""
        ecb, unit = plan.ecb, self.unit
        entry = f"Entry({unit.keep(ecb)}, cpu, now, ({values}))" if ecb.size else None
        if entry:
            unit.emit(depth, NOW)
        if not self.plain or Act.SPECULATE in {step.kind for step in plan.steps}:
            unit.emit(depth, f"buffer.commit(offset, {ecb.size}, {entry})")
        elif entry:
            unit.emit(depth, f"buffer.offset = offset + {ecb.size}; buffer.entries.append({entry})")
        else:
            unit.emit(depth, "if offset: buffer.offset = offset")

    def actions(self, plan: Plan, depth: int) -> str:
        """The actions; the expressions of an entry's values."""
        results: dict[int, tuple[str, bool]] = {}  # by step: the name of its value, and whether it fits in 63 bits
        values = [""] * len(plan.ecb.records)
        for number, step in enumerate(plan.steps):
            if aggregation(step.kind):
                self.aggregate(step, number, results, depth)
                continue
            name = f"x{number}"
            if step.kind in STACKS:
                self.stack(step, name, depth)
                small = True
            else:
                size = step.size if step.act.difo.type.by_ref else step.size or 8
                name, small = self.expression(step.act.difo, name, size, number + 1, depth)
            if step.kind in STATE:
                self.state(plan, number, name, values, depth)
            results[number] = name, small
            if step.slot >= 0:
                values[step.slot] = name
        return "".join(f"{value or None}, " for value in values)

    def state(self, plan: Plan, number: int, value: str, values: list[str], depth: int) -> None:
        """exit(), speculate(), commit() or discard() of a value, the action at `number`."""
        unit, kind = self.unit, plan.steps[number].kind
        if kind in (Act.COMMIT, Act.DISCARD):
            unit.emit(depth, f"pc, at = -1, {number + 1}")
        match kind:
            case Act.EXIT:
                unit.emit(depth, "exited()  # or Dropped")
            case Act.SPECULATE:
                unit.emit(depth, f"buffer, offset = speculate({value}, cpu, {unit.keep(plan.ecb)})  # or Dropped")
            case Act.COMMIT:
                if plan.ecb.size:
                    self.entry(plan, "".join(f"{known or None}, " for known in values), depth)
                unit.emit(depth, "buffer = principal")
                unit.emit(depth, f"keep({value}, cpu)  # or Fault(ILLOP)")
            case Act.DISCARD:
                unit.emit(depth, f"discard({value}, cpu)  # or Fault(ILLOP)")

    def test(self, passed: str, depth: int) -> None:
        """Go on if the predicate's value is not 0; a comparison that was made into 1 and 0 is asked directly."""
        lines, pad = self.unit.lines, " " * depth
        ends = {f"{pad} passed = 1|{pad}else:|{pad} passed = 0": "{}", f"{pad} passed = 0|{pad}else:|{pad} passed = 1": "not ({})"}
        form = ends.get("|".join(lines[-3:]))
        if form and lines[-4].startswith(f"{pad}if ") and passed == "passed":
            condition = lines[-4].strip()[3:-1]
            del lines[-4:]
            passed = form.format(condition)
        self.unit.emit(depth, f"if {passed}:")

    def stack(self, step: Step, name: str, depth: int) -> None:
        """stack() or ustack()."""
        if step.kind is Act.STACK:
            self.unit.emit(depth, f"{name} = tuple((get('stack') or ())[:{step.arg}])")
        else:
            self.unit.emit(depth, f"{name} = (get('pid') or 0, *(get('ustack') or ())[:{step.arg}])")

    def expression(self, difo: "Difo", name: str, size: int, at: int, depth: int) -> tuple[str, bool]:
        """Compute a DIF object's value into a name; the name, or another or a constant that does as well.

        Also whether it is a number that is known to be below 2**63.
        """
        unit, start, names = self.unit, len(self.unit.lines), self.unit.names
        highest, texts = [0], []

        def leaf(level: int, value: Value) -> None:
            if isinstance(value, Number):
                highest[0] = max(highest[0], value.high)
            else:
                highest[0] = TOP
            texts.append(fetched(translator, value, size, level))
            unit.emit(level, f"{name} = {texts[-1]}")

        try:
            translator = Translator(unit, difo, leaf)
            translator.run(depth)
        except Uncovered:
            del unit.lines[start:]
            unit.names = names
            highest, texts = [TOP], []
            unit.frame(depth)
            unit.emit(depth, "pc = -1")
            known = unit.keep(difo)
            if difo.type.by_ref:
                unit.emit(depth, f"{name} = machine.value({known}, frame, {size})")
            else:
                mask = f" & {(1 << 8 * size) - 1}" if size < 8 else ""
                unit.emit(depth, f"{name} = machine.run({known}, frame){mask}")
        if len(texts) == 1 and texts[0].isalnum():
            del unit.lines[-1]
            name = texts[0]
        self.remember(name, start, depth)
        if at and any("pc =" in line or "Fault(" in line for line in unit.lines[start:]):
            unit.lines.insert(start, " " * depth + f"at = {at}")
        return name, highest[0] < SIGN

    def remember(self, name: str, start: int, depth: int) -> None:
        """Keep the answers of a long choice that depends on one number alone, as of an array that is an inline's chain."""
        lines, pad = self.unit.lines, " " * depth
        first = next((at for at in range(start, len(lines)) if lines[at].startswith(f"{pad}if ")), len(lines))
        chain = [_LITERAL.sub("0", line) for line in lines[first:]]
        if len(chain) < LONG or not all(_PURE.fullmatch(line) for line in chain):
            return
        made = {found[1] for line in chain if (found := _ASSIGNS.match(line))}
        given = {word for line in chain for word in _VALUES.findall(line)} - made
        if len(given) != 1 or name not in made:
            return
        known, (number,) = self.unit.keep({}), given
        lines[first:] = [
            f"{pad}{name} = {known}.get({number})", f"{pad}if {name} is None:", *(f" {line}" for line in lines[first:]),
            f"{pad} if len({known}) > {MOST_ANSWERS}: {known}.clear()", f"{pad} {known}[{number}] = {name}",
        ]  # fmt: skip

    def aggregate(self, step: Step, number: int, results: dict[int, tuple[str, bool]], depth: int) -> None:
        """An aggregating action: what happens to a key that is known is written out."""
        unit, incr, value, small = self.unit, "1", "0", True
        keys = step.tuple_keys
        if step.hasarg:
            incr = results[step.keys[-1]][0]
        if step.act.difo is not None:
            value, small = self.expression(step.act.difo, f"x{number}", 8, number + 1, depth)
        unit.emit(depth, f"key = ({''.join(results[key][0] + ', ' for key in keys)})")
        unit.emit(depth, f"state = kept.get({step.aggid}, nothing).get(key)")
        unit.emit(depth, f"if state is None: aggregate({unit.keep(step)}, key, {value}, {incr}, cpu)")
        unit.emit(depth, "else:")
        for line in self.add(step, value, incr, small):
            unit.emit(depth + 1, line)

    def add(self, step: Step, value: str, incr: str, small: bool) -> list[str]:
        """The lines that take a value into `state`."""
        total = f"state[{{}}] = (state[{{}}] + {value} + {SIGN} & {TOP}) - {SIGN}"
        sign = [f"n = {value}"] if small else [f"n = {value} if {value} < {SIGN} else {value} - {TOP + 1}"]
        match step.kind:
            case Act.COUNT:
                return ["state[0] += 1"]
            case Act.SUM:
                return [total.format(0, 0)]
            case Act.AVG:
                return ["state[0] += 1", total.format(1, 1)]
            case Act.MIN | Act.MAX:
                return [*sign, f"if n {'<' if step.kind is Act.MIN else '>'} state[0]: state[0] = n"]
            case Act.QUANTIZE if incr == "1":
                if small:
                    return [f"state[({value}).bit_length() + 63] += 1"]
                return [f"if {value} < {SIGN}: state[({value}).bit_length() + 63] += 1",
                        f"else: state[max(63 - ({value} - {TOP + 1}).bit_length(), 0)] += 1"]  # fmt: skip
            case Act.LQUANTIZE if incr == "1":
                base, width, levels = lquantize_arg(step.arg)
                return [f"n = ({value} & 0xffffffff ^ 0x80000000) - {0x80000000 + base}",
                        f"state[1 if n < 0 else min(n // {width}, {levels}) + 2] += 1"]  # fmt: skip
        return [f"{self.unit.keep(adder(step.kind, step.arg))}(state, {value}, {incr})"]
