"""Control lines: `#pragma D option|attributes|binding|depends_on`, `#error`, `#ident`, `#line` and a bare `# 12 "file"`.

A pragma that changes an identifier's stability or version may come before the identifier does: then it waits, and is an
error if nothing of that name is declared until the end of the program.

Follows libdtrace's `dt_pragma.c` and the control state of `dt_lex.l`, line numbers included (after `#line 12` the next
line is the 13th, after `# 12` the 12th).
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from smartos.dtrace.errors import OptionError
from smartos.dtrace.ident import Ident, Stability
from smartos.dtrace.parse.macros import c_string, decimal
from smartos.dtrace.tree import ProbeDesc

if TYPE_CHECKING:
    from smartos.dtrace.parse.lexer import Lexer

_TOKEN = re.compile(r'[\f\t\v ]*+(?:("(?:[^"\\]++|\\.)*+")|(")|([^\f\t\v "]+))')
_INTEGER = re.compile(r"(?:0[xX][0-9A-Fa-f]+|[0-9]+)[uU]?[lL]?[lL]?")
_VERSION = re.compile(r"([0-9]{0,9})(?:\.([0-9]{0,9}))?(?:\.([0-9]{0,9}))?")
_Item = int | bytes | str  # an integer, a string in quotes, or any other word


@dataclass
class Pending:
    """A pragma that waits for its identifier."""

    pragma: str
    name: str
    value: Stability | tuple[int, int, int]
    line: int


def control(lexer: "Lexer", text: str) -> None:
    """Do what a control line says; `text` is what follows its `#`. Counts the line's end."""
    items = _items(lexer, text)
    lexer.line += 1
    rank = 0  # of what came before: # (0), #pragma (1), #pragma D (2)
    for at, item in enumerate(items):
        if isinstance(item, int):
            _line(lexer, "line", items[at:])
            return
        if isinstance(item, bytes):
            raise lexer.error("D_PRAGCTL_INVAL", "invalid control directive")
        if (rank, item) in ((0, "pragma"), (1, "D")):
            rank += 1
            continue
        lexer.line -= 1
        if item in _DIRECTIVES and (rank == 2 or item in _ANYWHERE):
            _DIRECTIVES[item](lexer, item, items[at + 1 :])
        elif rank == 0:
            raise lexer.error("D_PRAGCTL_INVAL", f"invalid control directive: #{item}")
        elif rank == 2:
            raise lexer.error("D_PRAGMA_INVAL", f"invalid D pragma: {item}")
        lexer.line += 1
        return


def _items(lexer: "Lexer", text: str) -> list[_Item]:
    items: list[_Item] = []
    for string, quote, word in _TOKEN.findall(text.rstrip("\f\t\v ")):  # blanks at the end would be tried one by one
        if quote:
            raise lexer.error("D_STR_NL", "newline encountered in string literal")
        if string:
            items.append(c_string(string[1:-1]))
        elif _INTEGER.fullmatch(word):
            items.append(lexer.integer(word).value)
        elif word:
            items.append(word)
    return items


def _malformed(lexer: "Lexer", pragma: str, wants: str) -> Exception:
    return lexer.error("D_PRAGMA_MALFORM", f"malformed #pragma {pragma} {wants}")


def _attributes(lexer: "Lexer", pragma: str, items: list[_Item]) -> None:
    from smartos.dtrace.check import attributes

    if len(items) < 2 or not isinstance(items[0], str) or not isinstance(items[1], str):
        raise _malformed(lexer, pragma, "<attributes> <ident>")
    value = attributes.parse(items[0])
    if value is None:
        raise lexer.error("D_PRAGMA_INVAL", f"invalid attributes specified by #pragma {pragma}")
    if items[1] != "provider":
        _apply(lexer, pragma, items[1], value)
        return
    if len(items) < 4 or not isinstance(items[2], str) or not isinstance(items[3], str):
        raise _malformed(lexer, pragma, "<attributes> <ident>")
    name, part = items[2], items[3]
    if not provider_exists(lexer, name):
        _apply(lexer, pragma, name, value)
        return
    parts = ("provider", "module", "function", "name", "args")
    if part not in parts:
        raise lexer.error("D_PRAGMA_INVAL", f'invalid component "{name}" in attribute #pragma for provider {part}')
    declared = lexer.env.providers.get(name)
    if declared is not None and hasattr(declared, "attrs"):
        changed = list(declared.attrs)
        changed[parts.index(part)] = value
        declared.attrs = tuple(changed)


def _binding(lexer: "Lexer", pragma: str, items: list[_Item]) -> None:
    if len(items) < 2 or not isinstance(items[0], bytes) or not isinstance(items[1], str):
        raise _malformed(lexer, pragma, '"version" <ident>')
    found = _VERSION.fullmatch(items[0].decode("latin-1"))
    major, minor, micro = (decimal(number or "0") for number in found.groups()) if found else (-1, 0, 0)
    if not 0 <= major <= 0xFF or minor > 0xFFF or micro > 0xFFF:
        raise lexer.error("D_PRAGMA_INVAL", f"invalid version string specified by #pragma {pragma}")
    _apply(lexer, pragma, items[1], (major, minor, micro))


