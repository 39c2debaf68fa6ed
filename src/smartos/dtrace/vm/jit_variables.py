"""The instructions of DIF that deal with variables, tuples, scratch space and subroutines, as lines of Python.

See :mod:`~smartos.dtrace.vm.jit_difo`. Strings of the context and constant ones stay Python values until their address is
asked for; as keys they never get one.
"""

from collections.abc import Callable

from smartos.dtrace.dif import GLOBAL, LOCAL, OTHER_USER, STR, THREAD, TUPLE_REGISTERS, Op, V, index, r1, r2, rd
from smartos.dtrace.vm.jit_difo import Path, Translator, Uncovered
from smartos.dtrace.vm.jit_values import ZERO, Number, Reference, Text, Value, constant
from smartos.dtrace.vm.memory import TOP
from smartos.dtrace.vm.steps import SIGN
from smartos.dtrace.vm.steps_variables import DEFAULT_STRSIZE

CPU = 'get("cpu", 0)'
_CONTEXT_NUMBERS = {
    V.PID: "pid", V.PPID: "ppid", V.TID: "tid", V.UID: "uid", V.GID: "gid", V.ERRNO: "errno", V.IPL: "ipl",
    V.VTIMESTAMP: "vtimestamp",
}  # fmt: skip
_CONTEXT_TEXTS = {V.EXECNAME: "execname", V.ZONENAME: "zonename"}
_PROBE_TEXTS = {V.PROBEPROV: "provider", V.PROBEMOD: "module", V.PROBEFUNC: "function", V.PROBENAME: "name"}


def _ldgs(self: Translator, at: int, word: int, path: Path, depth: int) -> None:
    number = index(word)
    path.regs[rd(word)] = (
        _static(self, GLOBAL, number, depth) if number >= OTHER_USER else builtin(self, at, number, ZERO, depth)
    )


def _ldls(self: Translator, at: int, word: int, path: Path, depth: int) -> None:
    number = index(word)
    path.regs[rd(word)] = _static(self, LOCAL, number, depth) if number >= OTHER_USER else ZERO


def _static(self: Translator, scope: int, number: int, depth: int) -> Value:
    unit, name = self.unit, self.unit.name()
    if self.unit.machine.variables.by_ref(scope, number):
        unit.emit(depth, f"{name} = reference({scope}, {number}, {CPU if scope == LOCAL else 0})")
        unit.emit(depth, f"{name} = 0 if {name}.region.data[0] == 255 else {name}.region")
        return Reference(name, 8)
    unit.emit(depth, f"{name} = {_integers(scope)}.get({number}, 0)")
    return Number(name)


def _integers(scope: int) -> str:
    return "globals_" if scope == GLOBAL else f"locals_({CPU})"


def _store_static(scope: int) -> Callable[..., None]:
    def step(self: Translator, at: int, word: int, path: Path, depth: int) -> None:
        number, value = index(word), path.regs[rd(word)]
        if number < OTHER_USER:
            raise Uncovered("a store to a built-in variable")
        if not self.unit.machine.variables.by_ref(scope, number):
            self.unit.emit(depth, f"{_integers(scope)}[{number}] = {self.number(value, depth).text}")
            return
        address = self.number(value, depth).text
        self.unit.emit(depth, f"pc = {4 * at}")
        self.unit.emit(depth, f"put_static(machine, {scope}, {number}, {CPU}, {address})")

    return step


def builtin(self: Translator, at: int, number: int, element: Number, depth: int) -> Value:
    """A built-in variable; once it has been read it is known, since none changes while an object runs."""
    key = number, element.text
    found = self.known.get(key)
    if found is None:
        found = self.known[key] = _builtin(self, at, number, element, depth)
    return found


