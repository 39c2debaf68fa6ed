"""The processor that the guest is told it has: one CPUID table for every engine.

CPUID leaves the guest on VT-x without exception, but the kernel answers it from the table that the monitor has handed
over (KVM_SET_CPUID2), so no such exit is in our log. Leaf 0x40000000 is a hypervisor's name, twelve letters.
Left out: everything that this package's guests do not ask for.
"""

NAME = b"smartos-mini"
HYPERVISOR = 1 << 31  # leaf 1, ecx
FEATURES = sum(1 << bit for bit in (0, 3, 4, 5, 6, 8, 15, 24, 25, 26))  # FPU PSE TSC MSR PAE CX8 CMOV FXSR SSE SSE2
LONG_MODE = 1 << 29  # leaf 0x80000001, edx


def words(text: bytes) -> tuple[int, ...]:
    """Twelve letters as three registers."""
    return tuple(int.from_bytes(text[i : i + 4], "little") for i in (0, 4, 8))


EBX, EDX, ECX = words(b"GenuineIntel")

# leaf: (eax, ebx, ecx, edx)
TABLE: dict[int, tuple[int, int, int, int]] = {
    0x00000000: (1, EBX, ECX, EDX),
    0x00000001: (0x600, 0, HYPERVISOR, FEATURES),
    0x40000000: (0x40000000, *words(NAME)),
    0x80000000: (0x80000001, 0, 0, 0),
    0x80000001: (0, 0, 0, LONG_MODE),
}
