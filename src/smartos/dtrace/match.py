"""Which probes a description names: globs as the kernel matches them.

A part that is empty matches everything, a part without glob characters only itself. `*`, `?`, `[a-z]`, `[!…]` and
a backslash are the glob characters. The kernel tries the ways to match several `*` one within the other and bounds how
deep that goes; here only the last `*` is tried again, which finds the same, and the bound is kept.

Follows `dtrace_match_glob` and `dtrace_probekey` of the kernel's dtrace.c.
"""

from typing import Any

from smartos.dtrace.errors import DError

_DEEPEST = 8


def is_glob(text: str) -> bool:
    """Whether the text has a character that makes it a pattern."""
    return any(char in text for char in "[?*\\")


def glob(text: str, pattern: str) -> bool:
    """Whether the whole of `text` matches `pattern`. Raises DError where too many `*` would have to be tried."""
    at = p = stars = 0
    back = (-1, 0)  # where the last `*` may take one character more, and what follows it in the pattern
    while True:
        if p < len(pattern) and pattern[p] == "*":
            while p < len(pattern) and pattern[p] == "*":
                p += 1
            if p == len(pattern) or at == len(text):
                return p == len(pattern)
            stars += 1
            if stars > _DEEPEST:
                raise DError("", "Probe description has too many globbing characters")
            back = (at + 1, p)
            continue
        after = _one(text, at, pattern, p) if p < len(pattern) else -1
        if after >= 0:
            at, p = at + 1, after
        elif p == len(pattern) and at == len(text):
            return True
        else:
            at, p = back
            if not 0 < at < len(text):
                return False
            back = (at + 1, p)


def _one(text: str, at: int, pattern: str, p: int) -> int:
    """Where the pattern goes on if its next part, no `*`, takes the character of the text; else -1."""
    if at == len(text):
        return -1
    char = pattern[p]
    if char == "[":
        return _in_class(text[at], pattern, p + 1)
    if char == "\\":
        p += 1
        return p + 1 if pattern[p : p + 1] == text[at] else -1
    return p + 1 if char in ("?", text[at]) else -1


def _in_class(char: str, pattern: str, p: int) -> int:
    """Where the pattern goes on after the class that begins at `p`, or -1 if `char` is not in it (or it never ends)."""
    negated = pattern.startswith("!", p)
    p += negated
    inside, first, last = False, True, ""
    while p < len(pattern) and (first or pattern[p] != "]"):
        first = False
        low = high = pattern[p]
        if low == "-" and last and pattern[p + 1 : p + 2] != "]":
            p += 1
            low, high = last, pattern[p : p + 1]
        if high == "\\":
            p += 1
            high = pattern[p : p + 1]
            low = last if low == last and last else high
        if not high:
            return -1
        inside = inside or low <= char <= high or char == high
        last = high
        p += 1
    return p + 1 if p < len(pattern) and inside != negated else -1


def part_matches(pattern: str, text: str) -> bool:
    """Whether one part of a description matches one part of a probe's name."""
    if not pattern:
        return True
    return glob(text, pattern) if is_glob(pattern) else text == pattern


def matches(desc: Any, probe: Any) -> bool:
    """Whether a description (a `tree.ProbeDesc`) names a probe (a `ProbeInfo`). One that is all empty wants a function."""
    if desc.id:
        return bool(desc.id == probe.id)
    if not (desc.provider or desc.module or desc.function or desc.name):
        return bool(probe.function)
    return (
        part_matches(desc.name, probe.name)
        and part_matches(desc.provider, probe.provider)
        and part_matches(desc.module, probe.module)
        and part_matches(desc.function, probe.function)
    )
