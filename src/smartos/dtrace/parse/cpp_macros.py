"""Macros of the C preprocessor: what `#define` says, and a text with its macros put in.

Each token knows the macros whose expansion it comes from and is not expanded by them again, so that every expansion
ends. `#` makes a string of an argument as it was written, `##` joins two tokens; `...` takes the arguments that are left
for `__VA_ARGS__`, and `, ## __VA_ARGS__` loses its comma where there are none, as in GNU C. Follows section 6.10.3 of the
C standard.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

TOKEN = re.compile(r'[A-Za-z_]\w*|"(?:[^"\\\n]++|\\.)*+"?|\'(?:[^\'\\\n]++|\\.)*+\'?|[0-9][\w.]*|\s+|##|.', re.S)
WORD = re.compile(r"[A-Za-z_]\w*")
REST = "__VA_ARGS__"
_DEFINITION = re.compile(r"([A-Za-z_]\w*)(\(([^)]*)\))?(.*)", re.S)
_NONE: frozenset[str] = frozenset()
_EACH = 16  # what a token counts beside its characters, for how much a program grows

Token = tuple[str, frozenset[str]]  # its text, and the macros that it is not expanded by


class BadMacro(ValueError):
    """A macro's definition or call is wrong; why, in cpp's words."""


@dataclass(frozen=True)
class Macro:
    """A macro: its body's tokens, and its parameters or None where it has no list of them."""

    body: tuple[str, ...]
    params: tuple[str, ...] | None = None
    variadic: bool = False


def plain(text: str) -> Macro:
    """A macro without parameters that stands for a text."""
    return Macro(tuple(TOKEN.findall(text)))


def define(rest: str) -> tuple[str, Macro]:
    """The name and the macro that `#define rest` makes. Raises :class:`BadMacro`."""
    found = _DEFINITION.match(rest)
    if not found or found[1] == "defined":
        raise BadMacro("macro names must be identifiers" if not found else '"defined" cannot be used as a macro name')
    params = None if found[2] is None else [part.strip() for part in found[3].split(",")] if found[3].strip() else []
    if params is None and found[4][:1] == "(":
        raise BadMacro("missing ')' in macro parameter list")
    variadic = bool(params) and params[-1] == "..."
    if variadic:
        params[-1] = REST
    for at, name in enumerate(params or ()):
        if not WORD.fullmatch(name) or (name == REST and not variadic):
            raise BadMacro("parameter name missing or no identifier in macro parameter list")
        if name in params[:at]:
            raise BadMacro(f'duplicate macro parameter "{name}"')
    body = _body(found[4].strip(), params)
    return found[1], Macro(body, None if params is None else tuple(params), variadic)


def _body(text: str, params: list[str] | None) -> tuple[str, ...]:
    """The tokens of a body, without blanks beside `##` and behind `#`."""
    tokens: list[str] = []
    for token in TOKEN.findall(text):
        before = tokens[-1] if tokens else ""
        if token.isspace() and (before == "##" or (before == "#" and params is not None)):
            continue
        if token == "##" and before.isspace():
            tokens.pop()
        if before == "#" and params is not None and token not in params:
            raise BadMacro("'#' is not followed by a macro parameter")
        tokens.append(token)
    if tokens and "##" in (tokens[0], tokens[-1]):
        raise BadMacro("'##' cannot appear at either end of a macro expansion")
    if tokens and tokens[-1] == "#" and params is not None:
        raise BadMacro("'#' is not followed by a macro parameter")
    return tuple(tokens)


def expand(tokens: list[Token], macros: dict[str, Macro], grow: Callable[[int], None]) -> list[Token]:
    """The tokens with their macros put in. `grow` is told how many characters come. Raises :class:`BadMacro`."""
    todo, out = tokens[::-1], []
    while todo:
        token, hidden = todo.pop()
        macro = None if token in hidden else macros.get(token)
        if macro is None:
            out.append((token, hidden))
            continue
        args: dict[str, list[Token]] = {}
        if macro.params is not None:
            call = arguments(todo)
            if call is None:
                out.append((token, hidden))
                continue
            given, after = call
            hidden &= todo[after][1]
            del todo[after:]
            args = _named(macro, given)
        hidden |= {token}
        made = _filled(macro, args, lambda argument: expand(argument, macros, grow))
        grow(sum(len(text) + _EACH for text, _ in made))
        todo.extend((text, hide | hidden if hide else hidden) for text, hide in reversed(made) if text)
    return out


