"""Where things are, and the one way to stop with a clear line."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def stop(tool: str, message: str) -> None:
    """End the tool with one line that names the trouble and the mend."""
    sys.exit(f"{tool}: {message}")
