"""The options of `-x name=value`, `#pragma D option` and setopt(): names, values, defaults, and who may set them when.

:class:`Options` is a dict of the options that are set; an absent key is an unset option. Numbers are ints (bytes,
nanoseconds, counts), flags are set whatever their number, and compile-time options keep their text or True.
Left out: what the compile-time options for object files and processes would do (`linkmode`, `evaltime` … are read and
kept, no more). Follows libdtrace's `dt_options.c`, and the kernel's `dtrace_state_create` for the defaults.
"""

import re

from smartos.dtrace.environment import Environment
from smartos.dtrace.errors import OptionError
from smartos.dtrace.ident import CLASSES, LEVELS, Stability

NAME, VALUE, CONTEXT = "Invalid option name", "Invalid value for specified option", "Option cannot be used from within a D program"
ACTIVE = "Operation illegal when tracing is active"
NANOSEC = 1_000_000_000

VERSIONS = (
    "1.0", "1.1", "1.2", "1.2.1", "1.2.2", "1.3", "1.4", "1.4.1", "1.5", "1.6", "1.6.1", "1.6.2", "1.6.3", "1.7",
    "1.7.1", "1.8", "1.8.1", "1.9", "1.9.1", "1.10", "1.11", "1.12", "1.12.1", "1.13", "1.14",
)  # fmt: skip

# What the kernel has where nothing was set; dtrace(1M) itself sets three more.
DEFAULTS: dict[str, int] = {
    "bufpolicy": 2, "bufresize": 0, "nspec": 1, "specsize": 32 << 10, "cpu": -1, "strsize": 256, "stackframes": 20,
    "ustackframes": 20, "cleanrate": 9900990, "aggrate": NANOSEC, "switchrate": NANOSEC, "statusrate": NANOSEC,
    "jstackframes": 50, "jstackstrsize": 512,
}  # fmt: skip
COMMAND = {"bufsize": 4 << 20, "aggsize": 4 << 20, "temporal": 1}

_FLAG = ("aggpercpu", "argref", "cpp", "debug", "defaultargs", "empty", "errtags", "knodefs", "nolibs", "pspec", "strip",
         "unodefs", "verbose", "zdefs", "core")  # fmt: skip
_UNFLAG = {"kdefs": "knodefs", "udefs": "unodefs"}
_TEXT = ("ctypes", "dtypes", "libdir", "syslibdir")
_CHOICE = {
    "encoding": ("ascii", "utf8"), "evaltime": ("exec", "preinit", "postinit", "main"), "late": ("dynamic", "static"),
    "linkmode": ("kernel", "primary", "dynamic", "static"), "linktype": ("elf", "dof"), "stdc": ("a", "c", "s", "t"),
}  # fmt: skip
_COUNT = ("iregs", "tree", "tregs", "pgmax")
_OUTSIDE = ("cpphdrs", "cpppath", "define", "incdir", "undef", "ldpath", "setenv", "unsetenv", "stdc")
_RUNTIME = {
    "aggsize": "size", "bufsize": "size", "bufpolicy": "policy", "bufresize": "resize", "cleanrate": "rate", "cpu": "flag",
    "destructive": "flag", "dynvarsize": "size", "grabanon": "flag", "jstackframes": "flag", "jstackstrsize": "size",
    "maxtime": "rate", "nspec": "flag", "specsize": "size", "stackframes": "flag", "statusrate": "rate", "strsize": "size",
    "ustackframes": "flag", "zone": "zone", "temporal": "flag",
}  # fmt: skip
_DYNAMIC = {
    "agghist": "flag", "aggpack": "flag", "aggrate": "rate", "aggsortkey": "flag", "aggsortkeypos": "flag",
    "aggsortpos": "flag", "aggsortrev": "flag", "aggzoom": "flag", "flowindent": "flag", "quiet": "flag",
    "rawbytes": "flag", "stackindent": "flag", "switchrate": "rate",
}  # fmt: skip
_YES, _NO = ("yes", "enable", "enabled", "true", "on", "set"), ("no", "disable", "disabled", "false", "off", "unset")
_POLICIES = {"policy": ("ring", "fill", "switch"), "resize": ("auto", "manual")}
_RATES = {
    "ns": 1, "nsec": 1, "us": 1000, "usec": 1000, "ms": 10**6, "msec": 10**6, "s": NANOSEC, "sec": NANOSEC,
    "m": 60 * NANOSEC, "min": 60 * NANOSEC, "h": 3600 * NANOSEC, "hour": 3600 * NANOSEC, "d": 86400 * NANOSEC,
    "day": 86400 * NANOSEC, "hz": 0,
}  # fmt: skip


