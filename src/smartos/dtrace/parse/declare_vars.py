"""What a declaration declares: a variable, a typedef, an extern symbol, an inline.

Follows `dt_node_decl`, `dt_node_inline`, `dt_node_xlator`, `dt_node_probe` and `dt_node_provider` of libdtrace's
`dt_parser.c`, as far as they check what was written; types of expressions are the checker's.
"""

from smartos.dtrace.check.nodes import kind_name
from smartos.dtrace.ctf import DYN, VOID, CType, Function, Struct, Typedef, is_forward, resolve, type_name
from smartos.dtrace.ident import Ident, Is, Kind, Signature
from smartos.dtrace.parse.declare import Decl, Params
from smartos.dtrace.parse.declare_types import Definitions
from smartos.dtrace.parse.pragma import settle
from smartos.dtrace.tree import Inline, Node, ProbeDecl, ProviderDecl, TypeRef


class Variables(Definitions):
    """The actions of the rules that declare."""

    def declare(self) -> None:
        """Declare what the scope's declaration says, with the name that it has."""
        decl, scope = self.top(), self.scope
        kind, user = self.resolve(decl)
        name, storage = scope.ident, scope.storage
        if name is None:
            if decl.kind not in ("struct", "union", "enum"):
                self.fail("D_DECL_USELESS", "useless declaration")
            return
        if "`" in name:
            self.fail("D_DECL_SCOPE", f"D scoping operator may not be used in a declaration name ({name})")
        if isinstance(kind, Function) and storage in ("", "static"):
            storage = "extern"
        if storage in ("auto", "register", "static"):
            self.fail("D_DECL_BADCLASS", "specified storage class not appropriate in D")
        if storage == "extern":
            self._extern(name, kind)
        elif storage == "typedef":
            self._typedef(name, kind)
        else:
            self._variable(name, storage, decl, kind, user)
        scope.ident = None

    def _extern(self, name: str, kind: CType) -> None:
        known = self.env.declared.get((self.home, name))
        if known is not None and known.type is not kind:
            self.fail("D_DECL_IDRED", f"identifier redeclared: {self.home}`{name}\n\t current: {type_name(kind)}"
                      f"\n\tprevious: {type_name(known.type)}")  # fmt: skip
        if known is None:
            self.env.declared[self.home, name] = Ident(name, Kind.SYMBOL, type=kind, data=self.home, gen=self.env.gen)

    def _typedef(self, name: str, kind: CType) -> None:
        if name in self.env.globals:
            self.fail("D_DECL_IDRED", f"global variable identifier redeclared: {name}")
        if self.env.types.find(name, self.home):
            self.fail("D_DECL_IDRED", f"typedef redeclared: {name}")
        self.env.types.define(name, Typedef(name, kind), self.home)

    def _variable(self, name: str, storage: str, decl: Decl, kind: CType, user: bool) -> None:
        env = self.env
        table, flag = {"this": (env.locals, Is.LOCAL), "self": (env.threads, Is.TLS)}.get(storage, (env.globals, Is.NONE))
        old = table.get(name)
        if decl.kind == "array" and decl.count is None and not decl.keys:
            self.fail("D_DECL_ARRNULL", f"array declaration requires array dimension or tuple signature: {name}")
        if old is not None and old.gen == 0:
            self.fail("D_DECL_IDRED", f"built-in identifier redeclared: {name}")
        if env.types.find(name, "D"):
            self.fail("D_DECL_IDRED", f"typedef identifier redeclared: {name}")
        keys = decl.keys if decl.kind == "array" else None
        if keys is not None:
            if storage == "this":
                self.fail("D_DECL_LOCASSC", f"associative arrays may not be declared as local variables: {name}")
            assert decl.next is not None
            kind = self.resolve(decl.next).type
        if old is not None:
            self._again(name, old, kind, keys)
            return
        self._object(name, kind)
        ident = Ident(
            name, Kind.SCALAR if keys is None else Kind.ARRAY, self._number(name, table), flag | Is.WRITE | Is.DECL,
            type=kind, line=self.lexer.line, gen=env.gen,
        )  # fmt: skip
        if keys is not None:
            ident.signature = Signature([key.type for key in keys], user=[key.userland for key in keys])
        elif user:
            ident.flags |= Is.USER
        table[name] = ident
        if table is env.globals:
            settle(self.lexer, ident)

    def _number(self, name: str, table: dict[str, Ident]) -> int:
        number = self.env.next_id(table)
        if number > 0xFFFF:
            what = {id(self.env.locals): "clause local", id(self.env.threads): "thread local"}.get(id(table), "global")
            self.fail("D_ID_OFLOW", f"cannot create {name}: limit on number of {what} variables exceeded")
        return number

    def _object(self, name: str, kind: CType) -> None:
        base = resolve(kind)
        if base is VOID:
            self.fail("D_DECL_VOIDOBJ", f"cannot have void object: {name}")
        if is_forward(base) or (isinstance(base, Struct) and not base.size):
            self.fail("D_DECL_INCOMPLETE", f"incomplete struct/union/enum {type_name(kind)}: {name}")

    def _again(self, name: str, old: Ident, kind: CType, keys: Params | None) -> None:
        """The same declaration may stand more than once."""
        what, before = kind_name(Kind.SCALAR if keys is None else Kind.ARRAY), kind_name(old.kind)
        start = f"identifier redeclared: {name}\n\t current: {what}"
        if before != what or old.type is not kind:
            self.fail("D_DECL_IDRED", f"{start} {type_name(kind)}\n\tprevious: {before} {type_name(old.type)}")
        if keys is None:
            return
        known = old.signature.args if old.signature else []
        for at, (key, other) in enumerate(zip(keys, known, strict=False), 1):
            if key.type is not other:
                self.fail("D_DECL_IDRED", f"{start}, key #{at} of type {type_name(key.type)}\n\tprevious: {before}, key #{at}"
                          f" of type {type_name(other)}")  # fmt: skip
        if len(keys) != len(known):
            self.fail("D_DECL_IDRED", f"{start} of {type_name(kind)}, tuple length {len(keys)}\n\tprevious: {before} of"
                      f" {type_name(old.type)}, tuple length {len(known)}")  # fmt: skip

    # Inlines, translators, providers

    def inline(self, expr: Node) -> Inline:
        """An inline's definition. The checker sees to its expression (with the parameters in sight) before it has a name."""
        decl, scope, env = self.top(), self.scope, self.env
        kind, name = self.resolve(decl).type, scope.ident
        if scope.storage:
            self.fail("D_DECL_BADCLASS", "specified storage class not appropriate for inline declaration")
        if name is None:
            self.fail("D_DECL_USELESS", "inline declaration requires a name")
        old = env.globals.get(name)
        if old is not None:
            self.fail("D_DECL_IDRED", f"identifier redefined: {name}\n\t current: inline definition\n\tprevious:"
                      f" {kind_name(old.kind)} {'inline' if Is.INLINE in old.flags else ''}")  # fmt: skip
        keys = None
        if decl.kind == "array":
            keys = decl.keys
            if not keys and decl.count is None:
                self.fail("D_DECL_ARRNULL", f"inline declaration requires array tuple signature: {name}")
            if keys is None:
                self.fail("D_DECL_ARRNULL", f"inline declaration cannot be of scalar array type: {name}")
            assert decl.next is not None
            kind = self.resolve(decl.next).type
        if resolve(kind) is VOID and kind is not DYN:
            self.fail("D_DECL_VOIDOBJ", f"cannot declare void inline: {name}")
        if is_forward(kind):
            self.fail("D_DECL_INCOMPLETE", f"incomplete struct/union/enum {type_name(kind)}: {name}")
        ident = Ident(name, Kind.SCALAR if keys is None else Kind.ARRAY, flags=Is.INLINE | Is.REF | Is.DECL, type=kind,
                      line=self.lexer.line, gen=env.gen)  # fmt: skip
        if keys is not None:
            ident.signature = Signature([key.type for key in keys], user=[key.userland for key in keys])
            ident.params = [self._parameter(key) for key in keys]
        return Inline(ident, expr, line=self.lexer.line, type=kind)

    def _parameter(self, key: TypeRef) -> Ident | None:
        if not key.name:
            return None
        return Ident(key.name, Kind.SCALAR, flags=Is.DECL | Is.INLINE, type=key.type, gen=self.env.gen)

    def probe(self, name: str, native: Params, translated: Params | None) -> ProbeDecl:
        """A probe of a provider's declaration; `__` in its name is `-`."""
        shown = "::" + name.replace("__", "-")
        if "`" in name:
            self.fail("D_PROV_BADNAME", f"probe name may not contain scoping operator: {shown}")
        if len(shown) - 2 >= 64:
            self.fail("D_PROV_BADNAME", f"probe name may not exceed 63 characters: {shown}")
        counts = (
            ("input", self.prototype(native, native, "probe input", "void anonymous")),
            ("output", self.prototype(translated or [], native, "probe output", "void")),
        )
        for which, count in counts:
            if count > 255:
                self.fail("D_PROV_PRARGLEN", f"probe {shown} {which} prototype exceeds 255 parameters: {count} params used")
        return ProbeDecl(shown[2:], list(native), translated if translated is None else list(translated), line=self.lexer.line)

    def provider(self, name: str, probes: list[ProbeDecl]) -> ProviderDecl:
        """A provider's declaration."""
        if "`" in name:
            self.fail("D_PROV_BADNAME", f"provider name may not contain scoping operator: {name}")
        if len(name) >= 64:
            self.fail("D_PROV_BADNAME", f"provider name may not exceed 63 characters: {name}")
        if name[-1].isdigit():
            self.fail("D_PROV_BADNAME", f"provider name may not end with a digit: {name}")
        return ProviderDecl(name, probes, line=self.lexer.line)
