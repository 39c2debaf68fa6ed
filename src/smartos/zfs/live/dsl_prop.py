"""Properties of datasets: their values as words and as numbers, which of them are inherited, and what they may be.

Left out: properties of the pool, of users' own names (which may be set, as strings), `received` values (version 22 on),
and all properties that do nothing here (they may be set and are kept). Follows `zfs_prop.c` and `dsl_prop.c` of illumos
as of 12 August 2011; sizes may be written as `10M`.
"""

import re

from smartos.zfs.errors import Unsupported
from smartos.zfs.format import checksum, compress
from smartos.zfs.namecheck import user_property

_PACKINGS = {
    "on": compress.ON, "off": compress.OFF, "lzjb": compress.LZJB, "gzip": compress.GZIP_6, "zle": compress.ZLE,
    **{f"gzip-{level}": compress.GZIP_1 + level - 1 for level in range(1, 10)},
}  # fmt: skip
_SUMS = {
    "on": checksum.ON, "off": checksum.OFF, "fletcher2": checksum.FLETCHER_2, "fletcher4": checksum.FLETCHER_4,
    "sha256": checksum.SHA256,
}  # fmt: skip
_SWITCH = {"off": 0, "on": 1}
_ACL_MODES = {"discard": 0, "groupmask": 2, "passthrough": 3}
_ACL_INHERIT = {
    "discard": 0, "noallow": 1, "restricted": 4, "passthrough": 3, "secure": 4, "passthrough-x": 5,
}  # fmt: skip
_CACHE = {"none": 0, "metadata": 1, "all": 2}
ENUMS = {
    "compression": _PACKINGS, "checksum": _SUMS, "primarycache": _CACHE, "secondarycache": _CACHE,
    "snapdir": {"hidden": 0, "visible": 1}, "canmount": {"off": 0, "on": 1, "noauto": 2},
    "logbias": {"latency": 0, "throughput": 1}, "sync": {"standard": 0, "always": 1, "disabled": 2},
    "aclmode": _ACL_MODES, "aclinherit": _ACL_INHERIT, "dedup": {"off": checksum.OFF},
    **dict.fromkeys(
        ("atime", "readonly", "devices", "exec", "setuid", "zoned", "xattr", "vscan", "nbmand"), _SWITCH
    ),
}  # fmt: skip
_SIZES = ("quota", "reservation", "refquota", "refreservation", "volsize", "volblocksize")
NUMBERS = (*_SIZES, "recordsize", "copies", "version")
ALONE = frozenset((*_SIZES, "canmount", "version"))
DEFAULTS: dict[str, int | str] = {
    **dict.fromkeys(("atime", "devices", "exec", "setuid", "xattr", "checksum", "canmount"), "on"),
    **dict.fromkeys(("compression", "readonly", "zoned", "vscan", "nbmand", "dedup", "sharenfs", "sharesmb"), "off"),
    "aclmode": "discard", "aclinherit": "restricted", "mlslabel": "none",
    **dict.fromkeys(("quota", "reservation", "refquota", "refreservation"), 0),
    "snapdir": "hidden", "primarycache": "all", "secondarycache": "all", "logbias": "latency", "sync": "standard",
    "recordsize": 128 << 10, "copies": 1,
}  # fmt: skip
STRINGS = frozenset(("mountpoint", "sharenfs", "sharesmb", "mlslabel"))
MOST = (1 << 64) - 1


def nicestrtonum(text: str) -> int:
    """`zfs_nicestrtonum`: a size such as 10M or 1.5g. ValueError says what is wrong with another word."""
    found = re.match(r"(\d*)(\.\d*(?:e[+-]?\d+)?)?(.*)", text, re.A | re.I | re.S)
    whole, rest, suffix = found.groups()
    if not whole and not rest:
        raise ValueError(f"bad numeric value '{text}'")
    if len(whole.lstrip("0")) > 20 or int(whole or 0) > MOST:
        raise ValueError("numeric value is too large")
    if rest and whole + rest.lower().partition("e")[0] == ".":
        raise ValueError(f"invalid numeric suffix '{text}'")
    letter = suffix[:1].upper()
    place = "BKMGTPEZ".find(letter) if letter else 0
    if place < 0 or suffix[1:].upper() not in ("", "B") or suffix.upper() == "BB":
        raise ValueError(f"invalid numeric suffix '{suffix}'")
    value = float(whole + rest) * 2.0 ** (10 * place) if rest else int(whole) << 10 * place
    if value > MOST:
        raise ValueError("numeric value is too large")
    return int(value)


def size(text: str) -> int:
    """A size in bytes from words like `10M`, `1.5G`, `none`. Raises :class:`Unsupported`."""
    try:
        return 0 if text == "none" else nicestrtonum(text)
    except ValueError as error:
        raise Unsupported(str(error)) from None


def encode(name: str, value: int | str) -> int | str:
    """A property's value as the pool stores it. Raises :class:`Unsupported` for one that it cannot have."""
    if name in ENUMS:
        if isinstance(value, bool):
            value = "on" if value else "off"
        if value not in ENUMS[name]:
            raise Unsupported(f"'{name}' must be one of {', '.join(ENUMS[name])}, not '{value}'")
        return ENUMS[name][value]
    if name in NUMBERS:
        number = size(value) if isinstance(value, str) else int(value)
        power = number & (number - 1) == 0
        if not 0 <= number <= MOST:
            raise Unsupported(f"'{name}' cannot be {number}: numbers are from 0 to {MOST:,}")
        if name == "copies" and not 1 <= number <= 3:
            raise Unsupported("'copies' must be 1, 2 or 3")
        if name in ("recordsize", "volblocksize") and not (512 <= number <= 128 << 10 and power):
            raise Unsupported(f"'{name}' must be power of 2 from 512B to 128KB")
        return number
    if not isinstance(value, str) or not (name in STRINGS or user_property(name)):
        raise Unsupported(f"invalid property '{name}'")
    if "\0" in value:
        raise Unsupported(f"'{name}' cannot hold a NUL")
    return value


def decode(name: str, value: int | str) -> int | str:
    """A stored value as `zfs get` prints it; numbers stay numbers."""
    if name in ENUMS and isinstance(value, int):
        return next((word for word, number in ENUMS[name].items() if number == value), value)
    return value
