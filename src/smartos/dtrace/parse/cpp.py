"""`dtrace -C`: the C preprocessor, over a D program.

There is no cpp(1) in the page and not on every machine, and two of them never print quite the same; so this is one of
our own, for what scripts and the system's headers use: `#define` with all that C has for macros, `#undef`, `#include`,
conditionals with expressions, `#error`, `__LINE__`, `__FILE__`, and `__STDC__` by the mode of `-X`. Lines keep their
numbers. `#pragma`, `#ident` and `#line` are left to D. With `-x cpppath=` that program is run instead, where processes
can be started. A macro is :mod:`~smartos.dtrace.parse.cpp_macros`'.

Left out: `__DATE__` and `__TIME__`, and warnings. Follows `dt_preproc` of libdtrace's `dt_cc.c` for what is defined.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from smartos.dtrace.errors import DError
from smartos.dtrace.parse.cpp_macros import TOKEN, WORD, BadMacro, Macro, define, expand, is_open, plain
from smartos.dtrace.parse.macros import decimal

PREDEFINED = {"__sun": "1", "__unix": "1", "__SVR4": "1", "__SUNW_D": "1", "__SUNW_D_64": "1", "__amd64": "1",
              "__SunOS_5_11": "1", "__SUNW_D_VERSION": "0x01c00e00"}  # fmt: skip
_COMMENT = re.compile(r'/\*.*?(?:\*/|\Z)|"(?:[^"\\\n]++|\\.)*+"?|\'(?:[^\'\\\n]++|\\.)*+\'?', re.S)
_DIRECTIVE = re.compile(r"#[ \t]*([A-Za-z]*)(.*)", re.S)  # in the first column only, as Sun's cpp wants it
_LINE = re.compile(r'[ \t]*([0-9]+)[ \t]*(?:"([^"]*)")?')
STDC = {"a": "0", "t": "0", "c": "1"}  # __STDC__ by the mode; in mode s it is not defined
MAIN = "/dev/fd/0"  # the program itself, as libdtrace hands it to cpp
_DEEPEST = 60
_LONGEST = 200  # lines over which a macro's call may go
_LARGEST = 1 << 22  # characters that a program may grow to


class Preprocessor:
    """One run: the macros, and the directories in which `#include` looks."""

    def __init__(
        self, define: Iterable[str] = (), undef: Iterable[str] = (), include: Iterable[str] = (), stdc: str = "a"
    ) -> None:
        self.macros: dict[str, Macro] = {name: plain(value) for name, value in PREDEFINED.items()}
        self.include = [Path(path) for path in include]
        for text in define:
            name, equals, value = text.partition("=")
            self._define(f"{name} {value if equals else 1}")
        for name in undef:
            self.macros.pop(name, None)
        if stdc in STDC:
            self.macros["__STDC__"] = plain(STDC[stdc])
        self._depth = self._written = 0

    def run(self, text: str, name: str = "") -> str:
        """The text, preprocessed. `name` is the file that it is, for `#include "…"` beside it."""
        if text.startswith("#!"):
            text = text[text.find("\n") :] if "\n" in text else ""
        text = _COMMENT.sub(_blanked, text)
        lines, out = iter(text.split("\n")), []
        self._file, self._ahead = name if self._depth else MAIN, 1  # of `#line`: the file's name, the line less those written
        active: list[list[bool]] = []  # of each #if: whether it is read now, whether a branch was, whether #else was seen
        for line in lines:
            extra = 0
            self._place(len(out) + self._ahead)
            found = _DIRECTIVE.match(line) if "#" in line else None
            if not found:
                on = all(state[0] for state in active)
                while on and extra < _LONGEST and is_open(line, self.macros) and (more := next(lines, None)) is not None:
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
            if found[1] in ("line", "") and (told := _LINE.match(found[2])) and all(state[0] for state in active):
                self._ahead, self._file = decimal(told[1]) - len(out) - extra - 1, told[2] or self._file
            out.append(self._directive(found[1], found[2].strip(), line, active, name, len(out) + extra + 2))
            out.extend([""] * extra)
        if active:
            raise _failed("#if without #endif")
        return "\n".join(out)

    def _place(self, line: int) -> None:
        """Say where the text is."""
        self.macros["__LINE__"], self.macros["__FILE__"] = plain(str(line)), plain(f'"{self._file}"')

    def _grow(self, size: int) -> None:
        self._written += size
        if self._written > _LARGEST:
            raise _failed("the program grows too large")

    def _directive(self, word: str, rest: str, line: str, active: list[list[bool]], name: str, following: int) -> str:
        on = all(state[0] for state in active)
        if word in ("if", "ifdef", "ifndef"):
            if word != "if" and not WORD.match(rest):
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
        try:
            name, macro = define(rest)
        except BadMacro as wrong:
            raise _failed(str(wrong)) from None
        self.macros[name] = macro

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
                around = self._file, self._ahead
                self._depth += 1
                body = self.run(path.read_text("utf-8", "surrogateescape"), str(path))
                self._depth -= 1
                self._file, self._ahead = around
                back = name if self._depth else MAIN
                return f'# 1 "{path}" 1\n{body}\n# {following} "{back}" 2'
        raise _failed(f"{found[1] or found[2]}: No such file or directory")

    # Macros

    def expand(self, text: str) -> str:
        """The text with its macros put in."""
        if not any(word in self.macros for word in WORD.findall(text)):
            return text
        try:
            tokens = expand([(token, frozenset()) for token in TOKEN.findall(text)], self.macros, self._grow)
        except BadMacro as wrong:
            raise _failed(str(wrong)) from None
        return "".join(token for token, _ in tokens)

    # Conditions

    def _truth(self, text: str) -> bool:
        from smartos.dtrace.check.construct import build
        from smartos.dtrace.environment import Environment
        from smartos.dtrace.parse.parser import parse_expression
        from smartos.dtrace.tree import Int

        defined = re.sub(r"\bdefined\s*(?:\(\s*([A-Za-z_]\w*)\s*\)|([A-Za-z_]\w*))",
                         lambda found: str(int((found[1] or found[2]) in self.macros)), text)  # fmt: skip
        plain = "".join("0" if WORD.fullmatch(token) else token for token in TOKEN.findall(self.expand(defined)))
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


def _blanked(found: re.Match[str]) -> str:
    text = found[0]
    return text if not text.startswith("/*") else "\n" * text.count("\n") or " "


def _failed(why: str) -> DError:
    """What dtrace(1M) says when cpp fails; cpp's own complaint is the error's note."""
    error = DError("", "Preprocessor failed to process input program")
    error.add_note(why)
    return error


def preprocess(
    text: str, define: Iterable[str] = (), undef: Iterable[str] = (), include: Iterable[str] = (), path: str = "", name: str = "",
    stdc: str = "a",
) -> str:  # fmt: skip
    """A program after the preprocessor. `path` is that of a cpp to run instead of ours, `stdc` the mode of `-X`.

    Raises DError if it fails.
    """
    if not path:
        return Preprocessor(define, undef, include, stdc).run(text, name)
    import subprocess

    if text.startswith("#!"):
        text = text[text.find("\n") :] if "\n" in text else ""
    flags = [f"-D{item}={value}" for item, value in PREDEFINED.items()] + [f"-D{item}" for item in define]
    flags += [f"-U{item}" for item in undef] + [f"-I{place}" for place in include]
    flags += [f"-D__STDC__={STDC[stdc]}"] if stdc in STDC else []
    try:
        done = subprocess.run([path, *flags, "-"], input=text.encode("utf-8", "surrogateescape"), capture_output=True)
    except FileNotFoundError:
        raise DError("", "Preprocessor not found") from None
    except OSError:
        raise DError("", "Failed to exec preprocessor") from None
    if done.returncode:
        raise _failed(done.stderr.decode("utf-8", "replace").strip())
    return done.stdout.decode("utf-8", "surrogateescape").replace('"<stdin>"', '"/dev/fd/0"')
