"""The kernel's types, from `library/kernel.h`; a structure is worked out when somebody first looks into it.

A node's start counts in the page, so nothing is read before it is needed: the file is split at its semicolons into
definitions, and a :class:`LazyStruct` reads its members when they are asked for. The reader understands what the file is
written in: members of a type with stars, arrays, bit-fields, nested structures and unions, and pointers to functions.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from smartos.dtrace.ctf import VOID, CType, Enum, Function, Integer, Member, Struct, Typedef, Types, alignof, sizeof

SCOPE = "genunix"
_COMMENT = re.compile(r"/\*.*?\*/", re.S)
_TAG = re.compile(r"(?:typedef\s+)?(struct|union|enum)\s+(\w+)\s*\{")
_NAME = re.compile(r"(\w+)\s*$")
_FUNCTION = re.compile(r"\(\s*\*\s*(\w+)\s*\)")
_ROUTINE = re.compile(r"(\w+)\s*\([^()]*\)\s*$")


@cache
def _definitions() -> dict[str, str]:
    """The text that defines each name: `struct buf`, `buf_t`, `dev_t` …"""
    text = _COMMENT.sub(" ", files("smartos.dtrace").joinpath("library", "kernel.h").read_text("utf-8"))
    found: dict[str, str] = {}
    for part in split(text):
        tag = _TAG.match(part)
        if tag:
            found[f"{tag[1]} {tag[2]}"] = part
        elif part.startswith(("struct ", "union ")):
            for name in part.split(None, 1)[1].split(","):
                found.setdefault(f"{part.split()[0]} {name.strip()}", "")
            continue
        if part.startswith("typedef"):
            name = _FUNCTION.search(part.partition("{")[0]) or _NAME.search(part) or _ROUTINE.search(part)
            if name:
                found[name[1]] = part
    return found


def split(text: str, at: str = ";") -> Iterator[str]:
    """The parts between separators that are not in brackets."""
    depth = start = 0
    for place, char in enumerate(text):
        if char in "{(":
            depth += 1
        elif char in "})":
            depth -= 1
        elif char == at and not depth:
            if part := text[start:place].strip():
                yield part
            start = place + 1
    if part := text[start:].strip():
        yield part


class LazyStruct(Struct):
    """A struct or union whose members are read from its text when they are first asked for."""

    def __init__(self, scope: "KernelScope", tag: str, body: str, union: bool) -> None:
        self.tag, self.union, self.complete = tag, union, bool(body)
        self._scope, self._body = scope, body
        self._members: list[Member] | None = None
        self._size = 0

    @property
    def members(self) -> list[Member]:  # type: ignore[override]
        """Its members, with offsets as C gives them."""
        self._settle()
        return self._members or []

    @property
    def size(self) -> int:  # type: ignore[override]
        """Its size in bytes."""
        self._settle()
        return self._size

    def _settle(self) -> None:
        if self._members is None:
            self._members = []
            self._members, self._size = self._scope.lay_out(split(self._body), self.union)


class KernelScope(dict[str, CType]):
    """The scope `genunix`: a table of types that fills itself. `types` is where everything else is looked up."""

    def __init__(self, types: Types) -> None:
        super().__init__()
        self._types = types
        self._texts = _definitions()

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in self._texts

    def __missing__(self, name: str) -> CType:
        text = self._texts.get(name)
        if text is None:
            raise KeyError(name)
        self[name] = made = self._make(name, text)
        return made

    def get(self, name: str, default: Any = None) -> Any:
        """The type of that name, made if need be."""
        return self[name] if name in self else default

    def values(self) -> Any:
        """The types, for who looks for an enumerator: enumerations are made, nothing else is."""
        for name in self._texts:
            if name.startswith("enum "):
                self[name]
        return super().values()

    def _make(self, name: str, text: str) -> CType:
        kind, _, tag = name.partition(" ")
        body = text.partition("{")[2].rpartition("}")[0]
        if kind == "enum":
            return self._enum(tag, body)
        if kind in ("struct", "union"):
            return LazyStruct(self, tag, body, kind == "union")
        found = _TAG.match(text)
        if found:
            return Typedef(name, self.type(f"{found[1]} {found[2]}"))
        _, base = self.declarator(text.removeprefix("typedef").strip())
        return Typedef(name, base)

    @staticmethod
    def _enum(tag: str, body: str) -> Enum:
        made, value = Enum(tag), 0
        for part in body.split(","):
            name, _, given = part.partition("=")
            value = int(given, 0) if given else value
            made.values[name.strip()] = value
            value += 1
        return made

    def type(self, name: str) -> CType:
        """A type by its plain name. Raises KeyError."""
        name = " ".join(name.replace("const ", "").split())
        if name == "void":
            return VOID
        if super().__contains__(name) or name in self._texts:
            return self[name]
        found = self._types.lookup(name)
        if found is None and name.partition(" ")[0] in ("struct", "union"):
            found = self[name] = LazyStruct(self, name.partition(" ")[2], "", name.startswith("union"))
        if found is None:
            raise KeyError(name)
        return found

    def declarator(self, text: str) -> tuple[str, CType]:
        """Name and type of one declaration: `char *cl_name`, `void *_opaque[2]`, `int (*b_iodone)(struct buf *)`."""
        inner = re.fullmatch(r"(struct|union)\s*\{(.*)\}\s*(\w*)", text, re.S)
        if inner:
            made = Struct("", union=inner[1] == "union")
            made.members, made.size = self.lay_out(split(inner[2]), made.union)
            return inner[3], made
        function = _FUNCTION.search(text)
        if function:
            returns = self.pointers(text[: function.start()].strip())
            return function[1], self._types.pointer(Function(returns))
        routine = _ROUTINE.search(text)
        if routine:
            return routine[1], Function(self.pointers(text[: routine.start()].strip()))
        base, counts = text, []
        while found := re.search(r"\[(\d+)\]\s*$", base):
            counts.append(int(found[1]))
            base = base[: found.start()]
        name = _NAME.search(base)
        assert name, text
        kind = self.pointers(base[: name.start()].strip())
        for count in counts:
            kind = self._types.array(kind, count)
        return name[1], kind

    def pointers(self, text: str) -> CType:
        """A type with its stars."""
        base = text.rstrip("* ")
        kind = self.type(base)
        for _ in range(text.count("*")):
            kind = self._types.pointer(kind)
        return kind

    def lay_out(self, declarations: Iterable[str], union: bool) -> tuple[list[Member], int]:
        """The members of a struct or union and its size."""
        members: list[Member] = []
        at, end, largest = 0, 0, 1
        for text in declarations:
            text, _, bits = text.partition(":")
            name, kind = self.declarator(text.strip())
            if bits:
                base = kind
                width = int(bits)
                unit = sizeof(base) * 8
                if at // unit != (at + width - 1) // unit:
                    at = -(-at // unit) * unit
                field = Integer(getattr(base, "name", ""), sizeof(base), getattr(base, "signed", False), bits=width)
                members.append(Member(name, field, at, True))
                step, align = width, alignof(base)
            else:
                align = alignof(kind)
                at = -(-at // (8 * align)) * 8 * align
                members.append(Member(name, kind, 0 if union else at))
                step = 8 * sizeof(kind)
            end = max(end, (0 if union else at) + step)
            at = 0 if union else at + step
            largest = max(largest, align)
        return members, -(-end // (8 * largest)) * largest


def install(types: Types) -> None:
    """Give an environment's types the kernel's."""
    types.scopes[SCOPE] = KernelScope(types)
