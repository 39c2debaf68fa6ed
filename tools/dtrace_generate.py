"""D programs made by chance from a seed: `Generator(seed).program()` is a text that mostly compiles and often faults.

What it draws from is the whole language: all operators on all integer types, strings and their functions, the three
kinds of variables, associative arrays, structures, unions, bit-fields, enumerations, inlines, translators, every
action, every aggregating function, speculations, predicates, `if`, options, and pointers that point nowhere. In a third
of the programs an expression now and then is wrong on purpose. Left out: includes and `-C`, macro arguments.
"""

import random
from collections.abc import Callable

INTEGERS = (
    "char", "signed char", "unsigned char", "short", "unsigned short", "int", "unsigned int", "long", "unsigned long",
    "long long", "unsigned long long", "int8_t", "uint8_t", "int16_t", "uint16_t", "int32_t", "uint32_t", "int64_t",
    "uint64_t", "size_t", "uintptr_t",
)  # fmt: skip
EXTREME = (
    "0", "1", "-1", "2", "7", "8", "63", "64", "65", "127", "128", "255", "256", "32767", "32768", "65535", "65536",
    "2147483647", "2147483648", "4294967295", "4294967296", "9223372036854775807", "-9223372036854775807",
    "0x8000000000000000", "0xffffffffffffffff", "0777", "'a'", "'\\0'", "'\\377'", "'abcd'", "10U", "10L", "10ULL",
)  # fmt: skip
NOWHERE = (
    "0", "1", "4", "8", "0x1000", "0x7ffffffff000", "0x8000000000000000", "0xfffffffffffffff8", "0xffffff0000000000",
    "0xffffff01deadbeef", "(uintptr_t)&`kmem_flags", "arg0", "arg1", "(uintptr_t)curthread", "timestamp",
)  # fmt: skip
BUILT_IN = (
    "pid", "tid", "ppid", "uid", "gid", "cpu", "timestamp", "vtimestamp", "walltimestamp", "arg0", "arg1", "arg9", "id",
    "epid", "ipl", "errno", "stackdepth", "ustackdepth", "caller", "ucaller",
)  # fmt: skip
TEXTS = ("execname", "probeprov", "probemod", "probefunc", "probename", "zonename", "cwd", "root")
BINARY = ("+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "<", "<=", ">", ">=", "==", "!=", "&&", "||", "^^")
ASSIGNING = ("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=")
PROBES = (
    "BEGIN", "BEGIN", "END", "ERROR", "tick-1ms", "tick-1ms", "tick-2ms", "tick-2ms", "tick-2ms", "tick-3ms", "tick-700us", "profile-997",
    "profile-1ms", "dtrace:::BEGIN", "BEGIN, tick-1ms", "io:::start", "io:::", "syscall:::entry", "syscall::read:entry",
    "fbt:::", "proc:::", "sched:::", "sysinfo:::", "tick-2ms, END", "dtrace:::*",
)  # fmt: skip
OPTIONS = (
    "quiet", "flowindent", "strsize=16", "strsize=1", "strsize=8k", "bufsize=64", "bufsize=1k", "bufsize=4m", "aggsize=256",
    "aggsize=8k", "dynvarsize=128", "dynvarsize=1k", "dynvarsize=64k", "nspec=0", "nspec=1", "nspec=8", "specsize=64",
    "specsize=4k", "bufpolicy=fill", "bufpolicy=ring", "bufpolicy=switch", "aggsortkey", "aggsortrev", "aggsortpos=1",
    "aggsortkeypos=1", "switchrate=1ms", "aggrate=1ms", "statusrate=1ms", "cleanrate=1ms", "stackframes=3",
    "ustackframes=3", "jstackframes=2", "jstackstrsize=64", "rawbytes", "stackindent=4", "aggpack", "agghist", "aggzoom",
    "temporal", "destructive", "bufresize=manual", "defaultargs", "errtags", "droptags", "encoding=ascii",
)  # fmt: skip
AGGREGATING = (
    "count()", "sum({i})", "avg({i})", "min({i})", "max({i})", "stddev({i})", "quantize({i})", "quantize({i}, {i})",
    "lquantize({i}, 0, 100, 7)", "lquantize({i}, -50, 50, 1)", "lquantize({i}, 0, 1000)",
    "llquantize({i}, 10, 0, 6, 20)", "llquantize({i}, 2, 0, 20, 2)", "llquantize({i}, 10, 2, 3, 10)",
)  # fmt: skip
FORMATS = ("%d", "%u", "%x", "%o", "%#x", "%i", "%5d", "%-5d|", "%05d", "%+d", "%'d", "%Y", "%10u", "%#o")
STRING_FORMATS = ("%s", "%10s", "%-10s|", "%.3s", "%S", "%s%%")
ALPHABET = "abcxyz /.,:%{}[]\"0123456789-_\t"


class Generator:
    """A source of programs. The same seed gives the same programs, in the same order."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.integers: list[str] = []
        self.strings: list[str] = []
        self.aggregations: dict[str, tuple[str, str]] = {}
        self.slips = 0  # how often an expression is wrong on purpose, in about 170

    def pick(self, among: tuple[str, ...] | list[str]) -> str:
        return self.random.choice(among)

    def chance(self, one_in: int) -> bool:
        return self.random.randrange(one_in) == 0

    # -- expressions

    def literal(self) -> str:
        """A string's literal, rarely a huge one."""
        length = self.random.choice((0, 1, 3, 8, 8, 20, 300)) if not self.chance(60) else 9000
        made = "".join(self.pick(list(ALPHABET)) for _ in range(length))
        return '"' + made.replace("\\", "").replace('"', '\\"').replace("\t", "\\t") + '"'

    def text(self, depth: int) -> str:
        """An expression that is a string."""
        if depth <= 0 or self.chance(4):
            return self.pick([self.literal(), self.pick(TEXTS), *self.strings[-3:]])
        form = self.pick((
            "strjoin({s}, {s})", "substr({s}, {i})", "substr({s}, {i}, {i})", "strtok({s}, {s})", "strchr({s}, {i})",
            "strrchr({s}, {i})", "strstr({s}, {s})", "toupper({s})", "tolower({s})", "basename({s})", "dirname({s})",
            "cleanpath({s})", "lltostr({i})", "lltostr({i}, 16)", "json({s}, {s})", "inet_ntoa((ipaddr_t *)alloca(4))",
            "inet_ntoa6((in6_addr_t *)alloca(16))", "inet_ntop(2, alloca(4))", "({i} ? {s} : {s})", "copyinstr({p})",
            "copyinstr({p}, {i})", "stringof({p})", "(string){p}", "strtok(NULL, {s})", "ddi_pathname((void *){p}, {i})",
        ))  # fmt: skip
        return self.fill(form, depth)

    def pointer(self, depth: int) -> str:
        """An address: somewhere, nowhere, or of a scratch buffer."""
        if depth <= 0 or self.chance(2):
            return self.pick(NOWHERE)
        return self.fill(self.pick(("alloca({i})", "copyin({p}, {i})", "((uintptr_t){p} + {i})", "(uintptr_t)({i})", "(uintptr_t)&`kmem_flags", "{i}")), depth)

    def integer(self, depth: int) -> str:
        """An expression that is a number."""
        if depth <= 0 or self.chance(5):
            return self.pick([self.pick(EXTREME), self.pick(EXTREME), self.pick(BUILT_IN), *self.integers[-6:]])
        form = self.random.choices(
            (
                f"({{i}} {self.pick(BINARY)} {{i}})", "{u}({i})", f"({self.pick(INTEGERS)})({{i}})", "({i} ? {i} : {i})",
                "({s} " + self.pick(("==", "!=", "<", ">=")) + " {s})", "{f}", f"*({self.pick(INTEGERS)} *)({{p}})",
                "({n} " + self.pick(ASSIGNING) + " {i})", "{n}++", "--{n}", f"sizeof ({self.pick(INTEGERS)})", "sizeof ({i})",
                f"(({self.pick(INTEGERS)} *)({{p}}))[{{i}}]", "({i}, {i})", f"uregs[{self.random.randrange(40)}]", "{w}",
            ),
            (60, 12, 12, 8, 8, 24, 10, 16, 6, 4, 4, 2, 4, 2, 2, self.slips),
        )[0]
        return self.fill(form, depth)

    def call(self, depth: int) -> str:
        """A call of a function that gives a number."""
        return self.fill(self.pick((
            "strlen({s})", "index({s}, {s})", "index({s}, {s}, {i})", "rindex({s}, {s})", "rindex({s}, {s}, {i})",
            "strtoll({s})", "strtoll({s}, {i})", "rand()", "htons({i})", "htonl({i})", "htonll({i})", "ntohs({i})",
            "speculation()", "progenyof({i})", "getmajor({i})", "getminor({i})", "msgsize((mblk_t *){p})",
            "msgdsize((mblk_t *){p})", "mutex_owned((kmutex_t *){p})", "rw_read_held((krwlock_t *){p})", "(long)getf({i})",
        )), depth)  # fmt: skip

    def wrong(self) -> str:
        """Something that no compiler should take, or that should at least do no harm."""
        return self.pick((
            "nowhere", "foo()", "@a", "curthread->nothing", "(struct nothing *)0", "\"a\" + 1", "self->", "1.5", "*1", "&1",
            "sizeof (void)", "offsetof(struct nothing, x)", "strlen()", "strlen(1)", "count()", "1 = 2", "09", "'", "a[1][2]",
            "xlate <struct nothing> (0)", "`nothing", "this->never", "self->never[1, \"a\"]", "trace", "args[0]", "-\"x\"",
        ))  # fmt: skip

    def variable(self) -> str:
        """Something that a number may be assigned to."""
        known = self.integers[-14:]
        made = self.pick((
            f"v{self.random.randrange(6)}", f"self->t{self.random.randrange(4)}", f"this->l{self.random.randrange(4)}",
            f"a{self.random.randrange(3)}[{self.pick(EXTREME)}]", f"self->m[{self.pick(BUILT_IN)}]", f"n[{self.pick(TEXTS)}, 1]",
        ))  # fmt: skip
        return self.pick([*known, made]) if known and not self.chance(4) else made

    def fill(self, form: str, depth: int) -> str:
        """Replace what stands in braces by expressions that are one level less deep."""
        parts: dict[str, Callable[[], str]] = {
            "{i}": lambda: self.integer(depth - 1), "{s}": lambda: self.text(depth - 1), "{p}": lambda: self.pointer(depth - 1),
            "{n}": self.variable, "{u}": lambda: self.pick(("-", "~", "!", "+")), "{f}": lambda: self.call(depth - 1),
            "{w}": self.wrong,
        }  # fmt: skip
        out, at = [], 0
        while at < len(form):
            made = parts.get(form[at : at + 3])
            out.append(made() if made else form[at])
            at += 3 if made else 1
        return "".join(out)

    # -- statements

    def printf(self, depth: int) -> str:
        """A printf() whose arguments mostly fit."""
        pieces, given = [], []
        for _ in range(self.random.randrange(5)):
            if self.chance(2):
                pieces.append(self.pick(FORMATS))
                given.append(f"(int64_t)({self.integer(depth)})" if pieces[-1] == "%Y" else self.integer(depth))
            else:
                pieces.append(self.pick(STRING_FORMATS))
                given.append(self.text(depth))
        if self.slips and self.chance(6):
            given.append(self.integer(1))
        tail = "".join(f", {one}" for one in given)
        return f'printf("{" ".join(pieces)}\\n"{tail})'

    def aggregate(self, depth: int) -> str:
        """A statement that aggregates, under no, one or two keys; each name keeps to its function and its keys."""
        name = self.pick([*self.aggregations, f"@g{self.random.randrange(5)}", "@"])
        if name not in self.aggregations:
            kinds = ("", "", "[{i}]", "[{s}]", "[{i}, {s}]", "[stack()]", "[execname, pid]", "[ustack(2)]", "[sym({i})]", "[{p}]")
            self.aggregations[name] = (self.pick(kinds), self.pick(AGGREGATING))
        keys, function = self.aggregations[name]
        if self.slips and self.chance(9):
            function = self.pick(AGGREGATING)
        return self.fill(f"{name}{keys} = {function}", depth)

    def on_aggregation(self) -> str:
        """An action on an aggregation."""
        if not self.aggregations:
            return "trace(pid)"
        name = "@none" if self.slips and self.chance(9) else self.pick(list(self.aggregations))
        return self.pick((
            f"printa({name})", f'printa("%@d\\n", {name})', f"clear({name})", f"trunc({name})",
            f"trunc({name}, {self.pick(EXTREME)})", f"normalize({name}, {self.pick(EXTREME)})", f"denormalize({name})",
            f"printa({name}, {name})",
        ))  # fmt: skip

    def speculating(self) -> str:
        """A statement of a speculation."""
        return self.pick((
            "self->spec = speculation()", "self->spec = speculation()", "discard(self->spec)", "discard(-1)",
            *(("speculate(1)", "commit(0)", "commit(self->spec)", "speculate(speculation())") if self.slips else ()),
        ))  # fmt: skip

    def statement(self, depth: int) -> str:
        """A statement of a clause, without its semicolon."""
        form = self.random.choices(
            (
                "assign", "aggregate", "printf", "trace({i})", "trace({s})", "print", "aggaction", "spec", "tracemem({p}, 16)",
                "tracemem({p}, 16, {i})", "stack()", "stack(5)", "ustack()", "ustack(2, 20)", "jstack()", "exit({i})",
                "bcopy((void *){p}, alloca(8), 8)", "copyinto({p}, 8, alloca(8))", "destructive", "sym({p})", "ufunc({p})", "{i}", "{s}",
                "slip", "strtok", "setopt(\"quiet\", {s})", "mod({p})", "text",
            ),
            (40, 20, 14, 8, 6, 3, 8, 6, 2, 2, 2, 1, 1, 1, 1, 1, 3, 2, 2, 1, 1, 3, 2, 1, 1, 1, 1, 10),
        )[0]
        if form == "assign":
            name = self.variable()
            made = f"{name} {self.pick(ASSIGNING)} {self.integer(depth)}"
            self.integers.append(name)
            return made
        if form == "text":
            name = self.pick(("self->s0", "this->s1", "s2", "s3[{i}]", "self->s4[{s}]"))
            name = self.fill(name, 1)
            made = f"{name} = {self.text(depth)}"
            self.strings.append(name)
            return made
        made = {
            "slip": lambda: "printf({s})" if self.slips else "trace({s})",
            "aggregate": lambda: self.aggregate(depth), "printf": lambda: self.printf(depth),
            "aggaction": self.on_aggregation, "spec": self.speculating,
            "print": lambda: self.pick(("print(*curpsinfo)", "print(*(struct s0 *)alloca(64))", "print(pid)", "print(`kmem_flags)")),
            "strtok": lambda: 'this->k = strtok("a,b,,c", ","); this->k = strtok(NULL, ",")',
            "destructive": lambda: self.pick((
                "raise(9)", "stop()", "panic()", "breakpoint()", "chill({i})", 'system("true")', 'freopen("x")', "ftruncate()",
                "copyout({p}, {p}, 8)", "copyoutstr({s}, {p}, 8)",
            )),
        }.get(form, lambda: form)()  # fmt: skip
        return self.fill(made, depth) if "{" in made else made

    def block(self, depth: int) -> str:
        """The body of a clause."""
        if self.chance(8):
            return self.pick(("\tcommit(self->spec);", "\tcommit(self->spec);", "\tdiscard(self->spec);", "\tcommit(2);"))
        if self.chance(8):
            recorded = [self.printf(depth) if self.chance(2) else f"trace({self.text(depth)})" for _ in range(3)]
            return "\n".join(f"\t{one};" for one in ("speculate(self->spec)", *recorded))
        lines = []
        for _ in range(self.random.choice((0, 1, 2, 3, 5, 8))):
            if self.chance(12):
                other = f" else {{ {self.statement(depth)}; }}" if self.chance(2) else ""
                lines.append(f"\tif ({self.integer(depth)}) {{ {self.statement(depth)}; }}{other}")
            else:
                lines.append(f"\t{self.statement(depth)};")
        return "\n".join(lines)

    # -- declarations and the whole

    def declarations(self) -> list[str]:
        """Types, variables, inlines and translators at the head of a program."""
        members = "; ".join(f"{self.pick(INTEGERS)} m{n}" for n in range(self.random.randrange(1, 5)))
        bits = "; ".join(f"{self.pick(('int', 'unsigned int', 'char', 'uint64_t'))} b{n} : {self.random.randrange(1, 8)}" for n in range(3))
        made = [f"struct s0 {{ {members}; char name[8]; {bits}; }};", "struct out { int first; string second; };"]
        choices = (
            f"union u0 {{ {members}; }};", "struct s0 whole;", "enum colour { RED, GREEN = 7, BLUE };",
            f"typedef {self.pick(INTEGERS)} number_t;\nnumber_t counted;", f"{self.pick(INTEGERS)} v0;",
            f"self {self.pick(INTEGERS)} t0;", f"this {self.pick(INTEGERS)} l0;", "string s2;", f"int a0[{self.pick(INTEGERS)}];",
            "self int m[int];", "string s3[int];", "this string s1;", f"inline int ten = {self.pick(EXTREME)};",
            f"inline {self.pick(INTEGERS)} twice[int x] = x + x;", "int v6[8];", "char letters[16];", "uint64_t *somewhere;",
            "translator struct out < struct s0 *p > { first = p->m0; second = stringof(p->name); };", "struct s0 *structures;",
        )  # fmt: skip
        return made + [one for one in choices if self.chance(5)]

    def opening(self) -> str:
        """A clause that gives every variable a value, and so a type."""
        self.integers = [f"v{n}" for n in range(6)] + ["self->t0", "self->t1", "this->l0", "this->l1", "a0[1]", "n[execname, 1]"]
        self.strings = ["s2", "self->s0", "this->s1"]
        lines = [f"\t{name} = {self.pick(EXTREME)};" for name in [*self.integers, "a1[1]", "a2[1]", "self->m[1]", "self->spec"]]
        lines += [f"\t{name} = {self.literal()};" for name in [*self.strings, "s3[1]", 'self->s4["a"]']]
        lines += [f"\t{name} = 0;" for name in ("this->l2", "this->l3", "self->t2", "self->t3")]
        self.random.shuffle(lines)
        return "BEGIN\n{\n" + "\n".join(lines) + "\n}"

    def program(self, size: int = 6) -> str:
        """A program of up to `size` clauses. It ends by itself, at the latest after 20 ms of the traced system's time."""
        self.integers, self.strings, self.aggregations = [], [], {}
        lines = [f"#pragma D option {self.pick(OPTIONS)}" for _ in range(self.random.choice((0, 0, 1, 2, 4)))]
        lines += self.declarations()
        lines.append(self.opening())
        depth = self.random.choice((1, 2, 3, 3, 4))
        self.slips = self.random.choice((0, 0, 2))
        for _ in range(self.random.randrange(1, size + 1)):
            predicate = f"\n/{self.integer(min(depth, 2))}/" if self.chance(3) else ""
            lines.append(f"{self.pick(PROBES)}{predicate}\n{{\n{self.block(depth)}\n}}")
        if self.chance(25):
            lines.append(self.excess())
        lines.append("tick-20ms { exit(0); }")
        return "\n".join(lines) + "\n"

    def excess(self) -> str:
        """Far too much of one thing."""
        count = self.random.choice((60, 300, 3000))
        return self.random.choice((
            lambda: f"BEGIN {{ v9 = {'(' * count}1{')' * count}; }}",
            lambda: f"BEGIN {{ v9 = {'1 + ' * count}1; }}",
            lambda: f"BEGIN {{ v9 = {'-' * 1}{'~' * count}1; }}",
            lambda: f"BEGIN {{ v9 = {'1 ? 2 : ' * count}3; }}",
            lambda: f"BEGIN {{ v9 = {'1 + (' * count}1{')' * count}; }}",
            lambda: f"BEGIN {{ s9 = {'strjoin(' * count}\"a\"{', execname)' * count}; }}",
            lambda: "".join(f"BEGIN {{ many{n} = {n}; }}\n" for n in range(count)),
            lambda: "BEGIN { " + "".join(f"x[{n}] = {n}; " for n in range(count)) + "}",
            lambda: "BEGIN { " + "".join(f"@x[{n}] = quantize({n}); " for n in range(count)) + "}",
            lambda: f"BEGIN {{ printf(\"{'%d' * count}\"{', 1' * count}); }}",
            lambda: f"BEGIN {{ trace(\"{'x' * count * 10}\"); }}",
            lambda: "struct deep { int a; };\n" + "".join(f"typedef int t{n};\n" for n in range(count)),
            lambda: f"BEGIN {'{ if (1) ' * count}{{ trace(1); }}{' }' * count}",
            lambda: f"/{'*' * count}/",
            lambda: f"int {'*' * count}p; BEGIN {{ trace({'*' * count}p); }}",
            lambda: f"int q{'[2]' * min(count, 60)};",
        ))()  # fmt: skip
