"""What `import smartos` shows: the systems, each when it is asked for."""

import subprocess
import sys

import pytest

import smartos

SHOWS = """
import sys
import smartos
before = [name for name in sys.modules if name.startswith("smartos.")]
shown = set(smartos.__all__) <= set(dir(smartos))
modules = [getattr(smartos, name).__name__ for name in smartos.__all__]
print(before, shown, *modules)
"""


def test_the_systems_are_shown_and_imported_when_they_are_asked_for() -> None:
    done = subprocess.run([sys.executable, "-c", SHOWS], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "True", *(f"smartos.{name}" for name in smartos.__all__)]


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'smartos' has no attribute 'xen'"):
        smartos.xen  # noqa: B018