def _builtin(self: Translator, at: int, number: int, element: Number, depth: int) -> Value:
    unit = self.unit
    if V.ARG0 <= number <= V.ARG9:
        return _argument(self, number - V.ARG0, depth)
    if number == V.ARGS and element.constant is not None:
        return _argument(self, element.constant, depth)
    if number == V.ID or (number == V.EPID and unit.epid is not None):
        return constant(unit.probe.id if number == V.ID else unit.epid)
    name = unit.name()
    if number in _CONTEXT_NUMBERS:
        unit.emit(depth, f'{name} = get("{_CONTEXT_NUMBERS[number]}", 0)')
        unit.emit(depth, f"{name} = {name} & {TOP} if {name}.__class__ is int else word({name})")
        return Number(name)
    if number in _CONTEXT_TEXTS:
        key = _CONTEXT_TEXTS[number]
        unit.emit(depth, f'{name} = get("{key}")')
        unit.emit(depth, f'if {name} is None: {name} = "{"sched" if key == "execname" else "global"}"')
        return Text(name, f"intern({name})", None, key)
    if number in _PROBE_TEXTS:
        known = getattr(unit.probe, _PROBE_TEXTS[number]).encode()
        return Text("", f"intern({known!r})", known)
    unit.emit(depth, f"pc = {4 * at}")
    if number == V.VMREGS:
        unit.emit(depth, f'{name} = get("vmregs")')
        found = f"{name}[{element.text}] if {name}.__class__ is dict and {element.text} in {name} else "
        unit.emit(depth, f"{name} = {found}element({name}, {element.text})")
        unit.emit(depth, f"{name} = {name} & {TOP} if {name}.__class__ is int else word({name})")
        return Number(name)
    unit.frame(depth)
    unit.emit(depth, f"{name} = frame.variable({number}, {element.text})")
    return Number(name)


def _argument(self: Translator, number: int, depth: int) -> Value:
    unit = self.unit
    if unit.nargs is not None and number >= unit.nargs:
        return ZERO
    name = unit.name()
    guard = "" if unit.nargs is not None else f" if len(args) > {number} else 0"
    unit.emit(depth, f"{name} = args[{number}]{guard}")
    unit.emit(depth, f"{name} = {name} & {TOP} if {name}.__class__ is int else word({name})")
    return Number(name)


def _ldga(self: Translator, at: int, word: int, path: Path, depth: int) -> None:
    path.regs[rd(word)] = builtin(self, at, r1(word), self.number(path.regs[r2(word)], depth), depth)


def _key(self: Translator, at: int, word: int, path: Path, thread: bool, indexed: bool, depth: int) -> str:
    """The expression of a dynamic variable's key."""
    parts = []
    for value, size in path.stack if indexed else ():
        if not size:
            parts.append(self.number(value, depth).text)
        elif isinstance(value, Number):
            self.unit.emit(depth, f"pc = {4 * at}")
            name = self.unit.name()
            self.unit.emit(depth, f"{name} = key_bytes(machine, {value.text}, {size})")
            parts.append(name)
        elif value.known is not None:
            parts.append(repr((value.known + b"\0")[: int(size) + 1]))
        else:
            parts.append(f"(full[{value.text}] + b'\\0')[:{int(size) + 1}]")
    parts.append(str(index(word)))
    if thread:
        parts.append(self.unit.thread())
    return f"({', '.join(parts)},)"


def _load_dynamic(thread: bool, indexed: bool) -> Callable[..., None]:
    scope = THREAD if thread else GLOBAL

    def step(self: Translator, at: int, word: int, path: Path, depth: int) -> None:
        if index(word) < OTHER_USER:
            raise Uncovered("a built-in variable")
        key, name = _key(self, at, word, path, thread, indexed, depth), self.unit.name()
        self.unit.emit(depth, f"{name} = dynamic.get({key}, 0)")
        by_ref = self.unit.machine.variables.by_ref(scope, index(word))
        path.regs[rd(word)] = Reference(name) if by_ref else Number(name)

    return step