def _apply(lexer: "Lexer", pragma: str, name: str, value: Stability | tuple[int, int, int]) -> None:
    """Change an identifier that this program made, or remember to do so."""
    ident = lexer.env.globals.get(name)
    if ident is None:
        lexer.pragmas.append(Pending(pragma, name, value, lexer.line))
    elif ident.gen != lexer.env.gen:
        raise lexer.error("D_PRAGMA_SCOPE", f"#pragma {pragma} cannot modify entity defined outside program scope")
    else:
        _change(ident, value)


def _change(ident: Ident, value: Stability | tuple[int, int, int]) -> None:
    if isinstance(value, Stability):
        ident.attr = value
    else:
        ident.version = value


def settle(lexer: "Lexer", *idents: Ident) -> None:
    """Apply the pragmas that waited for what was just declared: one identifier, or a translator's two."""
    for pending in [pending for pending in lexer.pragmas if pending.name == idents[0].name]:
        for ident in idents:
            _change(ident, pending.value)
        lexer.pragmas.remove(pending)


def provider_exists(lexer: "Lexer", name: str) -> bool:
    """Whether the program or the system has a provider of that name."""
    return name in lexer.env.providers or any(True for _ in lexer.env.probes.matching(ProbeDesc(provider=name)))


def _depends(lexer: "Lexer", pragma: str, items: list[_Item]) -> None:
    if len(items) < 2 or not isinstance(items[0], str) or not isinstance(items[1], str):
        raise _malformed(lexer, pragma, "<class> <name>")
    kind, name = items[0], items[1]
    if kind == "provider":
        found = provider_exists(lexer, name)
    elif kind == "module":
        found = name in lexer.env.types.scopes
    elif kind == "library":
        if not lexer.env.file:
            raise lexer.error("D_PRAGMA_DEPEND", "main program may not explicitly depend on a library")
        found = True
    else:
        raise lexer.error("D_PRAGMA_INVAL", f"invalid class {kind} specified by #pragma {pragma}")
    if not found:
        raise lexer.error("D_PRAGMA_DEPEND", f"program requires {kind} {name}")
    lexer.env.depends.append((kind, name))


def _error(lexer: "Lexer", pragma: str, items: list[_Item]) -> None:
    words = [item.decode("utf-8", "replace") if isinstance(item, bytes) else item for item in items if not isinstance(item, int)]
    raise lexer.error("D_PRAGERR", f"#{pragma}: " + "".join(word + " " for word in words))


def _ident(lexer: "Lexer", pragma: str, items: list[_Item]) -> None:
    """Nothing: such lines only name a file's version."""


def _option(lexer: "Lexer", pragma: str, items: list[_Item]) -> None:
    if not items or not isinstance(items[0], str):
        raise _malformed(lexer, pragma, "<option>=<val>")
    if len(items) > 1:
        raise lexer.error("D_PRAGMA_MALFORM", f"superfluous arguments specified for #pragma {pragma}")
    name, equals, given = items[0].partition("=")
    value = given if equals else None
    try:
        _set_option(lexer, name, value)
    except OptionError as wrong:
        to = "" if value is None else f" to '{value}'"
        raise lexer.error("D_PRAGMA_OPTSET", f"failed to set option '{name}'{to}: {wrong}") from None


def _set_option(lexer: "Lexer", name: str, value: str | None) -> None:
    """Set it among the environment's options, and where the compiler itself asks for it."""
    from smartos.dtrace.options import Options

    env = lexer.env
    options = env.options if isinstance(env.options, Options) else Options()
    if options is not env.options:
        options.update(env.options)
        env.options = options
    before = {field: getattr(env, field) for field in ("defaultargs", "argref", "zdefs", "empty", "amin")}
    options.set(name, value, program=True)
    options.settle(env)
    for field, kept in before.items():
        if field not in options:
            setattr(env, field, kept)
    if name == "version":
        for table in (env.globals, env.threads, env.aggregations):
            for key in [key for key, ident in table.items() if ident.version > env.version]:
                del table[key]


def _line(lexer: "Lexer", pragma: str, items: list[_Item]) -> None:
    """The line's number, the file's name, and 1 or 2 where an included file begins or ends."""
    kinds = (int, bytes, int)
    if not items or not all(isinstance(item, kind) for item, kind in zip(items[:3], kinds, strict=False)):
        raise lexer.error("D_PRAGMA_MALFORM", f'malformed #{pragma} <line> [ ["file"] state ]')
    if len(items) > 1 and isinstance(items[1], bytes):
        name = items[1].decode("utf-8", "replace")
        lexer.file = "" if name.startswith("/dev/fd/") else name
    if len(items) > 2 and items[2] == 1:
        lexer.depth += 1
    elif len(items) > 2 and items[2] == 2 and lexer.depth:
        lexer.depth -= 1
    assert isinstance(items[0], int)
    lexer.line = items[0]


_ANYWHERE = ("error", "ident", "line")
_DIRECTIVES = {
    "attributes": _attributes, "binding": _binding, "depends_on": _depends, "error": _error, "ident": _ident,
    "line": _line, "option": _option,
}  # fmt: skip


def unused(lexer: "Lexer") -> None:
    """Raise for a pragma that still waits when the program is at its end."""
    for pending in lexer.pragmas:
        raise lexer.error("D_PRAGMA_UNUSED", f"unused #pragma {pending.pragma}", pending.line)
