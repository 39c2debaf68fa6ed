"""A format filled in: what printf(), system(), freopen() and a formatted printa() write.

Integers are printed in the width of their records. A normalization divides what `%@` prints; the charts of quantize()
and its kin stand in the text as they would without a format. Left out: names of hosts and of most ports (`%I` knows
localhost, `%P` the ports of :data:`SERVICES`). Follows `dt_printf_format` and the `pfprint_*` of libdtrace.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo

from smartos.dtrace.consumer import charts, names
from smartos.dtrace.consumer.aggstore import Element
from smartos.dtrace.consumer.charts import Style
from smartos.dtrace.consumer.names import Names
from smartos.dtrace.errors import DError
from smartos.dtrace.kernel import aggregate
from smartos.dtrace.kernel.buffer import Record, Value
from smartos.dtrace.kernel.cells import Cell, quotient, raw, signed, text, unsigned, wrap
from smartos.dtrace.printf import cformat
from smartos.dtrace.printf.format import WIDEST, Conversion, Format
from smartos.dtrace.program import Act

SERVICES = {
    20: "ftp-data", 21: "ftp", 22: "ssh", 23: "telnet", 25: "smtp", 53: "domain", 80: "http", 110: "pop3", 111: "sunrpc",
    123: "ntp", 143: "imap", 389: "ldap", 443: "https", 2049: "nfsd",
}  # fmt: skip
_HOSTS = {"127.0.0.1": "localhost", "::1": "localhost"}
_STACKS = (Act.STACK, Act.USTACK, Act.JSTACK)


class Abort(DError):
    """The consumer cannot go on, and the tracing ends. `why` is in libdtrace's words."""

    def __init__(self, why: str) -> None:
        super().__init__("", f"processing aborted: {why}")


MISMATCH = "Data record list does not match statement"


@dataclass
class Sheet:
    """What a value is printed under: where names are looked up, how charts look, in which zone times are."""

    names: Names = field(default_factory=Names)
    style: Style = field(default_factory=Style)
    zone: tzinfo = UTC


@dataclass
class Spec:
    """One conversion with its width and precision settled."""

    form: str
    flags: cformat.Flags
    width: int = 0
    precision: int = -1

    def string(self, value: str) -> str:
        """A piece of text in the conversion's field."""
        return cformat.string(value, self.flags, self.width, self.precision)

    def integer(self, value: int) -> str:
        """A number in the conversion's field."""
        if self.form == "c":
            return cformat.character(value, self.flags, self.width)
        return cformat.integer(self.form, value, self.flags, self.width, self.precision)


Pairs = Iterator[tuple[Record, Value | None]]


def render(fmt: Format, pairs: Sequence[tuple[Record, Value | None]], sheet: Sheet,
           elements: Sequence[Element] = ()) -> tuple[str, int]:  # fmt: skip
    """The text of a format over records and values, and how many of them it used.

    `elements` are printa()'s, for the `%@` conversions in turn; the last serves again when there are more conversions.
    Raises :class:`Abort` where records and format do not fit.
    """
    out: list[str] = []
    rest = iter(pairs)
    used = turn = 0
    if len(fmt.conversions) == 1 and not fmt.conversions[0].name:
        return fmt.conversions[0].prefix, int(bool(pairs))
    for conversion in fmt.conversions:
        out.append(conversion.prefix)
        if not conversion.name:
            continue
        if conversion.name == "%":
            out.append("%")
            continue
        spec, dynamic = _settle(conversion, rest)
        used += conversion.dynamic_width + conversion.dynamic_precision
        if conversion.aggregation:
            if not elements:
                raise Abort(MISMATCH)
            element = elements[min(turn, len(elements) - 1)]
            turn += 1
            out.append(_aggregated(conversion, spec, element, sheet))
        else:
            record, value = _next(rest)
            used += 1
            out.append(_value(conversion, spec, dynamic, record, value, sheet))
    return "".join(out), used


def _next(rest: Pairs) -> tuple[Record, Value]:
    for record, value in rest:
        return record, 0 if value is None else value
    raise Abort(MISMATCH)