class Options(dict[str, int | str | bool | list[str]]):
    """The options that are set. `Options()` has the kernel's defaults; `Options.command()` those of dtrace(1M)."""

    def __init__(self, **values: int | str) -> None:
        super().__init__(DEFAULTS)
        self.zones: tuple[str, ...] = ("global",)
        self.update(values)

    @classmethod
    def command(cls) -> "Options":
        """The options with which dtrace(1M) begins."""
        return cls(**COMMAND)

    def set(self, name: str, value: str | None = None, *, active: bool = False, program: bool = False) -> None:
        """Set an option. `active`: tracing has begun; `program`: the setting stands in a D program.

        Raises OptionError with libdtrace's words for a name that there is not, a value that it does not take, and a
        setting that comes too late or from the wrong place.
        """
        if name in _DYNAMIC or name in _RUNTIME:
            if name in _RUNTIME and active:
                raise OptionError(ACTIVE)
            number = _READ[{**_RUNTIME, **_DYNAMIC}[name]](self, value)
            if name == "strsize" and number is not None and number > (1 << 32) - 1:
                raise OptionError("Value too large for defined data type")
            if number is None:
                self.pop(name, None)
            else:
                self[name] = number
        else:
            self._compile_time(name, value, program)

    def _compile_time(self, name: str, value: str | None, program: bool) -> None:
        if name in _FLAG or name in _UNFLAG or name == "cpphdrs":
            if value is not None:
                raise OptionError(VALUE)
            if name == "cpphdrs" and program:
                raise OptionError(CONTEXT)
            if name in _UNFLAG:
                self.pop(_UNFLAG[name], None)
            else:
                self[name] = True
        elif name == "droptags" or name == "lazyload":
            self[name] = True
        elif name in _OUTSIDE + _TEXT + _COUNT + ("amin", "version") or name in _CHOICE:
            if name == "setenv" or name == "unsetenv":
                program, value = _environment(name, value, program)
            if value is None:
                raise OptionError(VALUE)
            if program and name in _OUTSIDE:
                raise OptionError(CONTEXT)
            self._text(name, value)
        else:
            raise OptionError(NAME)

    def _text(self, name: str, value: str) -> None:
        if name in _CHOICE and (value.lower() if name == "linktype" else value) not in _CHOICE[name]:
            raise OptionError(VALUE)
        if name in _COUNT:
            number = int((re.match(r"\s*[+-]?\d{1,9}", value) or ["0"])[0])
            if number < (name != "pgmax"):
                raise OptionError(VALUE)
            self[name] = number
        elif name == "amin":
            stability(value)
            self[name] = value
        elif name == "version":
            _version(value, str(self.get("version", VERSIONS[-1])))
            self[name] = value
        elif name in ("define", "undef", "incdir", "libdir", "setenv", "unsetenv"):
            self.setdefault(name, [])
            self[name].append(value)  # type: ignore[union-attr]
        else:
            self[name] = value

    def number(self, name: str, unset: int = 0) -> int:
        """The option as a number, `unset` where it is not set."""
        value = self.get(name, unset)
        return int(value) if isinstance(value, int | bool) else unset

    def settle(self, env: Environment) -> None:
        """Tell a compiler's environment what the compile-time options say; the environment keeps this very dict."""
        env.options = self
        env.defaultargs = "defaultargs" in self
        env.argref = "argref" in self
        env.zdefs = "zdefs" in self
        env.empty = "empty" in self
        if "amin" in self:
            env.amin = stability(str(self["amin"]))
        if "version" in self:
            env.version = _numbers(str(self["version"]))


