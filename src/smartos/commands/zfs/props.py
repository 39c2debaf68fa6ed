"""Properties of datasets, as `zfs` reads and checks them.

Left out: what `zfs_table.py` and `dsl_prop.py` leave out, deduplication, which may only be off, and other case or form
of names than as they are. Follows `zfs_prop_get` and `zfs_valid_proplist` of `libzfs_dataset.c` of illumos as of
12 August 2011.
"""

from dataclasses import dataclass

from smartos.commands.system import System
from smartos.commands.text import creation, nicenum
from smartos.commands.zfs import table as zfs_table
from smartos.commands.zfs.table import DEFAULT, FILESYSTEM, ONETIME, SNAPSHOT, VOLUME, Property
from smartos.output import CommandError
from smartos.zfs.dmu import objset
from smartos.zfs.errors import NameTooLong, NoSuchName
from smartos.zfs.live import dsl_prop
from smartos.zfs.live.dsl_dataset import LiveDataset
from smartos.zfs.live.dsl_prop import nicestrtonum
from smartos.zfs.live.zap_live import ZapTable
from smartos.zfs.live.zvol_live import LiveZvol
from smartos.zfs.namecheck import MAX_STRING, check_property, dataset_name, mountpoint, size, user_property
from smartos.zfs.read.dsl import USED_CHILD, USED_CHILD_RSRV, USED_HEAD, USED_REFRSRV, USED_SNAP
from smartos.zfs.read.znode import MASTER_NODE, VERSION
from smartos.zfs.spa.spa import Spa

ZLE_VERSION = 20
_ONCE = {"casesensitivity": "sensitive", "normalization": "none", "utf8only": "off"}
_LIMITS = ("quota", "reservation", "refquota", "refreservation")


@dataclass(frozen=True, slots=True)
class Value:
    """A property's value as text, where it comes from ("-", "default", "local" or a dataset), and as a number."""

    text: str
    source: str = "-"
    raw: int | None = None

    def origin(self) -> str:
        """The SOURCE column."""
        return self.source if self.source in ("-", "default", "local") else f"inherited from {self.source}"


# ---- opening


def find(system: System, name: str) -> tuple[Spa, LiveDataset] | None:
    """A dataset by its name; None when there is none."""
    pool = system.pools.get(name.partition("@")[0].partition("/")[0])
    try:
        return None if pool is None else (pool, pool.dp.find(name))
    except NoSuchName:
        return None


def type_of(dataset: LiveDataset) -> str:
    """filesystem, volume or snapshot."""
    if dataset.is_snapshot:
        return SNAPSHOT
    return VOLUME if dataset.objset.phys.type == objset.ZVOL else FILESYSTEM


def open_(system: System, name: str, *types: str) -> tuple[Spa, LiveDataset]:
    """`zfs_open`: a dataset of one of the types (any without). Raises :class:`CommandError`."""
    wrong = f"cannot open '{name}'"
    if dataset_name(name, None, False):
        raise CommandError(f"{wrong}: invalid dataset name")
    pool = name.partition("@")[0].partition("/")[0]
    if pool in system.faulted:
        raise CommandError(f"{wrong}: pool '{pool}' is unavailable; see 'zpool status {pool}'")
    found = find(system, name)
    if found is None:
        raise CommandError(f"{wrong}: dataset does not exist")
    if types and type_of(found[1]) not in types:
        raise CommandError(f"{wrong}: operation not applicable to datasets of this type")
    return found


# ---- checking what is to be set


