"""The kernel's data that programs look at: its variables, and a thread for whoever acts without having brought one.

What a model knows of its own threads it puts into the context as `curthread`. Where it says only who acts (pid, execname,
zonename …) a thread is made of that, with a process, credentials and a CPU behind it, so that `curpsinfo`, `cpu` and the
like mean something everywhere.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smartos.dtrace.system.symbols import VARIABLES
from smartos.dtrace.vm.memory import Region

if TYPE_CHECKING:
    from smartos.dtrace.system.objects import Objects
    from smartos.dtrace.system.symbols import Symbols

MEMORY_PAGES = 6_291_456  # 24 GiB
CLASSES = ("SYS", "TS", "SDC", "FX", "FSS", "RT", "IA")
DRIVERS = {0: "rootnex", 1: "pseudo", 31: "sd", 52: "e1000g", 182: "zfs"}
LP64 = 0x200000
_THREADS = 512


def values(objects: "Objects") -> dict[str, Any]:
    """The variables' values."""
    init = {"p_pidp": {"pid_id": 1}, "p_user": {"u_comm": "init"}}
    return {
        "devnamesp": [{"dn_name": DRIVERS.get(major, "")} for major in range(256)],
        "sclass": [{"cl_name": name} for name in CLASSES], "kmem_flags": 0, "physmem": MEMORY_PAGES,
        "freemem": MEMORY_PAGES // 2, "lbolt": 360_000, "hz": 100, "maxusers": 2048, "ncpus": 1,
        "utsname": {"sysname": "SunOS", "nodename": "headnode", "release": "5.11", "version": "joyent_20110812T130000Z", "machine": "i86pc"},
        "p0": {"p_pidp": {"pid_id": 0}, "p_user": {"u_comm": "sched"}}, "cpu_list": cpu(0), "practive": init,
        "kas": {"a_size": 1 << 40}, "rootdir": {"v_path": "/", "v_op": {"vnop_name": "zfs"}}, "panicstr": None,
        "dtrace_zero": b"", "maxphys": 57344, "nproc": 64, "initname": "/sbin/init",
        "zone0": {"zone_name": "global", "zone_nodename": "headnode"}, "max_ncpus": 1, "pagesize": 4096,
        "_pagesize": 4096, "availrmem": MEMORY_PAGES // 2, "swapfs_minfree": MEMORY_PAGES // 8, "swapfs_reserve": 1024,
        "hp_avenrun": [8192, 7168, 6144], "avenrun": [32, 28, 24], "physinstalled": MEMORY_PAGES, "mpid": 4711,
        "platform": "i86pc",
        "k_anoninfo": {"ani_max": 2 << 20, "ani_phys_resv": 1 << 18, "ani_mem_resv": 0, "ani_locked_swap": 0},
        "architecture": "i386", "rootvfs": {"vfs_bsize": 131072},
        "global_zone": {"zone_name": "global", "zone_nodename": "headnode"}, "t0": {"t_tid": 0}, "tick_per_msec": 0,
        "rootvp": {"v_path": "/", "v_count": 1, "v_type": 2, "v_op": {"vnop_name": "zfs"}}, "cpu_lock": {},
        "vfssw_lock": {}, "kernelbase": 0xFFFF_FD80_0000_0000, "max_cpuid": 255,
        "v": {"v_buf": 100, "v_proc": 30000, "v_maxup": 29995},
    }  # fmt: skip


def install(objects: "Objects", symbols: "Symbols") -> None:
    """Map the variables where the compiler has put them."""
    known = values(objects)
    for name in VARIABLES:
        ident = symbols.find("", name)
        if ident is not None:
            region = VariableRegion(objects, known.get(name, 0), symbols.layout(name))
            objects.machine.memory.map(region, address=ident.data.address)


class VariableRegion(Region):
    """A variable's bytes, made when somebody looks. An array begins where its pointer says, in a place of its own."""

    __slots__ = ("kind", "objects", "what")

    def __init__(self, objects: "Objects", what: Any, kind: Any) -> None:
        super().__init__(b"")
        self.objects, self.what, self.kind = objects, what, kind
        self.size = 4096

    def read(self, offset: int, count: int) -> bytes:
        """As a region does."""
        if not self.data:
            self.data = self.objects.variable(self.what, self.kind)
        return super().read(offset, count)


def cpu(number: int) -> dict[str, Any]:
    """A CPU that nobody models."""
    made: dict[str, Any] = {
        "cpu_id": number, "cpu_seqid": number, "cpu_part": {"cp_id": 0, "cp_ncpus": 1}, "cpu_lpl": {"lpl_lgrpid": 0},
        "cpu_physid": {"cpu_chipid": 0}, "cpu_type_info": {"pi_state": 2, "pi_processor_type": "i386", "pi_clock": 2660},
    }  # fmt: skip
    made["cpu_disp"] = {"disp_cpu": made, "disp_npri": 170}
    return made


class Threads:
    """Threads made of contexts: the same for the same process, thread and CPU, as long as it is remembered."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple, dict[str, Any]] = OrderedDict()
        self._cpus: dict[int, dict[str, Any]] = {}

    def of(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """The thread that acts in a context."""
        get = context.get
        name, zone = get("execname") or "sched", get("zonename") or "global"
        key = (get("pid", 0), get("tid", 0), get("cpu", 0), name, zone)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._make(context, name, zone)
            if len(self._known) > _THREADS:
                self._known.popitem(last=False)
        return found

    def _make(self, context: Mapping[str, Any], name: Any, zone: Any) -> dict[str, Any]:
        get = context.get
        pid, uid, gid, number = get("pid", 0), get("uid", 0), get("gid", 0), get("cpu", 0)
        processor = self._cpus.setdefault(number, cpu(number))
        where = {"zone_name": zone, "zone_id": 0 if zone in ("global", b"global") else 1, "zone_nodename": "headnode"}
        cred = {"cr_ref": 1, "cr_uid": uid, "cr_gid": gid, "cr_ruid": uid, "cr_rgid": gid, "cr_zone": where}
        own, root = {"pid_id": pid}, {"v_path": "/", "v_op": {"vnop_name": "zfs"}}
        process: dict[str, Any] = {
            "p_pidp": own, "p_pgidp": own, "p_ppid": get("ppid", 0), "p_lwpcnt": 1, "p_stat": 6, "p_cred": cred, "p_zone": where,
            "p_sessp": {"s_sidp": own}, "p_task": {"tk_tkid": 1, "tk_proj": {"kpj_id": 0}}, "p_pool": {"pool_id": 0},
            "p_model": LP64, "p_flag": int(not pid),
            "p_user": {"u_comm": name, "u_psargs": get("psargs") or name, "u_argc": get("argc", 1), "u_cdir": root,
                       "u_argv": get("argv", 0), "u_envp": get("envp", 0)},
        }  # fmt: skip
        thread = {
            "t_tid": get("tid", 0), "t_procp": process, "t_cpu": processor, "t_state": 4, "t_pri": 59, "t_cid": int(bool(pid)),
            "t_cred": cred, "t_lpl": processor["cpu_lpl"], "t_bind_cpu": -1, "t_bind_pset": -1, "t_proc_flag": 4,
        }  # fmt: skip
        process["p_tlist"] = thread
        return thread
