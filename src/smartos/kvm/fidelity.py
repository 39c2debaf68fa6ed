"""The ledger of this model: what it does as KVM does, what it leaves out, and which test holds it to that."""

from smartos.fidelity import Entry

API = "Linux, Documentation/virt/kvm/api.rst and include/uapi/linux/kvm.h"
PORT = "illumos-kvm at commit 44e36b4 (13 August 2011)"
ENGINES_TEST = "tests/conformance/test_kvm_engines.py"

ENTRIES: list[Entry] = [
    Entry(
        "Virtual machine and processor",
        "On /dev/kvm, the kernel's own: one virtual machine, one processor, RAM of 512 KiB, entered by KVM_RUN.",
        "More processors, in-kernel interrupt controllers and timers, dirty logging, migration, every other request; other "
        "architectures.",
        API,
        ENGINES_TEST,
    ),
    Entry(
        "Exits",
        "I/O ports, memory without RAM, HLT, interruption: each logged with what it asked, the answer, the address and "
        "the mode. The log is the same on KVM and on the software CPU. Any other exit, as a shutdown, an internal error "
        "or a refused entry, is not logged: it ends the run with an error that says which, and keeps the log so far.",
        "Exits that the kernel handles itself (CPUID, page faults, control registers): they never reach a monitor. "
        "String instructions that move several items at once end the run.",
        API,
        ENGINES_TEST,
    ),
    Entry(
        "Exit counts",
        "Our count against the kernel's own counters (KVM_GET_STATS_FD): exits, memory accesses, halts.",
        "The kernel counts more: also exits that it handles alone and those caused by host interrupts.",
        API,
        ENGINES_TEST,
    ),
    Entry(
        "Software CPU",
        "The same guests, devices and log through unicorn, from real mode to 64-bit mode.",
        "Interrupts, exceptions that a guest would handle, the cost of an exit: nothing leaves a guest there.",
        "unicorn 2 (QEMU's translator)",
        ENGINES_TEST,
    ),
    Entry(
        "Recorded run",
        "The accesses of an earlier run on /dev/kvm, sent again through the same devices. Each recording names its "
        "engine and host: a nested /dev/kvm, whose module does without the processor's own virtualization.",
        "Any guest that is not exactly the recorded one, byte for byte. Time: a replay has none.",
        "our own runs, in recordings.json",
        "tests/unit/test_kvm_vm.py",
    ),
    Entry(
        "Guests",
        "Machine code beside its assembly; two assemblers give the same bytes.",
        "An operating system: no interrupt table, no disk, no console input. An assembler for guests of yours.",
        "Intel 64 and IA-32 Architectures Software Developer's Manual, volumes 2 and 3",
        "tests/conformance/test_kvm_listings.py",
    ),
    Entry(
        "Devices",
        "An 8250 serial port's registers, a port that ignores, an exit port, one register in memory.",
        "Interrupts, received bytes, line speed; every other device of a PC.",
        "the PC's port addresses; 8250 register layout",
        "tests/unit/test_kvm_devices.py",
    ),
    Entry(
        "CPUID",
        "One table of leaves for every engine; the hypervisor's leaf gives our name.",
        "All leaves but the five that these guests ask for. The answer is the kernel's work, so no exit of CPUID is in the log.",
        API,
        ENGINES_TEST,
    ),
    Entry(
        "Probes",
        "Nine of the port's probes, by its names, functions and argument types, in its order within an exit.",
        "The port's other probes, kvm-xxx and kvm-xxx-sync of its unfinished places among them, and the exits between "
        "two that reach the monitor; a vcpu pointer is its number.",
        PORT,
        "tests/conformance/test_kvm_probes.py",
    ),
    Entry(
        "vmregs[] and the reason of an exit",
        "A table of four rows turns the monitor's reason into the number that Intel's processors give it: interruption "
        "1, HLT 12, I/O 30, memory without RAM 48. vmregs[VMX_VM_EXIT_REASON] and kvm-vexit take it from there.",
        "The VMCS: no field of a processor is read, the numbers are Intel's on AMD too, and of the other fields only "
        "GUEST_RIP has a value.",
        "Intel 64 and IA-32 Architectures Software Developer's Manual, volume 3, appendix C",
        "tests/conformance/test_kvm_probes.py",
    ),
]
