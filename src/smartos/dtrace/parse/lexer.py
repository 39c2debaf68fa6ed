"""From characters to tokens of D, one at a time, as the parser asks for them.

D has two languages in one file. Outside a clause's braces names are probe descriptions, `profile:::tick-1sec`, which may
hold `-`, `*` and `:`; inside them (and in declarations) they are C. Which of the two the next token belongs to depends
on what the parser has just understood, so tokens cannot all be made beforehand: the parser sets :attr:`Lexer.state`, and
reads no token before it needs it. A word may also be a type or a variable, which depends on the declarations before it.

Control lines (`#pragma`, `#line`) are handed to :mod:`~smartos.dtrace.parse.pragma` where they stand.

Follows libdtrace's `dt_lex.l`, its messages and its line numbers. Left out: terminals as input.
"""

import re
from typing import Any

from smartos.dtrace.environment import Environment
from smartos.dtrace.errors import DError
from smartos.dtrace.parse.macros import c_string, decimal, strtoull, unescape
from smartos.dtrace.parse.pragma import control
from smartos.dtrace.parse.tokens import DEFINERS, KEYWORDS, OUTER, Number, Token, macro_argument
from smartos.dtrace.parse.typenames import find_type

EXPR, DEFINE, CLAUSE = "expr", "define", "clause"  # two that lex C, the second within a definition; and descriptions
_PLAIN = re.compile(r"(?:[ \t\n\v\f\r]++|\\\n)*+")
_BLANK = re.compile(r"[ \t\n\v\f\r]*")
_WORD = re.compile(r"[a-zA-Z_`][0-9a-zA-Z_`]*")
_SCOPED = re.compile(r"[a-zA-Z_`][0-9a-z.A-Z_`]*`(?:[a-zA-Z_`][0-9a-zA-Z_`]*)?")
_DOTTED = re.compile(r"[0-9a-z.A-Z_`]+")
_DESCRIPTION = re.compile(r"[-$:a-zA-Z_.?*\\\[\]!][-$:0-9a-zA-Z_.`?*\\\[\]!]*")
_INTEGER = re.compile(r"(?:0[xX][0-9A-Fa-f]+|[0-9]+)[uU]?[lL]?[lL]?")
_FLOAT = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fFlL]?")
_STRING = re.compile(r'"(?:[^"\\\n]++|\\[^\n])*+')  # possessive: no place to go back to is kept for each character
_CHAR = re.compile(r"'(?:[^'\\\n]++|\\[^\n])*+")
_MACRO = re.compile(r"\$\$?(?:[0-9]+|[a-zA-Z_`][0-9a-zA-Z_`]*)")
_AGGREGATION = re.compile(r"@(?:[a-zA-Z_][0-9a-zA-Z_]*)?")
_OPERATOR = re.compile(r"<<=|>>=|\.\.\.|<<|>>|&&|\^\^|\|\||==|!=|<=|>=|\+\+|--|->|[-+*/%&^|]=|[-+*%&^|<>=~!?:.,;()\[\]{}]")
_CONTROL = re.compile(r"[\f\t\v ]*#")


