"""The kernel's symbols: names of functions that stacks and `sym()` show, and the few variables that programs read.

Functions have no code here, only a place: modules lie behind one another where amd64's kernel text is, and each function
takes 4 KiB, in the order in which it is first named. Variables lie in kernel memory (see `objects`). Follows what
libdtrace finds in /dev/ksyms; left out are data of modules that no model has.
"""

from typing import NamedTuple

from smartos.dtrace.consumer.names import Names, Symbol
from smartos.dtrace.ctf import C, CType, Function, Types
from smartos.dtrace.ident import Ident, Is, Kind, Stability

TEXT, DATA = 0xFFFF_FFFF_FB80_0000, 0xFFFF_FFFF_FC00_0000
MODULE, FUNCTION = 1 << 24, 1 << 12
FUNCTION_TYPE = Function(C["int"])
MODULES = ("unix", "genunix", "zfs", "kvm", "ip", "dtrace", "profile", "systrace", "sockfs", "TS", "SDC", "scsi", "sd")
VARIABLES = {
    "devnamesp": ("genunix", "struct devnames *"), "sclass": ("genunix", "sclass_t *"), "kmem_flags": ("genunix", "int"),
    "physmem": ("unix", "pgcnt_t"), "freemem": ("genunix", "pgcnt_t"), "lbolt": ("genunix", "clock_t"),
    "hz": ("genunix", "int"), "maxusers": ("genunix", "int"), "utsname": ("genunix", "struct utsname"),
    "p0": ("genunix", "struct proc"), "ncpus": ("unix", "int"), "cpu_list": ("unix", "struct cpu *"),
    "practive": ("genunix", "struct proc *"), "rootdir": ("genunix", "struct vnode *"), "kas": ("unix", "struct as"),
    "panicstr": ("unix", "char *"), "dtrace_zero": ("dtrace", "char [1024]"), "maxphys": ("genunix", "int"),
    "nproc": ("genunix", "int"), "initname": ("genunix", "char *"), "zone0": ("genunix", "struct zone"),
    "global_zone": ("genunix", "struct zone *"), "max_cpuid": ("unix", "processorid_t"), "max_ncpus": ("unix", "int"),
    "pagesize": ("genunix", "uint_t"), "t0": ("unix", "struct _kthread"), "tick_per_msec": ("genunix", "int"),
    "rootvp": ("genunix", "struct vnode *"), "cpu_lock": ("unix", "kmutex_t"), "vfssw_lock": ("genunix", "krwlock_t"),
    "kernelbase": ("unix", "uintptr_t"), "v": ("genunix", "struct var"), "ufs_allow_shared_writes": ("ufs", "int"),
    "_pagesize": ("genunix", "ulong_t"), "availrmem": ("genunix", "pgcnt_t"), "swapfs_minfree": ("genunix", "pgcnt_t"),
    "swapfs_reserve": ("genunix", "pgcnt_t"), "hp_avenrun": ("genunix", "int [3]"), "avenrun": ("genunix", "int [3]"),
    "k_anoninfo": ("genunix", "struct k_anoninfo"), "pages_locked": ("genunix", "pgcnt_t"),
    "physinstalled": ("unix", "pgcnt_t"), "nswapped": ("genunix", "int"), "mpid": ("genunix", "pid_t"),
    "rootvfs": ("genunix", "struct vfs *"), "platform": ("genunix", "char [257]"),
    "architecture": ("genunix", "char [257]"),
}  # fmt: skip
ROUTINES = {"kmem_alloc": "genunix", "kmem_free": "genunix", "clock": "genunix", "schedpaging": "genunix", "panic": "genunix"}
"""Functions whose address a program may take; their types say no more than that they are functions."""


class Place(NamedTuple):
    """Where a variable is."""

    module: str
    address: int


class Symbols(Names):
    """All symbols of one session."""

    def __init__(self, types: Types) -> None:
        self._types = types
        self._functions: dict[tuple[str, str], int] = {}
        self._by_address: dict[int, tuple[str, str]] = {}
        self._next: dict[str, int] = {}
        self._modules = list(MODULES)
        self._idents: dict[tuple[str, str], Ident] = {}
        self._data = {DATA + 0x10000 * n: name for n, name in enumerate(VARIABLES)}
        self._addresses = {name: address for address, name in self._data.items()}

    def place(self, name: str, module: str = "genunix") -> int:
        """The address of a function, which has one from then on."""
        found = self._functions.get((module, name))
        if found is None:
            if module not in self._modules:
                self._modules.append(module)
            base = TEXT + MODULE * self._modules.index(module)
            found = self._functions[module, name] = base + self._next.get(module, 0)
            self._next[module] = self._next.get(module, 0) + FUNCTION
            self._by_address[found] = module, name
        return found

    def pc(self, frame: str) -> int:
        """The address that a frame's text `module`function+0x12` stands for."""
        module, _, rest = frame.rpartition("`")
        name, _, offset = rest.partition("+")
        return self.place(name, module or "genunix") + (int(offset, 16) if offset else 0)

    def symbol(self, address: int) -> Symbol | None:
        """The function that an address is in, or the variable."""
        base = address - address % FUNCTION
        found = self._by_address.get(base)
        if found:
            return Symbol(found[0], found[1], base)
        name = self._data.get(address & ~0xFFFF)
        return Symbol(VARIABLES[name][0], name, address & ~0xFFFF) if name else None

    def user_symbol(self, pid: int, address: int) -> Symbol | None:
        """The same of a process's function, where a model has named one."""
        return self.symbol(address)

    def find(self, module: str, name: str) -> Ident | None:
        """A variable or function as the compiler wants it: an identifier with a type. `module` may be empty or `kernel`."""
        known = VARIABLES.get(name) or (ROUTINES[name], "") if name in VARIABLES or name in ROUTINES else None
        if known is None or module not in ("", "kernel", known[0]):
            return None
        key = known[0], name
        if key not in self._idents:
            address = self._addresses[name] if known[1] else self.place(name, known[0])
            kind = self._type(known[1]) if known[1] else FUNCTION_TYPE
            self._idents[key] = Ident(
                name, Kind.SYMBOL, 0, Is.NONE, Stability(1, 1, 0), kind, data=Place(known[0], address)
            )
        return self._idents[key]

    def layout(self, name: str) -> CType:
        """The type of a variable."""
        return self._type(VARIABLES[name][1])

    def _type(self, text: str) -> CType:
        from smartos.dtrace.system.ktypes import SCOPE

        base, bracket, count = text.partition("[")
        _, kind = self._types.scopes[SCOPE].declarator(f"{base} x{bracket}{count}")  # type: ignore[attr-defined]
        return kind
