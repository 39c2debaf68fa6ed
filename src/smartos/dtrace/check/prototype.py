"""The prototypes of built-in functions and the types of built-in variables, written as C writes them.

`string(const char *, [int])` is a function with an optional second parameter; `@` is a parameter of any type and `...`
more of them. They are looked up when a program first uses the name, so that a function whose types the system lacks
harms no other. Follows `dt_idcook_func` of libdtrace.
"""

from smartos.dtrace.check.nodes import fail
from smartos.dtrace.ctf import CType
from smartos.dtrace.environment import Environment
from smartos.dtrace.ident import Ident, Signature


def lookup_type(text: str, env: Environment) -> CType | None:
    """The type that a simple spelling names: qualifiers, a name (perhaps with its module), stars. None if there is none."""
    words = text.replace("*", " * ").split()
    stars = words.count("*")
    words = [word for word in words if word != "*"]
    const = "const" in words
    name = " ".join(word for word in words if word != "const")
    scope, mark, rest = name.partition("`")
    kind = env.types.lookup(rest, scope) if mark else env.types.lookup(name)
    if kind is None:
        return None
    if const:
        kind = env.types.qualified(kind, "const")
    for _ in range(stars):
        kind = env.types.pointer(kind)
    return kind


def unknown(text: str, env: Environment) -> str:
    """Why a type was not found, in the library's words."""
    scope, mark, _ = text.partition("`")
    return "Unknown module name" if mark and scope.split()[-1] not in env.types.scopes else "Unknown type name"


def signature(ident: Ident, env: Environment) -> Signature:
    """A function's parsed prototype; kept in `ident.signature`, and its type in `ident.type`.

    Raises D_UNKNOWN where a type of it is not known.
    """
    if ident.signature is None:
        returns, _, rest = ident.prototype.rpartition(")")[0].partition("(")
        found = Signature(returns=lookup_type(returns, env))
        if found.returns is None:
            raise fail(env, "D_UNKNOWN", f"failed to resolve type of {ident.name} ({returns}): {unknown(returns, env)}")
        for at, part in enumerate(part.strip() for part in rest.split(",") if part.strip()):
            if part == "...":
                found.varargs = at
            elif part.startswith("[") and found.optional is None:
                found.optional = at
            found.args.append(None if part in ("@", "...") else _parameter(part.strip("[]"), at, ident, env))
        ident.signature, ident.type = found, found.returns
    return ident.signature


def _parameter(text: str, at: int, ident: Ident, env: Environment) -> CType:
    if kind := lookup_type(text, env):
        return kind
    raise fail(env, "D_UNKNOWN", f"failed to resolve type of {ident.name} arg#{at + 1} ({text}): {unknown(text, env)}")
