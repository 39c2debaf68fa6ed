"""The systems that the post lists as booted under KVM on SmartOS.

Names and order are the post's. Years are those of the named release where a source was seen, else of what stands
nearest to it, and `year_note` says which. Why a system is a hard guest is our own reasoning unless a source is named.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Guest:
    """One system: `year` is None where no source was seen; `tests` names what of a hypervisor it leans on."""

    name: str
    year: int | None
    year_note: str
    kind: str
    tests: tuple[str, ...]
    hard: str
    fact: str


def guests() -> list[Guest]:
    """The list, in the post's order."""
    return [
        Guest("SmartOS 64-bit", 2011, "the system of the post itself", "illumos", ("self-hosting", "64-bit"),
              "The host’s own kernel as guest: its debugger, kmdb, could be used inside the guest, "
              "and was the first thing to run.", "O1"),
        Guest("Linux 64-bit", None, "the post gives no version", "Linux", ("64-bit", "virtio"),
              "The guest that KVM was written for: the baseline, and the one with virtio drivers.", "O2"),
        Guest("Windows Server 2008 R2", 2009, "generally available on 22 October 2009", "Windows", ("64-bit", "ACPI and APIC"),
              "Closed source, so a hang must be understood from outside; leans on ACPI and the APIC.", "O3"),
        Guest("FreeBSD 8.1 32-bit", 2010, "released on 23 July 2010", "BSD", ("32-bit paging",),
              "A 32-bit guest on a 64-bit host.", "O4"),
        Guest("Plan 9 from Bell Labs", 1995, "the year of the paper; the post gives no version", "research", ("own drivers", "32-bit paging"),
              "A kernel and drivers of its own, not derived from Unix: nothing was tuned against it.", "O6"),
        Guest("Seventh Edition", 1979, "the year of the system; the port to the PC, V7/x86, is of 2007", "Unix", ("real mode", "BIOS boot"),
              "On the PC it is booted through the BIOS, in real mode, and its kernel does without demand paging.", "O7"),
        Guest("FreeBSD 4.9", 2003, "released on 28 October 2003", "BSD", ("BIOS boot", "32-bit paging"),
              "Older than the processor’s help for virtualization: old device paths, and PAE paging.", "O5"),
        Guest("Haiku OS", 2011, "R1 Alpha 3 is of 20 June 2011; the post gives no version", "BeOS", ("BIOS boot", "SMP"),
              "A desktop kernel with a boot loader of its own.", "O8"),
        Guest("OpenBSD", 2011, "4.9 was current; the post gives no version", "BSD", ("ACPI and APIC",),
              "Strict about how hardware behaves.", "O9"),
        Guest("QNX 4.25", 1997, "the demo floppy; another account says only the late 1990s", "real-time", ("BIOS boot", "timers"),
              "Boots from an emulated floppy; a real-time kernel notices when timers are late.", "O10"),
        Guest("Weenix", 1998, "Brown University’s teaching kernel", "teaching", ("own drivers", "32-bit paging"),
              "A student kernel: it takes only the paths that its authors wrote, and no workaround.", "O11"),
    ]  # fmt: skip
