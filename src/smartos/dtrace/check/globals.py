"""The identifiers that D has before any program: functions, actions, aggregating functions, variables.

Each line of the tables is a name, the D version that brought it (1.0 if none is given) and its prototype or type.
Follows the table of libdtrace's `dt_open.c`, version 1.14 of D.
"""

from smartos.dtrace.check.attributes import EVOLVING, STABLE
from smartos.dtrace.ctf import C, Struct, Typedef
from smartos.dtrace.dif import Subr, V
from smartos.dtrace.environment import Environment
from smartos.dtrace.ident import Ident, Is, Kind, Stability
from smartos.dtrace.program import Act

_FUNCTIONS = """
alloca        1.0   void *(size_t)
basename      1.0   string(const char *)
bcopy         1.0   void(void *, void *, size_t)
cleanpath     1.0   string(const char *)
copyin        1.0   void *(uintptr_t, size_t)
copyinstr     1.0   string(uintptr_t, [size_t])
copyinto      1.0   void(uintptr_t, size_t, void *)
copyout       1.0   void(void *, uintptr_t, size_t)
copyoutstr    1.0   void(char *, uintptr_t, size_t)
ddi_pathname  1.0   string(void *, int64_t)
dirname       1.0   string(const char *)
getf          1.10  file_t *(int)
getmajor      1.0   genunix`major_t(genunix`dev_t)
getminor      1.0   genunix`minor_t(genunix`dev_t)
htonl         1.3   uint32_t(uint32_t)
htonll        1.3   uint64_t(uint64_t)
htons         1.3   uint16_t(uint16_t)
index         1.1   int(const char *, const char *, [int])
inet_ntoa     1.5   string(ipaddr_t *)
inet_ntoa6    1.5   string(in6_addr_t *)
inet_ntop     1.5   string(int, void *)
json          1.11  string(const char *, const char *)
lltostr       1.0   string(int64_t, [int])
msgdsize      1.0   size_t(mblk_t *)
msgsize       1.0   size_t(mblk_t *)
mutex_owned   1.0   int(genunix`kmutex_t *)
mutex_owner   1.0   genunix`kthread_t *(genunix`kmutex_t *)
mutex_type_adaptive 1.0 int(genunix`kmutex_t *)
mutex_type_spin 1.0 int(genunix`kmutex_t *)
ntohl         1.3   uint32_t(uint32_t)
ntohll        1.3   uint64_t(uint64_t)
ntohs         1.3   uint16_t(uint16_t)
progenyof     1.0   int(pid_t)
rand          1.0   int()
rindex        1.1   int(const char *, const char *, [int])
rw_iswriter   1.0   int(genunix`krwlock_t *)
rw_read_held  1.0   int(genunix`krwlock_t *)
rw_write_held 1.0   int(genunix`krwlock_t *)
speculation   1.0   int()
strchr        1.1   string(const char *, char)
strjoin       1.0   string(const char *, const char *)
strlen        1.0   size_t(const char *)
strrchr       1.1   string(const char *, char)
strstr        1.1   string(const char *, const char *)
strtok        1.1   string(const char *, const char *)
strtoll       1.11  int64_t(const char *, [int])
substr        1.1   string(const char *, int, [int])
tolower       1.8   string(const char *)
toupper       1.8   string(const char *)
"""
_EVOLVING = frozenset("ddi_pathname getmajor getminor htonl htonll htons ntohl ntohll ntohs mutex_owned mutex_owner"
                      " mutex_type_adaptive mutex_type_spin rw_iswriter rw_read_held rw_write_held".split())  # fmt: skip

_ACTIONS = """
breakpoint    1.0   void()
chill         1.0   void(int)
clear         1.0   void(...)
commit        1.0   void(int)
denormalize   1.0   void(...)
discard       1.0   void(int)
exit          1.0   void(int)
freopen       1.1   void(@, ...)
ftruncate     1.0   void()
func          1.2   _symaddr(uintptr_t)
jstack        1.0   stack(...)
mod           1.2   _symaddr(uintptr_t)
normalize     1.0   void(...)
panic         1.0   void()
print         1.9   void(@)
printa        1.0   void(@, ...)
printf        1.0   void(@, ...)
raise         1.0   void(int)
setopt        1.2   void(const char *, [const char *])
speculate     1.0   void(int)
stack         1.0   stack(...)
stop          1.0   void()
sym           1.2   _symaddr(uintptr_t)
system        1.0   void(@, ...)
trace         1.0   void(@)
tracemem      1.0   void(@, size_t, ...)
trunc         1.0   void(...)
uaddr         1.2   _usymaddr(uintptr_t)
ufunc         1.2   _usymaddr(uintptr_t)
umod          1.2   _usymaddr(uintptr_t)
ustack        1.0   stack(...)
usym          1.2   _usymaddr(uintptr_t)
"""
# What the compiler numbers an action: its own (`DT_ACT_…` of dt_impl.h), since several become one kind of action.
ACTIONS = (
    "printf trace tracemem stack stop breakpoint panic speculate commit discard chill exit ustack printa raise clear"
    " normalize denormalize trunc system jstack ftruncate freopen sym mod usym umod uaddr setopt print"
).split()
_SAME = {"func": "sym", "ufunc": "usym"}

