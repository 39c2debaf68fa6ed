"""The code generator: a checked expression to DIF.

One walk over the tree; every node leaves its value in a register, and a child's register is used again for its parent
where it can be. The code is plain, with no constant folding or reordering: what `dtrace -S` lists can be read beside the
D. Loops cannot be written in D and branches here go only forward, so every object ends. Follows libdtrace's `dt_cg.c`.
"""

from smartos.dtrace import ctf
from smartos.dtrace.check.nodes import is_dynamic, kind_name, resolved
from smartos.dtrace.code.assemble import assemble
from smartos.dtrace.code.codegen_ops import LOGICAL, Operators, is_arithmetic_operator, is_comparison
from smartos.dtrace.code.codegen_vars import Variables
from smartos.dtrace.code.codegen_xlate import Translations, translator_of
from smartos.dtrace.code.emit import DEEPEST
from smartos.dtrace.code.shape import dif_type, node_size
from smartos.dtrace.dif import Difo, Op
from smartos.dtrace.environment import Environment
from smartos.dtrace.errors import DError
from smartos.dtrace.ident import Ident, Is, Kind
from smartos.dtrace.tree import Func, Int, Name, Node, Op1, Op2, Op3, String, Sym, Var


class Generator(Operators, Variables, Translations):
    """Writes one expression's DIF."""

    def __init__(self, env: Environment, line: int = 0) -> None:
        super().__init__(env, line)
        self.inputs: dict[Ident, int] = {}

    def node(self, node: Node) -> int:
        """Write the code of a node and return the register that has its value."""
        before, self.line = self.line, node.line or self.line
        self.depth += 1
        if self.depth > DEEPEST:
            raise DError("D_UNKNOWN", "expression is nested too deeply", self.line)
        match node:
            case Int():
                node.reg = self.allocate()
                self.setx(node.reg, node.value)
            case String():
                node.reg = self.allocate()
                self.op2(Op.SETS, self.code.strings.insert(node.value), node.reg)
            case Var():
                node.reg = self._name(node)
            case Func():
                node.reg = self._call(node)
            case Sym():
                node.reg = self._symbol(node)
            case Op1():
                node.reg = self._unary(node)
            case Op2():
                node.reg = self._binary(node)
            case Op3():
                node.reg = self.choose(node)
            case _:
                kind = type(node).__name__
                raise DError("D_UNKNOWN", f"internal error -- node type {kind} is not valid for an identifier", self.line)
        self.line = before
        self.depth -= 1
        return node.reg

    def _name(self, node: Var) -> int:
        if node.ident in self.inputs:
            register = self.allocate()
            self.op3(Op.MOV, self.inputs[node.ident], 0, register)
            return register
        return self.inline(node) if Is.INLINE in node.ident.flags else self.variable(node)

    def _call(self, node: Func) -> int:
        ident = node.ident
        assert ident is not None
        if ident.kind is not Kind.FUNC:
            message = (
                f"{kind_name(ident.kind)} {ident.name}( ) may not be called from a D expression (D program context required)"
            )
            raise DError("D_CG_EXPR", message, node.line)
        self.tuple(ident, node.args)
        register = self.allocate()
        self.op2(Op.CALL, ident.id, register)
        return register

    def _symbol(self, node: Sym) -> int:
        register = self.allocate()
        self.setx(register, symbol_address(node.ident), symbol=node.ident)
        if not node.ref:
            assert node.type is not None
            self.op3(self.load_op(node, node.type, node.userland), register, 0, register)
        return register

    # Unary operators

    def _unary(self, node: Op1) -> int:
        match node.op:
            case "!":
                return self.logical_not(node)
            case "*":
                return self._dereference(node)
            case "&":
                return self._by_reference(node.child)
            case "sizeof":
                register = self.allocate()
                self.setx(register, self._sizeof(node.child))
                return register
            case op if op.startswith(("pre", "post")):
                return self.increment(node)
        register = self.node(node.child)
        if node.op == "~":
            self.op3(Op.NOT, register, 0, register)
        elif node.op == "-":
            self.op3(Op.SUB, 0, register, register)
        return register

    def _sizeof(self, child: Node) -> int:
        size = getattr(child.ident, "size", 0) if isinstance(child, Sym) else 0
        return size or node_size(child, self.env)

    def _by_reference(self, child: Node) -> int:
        """The address of an lvalue: the code of the value without the load at its end."""
        before, child.ref = child.ref, True
        register = self.node(child)
        child.ref = before
        return register

    def _dereference(self, node: Op1) -> int:
        register = self.node(node.child)
        if is_dynamic(node.child):
            ident = resolved(node.child, Kind.XLPTR)
            assert ident is not None and node.ident is not None and node.ident.type is not None
            whole = self.expand(node.ident.type, ident, register)
            self.free(register)
            return whole
        if not node.ref:
            assert node.type is not None
            self.op3(self.load_op(node, node.type, node.child.userland or node.userland), register, 0, register)
        return register

    # Binary operators

    def _binary(self, node: Op2) -> int:
        op = node.op
        if op == ",":
            self.free(self.node(node.left))
            return self.node(node.right)
        if op in ("->", "."):
            return self._member(node)
        if op in LOGICAL:
            return self.logical(node)
        if is_comparison(op):
            return self.compare(node)
        if is_arithmetic_operator(op):
            return self.arithmetic(node, op)
        if op == "=":
            return self._assign(node, self.node(node.right))
        if op.endswith("="):
            return self._assign(node, self.arithmetic(node, op[:-1]))
        register = self.node(node.right)
        if op == "()":
            node.reg = node.right.reg = register
            self.cast_to_node(node.right, node)
        elif op != "xlate":
            raise DError("D_UNKNOWN", f"internal error -- token type {op} is not a valid D compilation token", self.line)
        return register

    def _member(self, node: Op2) -> int:
        assert isinstance(node.right, Name)
        register = self.node(node.left)
        if (ident := translator_of(node.left)) is not None:
            return self.translated_member(node, ident, register, node.right.name)
        member = self._member_of(node)
        if member.offset:
            with self.scratch() as offset:
                self.setx(offset, member.offset // 8)
                self.op3(Op.ADD, register, offset, register)
        if not node.ref:
            self.op3(self.load_op(node, member.type, node.left.userland or node.userland), register, 0, register)
            if node.bitfield:
                self.extract_field(node, register, member)
        return register

    def _member_of(self, node: Op2) -> ctf.Member:
        """The struct's or union's member that `.` or `->` names; a forward reference is looked up where it is complete."""
        assert isinstance(node.right, Name) and node.left.type is not None
        kind = ctf.resolve(node.left.type)
        if node.op == "->" and isinstance(kind, ctf.Pointer | ctf.Array):
            kind = ctf.resolve(kind.to if isinstance(kind, ctf.Pointer) else kind.of)
        assert isinstance(kind, ctf.Struct)
        if not kind.complete:
            found = self.env.types.lookup(ctf.spelling(kind))
            if isinstance(found, ctf.Struct):
                kind = found
        member = kind.member(node.right.name)
        assert member is not None, node.right.name
        return member

    def _assign(self, node: Op2, register: int) -> int:
        if (ident := resolved(node.right, Kind.XLSOU)) is not None:
            register = self.snapshot(ident, register)
        if isinstance(node.left, Var):
            self.assign_variable(node.left, register)
        else:
            self.store_through(node, register, node.left)
        return register

    def store_through(self, source: Node, register: int, target: Node) -> None:
        """Store a register's value, of node `source`, where the node `target` is in memory."""
        address = self._by_reference(target)
        member = self._member_of(target) if target.bitfield and isinstance(target, Op2) else None
        self.store(source, register, target, address, member)
        self.free(address)


def symbol_address(ident: Ident) -> int:
    """The address of a kernel symbol."""
    data = ident.data
    return data if isinstance(data, int) else getattr(data, "address", ident.id)


def generate(node: Node, env: Environment, line: int = 0) -> Difo:
    """The DIF of a checked expression. Raises DError: D_NOREG, D_CG_EXPR, D_CG_DYN, D_ASRELO or an untagged limit.

    `line` is what an error is reported at that no node is to blame for.
    """
    if resolved(node, Kind.XLPTR) is not None:
        raise DError("D_CG_DYN", "expression cannot evaluate to result of a translated pointer", node.line)
    generator = Generator(env, line)
    register = generator.node(node)
    if (ident := resolved(node, Kind.XLSOU)) is not None:
        kind = node.ident.type
        whole = generator.expand(kind, ident, register)
        generator.free(register)
        register = whole
    generator.op3(Op.RET, 0, 0, register)
    return assemble(generator.code, dif_type(node, env), env)