def validate(
    props: dict[str, str], wrong: str, kind: str, creating: bool = False, pool: Spa | None = None, version: int = 0
) -> dict[str, int | str]:
    """`zfs_valid_proplist`: the values for :meth:`Spa.set`. Raises :class:`CommandError` with `wrong` in front."""
    found: dict[str, int | str] = {}
    for name, text in props.items():
        if user_property(name):
            try:
                check_property(wrong, name, text, pool.version if pool else 28)
            except NameTooLong as error:
                raise CommandError(str(error)) from None
            found[name] = text
            continue
        one = zfs_table.BY_NAME.get(name)
        if one is None or one in zfs_table.HIDDEN:
            raise CommandError(f"{wrong}: invalid property '{name}'")
        name = one.name
        if kind not in one.applies:
            raise CommandError(f"{wrong}: '{name}' does not apply to datasets of this type")
        if one.readonly and not (one.attr == ONETIME and creating):
            raise CommandError(f"{wrong}: '{name}' is readonly")
        value = _parse(one, text, wrong)
        trouble = _special(one, text, value, creating, pool, version)
        if trouble:
            raise CommandError(f"{wrong}: {trouble}")
        if name not in _ONCE and name != "version":
            found[name] = value
    return found


def _parse(one: Property, text: str, wrong: str) -> int | str:
    if one.kind == "index":
        if text not in one.words:
            raise CommandError(f"{wrong}: '{one.name}' must be one of '{one.values}'")
        return int(text) if one.name == "copies" else text
    if one.kind == "string":
        if size(text) > MAX_STRING:
            raise CommandError(f"{wrong}: '{one.name}' is too long")
        return text
    try:
        value = 0 if text == "none" else nicestrtonum(text)
    except ValueError as error:
        raise CommandError(f"{wrong}: {error}") from None
    if value == 0 and text != "none" and one.name in ("quota", "refquota"):
        raise CommandError(f"{wrong}: use 'none' to disable quota/refquota")
    return value


def _special(one: Property, text: str, value: int | str, creating: bool, pool: Spa | None, version: int) -> str:
    """What is wrong with a value that is well formed."""
    name = one.name
    if name in ("recordsize", "volblocksize") and not (512 <= value <= 128 << 10 and not value & value - 1):
        return f"'{name}' must be power of 2 from 512 to 128k"
    if name == "mountpoint" and text not in ("none", "legacy"):
        return mountpoint(text)
    if name in _ONCE and text != _ONCE[name]:
        return f"only '{name}={_ONCE[name]}' is done here"
    if name == "dedup" and text != "off":
        return "deduplication is not done here; leave 'dedup' off"
    if name == "compression" and text == "zle" and pool is not None and pool.version < ZLE_VERSION:
        return "pool and or dataset must be upgraded to set this property or value"
    if name == "volsize" and not creating:
        return "a volume keeps its size here; make another one and copy"
    if name == "version":
        wanted = version if text == "current" else int(text)
        if creating and wanted != version:
            return f"filesystems are made at version {version} in this pool"
        if wanted < version:
            return f"Can not downgrade; already at version {version}"
        if wanted > version:
            return "a filesystem keeps its version here"
    return ""


# ---- reading


def _master(dataset: LiveDataset) -> ZapTable | None:
    return dataset.objset.zap(MASTER_NODE) if dataset.objset.phys.type == objset.ZFS else None


def zpl_version(dataset: LiveDataset) -> int:
    """A filesystem's version; 0 for a volume."""
    master = _master(dataset)
    return master.get(VERSION) if master else 0


def _used(dataset: LiveDataset, name: str) -> int:
    phys, parts = dataset.phys, dataset.dir.phys.used_breakdown
    if name == "used":
        return phys.unique_bytes if dataset.is_snapshot else dataset.dir.phys.used_bytes
    if name == "usedbychildren":
        return parts[USED_CHILD] + parts[USED_CHILD_RSRV]
    return parts[{"usedbysnapshots": USED_SNAP, "usedbydataset": USED_HEAD, "usedbyrefreservation": USED_REFRSRV}[name]]


def _ratio(dataset: LiveDataset) -> int:
    phys = dataset.phys if dataset.is_snapshot else dataset.dir.phys
    return phys.uncompressed_bytes * 100 // phys.compressed_bytes if phys.compressed_bytes else 100


