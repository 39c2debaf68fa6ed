"""What an engine and the machine around it ask of each other."""

from typing import Protocol

from smartos.kvm.exits import Access

PROTECTION, LONG_MODE_ACTIVE = 1, 1 << 10  # CR0.PE, EFER.LMA


def mode_of(cr0: int, efer: int) -> str:
    """The processor's mode, by its control registers."""
    return "long" if efer & LONG_MODE_ACTIVE else "protected" if cr0 & PROTECTION else "real"


class Host(Protocol):
    """The monitor, as an engine sees it."""

    def serve(self, access: Access) -> int:
        """Carry out what the exit asks; the answer, or the value written."""

    def note(self, access: Access, value: int, resume: int | None, mode: str) -> bool:
        """Log the exit; False when the guest is not to go on."""


class Cpu(Protocol):
    """An engine with a guest loaded."""

    def run(self, host: Host, seconds: float, locate: bool) -> None:
        """Run the guest until the host has had enough; `locate` asks for each exit's address and mode."""

    def kernel(self) -> dict[str, int] | None:
        """The kernel's own counters, where a kernel is at work."""

    def close(self) -> None:
        """Give back what the engine holds."""