def _environment(name: str, value: str | None, program: bool) -> tuple[bool, str | None]:
    """setenv and unsetenv ask first where they stand, then for a value; unsetenv takes no `=`."""
    if program:
        raise OptionError(CONTEXT)
    return program, None if value is None or name == "unsetenv" and "=" in value else value


def _unsigned(text: str) -> tuple[int, str]:
    """A number as strtoull(3C) reads it with base 0, and what is left. Raises OptionError for one beyond 63 bits."""
    found = re.match(r"\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)", text)
    if not found:
        return 0, text
    sign, digits = found.groups()
    if len(digits) > 32:
        raise OptionError(VALUE)
    number = int(digits, 16 if digits[:2].lower() == "0x" else 8 if digits[0] == "0" else 10)
    if number >> 63 or sign == "-" and number:
        raise OptionError(VALUE)
    return number, text[found.end() :]


def _flag(options: Options, value: str | None) -> int | None:
    if value is None:
        return 0
    if value == "" or value.lower() in _NO:
        return None
    if value.lower() in _YES:
        return 1
    number, rest = _unsigned(value)
    if rest:
        raise OptionError(VALUE)
    return number


def _size(options: Options, value: str | None) -> int | None:
    if not value:
        return 0
    power = " kmgt".find(value[-1].lower()) if value[-1] != " " else 0
    number, rest = _unsigned(value)
    if rest != (value[-1] if power > 0 else "") or number << 10 * max(power, 0) >> 63:
        raise OptionError(VALUE)
    return number << 10 * max(power, 0)


def _rate(options: Options, value: str | None) -> int | None:
    if value is None:
        return 0
    number, rest = _unsigned(value)
    if rest and rest.lower() not in _RATES:
        raise OptionError(VALUE)
    factor = _RATES.get(rest.lower(), 1)
    return number * factor if factor else NANOSEC // number if number else 0


def _one_of(kind: str, value: str | None) -> int:
    if value not in _POLICIES[kind]:
        raise OptionError(VALUE)
    return _POLICIES[kind].index(value)


def _zone(options: Options, value: str | None) -> int | None:
    if value not in options.zones:
        raise OptionError(VALUE)
    return options.zones.index(value)


_READ = {
    "flag": _flag, "size": _size, "rate": _rate, "zone": _zone,
    "policy": lambda options, value: _one_of("policy", value), "resize": lambda options, value: _one_of("resize", value),
}  # fmt: skip


def stability(text: str) -> Stability:
    """`Evolving/Evolving/Common` or a beginning of it, in any case of letters; what is not said is the highest. Raises OptionError."""
    parts, tables = [part for part in re.split(r"[/\s]+", text) if part], (LEVELS, LEVELS, CLASSES)
    if len(parts) > 3:
        raise OptionError(VALUE)
    found = [7, 7, 5]
    for at, (part, table) in enumerate(zip(parts, tables, strict=False)):
        names = [name.lower() for name in table]
        if part.lower() not in names:
            raise OptionError(VALUE)
        found[at] = names.index(part.lower())
    return Stability(*found)


def _numbers(text: str) -> tuple[int, int, int]:
    major, minor, micro = ([int(part or 0) for part in text.split(".")] + [0, 0])[:3]
    return major, minor, micro


def _version(text: str, now: str) -> None:
    """Check that the version may be asked for when `now` is the highest that is allowed. Raises OptionError."""
    if not re.fullmatch(r"[0-9]{0,9}(\.[0-9]{0,9}){0,2}", text) or any(n > m for n, m in zip(_numbers(text), (0xFF, 0xFFF, 0xFFF), strict=True)):
        raise OptionError("Version is not properly formatted or is too large")
    if _numbers(text) not in map(_numbers, VERSIONS):
        raise OptionError("Requested version is not supported by compiler")
    if _numbers(text) > _numbers(now):
        raise OptionError("Requested version conflicts with earlier setting")