def arguments(todo: list[Token]) -> tuple[list[list[Token]], int] | None:
    """The arguments of a call whose `(` comes next at the end of a reversed list, and how much of the list is left.

    None where no `(` comes, or no `)` for it.
    """
    at = len(todo) - 1
    while at >= 0 and todo[at][0].isspace():
        at -= 1
    if at < 0 or todo[at][0] != "(":
        return None
    args: list[list[Token]] = [[]]
    depth = 0
    for place in range(at - 1, -1, -1):
        token = todo[place][0]
        if token == ")" and not depth:
            return args, place
        depth += (token == "(") - (token == ")")
        if token == "," and not depth:
            args.append([])
        else:
            args[-1].append(todo[place])
    return None


def is_open(text: str, macros: dict[str, Macro]) -> bool:
    """Whether a macro's call begins in the text and does not end in it."""
    todo = [(token, _NONE) for token in TOKEN.findall(text)][::-1] if "(" in text else []
    while todo:
        token, _ = todo.pop()
        macro = macros.get(token)
        if macro is not None and macro.params is not None and arguments(todo) is None and _begins(todo):
            return True
    return False


def _begins(todo: list[Token]) -> bool:
    following = next((token for token, _ in reversed(todo) if not token.isspace()), "")
    return following == "("


def _named(macro: Macro, given: list[list[Token]]) -> dict[str, list[Token]]:
    """The arguments of a call by their parameters, without blanks around them."""
    params = macro.params or ()
    args = [_stripped(argument) for argument in given]
    if not params and args == [[]]:
        args = []
    if macro.variadic:
        last = len(params) - 1
        rest = [token for number, argument in enumerate(given[last:]) for token in ([(",", _NONE)] if number else []) + argument]
        args = args[:last] + [_stripped(rest)] if len(given) >= last else args
    if len(args) != len(params):
        raise BadMacro(f"a macro is passed {len(args)} arguments, but takes {len(params)}")
    return dict(zip(params, args, strict=True))


def _stripped(argument: list[Token]) -> list[Token]:
    first, last = 0, len(argument)
    while first < last and argument[first][0].isspace():
        first += 1
    while last > first and argument[last - 1][0].isspace():
        last -= 1
    return argument[first:last]


def _filled(macro: Macro, args: dict[str, list[Token]], expanded: Callable[[list[Token]], list[Token]]) -> list[Token]:
    """A body with a call's arguments: expanded, but for those at `#` and `##`. A token without text is where nothing was."""
    body, out, at = macro.body, [], 0
    while at < len(body):
        token, following = body[at], body[at + 1] if at + 1 < len(body) else ""
        at += 1
        if token == "#" and following in args and macro.params is not None:
            out.append((_string(args[following]), _NONE))
            at += 1
        elif token == "##":
            at += 1
            if macro.variadic and following == REST and out and out[-1][0] == ",":
                out[-1:] = out[-1:] + expanded(args[REST]) if args[REST] else []
            elif following == "#" and at < len(body) and body[at] in args:
                _paste(out, [(_string(args[body[at]]), _NONE)])
                at += 1
            else:
                _paste(out, (args[following] or [("", _NONE)]) if following in args else [(following, _NONE)])
        elif token in args:
            out += (args[token] or [("", _NONE)]) if following == "##" else expanded(args[token])
        else:
            out.append((token, _NONE))
    return out


def _paste(out: list[Token], right: list[Token]) -> None:
    """Join the last token that is there with the first that comes."""
    text, hidden = out.pop() if out else ("", _NONE)
    out.append((text + right[0][0], hidden & right[0][1]))
    out += right[1:]


def _string(argument: list[Token]) -> str:
    """An argument as a string that prints what was written, its blanks as one."""
    text = ""
    for token, _ in argument:
        if token.isspace():
            text += " "
        elif token[0] in "\"'":
            text += token.replace("\\", "\\\\").replace('"', '\\"')
        else:
            text += token
    return f'"{text}"'