def _settle(conversion: Conversion, rest: Pairs) -> tuple[Spec, int]:
    """The conversion's field, and the width that an argument gave."""
    width, precision, dynamic = conversion.width, conversion.precision, 0
    if conversion.dynamic_width:
        width = dynamic = _int(*_next(rest))
    if conversion.dynamic_precision:
        precision = _int(*_next(rest))
    flags = replace(conversion.flags, left=True) if width < 0 else conversion.flags
    return Spec(conversion.form, flags, min(abs(width), WIDEST), min(precision, WIDEST) if precision > 0 else -1), dynamic


def _int(record: Record, value: Value) -> int:
    if record.size not in (1, 2, 4, 8):
        raise Abort(MISMATCH)
    return wrap(signed(value, record.size), 32)


def _aggregated(conversion: Conversion, spec: Spec, element: Element, sheet: Sheet) -> str:
    """An aggregation's value."""
    act, state, normal = element.aggregation.act, element.state, element.normal
    match act:
        case Act.AVG:
            count, total = state
            return _sized(spec, (total & (1 << 64) - 1) // normal // count if count else 0)
        case Act.STDDEV:
            return _sized(spec, aggregate.deviation(state, normal))
        case Act.QUANTIZE:
            return charts.quantize(state, normal, sheet.style)
        case Act.LQUANTIZE:
            return charts.lquantize(state, normal, sheet.style)
        case Act.LLQUANTIZE:
            return charts.llquantize(state, normal, sheet.style)
    value = state[0] & (1 << 64) - 1
    return _PRINT[conversion.printer](spec, Cell(value, 8), normal, sheet)


def _sized(spec: Spec, value: int) -> str:
    """A 64-bit number by whatever conversion the format has."""
    return spec.integer(wrap(value) if spec.form in "di" else value & (1 << 64) - 1)


def _value(conversion: Conversion, spec: Spec, dynamic: int, record: Record, value: Value, sheet: Sheet) -> str:
    cell = Cell(value, record.size)
    if record.action in (Act.MOD, Act.UMOD):
        return spec.string(names.address(cell, record.action, sheet.names))
    if record.action in (Act.SYM, Act.USYM, Act.UADDR) and conversion.name in "aA":
        return spec.string(_symbol(cell, sheet))
    if record.action in _STACKS:
        indent = 0
        if dynamic < 0:
            indent = min(-dynamic, WIDEST)
        elif conversion.flags.left:
            indent = min(dynamic or conversion.width, WIDEST)
        if conversion.flags.left:
            spec.width = 0
        return names.stack(cell, record.action, sheet.names, indent, spec.string)
    return _PRINT[conversion.printer](spec, cell, 1, sheet)


def _symbol(cell: Cell, sheet: Sheet) -> str:
    if isinstance(cell.value, tuple):
        pid, place = cell.value
        return place if isinstance(place, str) else sheet.names.user_text(pid, place)
    return sheet.names.text(unsigned(cell.value, cell.size))


def _number(cell: Cell) -> None:
    if cell.size not in (1, 2, 4, 8):
        raise Abort(MISMATCH)


def _sint(spec: Spec, cell: Cell, normal: int, sheet: Sheet) -> str:
    _number(cell)
    by = wrap(normal, 64 if cell.size == 8 else 32)
    value = quotient(signed(cell.value, cell.size), by) if by else 0
    return spec.integer(value if spec.form in "dic" else value & (1 << 64) - 1)


def _uint(spec: Spec, cell: Cell, normal: int, sheet: Sheet) -> str:
    _number(cell)
    by = normal if cell.size == 8 else normal & 0xFFFFFFFF
    value = unsigned(cell.value, cell.size) // by if by else 0
    return spec.integer(wrap(value, max(8 * cell.size, 32)) if spec.form in "di" else value)


def _dint(spec: Spec, cell: Cell, normal: int, sheet: Sheet) -> str:
    return _uint(spec, cell, normal, sheet) if spec.form == "u" else _sint(spec, cell, normal, sheet)


def _fp(spec: Spec, cell: Cell, normal: int, sheet: Sheet) -> str:
    data = raw(cell.value, cell.size)
    if cell.size in (4, 8):
        value = struct.unpack("<f" if cell.size == 4 else "<d", data)[0]
    elif cell.size == 16:
        value = _extended(data)
    else:
        raise Abort(MISMATCH)
    return cformat.floating(spec.form, value / normal, spec.flags, spec.width, spec.precision)


def _extended(data: bytes) -> float:
    """An x87 long double, as far as a double can hold it."""
    mantissa, head = struct.unpack("<QH", data[:10])
    exponent = head & 0x7FFF
    value = float(mantissa) * 2.0 ** (exponent - 16383 - 63) if 15000 < exponent < 17000 else float("inf") * bool(mantissa)
    if not mantissa:
        value = 0.0
    return -value if head >> 15 else value


def _addr(spec: Spec, cell: Cell, normal: int, sheet: Sheet) -> str:
    if cell.size not in (4, 8):
        raise Abort(MISMATCH)
    return spec.string(sheet.names.text(unsigned(cell.value, cell.size)))


def _uaddr(spec: Spec, cell: Cell, normal: int, sheet: Sheet) -> str:
    return spec.string(_symbol(cell, sheet) if isinstance(cell.value, tuple) else f"0x{unsigned(cell.value, cell.size):x}")


def _time(spec: Spec, cell: Cell, normal: int, sheet: Sheet) -> str:
    when = _moment(cell, sheet)
    return spec.string(f"{when.year:04} {_MONTHS[when.month - 1]} {when.day:>2} {when:%H:%M:%S}")


def _time822(spec: Spec, cell: Cell, normal: int, sheet: Sheet) -> str:
    when = _moment(cell, sheet)
    year = when.isocalendar().year  # strftime's %G, as libdtrace has it
    day = _DAYS[when.weekday()]
    return spec.string(f"{day}, {when.day:02} {_MONTHS[when.month - 1]} {year} {when:%H:%M:%S} {when.tzname()}")


_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_DAYS = "Mon Tue Wed Thu Fri Sat Sun".split()


def _moment(cell: Cell, sheet: Sheet) -> datetime:
    seconds = quotient(signed(cell.value, 8), 1_000_000_000)
    seconds = max(min(seconds, 253402300799 - 86400), -62135596800 + 86400)
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(sheet.zone)


def _port(spec: Spec, cell: Cell, normal: int, sheet: Sheet) -> str:
    port = unsigned(cell.value, cell.size)
    return spec.string(SERVICES.get(port, str(port)))


def _inetaddr(spec: Spec, cell: Cell, normal: int, sheet: Sheet) -> str:
    name = text(cell.value, cell.size)
    return spec.string(_HOSTS.get(name, name))


def _wstr(spec: Spec, cell: Cell, normal: int, sheet: Sheet) -> str:
    data = raw(cell.value, cell.size)
    codes = [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4)]
    wide = "".join(chr(code) if code < 0x110000 else "?" for code in codes).partition("\0")[0]
    return spec.string(wide.encode("utf-8", "replace").decode("latin-1"))


def _echr(spec: Spec, cell: Cell, normal: int, sheet: Sheet) -> str:
    if cell.size not in (1, 2, 4):
        raise Abort(MISMATCH)
    return spec.string(cformat.escaped(bytes([unsigned(cell.value, cell.size) & 0xFF])))


def _estr(spec: Spec, cell: Cell, normal: int, sheet: Sheet) -> str:
    return spec.string(cformat.escaped(raw(cell.value, cell.size)))


_PRINT: dict[str, Callable[[Spec, Cell, int, Sheet], str]] = {
    "sint": _sint, "uint": _uint, "dint": _dint, "fp": _fp, "addr": _addr, "uaddr": _uaddr, "time": _time,
    "time822": _time822, "port": _port, "inetaddr": _inetaddr, "wstr": _wstr, "echr": _echr, "estr": _estr,
    "cstr": lambda spec, cell, normal, sheet: spec.string(text(cell.value, cell.size)),
    "stack": lambda spec, cell, normal, sheet: "", "pct": lambda spec, cell, normal, sheet: "%",
}  # fmt: skip
