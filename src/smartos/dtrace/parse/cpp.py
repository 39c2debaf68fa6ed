"""`dtrace -C`: the C preprocessor, over a D program.

There is no cpp(1) in the page and not on every machine, and two of them never print quite the same; so this is one of
our own, for what scripts and the system's headers use: `#define` with and without parameters, `#undef`, `#include`,
conditionals with expressions, `#error`. Lines keep their numbers. `#pragma`, `#ident` and `#line` are left to D. With
`-x cpppath=` that program is run instead, where processes can be started.

Left out: `#` and `##` in macros but for plain pasting, `__DATE__` and `__TIME__`, and warnings.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from smartos.dtrace.errors import DError

PREDEFINED = {"__sun": "1", "__unix": "1", "__SVR4": "1", "__SUNW_D": "1", "__SUNW_D_64": "1", "__amd64": "1",
              "__SunOS_5_11": "1", "__SUNW_D_VERSION": "0x01c00e00"}  # fmt: skip
_TOKEN = re.compile(r'[A-Za-z_]\w*|"(?:[^"\\\n]++|\\.)*+"?|\'(?:[^\'\\\n]++|\\.)*+\'?|[0-9][\w.]*|\s+|##|.', re.S)
_COMMENT = re.compile(r'/\*.*?(?:\*/|\Z)|"(?:[^"\\\n]++|\\.)*+"?|\'(?:[^\'\\\n]++|\\.)*+\'?', re.S)
_DIRECTIVE = re.compile(r"#[ \t]*([A-Za-z]*)(.*)", re.S)  # in the first column only, as Sun's cpp wants it
_WORD = re.compile(r"[A-Za-z_]\w*")
_DEEPEST = 60
_LONGEST = 200  # lines over which a macro's call may go
_LARGEST = 1 << 22  # characters that a program may grow to


class Preprocessor:
    """One run: the macros, and the directories in which `#include` looks."""

    def __init__(self, define: Iterable[str] = (), undef: Iterable[str] = (), include: Iterable[str] = ()) -> None:
        self.macros: dict[str, tuple[list[str] | None, str]] = {name: (None, value) for name, value in PREDEFINED.items()}
        self.include = [Path(path) for path in include]
        for text in define:
            name, _, value = text.partition("=")
            self.macros[name] = (None, value or "1")
        for name in undef:
            self.macros.pop(name, None)
        self._depth = self._written = 0

    def run(self, text: str, name: str = "") -> str:
        """The text, preprocessed. `name` is the file that it is, for `#include "…"` beside it."""
        if text.startswith("#!"):
            text = text[text.find("\n") :] if "\n" in text else ""
        text = _COMMENT.sub(_blanked, text)
        lines, out = iter(text.split("\n")), []
        active: list[list[bool]] = []  # of each #if: whether it is read now, whether a branch was, whether #else was seen
        for line in lines:
            extra = 0
            found = _DIRECTIVE.match(line) if "#" in line else None
            if not found:
                on = all(state[0] for state in active)
                while on and extra < _LONGEST and self._open(line) and (more := next(lines, None)) is not None:
                    line, extra = f"{line} {more}", extra + 1
                out.append(self.expand(line) if on else "")
                out.extend([""] * extra)
                self._grow(len(line) + 1)
                continue
            while line.endswith("\\"):
                more = next(lines, None)
                if more is None:
                    break
                line, extra = line[:-1] + more, extra + 1
            found = _DIRECTIVE.match(line)
            assert found is not None
            out.append(self._directive(found[1], found[2].strip(), line, active, name, len(out) + extra + 2))
            out.extend([""] * extra)
        if active:
            raise _failed("#if without #endif")
        return "\n".join(out)

    def _grow(self, size: int) -> None:
        self._written += size
        if self._written > _LARGEST:
            raise _failed("the program grows too large")

    def _directive(self, word: str, rest: str, line: str, active: list[list[bool]], name: str, following: int) -> str:
        on = all(state[0] for state in active)
        if word in ("if", "ifdef", "ifndef"):
            if word != "if" and not _WORD.match(rest):
                raise _failed(f"no macro name given in #{word}")
            truth = on and (self._truth(rest) if word == "if" else (rest.split()[0] in self.macros) == (word == "ifdef"))
            active.append([truth, truth or not on, False])
        elif word in ("elif", "else", "endif"):
            if not active or (active[-1][2] and word != "endif"):
                raise _failed(f"#{word} without #if")
            state = active[-1]
            if word == "endif":
                active.pop()
            else:
                state[0] = not state[1] and (word == "else" or self._truth(rest))
                state[1], state[2] = state[1] or state[0], word == "else"
        elif not on:
            return ""
        elif word == "define":
            self._define(rest)
        elif word == "undef":
            self.macros.pop(rest.split()[0] if rest else "", None)
        elif word == "include":
            return self._include(self.expand(rest), name, following)
        elif word == "error":
            raise _failed(f"#error {rest}")
        else:
            return line
        return ""

    def _define(self, rest: str) -> None:
        found = re.match(r"([A-Za-z_]\w*)(\(([^)]*)\))?(.*)", rest, re.S)
        if not found:
            raise _failed("macro names must be identifiers")
        params = None if found[2] is None else [part.strip() for part in found[3].split(",") if part.strip()]
        self.macros[found[1]] = (params, found[4].strip())

    def _include(self, wanted: str, name: str, following: int) -> str:
        found = re.match(r'\s*(?:"([^"]+)"|<([^>]+)>)', wanted)
        if not found:
            raise _failed('#include expects "FILENAME" or <FILENAME>')
        if self._depth > _DEEPEST:
            raise _failed("#include nested too deeply")
        places = ([Path(name).parent] if found[1] and name else []) + self.include
        for place in places:
            path = place / (found[1] or found[2])
            if path.is_file():
                self._depth += 1
                body = self.run(path.read_text("utf-8", "surrogateescape"), str(path))
                self._depth -= 1
                back = name if self._depth else "/dev/fd/0"
                return f'# 1 "{path}" 1\n{body}\n# {following} "{back}" 2'
        raise _failed(f"{found[1] or found[2]}: No such file or directory")

    # Macros

    def expand(self, text: str, hidden: frozenset[str] = frozenset()) -> str:
        """The text with its macros put in; those of `hidden` are being expanded already."""
        if not any(word in self.macros for word in _WORD.findall(text)):
            return text
        tokens, out, at = _TOKEN.findall(text), [], 0
        while at < len(tokens):
            token = tokens[at]
            at += 1
            macro = None if token in hidden else self.macros.get(token)
            if macro is None:
                out.append(token)
                continue
            params, body = macro
            if params is not None:
                args, after = _arguments(tokens, at)
                if args is None:
                    out.append(token)
                    continue
                at = after
                body = self._filled(body, params, args, hidden)
            body = self.expand(body.replace("##", ""), hidden | {token})
            self._grow(len(body))
            out.append(body)
        return "".join(out)

    def _open(self, text: str) -> bool:
        """Whether a macro's call begins in the text and does not end in it."""
        tokens = _TOKEN.findall(text) if "(" in text else []
        for at, token in enumerate(tokens, 1):
            if token in self.macros and self.macros[token][0] is not None:
                args, end = _arguments(tokens, at)
                if args is None and end == len(tokens) and "(" in tokens[at:]:
                    return True
        return False

    def _filled(self, body: str, params: list[str], args: list[str], hidden: frozenset[str]) -> str:
        values = dict(zip(params, [self.expand(arg.strip(), hidden) for arg in args], strict=False))
        if len(values) != len(params):
            raise _failed(f"a macro requires {len(params)} arguments, but only {len(args)} given")
        body = re.sub(r"\s*##\s*", "##", body)
        return "".join(values.get(token, token) for token in _TOKEN.findall(body))

    # Conditions

    def _truth(self, text: str) -> bool:
        from smartos.dtrace.check.construct import build
        from smartos.dtrace.environment import Environment
        from smartos.dtrace.parse.parser import parse_expression
        from smartos.dtrace.tree import Int

        defined = re.sub(r"\bdefined\s*(?:\(\s*([A-Za-z_]\w*)\s*\)|([A-Za-z_]\w*))",
                         lambda found: str(int((found[1] or found[2]) in self.macros)), text)  # fmt: skip
        plain = "".join("0" if _WORD.fullmatch(token) else token for token in _TOKEN.findall(self.expand(defined)))
        if not plain.strip():
            raise _failed("#if with no expression")
        env = Environment()
        try:
            value = build(parse_expression(plain, env), env)
        except DError as wrong:
            raise _failed(f"#if {text}: {wrong.message}") from None
        if not isinstance(value, Int):
            raise _failed(f"#if {text}: not a constant expression")
        return bool(value.value)


