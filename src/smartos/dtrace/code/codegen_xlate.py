"""Code for translators: a member's expression in the place of `.` and `->`, and whole structs where they are wanted.

A translator has no run-time existence. `xlate <psinfo_t>(p)->pr_fname` becomes the expression that the translator has
for `pr_fname`, with its parameter standing for the register that has `p`. Only where a program takes the whole thing is
a buffer filled with all its members. Follows libdtrace's `dt_cg.c`; translators that the kernel would supply at run time
are left out.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from smartos.dtrace import ctf, dif
from smartos.dtrace.check.nodes import is_scalar, is_string, resolved
from smartos.dtrace.code.emit import Emitter
from smartos.dtrace.code.shape import type_size
from smartos.dtrace.dif import Op, Subr
from smartos.dtrace.errors import DError
from smartos.dtrace.ident import Ident, Kind
from smartos.dtrace.tree import Node, Op2, Xlator, XlatorMember

_STORES = {1: Op.STB, 2: Op.STH, 4: Op.STW, 8: Op.STX}


def translator_of(node: Node) -> Ident | None:
    """The identifier of the translator that a node is the output of, or None."""
    return resolved(node, Kind.XLSOU) or resolved(node, Kind.XLPTR)


def xlator_member(xlator: Xlator, name: str) -> XlatorMember | None:
    """The member of that name."""
    return next((member for member in xlator.members if member.name == name), None)


class Translations(Emitter):
    """The translators' part of the generator. `inputs` has the registers of the parameters at hand."""

    inputs: dict[Ident, int]

    @contextmanager
    def input(self, xlator: Xlator, register: int) -> Iterator[None]:
        """While the block lasts the translator's parameter is what the register has."""
        assert xlator.ident is not None
        before = self.inputs.get(xlator.ident)
        self.inputs[xlator.ident] = register
        yield
        if before is None:
            del self.inputs[xlator.ident]
        else:
            self.inputs[xlator.ident] = before

    def translated_member(self, node: Op2, ident: Ident, source: int, name: str) -> int:
        """`translated.member`: the translator's expression for it, cast as an assignment would."""
        xlator: Xlator = ident.data
        member = xlator_member(xlator, name)
        assert member is not None, name
        with self.input(xlator, source):
            member.expr.reg = node.reg = self.node(member.expr)
            self.cast_to_node(member.expr, node)
        self.free(source)
        return node.reg

    def snapshot(self, ident: Ident, source: int) -> int:
        """A struct assignment's right side: every member's value in a piece of scratch memory, whose address it gives."""
        xlator: Xlator = ident.data
        address = self.allocate()
        self.setx(address, ctf.sizeof(xlator.dst))
        self.op3(Op.ALLOCS, address, 0, address)
        with self.input(xlator, source):
            for each in xlator.members:
                self._snapshot_member(xlator, each, address)
        self.free(source)
        return address

    def _snapshot_member(self, xlator: Xlator, each: XlatorMember, address: int) -> None:
        kind = ctf.resolve(xlator.dst)
        assert isinstance(kind, ctf.Struct)
        member = kind.member(each.name)
        assert member is not None
        each.expr.reg = each.reg = self.node(each.expr)
        self.cast_to_node(each.expr, each)
        place = address
        if member.offset:
            place = self.allocate()
            self.setx(place, member.offset // 8)
            self.op3(Op.ADD, address, place, place)
        self.store(each, each.reg, each, place, member)
        if member.offset:
            self.free(place)
        self.free(each.reg)

    def expand(self, kind: ctf.CType, ident: Ident, source: int) -> int:
        """A whole translated thing as a value: a buffer of its size, every member that has an expression stored in it."""
        xlator: Xlator = ident.data
        address = self.allocate()
        self.setx(address, type_size(kind, self.env))
        self.op3(Op.FLUSHTS)
        self.op3(Op.PUSHTV, dif.CTF, 0, address)
        self.op2(Op.CALL, Subr.ALLOCA, address)
        struct = ctf.resolve(kind)
        assert isinstance(struct, ctf.Struct)
        for member in struct.members:
            if (each := xlator_member(xlator, member.name)) is not None:
                with self.input(xlator, source):
                    value = self.node(each.expr)
                self._expand_member(each.expr, value, address, member.offset // 8)
        return address

    def _expand_member(self, expr: Node, value: int, address: int, offset: int) -> None:
        assert expr.type is not None
        size = type_size(expr.type, self.env)
        place = self.allocate()
        self.setx(place, offset)
        self.op3(Op.ADD, address, place, place)
        if is_scalar(expr):
            if size not in _STORES:
                raise DError("D_UNKNOWN", f"internal error -- unexpected size: {size}", self.line)
            self.op3(_STORES[size], value, 0, place)
        else:
            with self.scratch() as length:
                self.setx(length, size)
                if is_string(expr):
                    self.op3(Op.COPYS, value, length, place)
                else:
                    self.op3(Op.FLUSHTS)
                    for register in (value, place, length):
                        self.op3(Op.PUSHTV, dif.CTF, 0, register)
                    self.op2(Op.CALL, Subr.BCOPY, length)
        self.free(place)
        self.free(value)