class Lexer:
    """The tokens of one text. `line` is that of the last character read; `text` is the last token as it stands there."""

    def __init__(self, text: str, env: Environment) -> None:
        self.source, self.env = text, env
        self.at, self.line, self.fresh = 0, 1, True  # fresh: nothing of this line but blanks has been read
        self.text = ""
        self.state = CLAUSE
        self.file = env.file
        self.depth = 0  # of the files included, as #line says
        self.parens = self.brackets = self.braces = 0
        self.used: set[int] = set()  # macro arguments that were referred to
        self.ambiguous: set[str] = set()  # names of types that are variables here
        self._dotted = (0, -1)  # a run of words and dots that was looked at: its end, and its last backquote
        self.declaring = False  # a declaration has its type already, so that a name is no type
        self.pragmas: list[Any] = []  # attributes and versions for identifiers yet to come

    def error(self, tag: str, message: str, line: int | None = None) -> DError:
        """The error to raise: here, or at another line."""
        return DError(tag, message, self.line if line is None else line, "", self.file)

    def syntax(self, message: str = "syntax error") -> DError:
        """The error of the parser that cannot go on with the token just read."""
        shown = self.text.split("\n")[0]
        near = "end of input" if not self.text else "end of line" if self.text[0] == "\n" else f'"{shown}"'
        return self.error("D_SYNTAX", f"{message} near {near}")

    def next(self) -> Token:
        """The next token; `eof` at the end, again and again."""
        while True:
            self._blanks()
            source, at = self.source, self.at
            if at >= len(source):
                self.text = ""
                return Token("eof")
            if self.fresh and (found := _CONTROL.match(source, at)):
                self._control(found.end())
                continue
            if source.startswith("/*", at):
                self._comment()
                continue
            self.fresh = False
            return self._outer() if self.state == CLAUSE else self._inner()

    def _take(self, end: int) -> str:
        self.text = text = self.source[self.at : end]
        self.line += text.count("\n")
        self.at = end
        return text

    def _skip(self, end: int) -> None:
        lines = self.source.count("\n", self.at, end)
        if lines:
            self.line += lines
        self.at = end

    def _blanks(self) -> None:
        found = (_BLANK if self.state == CLAUSE else _PLAIN).match(self.source, self.at)
        assert found is not None
        if found.end() == self.at:
            return
        last = self.source.rfind("\n", self.at, found.end())
        if last >= 0:  # a control line's own blanks stay
            self.fresh = True
        self._skip(found.end())

    def _comment(self) -> None:
        end = self.source.find("*/", self.at + 2)
        inner = self.source.find("/*", self.at + 2, len(self.source) if end < 0 else end)
        if inner >= 0:
            self._take(inner + 2)
            raise self.error("D_SYNTAX", "/* encountered inside a comment")
        if end < 0:
            self._take(len(self.source))
            raise self.error("D_SYNTAX", "end-of-file encountered before matching */")
        self._skip(end + 2)
        self.fresh = False

    def _control(self, start: int) -> None:
        end = self.source.find("\n", start)
        if self.source.startswith("!", start):
            self._skip(len(self.source) if end < 0 else end)
            return
        if end < 0:
            self._skip(len(self.source))
            raise self.error("D_SYNTAX", "end-of-file encountered before end of control line")
        line = self.source[start:end]
        self._skip(start)
        control(self, line)
        self.at = end + 1
        self.fresh = True

    # Outside clauses

    def _outer(self) -> Token:
        source, at = self.source, self.at
        char = source[at]
        if "0" <= char <= "9":
            return self._integer()
        found = _DESCRIPTION.match(source, at)
        if found:
            text = found[0]
            if text in OUTER:
                self._take(found.end())
                self.state = DEFINE if text in DEFINERS else EXPR
                return Token(text)
            return self._description(text)
        self._take(at + 1)
        if char == "{":
            self.braces += 1
        if char in "{/,":
            return Token(char)
        raise self.error("D_SYNTAX", f'syntax error near "{char}"')

    def _description(self, text: str) -> Token:
        """A probe description, or, if it has no colon and begins with a type's name, that type."""
        if ":" not in text and not self.env.options.get("pspec"):
            star = text.find("*")
            name = text[:star] if star > 0 else text
            if find_type(self.env, name, self.depth):
                self._take(self.at + len(name))
                self.state = EXPR
                return Token("tname", name)
        self._take(self.at + len(text))
        return Token("pspec", text)

    # Inside clauses and declarations

    def _inner(self) -> Token:
        source, at = self.source, self.at
        char = source[at]
        if char.isalpha() or char in "_`":
            word = _WORD.match(source, at)
            if word:
                return self._word(word.end())
        elif "0" <= char <= "9" or (char == "." and "0" <= source[at + 1 : at + 2] <= "9"):
            return self._number()
        elif char == '"':
            return self._string()
        elif char == "'":
            return self._character()
        elif char == "@":
            found = _AGGREGATION.match(source, at)
            assert found is not None
            name = self._take(found.end())
            return Token("agg", name if len(name) > 1 else "@_")
        elif char == "$":
            found = _MACRO.match(source, at)
            if found:
                return self._macro(self._take(found.end()))
        elif char == "/" and not source.startswith("/=", at):
            return self._slash()
        elif found := _OPERATOR.match(source, at):
            return self._operator(self._take(found.end()))
        self._take(at + 1)
        raise self.error("D_SYNTAX", f'syntax error near "{char}"')

    def _word(self, end: int) -> Token:
        if self.source.startswith(".", end) or self.source[end - 1] == "`":
            end = max(end, self._scoped())
        text = self._take(end)
        return Token(text) if text in KEYWORDS else self._name(text)

    def _scoped(self) -> int:
        """The end of a name with a module that has dots in it, `libc.so.1`malloc`, if that is what begins here; else 0."""
        if self.at >= self._dotted[0]:  # a run of words and dots is looked through once, not at each of its words
            run = _DOTTED.match(self.source, self.at)
            assert run is not None
            self._dotted = run.end(), self.source.rfind("`", self.at, run.end())
        found = _SCOPED.match(self.source, self.at) if self._dotted[1] >= self.at else None
        return found.end() if found else 0

    def _name(self, name: str) -> Token:
        """An identifier or a type's name: a variable comes before a type, and what is assigned to is a variable."""
        env = self.env
        if name in env.globals or name in self.ambiguous or not find_type(env, name, self.depth):
            return Token("ident", name)
        if self.declaring:
            return Token("ident", name)
        found = _BLANK.match(self.source, self.at)
        assert found is not None
        shown = self.text
        self._skip(found.end())
        self.text = shown
        ahead = self.source[self.at : self.at + 2]
        if ahead in ("++", "--") or ahead[:1] == "[" or (ahead[:1] == "=" and ahead != "=="):
            self.ambiguous.add(name)
            return Token("ident", name)
        return Token("tname", name)

    def _number(self) -> Token:
        integer, real = _INTEGER.match(self.source, self.at), _FLOAT.match(self.source, self.at)
        if real and (not integer or real.end() > integer.end()):
            self._take(real.end())
            raise self.error("D_SYNTAX", "floating-point constants are not permitted")
        return self._integer()

    def _integer(self) -> Token:
        found = _INTEGER.match(self.source, self.at)
        assert found is not None
        return Token("number", self.integer(self._take(found.end())))

    def integer(self, text: str) -> Number:
        """The number that an integer constant's text stands for; errors are raised here, at this line."""
        value, rest, too_large = strtoull(text)
        if too_large:
            raise self.error("D_INT_OFLOW", f"constant {text} results in integer overflow")
        if rest and rest[0] not in "uUlL":
            raise self.error("D_INT_DIGIT", f"constant {text} contains invalid digit {rest[0]}")
        return Number(value, rest, text[0] != "0")

    def _string(self) -> Token:
        found = _STRING.match(self.source, self.at)
        assert found is not None
        end = found.end()
        if self.source.startswith('"', end):
            return Token("literal", c_string(self._take(end + 1)[1:-1]))
        if self.source.startswith("\n", end):
            self._take(end)
            raise self.error("D_STR_NL", "newline encountered in string literal")
        self._take(self.at + 1)
        raise self.error("D_SYNTAX", 'syntax error near """')

    def _character(self) -> Token:
        found = _CHAR.match(self.source, self.at)
        assert found is not None
        end = found.end()
        if self.source.startswith("'", end):
            text = self._take(end + 1)
            if len(text) == 2:
                raise self.error("D_CHR_NULL", "empty character constant")
            value = unescape(text[1:-1])
            if len(value) > 8:
                raise self.error("D_CHR_OFLOW", "character constant is too long")
            self.text = text[:-1]
            return Token("number", Number(int.from_bytes(value, "big"), char=True))
        if self.source.startswith("\n", end):
            self._take(end)
            raise self.error("D_CHR_NL", "newline encountered in character constant")
        self._take(self.at + 1)
        raise self.error("D_SYNTAX", 'syntax error near "\'"')

    def _slash(self) -> Token:
        """A division, or the end of a predicate: after that comes `{`, `;`, another `/` or the end of the text."""
        self._take(self.at + 1)
        found = _BLANK.match(self.source, self.at)
        assert found is not None
        self._skip(found.end())
        if self.source[self.at : self.at + 1] not in ("", ";", "{", "/"):
            return Token("/")
        for count, closing in ((self.parens, ")"), (self.brackets, "]")):
            if count:
                raise self.error("D_SYNTAX", f"closing {closing} expected in predicate before /")
        return Token("epred")

    def _operator(self, text: str) -> Token:
        if text == "(":
            self.parens += 1
        elif text == "[":
            self.brackets += 1
        elif text == "{":
            self.braces += 1
        elif text in (")", "]", "}"):
            attribute = {")": "parens", "]": "brackets", "}": "braces"}[text]
            setattr(self, attribute, getattr(self, attribute) - 1)
            if getattr(self, attribute) < 0:
                raise self.error("D_SYNTAX", f"extra {text} in input stream")
        return Token(text)

    def _macro(self, text: str) -> Token:
        """`$n` and `$name`: a number, an identifier or a string, as the argument looks; `$$` always makes a string."""
        whole = text.startswith("$$")
        name = text[2:] if whole else text[1:]
        if not name[0].isdigit():
            if name not in self.env.macros:
                raise self.error("D_MACRO_UNDEF", f"macro variable {text} is not defined")
            number = self.env.macros[name]
            if whole:
                return Token("literal", str(number & 0xFFFFFFFF).encode())
            return Token("number", Number(number & (1 << 64) - 1))
        index = decimal(name)
        if index < len(self.env.args):
            value = self.env.args[index]
            self.used.add(index)
        elif self.env.defaultargs:
            value = "" if whole else "0"
        else:
            raise self.error("D_MACRO_UNDEF", f"macro argument {text} is not defined")
        if whole:
            return Token("literal", c_string(value))
        token = macro_argument(value)
        if token is None:
            raise self.error("D_MACRO_OFLOW", f"macro argument {text} constant {value.lstrip('+-')} results in integer overflow")
        return self._name(value) if token.kind == "ident" else token
