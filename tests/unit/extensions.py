"""The book's Sphinx extensions as modules: they live beside the book and are on nobody's path."""

import importlib
import sys
from types import ModuleType

from tools.paths import ROOT


def load(name: str) -> ModuleType:
    """The extension `name` of book/ext."""
    folder = str(ROOT / "book" / "ext")
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(name)