_AGGREGATING = """
avg           1.0   void(@)
count         1.0   void()
llquantize    1.7   void(@, int32_t, int32_t, int32_t, int32_t, ...)
lquantize     1.0   void(@, int32_t, int32_t, ...)
max           1.0   void(@)
min           1.0   void(@)
quantize      1.0   void(@, ...)
stddev        1.6   void(@)
sum           1.0   void(@)
"""

_VARIABLES = """
arg0          1.0   int64_t
arg1          1.0   int64_t
arg2          1.0   int64_t
arg3          1.0   int64_t
arg4          1.0   int64_t
arg5          1.0   int64_t
arg6          1.0   int64_t
arg7          1.0   int64_t
arg8          1.0   int64_t
arg9          1.0   int64_t
caller        1.0   uintptr_t
curthread     1.0   genunix`kthread_t *
epid          1.0   uint_t
errno         1.0   int
execname      1.0   string
gid           1.0   gid_t
id            1.0   uint_t
ipl           1.0   uint_t
pid           1.0   pid_t
ppid          1.0   pid_t
probefunc     1.0   string
probemod      1.0   string
probename     1.0   string
probeprov     1.0   string
stackdepth    1.0   uint32_t
threadname    1.14  string
tid           1.0   id_t
timestamp     1.0   uint64_t
ucaller       1.2   uint64_t
uid           1.0   uid_t
ustackdepth   1.2   uint32_t
vtimestamp    1.0   uint64_t
walltimestamp 1.0   int64_t
zonename      1.0   string
"""


def _rows(table: str) -> list[tuple[str, tuple[int, int, int], str]]:
    rows = []
    for line in table.strip().splitlines():
        name, version, prototype = line.split(None, 2)
        major, minor = version.split(".")
        rows.append((name, (int(major), int(minor), 0), prototype))
    return rows


def builtins() -> dict[str, Ident]:
    """A fresh table of what D has built in. An action's `id` is its place in ACTIONS, an aggregating function's its Act."""
    table: dict[str, Ident] = {}

    def add(name: str, kind: Kind, number: int, prototype: str = "", version: tuple[int, int, int] = (1, 0, 0),
            attr: Stability = STABLE, flags: Is = Is.NONE, ops: str = "") -> None:  # fmt: skip
        table[name] = Ident(name, kind, number, flags, attr, prototype=prototype, version=version, ops=ops)

    for name, version, prototype in _rows(_FUNCTIONS):
        add(name, Kind.FUNC, Subr[name.upper()], prototype, version, EVOLVING if name in _EVOLVING else STABLE)
    for name, version, prototype in _rows(_ACTIONS):
        add(name, Kind.ACTFUNC, ACTIONS.index(_SAME.get(name, name)), prototype, version)
    for name, version, prototype in _rows(_AGGREGATING):
        add(name, Kind.AGGFUNC, Act[name.upper()], prototype, version)
    for name, version, prototype in _rows(_VARIABLES):
        attr = Stability(6, 1, 5) if name == "curthread" else STABLE
        add(name, Kind.SCALAR, V[name.upper()], prototype, version, attr)
    add("args", Kind.ARRAY, V.ARGS, ops="args")
    add("uregs", Kind.ARRAY, V.UREGS, flags=Is.WRITE, ops="regs")
    add("vmregs", Kind.ARRAY, V.VMREGS, version=(1, 7, 0), ops="regs")
    for name in ("self", "this"):
        add(name, Kind.PTR, 0, "void")
    return table


def _basic_types(env: Environment) -> None:
    """The kernel's types that built-in identifiers name. A system that has the real ones replaces them."""
    numbers = {"dev_t": "unsigned long", "zoneid_t": "int",
               **dict.fromkeys(("uid_t", "gid_t", "major_t", "minor_t", "ipaddr_t"), "unsigned int")}  # fmt: skip
    for name, base in numbers.items():
        env.types.define(name, Typedef(name, C[base]), "genunix")
    for name, tag in {"kthread_t": "_kthread", "kmutex_t": "mutex", "krwlock_t": "_krwlock", "mblk_t": "msgb",
                      "file_t": "file", "in6_addr_t": "in6_addr"}.items():  # fmt: skip
        struct = env.types.define(f"struct {tag}", Struct(tag, complete=False), "genunix")
        env.types.define(name, Typedef(name, struct), "genunix")


def new_environment(**settings: object) -> Environment:
    """An environment with the built-in identifiers and the definitions that every program has (NULL).

    `settings` are fields of :class:`Environment`. Identifiers newer than `version` are left out.
    """
    from smartos.dtrace.check.construct import make_int

    env = Environment(**settings)  # type: ignore[arg-type]
    env.globals.update((name, ident) for name, ident in builtins().items() if ident.version <= env.version)
    if "genunix" not in env.types.scopes:
        _basic_types(env)
    zero = make_int(0, env)
    env.globals["NULL"] = Ident("NULL", Kind.SCALAR, 0, Is.INLINE | Is.REF | Is.DECL, STABLE, C["long"], data=zero)
    return env

