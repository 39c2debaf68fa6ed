"""The table of datasets' properties: names, columns, what values they take, what they apply to, who may set them.

Left out: `userused@…` and its kin, properties that are hidden, `received` values. Follows `zfs_prop.c` of illumos as of
12 August 2011, in the order of `zfs_prop_t`, in which they are shown.
"""

from dataclasses import dataclass

READONLY, INHERIT, DEFAULT, ONETIME = range(4)
FILESYSTEM, VOLUME, SNAPSHOT = "filesystem", "volume", "snapshot"
_TYPES = {"f": FILESYSTEM, "v": VOLUME, "s": SNAPSHOT}


@dataclass(frozen=True, slots=True)
class Property:
    """A property. `kind` is "number", "index" (one of `words`) or "string"; `applies` holds dataset types."""

    name: str
    column: str
    kind: str
    attr: int
    applies: frozenset[str]
    values: str
    words: tuple[str, ...] = ()
    right: bool = True
    fixed: bool = True

    @property
    def width(self) -> int:
        """The column's width without regard to the datasets."""
        longest = max((len(word) for word in self.words), default=0)
        return max(len(self.column), 5 if self.kind == "number" else 0, longest)

    @property
    def readonly(self) -> bool:
        return self.attr in (READONLY, ONETIME)


def _applies(types: str) -> frozenset[str]:
    return frozenset(_TYPES[letter] for letter in types)


def _n(name: str, column: str, attr: int, types: str, values: str) -> Property:
    return Property(name, column, "number", attr, _applies(types), values)


def _s(name: str, column: str, attr: int, types: str, values: str) -> Property:
    return Property(name, column, "string", attr, _applies(types), values, (), False, False)


def _i(name: str, column: str, attr: int, types: str, values: str = "on | off", words: str = "") -> Property:
    listed = tuple(words.split()) if words else tuple(values.split(" | "))
    return Property(name, column, "index", attr, _applies(types), values, listed)


_GZIPS = " ".join(f"gzip-{level}" for level in range(1, 10))
TABLE = (
    _s("type", "TYPE", READONLY, "fvs", "filesystem | volume | snapshot"),
    Property("creation", "CREATION", "number", READONLY, _applies("fvs"), "<date>", (), False, False),
    _n("used", "USED", READONLY, "fvs", "<size>"), _n("available", "AVAIL", READONLY, "fv", "<size>"),
    _n("referenced", "REFER", READONLY, "fvs", "<size>"),
    _n("compressratio", "RATIO", READONLY, "fvs", "<1.00x or higher if compressed>"),
    _i("mounted", "MOUNTED", READONLY, "f", "yes | no", "off on"), _s("origin", "ORIGIN", READONLY, "fv", "<snapshot>"),
    _n("quota", "QUOTA", DEFAULT, "f", "<size> | none"), _n("reservation", "RESERV", DEFAULT, "fv", "<size> | none"),
    _n("volsize", "VOLSIZE", DEFAULT, "v", "<size>"),
    _n("volblocksize", "VOLBLOCK", ONETIME, "v", "512 to 128k, power of 2"),
    _n("recordsize", "RECSIZE", INHERIT, "f", "512 to 128k, power of 2"),
    _s("mountpoint", "MOUNTPOINT", INHERIT, "f", "<path> | legacy | none"),
    _s("sharenfs", "SHARENFS", INHERIT, "f", "on | off | share(1M) options"),
    _i("checksum", "CHECKSUM", INHERIT, "fv", "on | off | fletcher2 | fletcher4 | sha256"),
    _i("compression", "COMPRESS", INHERIT, "fv", "on | off | lzjb | gzip | gzip-[1-9] | zle",
       f"on off lzjb gzip {_GZIPS} zle"),
    _i("atime", "ATIME", INHERIT, "f"), _i("devices", "DEVICES", INHERIT, "fs"), _i("exec", "EXEC", INHERIT, "fs"),
    _i("setuid", "SETUID", INHERIT, "fs"), _i("readonly", "RDONLY", INHERIT, "fv"), _i("zoned", "ZONED", INHERIT, "f"),
    _i("snapdir", "SNAPDIR", INHERIT, "f", "hidden | visible"),
    _i("aclmode", "ACLMODE", INHERIT, "f", "discard | groupmask | passthrough"),
    _i("aclinherit", "ACLINHERIT", INHERIT, "f", "discard | noallow | restricted | passthrough | passthrough-x",
       "discard noallow restricted passthrough secure passthrough-x"),
    _i("canmount", "CANMOUNT", DEFAULT, "f", "on | off | noauto"), _i("xattr", "XATTR", INHERIT, "fs"),
    _i("copies", "COPIES", INHERIT, "fv", "1 | 2 | 3"),
    _i("version", "VERSION", DEFAULT, "fs", "1 | 2 | 3 | 4 | current", "1 2 3 4 5 current"),
    _i("utf8only", "UTF8ONLY", ONETIME, "fs"),
    _i("normalization", "NORMALIZATION", ONETIME, "fs", "none | formC | formD | formKC | formKD"),
    _i("casesensitivity", "CASE", ONETIME, "fs", "sensitive | insensitive | mixed"),
    _i("vscan", "VSCAN", INHERIT, "f"), _i("nbmand", "NBMAND", INHERIT, "fs"),
    _s("sharesmb", "SHARESMB", INHERIT, "f", "on | off | sharemgr(1M) options"),
    _n("refquota", "REFQUOTA", DEFAULT, "f", "<size> | none"),
    _n("refreservation", "REFRESERV", DEFAULT, "fv", "<size> | none"),
    _i("primarycache", "PRIMARYCACHE", INHERIT, "fvs", "all | none | metadata"),
    _i("secondarycache", "SECONDARYCACHE", INHERIT, "fvs", "all | none | metadata"),
    _n("usedbysnapshots", "USEDSNAP", READONLY, "fv", "<size>"),
    _n("usedbydataset", "USEDDS", READONLY, "fv", "<size>"),
    _n("usedbychildren", "USEDCHILD", READONLY, "fv", "<size>"),
    _n("usedbyrefreservation", "USEDREFRESERV", READONLY, "fv", "<size>"),
    _i("defer_destroy", "DEFER_DESTROY", READONLY, "s", "yes | no", "off on"),
    _n("userrefs", "USERREFS", READONLY, "s", "<count>"),
    _i("logbias", "LOGBIAS", INHERIT, "fv", "latency | throughput"),
    _i("dedup", "DEDUP", INHERIT, "fv", "on | off | verify | sha256[,verify]", "on off verify sha256 sha256,verify"),
    _s("mlslabel", "MLSLABEL", INHERIT, "fvs", "<sensitivity label>"),
    _i("sync", "SYNC", INHERIT, "fv", "standard | always | disabled"),
)  # fmt: skip
NAME = _s("name", "NAME", READONLY, "fvs", "")
HIDDEN = (
    NAME, _n("createtxg", "CREATETXG", READONLY, "fvs", ""), _n("guid", "GUID", READONLY, "fvs", ""),
    _n("objsetid", "OBJSETID", READONLY, "fvs", ""),
)  # fmt: skip
BY_NAME = {each.name: each for each in (*HIDDEN, *TABLE)} | {each.column.lower(): each for each in (*HIDDEN, *TABLE)}
SPACE = "name,available,used,usedbysnapshots,usedbydataset,usedbyrefreservation,usedbychildren"


def own(name: str) -> Property:
    """A user's own property, as a column."""
    wide = max(len(name), 1)
    return Property(name, name.upper().ljust(wide), "string", INHERIT, _applies("fvs"), "", (), False, False)
