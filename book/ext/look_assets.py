"""What the pages load and Sphinx does not make: a build without it would give pages that no reader can use.

`make assets` puts style, script and Python for the pages beside the pages' own folder, `_build/assets` beside
`_build/html`. Somebody who types `jupyter-book build .` first is told so before anything is read, and by an exit, not by
an error: of an error Jupyter Book would print forty lines of its own below ours.
"""

import sys
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

NEEDED = ("smartos.css", "smartos.js", "run/worker.js", "run/editor.js", "run/manifest.json")


def beside_the_pages(app: Sphinx, config: Config) -> None:
    """A build somewhere else has its assets there."""
    assets = Path(app.outdir).parent / "assets"
    named = [(Path(app.srcdir) / folder).resolve() for folder in config.html_static_path]
    if assets.is_dir() and assets.resolve() not in named:
        config.html_static_path = [str(assets)]


def check(app: Sphinx) -> None:
    """Stop with one line when something that every page needs is not there."""
    if app.builder.format != "html":
        return
    folders = [Path(app.srcdir) / folder for folder in app.config.html_static_path]
    missing = [name for name in NEEDED if not any((folder / name).is_file() for folder in folders)]
    if missing:
        sys.exit(f"book: what the pages load is not made yet ({', '.join(missing)}); type: make book")
