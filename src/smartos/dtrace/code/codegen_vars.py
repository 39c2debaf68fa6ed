"""Code for variables: scalars, associative arrays, args[] and the other built-in arrays, inlines, assignments.

The keys of an array's element and the arguments of a call go over the tuple stack: all are computed first, since any of
them may need the stack itself, then pushed. Follows libdtrace's `dt_cg.c`.
"""

from smartos.dtrace import dif
from smartos.dtrace.check.nodes import is_scalar, resolve_ident
from smartos.dtrace.code.emit import Emitter
from smartos.dtrace.code.shape import dif_type, is_signed_type, node_size, type_size
from smartos.dtrace.dif import Op, V
from smartos.dtrace.errors import DError
from smartos.dtrace.ident import Ident, Is, Kind
from smartos.dtrace.tree import Int, Node, Var

LAST_BUILTIN_ARRAY = 0xFF


def is_builtin_array(ident: Ident) -> bool:
    """Whether an identifier is an array of DIF's own: args, uregs, vmregs."""
    return ident.kind is Kind.ARRAY and ident.id <= LAST_BUILTIN_ARRAY


class Variables(Emitter):
    """The variables' part of the generator."""

    def tuple(self, ident: Ident, nodes: list[Node]) -> None:
        """Compute keys or arguments and push them, each cast to the type that the identifier's signature says."""
        registers = [self.node(node) for node in nodes]
        self.op3(Op.FLUSHTS)
        expected = ident.signature.args if ident.signature is not None else []
        for number, (node, register) in enumerate(zip(nodes, registers, strict=True)):
            if number < len(expected) and (kind := expected[number]) is not None:
                self.cast(node, kind, is_signed_type(kind), type_size(kind, self.env), register, register)
            shape = dif_type(node, self.env)
            if not shape.flags & dif.BYREF:
                self.op3(Op.PUSHTV, shape.kind, 0, register)
                self.free(register)
                continue
            length = 0
            if shape.size:
                length = self.allocate()
                self.setx(length, shape.size)
            self.op3(Op.PUSHTR, shape.kind, length, register)
            self.free(register)
            if length:
                self.free(length)
        if len(nodes) > int(self.env.options.get("tregs", dif.TUPLE_REGISTERS)):
            raise DError("", "Insufficient tuple registers to generate code")

    def variable(self, node: Var) -> int:
        """A variable's value, or the address of what is passed by reference."""
        ident = node.ident
        if ident.kind in (Kind.XLSOU, Kind.XLPTR) or is_builtin_array(ident):
            return self._builtin_element(node)
        if ident.kind is Kind.ARRAY:
            return self._element(node)
        register = self.allocate()
        if Is.LOCAL in ident.flags:
            op = Op.LDLS
        else:
            op = Op.LDTS if Is.TLS in ident.flags else Op.LDGS
        self.code.read.add(ident)
        self.op2(op, ident.id, register)
        return register

    def _element(self, node: Var) -> int:
        """An associative array's element. One that is passed by reference must be there to be stored into: where the
        load gives 0 it is made of zeros first."""
        ident = node.ident
        self.tuple(ident, node.args or [])
        register = self.allocate()
        thread = Is.TLS in ident.flags
        load, store = (Op.LDTAA, Op.STTAA) if thread else (Op.LDGAA, Op.STGAA)
        self.code.read.add(ident)
        self.op2(load, ident.id, register)
        if node.ref:
            there = self.code.new_label()
            self.op3(Op.TST, register)
            self.branch(Op.BNE, there)
            self.setx(register, node_size(node, self.env))
            self.op3(Op.ALLOCS, register, 0, register)
            self.code.written.add(ident)
            self.op2(store, ident.id, register)
            self.op2(load, ident.id, register)
            self.mark(there)
        return register

    def _builtin_element(self, node: Var) -> int:
        """args[n] and the like. An argument's number is the native one that it is mapped to; bits above its type's size
        are no part of it."""
        ident = node.ident
        (position,) = node.args or []
        if ident.id == V.ARGS and isinstance(position, Int) and (probe := self.env.probe) is not None and probe.args:
            register = self.allocate()
            self.setx(register, probe.args[position.value].mapping)
        else:
            register = self.node(position)
        self.code.read.add(ident)
        self.op3(Op.LDTA if Is.TLS in ident.flags else Op.LDGA, ident.id, register, register)
        if ident.id != V.ARGS or not is_scalar(node) or (size := node_size(node, self.env)) == 8:
            return register
        with self.scratch() as amount:
            self.setx(amount, 64 - 8 * size)
            self.op3(Op.SLL, register, amount, register)
            self.op3(Op.SRA if node.signed else Op.SRL, register, amount, register)
        return register

    def inline(self, node: Var) -> int:
        """An inline: its expression, with an array's parameters standing for the arguments while it is written."""
        ident = node.ident
        root: Node = ident.data
        parameters = (ident.params or []) if ident.kind is Kind.ARRAY else []
        saved = [parameter and parameter.data for parameter in parameters]
        for parameter, argument in zip(parameters, node.args or [], strict=False):
            if parameter is not None:
                parameter.data = argument
        node.reg = root.reg = self.node(root)
        self.cast_to_node(root, node)
        for parameter, old in zip(parameters, saved, strict=True):
            if parameter is not None:
                parameter.data = old
        return node.reg

    def store_variable(self, target: Var, register: int) -> None:
        """Store a register into a scalar variable, or into the element whose keys are on the tuple stack."""
        ident = resolve_ident(target.ident)
        self.code.written.add(ident)
        array = ident.kind is Kind.ARRAY
        if Is.LOCAL in ident.flags:
            op = Op.STLS
        elif Is.TLS in ident.flags:
            op = Op.STTAA if array else Op.STTS
        else:
            op = Op.STGAA if array else Op.STGS
        self.op2(op, ident.id, register)

    def assign_variable(self, target: Var, register: int) -> None:
        """Store a register into a variable: a scalar, an element, or a register of uregs[]."""
        ident = resolve_ident(target.ident)
        if is_builtin_array(ident):
            self.code.written.add(ident)
            index = self.node((target.args or [])[0])
            self.op3(Op.STGA, ident.id, index, register)
            self.free(index)
            return
        if ident.kind is Kind.ARRAY:
            self.tuple(ident, target.args or [])
        self.store_variable(target, register)
