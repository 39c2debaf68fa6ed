"""Properties of an open pool and of its datasets: set, inherited, with effect from the transaction group on that syncs
them. The pool's own are numbers (or strings) in a table of the MOS, which is made when the first one is set.

Left out: what `dsl_prop.py` leaves out. Follows `spa.c` (`spa_sync_props`), `dsl_prop.c`, `dsl_dir.c`
(`dsl_dir_set_quota_check`) and `zfs_ioctl.c` of illumos as of 12 August 2011.
"""

from typing import TYPE_CHECKING

from smartos.zfs.errors import NoSpace, Unsupported
from smartos.zfs.format import types as dmu
from smartos.zfs.live import dsl_prop
from smartos.zfs.live.dsl_dataset import LiveDataset
from smartos.zfs.namecheck import check_property
from smartos.zfs.read.dsl import POOL_DIRECTORY_OBJECT, PROPS

if TYPE_CHECKING:
    from smartos.zfs.spa.spa import Spa


class Properties:
    """The part of :class:`Spa` that looks after properties."""

    def set(self: "Spa", name: str, **properties: int | str) -> None:
        """`zfs set`: properties of a dataset. Raises :class:`Unsupported`, :class:`NameTooLong`, and :class:`NoSpace`
        for a quota or reservation that cannot be."""
        target = self.dp.find(name)
        encoded = self._encoded(f"cannot set property for '{name}'", properties)
        self.task(f"set {name}", lambda: self._set(target, encoded), lambda: self._may_set(target, encoded))

    def _encoded(self: "Spa", wrong: str, properties: dict[str, int | str]) -> dict[str, int | str]:
        """Properties as they are stored. Raises :class:`Unsupported`, :class:`NameTooLong`."""
        encoded = {key: dsl_prop.encode(key, value) for key, value in properties.items()}
        for key, value in encoded.items():
            check_property(wrong, key, value, self.version)
        return encoded

    def _may_set(self: "Spa", target: LiveDataset, values: dict) -> None:
        phys = target.dir.phys
        quota, reserved = values.get("quota"), values.get("reservation")
        if quota and (quota < phys.reserved or quota < phys.used_bytes):
            raise NoSpace(f"cannot set property for '{target.name}': size is less than current used or reserved space")
        refquota = values.get("refquota")
        if refquota and (refquota < target.phys.referenced_bytes or refquota < target.reserved):
            raise NoSpace(f"cannot set property for '{target.name}': size is less than current used or reserved space")
        if reserved:
            more = max(phys.used_bytes, reserved) - max(phys.used_bytes, phys.reserved)
            over = phys.quota and reserved > phys.quota
            if over or (more > 0 and target.dir.parent and more > target.dir.parent.available()):
                raise NoSpace(f"cannot set property for '{target.name}': size is greater than available space")
        refreserved = values.get("refreservation")
        if refreserved:
            unique = target.phys.unique_bytes
            more = max(unique, refreserved) - max(unique, target.reserved)
            if more > 0 and (more > target.dir.available() or (target.quota and refreserved > target.quota)):
                raise NoSpace(f"cannot set property for '{target.name}': size is greater than available space")

    def _set(self: "Spa", target: LiveDataset, values: dict) -> None:
        """In syncing context: store properties, and let them have their effect."""
        for key, value in values.items():
            self.dp.mos.zap_put(target.dir.phys.props_zapobj, key, value)
            self.history.internal("property set", f"{key}={value} dataset = {target.number}")
            if key in ("quota", "reservation", "refquota", "refreservation"):
                end = " " if key in ("quota", "refquota") else ""
                self.history.internal(f"{key} set", f"{value} dataset = {target.number}{end}")
            if key == "quota":
                target.dir.phys.quota = value
                target.dir.node.touch()
            elif key == "reservation":
                target.dir.reserve(value)
            elif key == "refquota":
                target.quota = value
            elif key == "refreservation":
                target.set_refreservation(value)
        for each in list(self.dp.known.values()):
            self.dp.inherit(each)

    def inherit(self: "Spa", name: str, key: str) -> None:
        """`zfs inherit`: let a property be the parent's again."""
        target = self.dp.find(name)
        if key in dsl_prop.ALONE:
            raise Unsupported(f"'{key}' property cannot be inherited")

        def work() -> None:
            if self.dp.mos.zap(target.dir.phys.props_zapobj).get(key) is not None:
                self.dp.mos.zap_remove(target.dir.phys.props_zapobj, key)
            self.history.internal("inherit", f"{key}= dataset = {target.number}")
            self._set(target, {})

        self.task(f"inherit {key} {name}", work)

    def get(self: "Spa", name: str, key: str) -> tuple[int | str, str]:
        """`zfs get`: a property's value and its source: "local", "default", or "inherited from" a dataset."""
        target = self.dp.find(name)
        value, source = self.dp.prop_get(target.dir, key)
        if source != "default":
            source = "local" if source == target.dir.name else f"inherited from {source}"
        return dsl_prop.decode(key, value), source

    # ---- the pool's own

    def set_pool(self: "Spa", **properties: int | str) -> None:
        """`zpool set`: properties of the pool, as they are stored: numbers, or strings."""

        def work() -> None:
            mos = self.dp.mos
            if not self.props_object:
                self.props_object = mos.zap_create(dmu.POOL_PROPS)
                mos.zap_put(POOL_DIRECTORY_OBJECT, PROPS, self.props_object)
            for key, value in properties.items():
                mos.zap_put(self.props_object, key, value)
                number = value if isinstance(value, int) else 0
                self.history.internal("pool property set", f"{key} {number} {self.name}")

        self.task(f"set {', '.join(properties)} of the pool", work)

    def pool_properties(self: "Spa") -> dict[str, int | str]:
        """The properties of the pool that were ever set, as they are stored."""
        table = self.dp.mos.zap(self.props_object).entries if self.props_object else {}
        return {name: entry.value for name, entry in table.items()}
