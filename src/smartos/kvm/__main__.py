"""Record every guest anew: `python -m smartos.kvm kvm > src/smartos/kvm/recordings.json`."""

import json
import platform
import sys
from pathlib import Path

from smartos.kvm import unicorn_cpu
from smartos.kvm.guests import GUESTS, Guest
from smartos.kvm.recorded import digest
from smartos.kvm.vm import run


def rows(guest: Guest, engine: str) -> list[list]:
    """A guest's exits on `engine`, equal ones in a row counted: times, what was asked, the answer, where, the mode."""
    kept: list[list] = []
    for exit in run(guest, engine, seconds=0.2 if guest.name == "spin" else 20).log:
        asked = exit.value if exit.direction in ("out", "write") else None
        row = [exit.reason, exit.direction, exit.address, exit.size, asked, exit.value, exit.resume, exit.mode]
        if kept and kept[-1][1:] == row:
            kept[-1][0] += 1
        else:
            kept.append([1, *row])
    return kept


MODULES = {
    "kvm_intel": "on Intel's VT-x",
    "kvm_amd": "on AMD's SVM",
    "kvm_pvm": "without the processor's own virtualization",
}


def host(engine: str) -> str:
    """What an engine runs on here: the kernel and its module of KVM, or the version of the software CPU."""
    if engine == "unicorn":
        return f"unicorn {unicorn_cpu.version()}"
    release = ".".join(platform.release().split(".")[:2])
    loaded = next((module for module in MODULES if Path("/sys/module", module).exists()), "")
    return f"Linux {release}, its module {loaded} {MODULES[loaded]}" if loaded else f"Linux {release}"


def record(engine: str) -> str:
    """The recordings of all guests as JSON, one exit a line."""
    entries = []
    for guest in GUESTS.values():
        exits = ",\n".join(json.dumps(row) for row in rows(guest, engine))
        made = json.dumps({"guest": guest.name, "engine": engine, "host": host(engine)})
        entries.append(f'"{digest(guest)}": {made[:-1]}, "exits": [\n{exits}\n]}}')
    return "{\n" + ",\n".join(entries) + "\n}\n"


if __name__ == "__main__":
    print(record(sys.argv[1] if len(sys.argv) > 1 else "unicorn"), end="")