def _store_dynamic(thread: bool, indexed: bool) -> Callable[..., None]:
    scope = THREAD if thread else GLOBAL

    def step(self: Translator, at: int, word: int, path: Path, depth: int) -> None:
        unit, number = self.unit, index(word)
        if number < OTHER_USER:
            raise Uncovered("a built-in variable")
        key, value = _key(self, at, word, path, thread, indexed, depth), self.number(path.regs[rd(word)], depth)
        if not path.dynamic:
            unit.emit(depth, "dropped = False")
            path.dynamic = True
        unit.emit(depth, f"pc = {4 * at}")
        if value.constant == 0:
            unit.emit(depth, f"if {key} in dynamic: free({key})")
        elif unit.machine.variables.by_ref(scope, number):
            unit.emit(depth, f"dropped |= put_reference(machine, {key}, {scope}, {number}, {value.text})")
        else:
            unit.emit(depth, f"dropped |= put_number(variables, {key}, {value.text})")

    return step


def _push(self: Translator, at: int, word: int, path: Path, depth: int) -> None:
    if len(path.stack) == TUPLE_REGISTERS:
        raise Uncovered("too many keys")
    unit, value = self.unit, path.regs[rd(word)]
    if Op(word >> 24) is Op.PUSHTV:
        path.stack.append((value, ""))
        return
    size = path.regs[r2(word)]
    if not isinstance(size, Number) or size.constant is None or size.constant >= SIGN:
        raise Uncovered("a key of a size that is not constant")
    if r1(word) != STR:
        path.stack.append((self.number(value, depth), str(size.constant)) if size.constant else (value, ""))
        return
    limit = size.constant or DEFAULT_STRSIZE
    if isinstance(value, Text):
        path.stack.append((value, str(limit)))
        return
    address, name = self.number(value, depth), unit.name()
    unit.emit(depth, f"pc = {4 * at}")
    unit.emit(depth, f"{name} = len(string({address.text}, {limit})) + 1")
    path.stack.append((address, name))


def _pop(self: Translator, at: int, word: int, path: Path, depth: int) -> None:
    del path.stack[-1:]


def _flush(self: Translator, at: int, word: int, path: Path, depth: int) -> None:
    path.stack.clear()


def _allocs(self: Translator, at: int, word: int, path: Path, depth: int) -> None:
    unit, name, size = self.unit, self.unit.name(), self.number(path.regs[r1(word)], depth)
    unit.frame(depth)
    unit.emit(depth, f"pc = {4 * at}")
    unit.emit(depth, f"{name} = cleared(machine, frame, {size.text})")
    path.regs[rd(word)] = Number(name)


def _call(self: Translator, at: int, word: int, path: Path, depth: int) -> None:
    """A subroutine: the interpreter's own."""
    unit, name = self.unit, self.unit.name()
    call = unit.machine.subroutines.get(index(word))
    if call is None:
        raise Uncovered("no such subroutine")
    args = ", ".join(self.number(value, depth).text for value, _ in path.stack)
    unit.frame(depth)
    unit.emit(depth, f"pc = {4 * at}")
    before = self.number(path.regs[rd(word)], depth).text
    unit.emit(depth, f"{name} = {unit.keep(call)}(Run(machine, {unit.keep(self.code)}, frame), [{args}])")
    unit.emit(depth, f"{name} = {before} if {name} is None else {name} & {TOP}")
    path.regs[rd(word)] = Number(name)


VARIABLES: dict[Op, Callable[..., None]] = {
    Op.LDGA: _ldga, Op.LDGS: _ldgs, Op.LDLS: _ldls, Op.STGS: _store_static(GLOBAL), Op.STLS: _store_static(LOCAL),
    Op.LDTS: _load_dynamic(True, False), Op.STTS: _store_dynamic(True, False),
    Op.LDGAA: _load_dynamic(False, True), Op.STGAA: _store_dynamic(False, True),
    Op.LDTAA: _load_dynamic(True, True), Op.STTAA: _store_dynamic(True, True),
    Op.PUSHTR: _push, Op.PUSHTV: _push, Op.POPTS: _pop, Op.FLUSHTS: _flush, Op.CALL: _call, Op.ALLOCS: _allocs,
}  # fmt: skip