def _counted(pool: Spa, dataset: LiveDataset, name: str) -> int | None:
    """The numbers that nobody sets."""
    phys = dataset.phys
    if name.startswith("used"):
        return 0 if name == "userrefs" else _used(dataset, name)
    if name == "volsize":
        return LiveZvol(pool, dataset).size
    if name == "volblocksize":
        return LiveZvol(pool, dataset).block_size
    if name == "available":
        return dataset.available()
    plain = {
        "referenced": phys.referenced_bytes, "creation": phys.creation_time, "createtxg": phys.creation_txg,
        "guid": phys.guid, "objsetid": dataset.number, "userrefs": 0,
    }  # fmt: skip
    return plain.get(name)


def _fixed(dataset: LiveDataset, name: str) -> str | None:
    """The words that nobody sets."""
    if name in ("name", "type"):
        return dataset.name if name == "name" else type_of(dataset)
    if name == "mounted":
        return "no"  # nothing is, here
    if name == "defer_destroy":
        return "off"
    if name == "version":
        return str(zpl_version(dataset))
    if name in _ONCE:
        held = _master(dataset).get(name)
        return _ONCE[name] if not held else str(held)
    return None


def _mountpoint(system: System, pool: Spa, dataset: LiveDataset) -> tuple[str, str]:
    text, source = pool.dp.prop_get(dataset.dir, "mountpoint")
    root = system.altroots.get(pool.name, "").rstrip("/")
    if source == "default":
        text, below = "/", dataset.name
    else:
        below = dataset.name[len(source) :].lstrip("/")
    if not text.startswith("/"):
        return text, source
    if text == "/" and (root or below):
        text = ""
    return (f"{root}{text}/{below}" if below else f"{root}{text}"), source


def get(system: System, pool: Spa, dataset: LiveDataset, one: Property, literal: bool = False) -> Value | None:
    """`zfs_prop_get`: a property of a dataset; None when it has none."""
    name = one.name
    if user_property(name):
        return _own(pool, dataset, name)
    if type_of(dataset) not in one.applies:
        return None
    if name == "compressratio":
        ratio = _ratio(dataset)
        return Value(f"{ratio // 100}.{ratio % 100:02}x", "-", ratio)
    if name == "origin":
        number_ = dataset.dir.phys.origin_obj
        found = pool.dp.dataset(number_).name if number_ else ""
        return None if not found or "$" in found else Value(found)
    counted = _counted(pool, dataset, name)
    if counted is not None:
        text = str(counted) if literal or name in ("guid", "createtxg", "objsetid") else nicenum(counted)
        return Value(creation(counted) if name == "creation" and not literal else text, "-", counted)
    fixed = _fixed(dataset, name)
    if fixed is not None:
        return Value(fixed)
    if name == "mountpoint":
        text, source = _mountpoint(system, pool, dataset)
        return Value(text, _source(dataset, source))
    held, source = pool.dp.prop_get(dataset.dir, name)
    if one.attr == DEFAULT:
        source = "default" if name in _LIMITS and not held else source
        if name == "canmount" and held == dsl_prop.encode(name, "on"):
            source = "default"
    if one.kind == "number":
        text = str(held) if literal else "none" if name in _LIMITS and not held else nicenum(held)
        return Value(text, _source(dataset, source), held)
    return Value(str(dsl_prop.decode(name, held)), _source(dataset, source), held if isinstance(held, int) else None)


def _source(dataset: LiveDataset, source: str) -> str:
    return "local" if source == dataset.name else source


def _own(pool: Spa, dataset: LiveDataset, name: str) -> Value | None:
    text, source = pool.dp.prop_get(dataset.dir, name)
    return None if source == "default" else Value(str(text), _source(dataset, source))


def own_names(pool: Spa, dataset: LiveDataset) -> list[str]:
    """The users' own properties that a dataset has, set here or above."""
    found, at = set(), dataset.dir
    while at is not None:
        table = pool.dp.mos.zap(at.phys.props_zapobj).entries if at.phys.props_zapobj else {}
        found |= {name for name in table if user_property(name)}
        at = at.parent
    return sorted(found)
