"""Open the notebooks in JupyterLab on 127.0.0.1, text notebooks (.md) as notebooks.

The launch menus of the built pages point here. JupyterLab's own token stays on: the address printed at the start logs
the browser in, and the menus' links work from then on.
"""

import argparse
import os
import socket
import subprocess
import sys
from pathlib import Path

from jupytext_config.labconfig import LabConfig

from tools.paths import ROOT, stop


def text_notebooks() -> None:
    """Make .md files open as notebooks, in this environment's settings and not in the reader's own."""
    settings = Path(sys.prefix) / "etc/jupyter/labconfig/default_setting_overrides.json"
    LabConfig(settings_file=settings).read().set_default_viewers(["markdown", "myst"]).write()


def check_port(port: int) -> None:
    """Stop with one line when the port cannot be had."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except OverflowError:
        stop("lab", f"{port} is not a port; use a number up to 65535")
    except OSError:
        stop("lab", f"port {port} is in use; take another: make lab LAB_PORT={port + 1}")


def command(port: int, browser: bool) -> list[str]:
    """JupyterLab's command line: this folder, the loopback address, this port or none."""
    words = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={ROOT}", "--ServerApp.ip=127.0.0.1"]
    words += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--LabApp.news_url=None"]
    words += [] if browser else ["--no-browser"]
    return words + (["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else [])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=int(os.environ.get("LAB_PORT", "8888")))
    parser.add_argument("--no-browser", action="store_true", help="print the address only")
    options = parser.parse_args()
    check_port(options.port)
    text_notebooks()
    print(f"lab: JupyterLab on http://127.0.0.1:{options.port}/ (Ctrl-C twice ends it)", flush=True)
    try:
        sys.exit(subprocess.run(command(options.port, not options.no_browser), cwd=ROOT).returncode)
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
