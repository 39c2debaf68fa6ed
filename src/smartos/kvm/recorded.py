"""A recorded run, replayed: for places that have neither KVM nor a software CPU, as a page in a browser.

A recording holds what the processor asked at each exit, not what the machine answered: replaying it sends the same
accesses through the same devices, and stops where an answer differs. It also names the engine that made it, and the
host of that engine. `python -m smartos.kvm` makes them anew. Left out: anything that is not exactly the recorded image.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files

from smartos.kvm.engine import Host
from smartos.kvm.errors import NoRecording
from smartos.kvm.exits import Access
from smartos.kvm.guests import GUESTS, Guest


def recordings() -> dict[str, dict]:
    """All recordings, under the SHA-256 of their guest's image."""
    return json.loads(files("smartos.kvm").joinpath("recordings.json").read_text("utf-8"))


@dataclass(frozen=True)
class Provenance:
    """Where a recording comes from: the engine, and what that engine ran on."""

    engine: str
    host: str

    def __str__(self) -> str:
        return f"/dev/kvm ({self.host})" if self.engine == "kvm" else f"a software CPU ({self.host})"


def provenance(name: str) -> Provenance:
    """On what the recording of the guest of that name was made."""
    found = recordings()[digest(GUESTS[name])]
    return Provenance(found["engine"], found["host"])


def digest(guest: Guest) -> str:
    return sha256(guest.image).hexdigest()


class RecordedCpu:
    """A processor that can run one guest in one way."""

    def __init__(self, guest: Guest) -> None:
        found = recordings().get(digest(guest))
        if found is None:
            names = ", ".join(GUESTS)
            raise NoRecording(f"There is no recording of the guest {guest.name} as it is, only of {names} unchanged.")
        self.source, self._exits = Provenance(found["engine"], found["host"]), found["exits"]

    def run(self, host: Host, seconds: float, locate: bool) -> None:
        for times, *asked, answer, resume, mode in self._exits:
            access = Access(*asked)
            for _ in range(times):
                value = host.serve(access)
                if value != answer:
                    raise NoRecording(f"The devices answer {value:#x}, and answered {answer:#x}: record anew.")
                if not host.note(access, value, *(resume, mode) if locate else (None, "")):
                    return

    def kernel(self) -> None:
        return None

    def close(self) -> None:
        pass