def _arguments(tokens: list[str], at: int) -> tuple[list[str] | None, int]:
    """The arguments of a macro's call that begins at a token, and the token after them; None where there is no `(`."""
    while at < len(tokens) and tokens[at].isspace():
        at += 1
    if at >= len(tokens) or tokens[at] != "(":
        return None, at
    args, depth = [""], 0
    for place in range(at + 1, len(tokens)):  # the first token is the `(`
        token = tokens[place]
        if token == ")" and not depth:
            return args, place + 1
        depth += (token == "(") - (token == ")")
        if token == "," and not depth:
            args.append("")
        else:
            args[-1] += token
    return None, len(tokens)


def _blanked(found: re.Match[str]) -> str:
    text = found[0]
    return text if not text.startswith("/*") else "\n" * text.count("\n") or " "


def _failed(why: str) -> DError:
    """What dtrace(1M) says when cpp fails; cpp's own complaint is the error's note."""
    error = DError("", "Preprocessor failed to process input program")
    error.add_note(why)
    return error


def preprocess(
    text: str, define: Iterable[str] = (), undef: Iterable[str] = (), include: Iterable[str] = (), path: str = "", name: str = ""
) -> str:
    """A program after the preprocessor. `path` is that of a cpp to run instead of ours. Raises DError if it fails."""
    if not path:
        return Preprocessor(define, undef, include).run(text, name)
    import subprocess

    if text.startswith("#!"):
        text = text[text.find("\n") :] if "\n" in text else ""
    flags = [f"-D{item}={value}" for item, value in PREDEFINED.items()] + [f"-D{item}" for item in define]
    flags += [f"-U{item}" for item in undef] + [f"-I{place}" for place in include]
    try:
        done = subprocess.run([path, *flags, "-"], input=text.encode("utf-8", "surrogateescape"), capture_output=True)
    except FileNotFoundError:
        raise DError("", "Preprocessor not found") from None
    except OSError:
        raise DError("", "Failed to exec preprocessor") from None
    if done.returncode:
        raise _failed(done.stderr.decode("utf-8", "replace").strip())
    return done.stdout.decode("utf-8", "surrogateescape").replace('"<stdin>"', '"/dev/fd/0"')
