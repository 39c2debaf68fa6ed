"""The names that the package gives by itself: each from its module, and only when it is asked for."""

import pkgutil
import subprocess
import sys

import pytest

import smartos.zfs

LOADED = "import sys; import smartos.zfs.arc.paper; print('smartos.zfs.spa.spa' in sys.modules, 'smartos.zfs.read.pool' in sys.modules)"


def test_every_name_is_that_of_its_module_and_is_listed() -> None:
    for name in smartos.zfs.__all__:
        value = getattr(smartos.zfs, name)
        assert value.__name__ == name and value.__module__.startswith("smartos.zfs.")
        assert name in dir(smartos.zfs)


def test_no_name_is_a_module_s_too() -> None:
    modules = {module.name for module in pkgutil.iter_modules(smartos.zfs.__path__)}
    assert modules.isdisjoint(smartos.zfs.__all__)


def test_importing_one_part_does_not_import_the_pool() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_a_name_that_is_none_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'smartos.zfs' has no attribute 'Btrfs'"):
        smartos.zfs.Btrfs  # noqa: B018
    with pytest.raises(ImportError):
        from smartos.zfs import Btrfs  # noqa: F401
