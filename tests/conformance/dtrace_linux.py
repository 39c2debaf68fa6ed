"""The programs of Debian's `dtrace-tests`: Linux' DTrace 2.0 keeps a descendant of illumos' suite, and CI can have it.

What a program must do is again in its name (see `dtrace_programs`); what it prints, errors too, stands in a `.r` file,
with pointers made alike and, unless the program says `@@nosort`, in any order. Here only programs in D are run, not
those of a shell or in C, and of those in D the ones that ask for nothing of Linux: :data:`FOLDERS` and :data:`WORDS`
say which do. Where Linux' D differs from illumos' on purpose or by its implementation, :data:`DIFFERENT` names the
program and the difference; illumos is the authority.

    python tests/conformance/dtrace_linux.py [--folder aggs …] [--only NAME] [-v]
"""

import argparse
import re
import shlex
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dtrace_run import CRASHED, HANGS, Done, run
from dtrace_suite import Verdict, difference, report

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {
    "codegen": "the code that Linux' compiler makes for BPF",
    "cpc": "hardware performance counters (cpc provider)",
    "disasm": "the code that Linux' compiler makes for BPF",
    "fbtprovider": "functions of Linux' kernel",
    "io": "the io provider of Linux",
    "ip": "a live network",
    "lockstat": "lockstat provider: locks of a live kernel",
    "mib": "the mib provider",
    "noresolve": "Linux' symbols",
    "pcap": "packets for tshark",
    "pid": "the pid provider: a real user process",
    "proc": "the proc provider of Linux",
    "sched": "the sched provider of Linux",
    "sdt": "static points of Linux' kernel",
    "tcp": "a live network",
    "udp": "a live network",
    "usdt": "user-land static probes: a process built from C",
}
WORDS = (
    (r"\bpid\$(target|[0-9])", "the pid provider: a real user process"),
    (r"\brawtp:|\bperf:|\bcpc:", "a provider of Linux"),
    (r"\blockstat:", "lockstat provider: locks of a live kernel"),
    (r"\bfbt:", "functions of Linux' kernel"),
    (r"`(linux_banner|jiffies|max_pfn|init_task|vmlinux|ext4|nfs|isofs|_|[a-z]+`)", "Linux' symbols"),
    (r"struct (task_struct|file|bio|page|sk_buff)\b|curthread->", "types of Linux' kernel"),
)
LINUX = "an extension or a limit of Linux' D"
EXTENSIONS = (
    (r"(?m)^[^\"\n]*//", LINUX + ": comments after //"),
    (r"\b(scratchsize|maxframes|printsize|modpath|lockmem|nspec=)\b(?<!nspec=)", LINUX + ": an option"),
    (r"\breturn ?\(|\blink_ntop\b|in6_u\b|inet_ntoa6\([^)]*,", LINUX + ": a function or its arguments"),
    (r"\brawfbt\b|\bvmlinux\b|\b__u8\b", "a provider or type of Linux"),
    (r"#\s*include\s*<", "Linux' headers"),
)
RENAMED = (
    ("D_LLQUANT_", ("D_LLQUANT_",)),
    ("D_PROTO_", ("D_CLEAR_", "D_NORMALIZE_", "D_TRUNC_", "D_STACK_", "D_USTACK_", "D_TRACEMEM_", "D_PRINTF_ARG_FMT")),
)
"""Tags that Linux' D has given other names; illumos' stand behind them. The message is not compared then."""
WIDTHS = LINUX + ": a column of trace() is as wide as its type's longest number; illumos' are in dt_consume.c"
SIGNS = LINUX + ": trace() prints the sign of the type; illumos has 8 and 16 bits unsigned, the others signed"
AGGREGATES = LINUX + ": trace() of a structure or an empty string; illumos looks at the size of what was recorded"
WORDING = LINUX + ": other words, or another name of a type, for the same error"
ERRORS = LINUX + ": an error, or a tag, where illumos has none or another"
SYNTAX = LINUX + ": syntax that illumos' grammar or lexer has not, or another line for a broken one"
NAMES = LINUX + ": a variable, type or argument of a function that illumos has not"
EPIDS = LINUX + ": arg1 of ERROR, where enabled probes have other numbers"
COMMITS = LINUX + ": several commit() in one clause, which illumos refuses"
FAULTS = LINUX + ": another fault for the same access"
SMALLEST = LINUX + ": a least size of a buffer or string; illumos takes it, and drops what does not fit"
OPTIONS = LINUX + ": what an option may be, or the words about it"
PREPROCESSOR = "words of the preprocessor, which is cpp there and our own here"
HEADERS = "header files (-h), which are left out here"
LLQUANTIZE = LINUX + ": llquantize() has rows below its lowest magnitude, and takes a factor above the steps"
QUANTIZE = LINUX + ": rows of quantize() next to the greatest"
CONSTANTS = LINUX + ": which of lquantize()'s arguments is judged first"
PROMOTION = LINUX + ": values are cut and extended at each step; illumos keeps 64 bits as they were stored"
KEYS = LINUX + ": keys keep the type of their first use, and its sign"
REMAINDER = LINUX + ": the sign of a remainder; illumos' is that of C"
TYPES = "members and structures of Linux' kernel"
SYSTEM = "calls and commands of a live Linux"
FUNCTIONS = "functions of the kernel are probes, too, and illumos has one that is called write"
BEGIN = LINUX + ": what arg0, cwd and root are in BEGIN"
UNASSIGNED = LINUX + ": a string that nobody assigned is NULL and faults; illumos has an empty one"
CHUNKS = LINUX + ": how many variables fit in dynvarsize; and 0 deletes a structure, which illumos does not compile"
SHORT = LINUX + ": strings are cut at strsize with a NUL; illumos faults, or keeps the last byte"
PATHS = LINUX + ": cleanpath() takes off a slash or dot at the end; illumos does not"
DEVICES = LINUX + ": how a device number is divided; illumos has 32 bits for each half"
EMPTY = LINUX + ": substr() beyond the end; illumos gives an empty string, which trace() dumps"
SCRATCH = LINUX + ": alloca() and bcopy() are held to their own block; illumos looks at the scratch space as a whole"
SIZES = LINUX + ": a size that is too great is an invalid size; illumos has no such fault, and names the address"
ALIGNMENT = LINUX + ": an unaligned load faults; amd64 allows it"
DIFFERENT: dict[str, str] = {
    "actions/exit/tst.probe-begin-exit.d": FUNCTIONS,
    "actions/exit/tst.probe-end-exit.d": FUNCTIONS,
    "actions/exit/tst.probe-exit.d": FUNCTIONS,
    "actions/default/tst.default.d": WIDTHS,
    "actions/trace/tst.int32_t.d": WIDTHS,
    "actions/trace/tst.int64_t.d": WIDTHS,
    "arrays/tst.declared-bounds.d": WIDTHS,
    "variables/lvar/tst.post_inc_lvar.d": WIDTHS,
    "variables/lvar/tst.pre_inc_lvar.d": WIDTHS,
    "variables/lvar/tst.struct.d": WIDTHS,
    "variables/tvar/tst.post_inc_lvar.d": WIDTHS,
    "variables/tvar/tst.pre_inc_lvar.d": WIDTHS,
    "actions/trace/tst.int16_t-quiet.d": SIGNS,
    "actions/trace/tst.int16_t.d": SIGNS,
    "actions/trace/tst.int8_t-quiet.d": SIGNS,
    "actions/trace/tst.int8_t.d": SIGNS,
    "actions/trace/tst.uint32_t-quiet.d": SIGNS,
    "actions/trace/tst.uint32_t.d": SIGNS,
    "actions/trace/tst.uint64_t-quiet.d": SIGNS,
    "actions/trace/tst.uint64_t.d": SIGNS,
    "actions/trace/tst.str-empty.d": AGGREGATES,
    "actions/trace/tst.struct-1-byte.d": AGGREGATES,
    "actions/trace/tst.union.d": AGGREGATES,
    "actions/printf/err.D_PROTO_LEN.d": WORDING,
    "actions/printf/err.D_SYNTAX.double_width.d": WORDING,
    "actions/setopt/err.D_PROTO_ARG.d": WORDING,
    "actions/setopt/err.D_PROTO_LEN.too_many_args.d": WORDING,
    "assocs/err.tupoflow.d": WORDING,
    "funcs/err.D_PROTO_ARG.mtabadarg.d": WORDING,
    "funcs/strtok/err.D_PROTO_ARG.strtokbaddel.d": WORDING,
    "funcs/strtok/err.D_PROTO_ARG.strtokbadstr.d": WORDING,
    "funcs/substr/err.D_PROTO_ARG.substr_non_string_arg1.d": WORDING,
    "funcs/substr/err.D_PROTO_LEN.substr_too_many_args.d": WORDING,
    "options/err.pspec-default.d": WORDING,
    "printa/err.D_PRINTF_ARG_TYPE.stack.d": WORDING,
    "printa/err.D_PRINTF_ARG_TYPE.ustack.d": WORDING,
    "printf/err.D_PROTO_LEN.toofew.d": WORDING,
    "stack/err.D_STACK_SIZE.neg.d": WORDING,
    "stack/err.D_STACK_SIZE.zero.d": WORDING,
    "tracemem/err.D_PROTO_LEN.toofew.d": WORDING,
    "tracemem/err.D_TRACEMEM_ADDR.badaddr.d": WORDING,
    "actions/trace/err.D_TRACE_DYN.d": ERRORS,
    "funcs/copyinto/err.D_PROTO_ARG.non_alloca_arg3.d": ERRORS,
    "funcs/err.badalloca2.d": ERRORS,
    "offsetof/err.D_SYNTAX.badmemb.d": ERRORS,
    "options/err.no-w-or-destructive2.d": ERRORS,
    "print/err.D_PRINT_SIZE.zero.d": ERRORS,
    "print/err.D_PROTO_ARG.arg.d": ERRORS,
    "actions/return/err.wrong-1.d": SYNTAX,
    "actions/return/err.wrong-2.d": SYNTAX,
    "enum/tst.EnumTrailingComma.d": SYNTAX,
    "lexer/err.D_CHR_NL.char.d": SYNTAX,
    "lexer/err.D_STR_NL.string.d": SYNTAX,
    "lexer/tst.keyword-member.d": SYNTAX,
    "typedef/err.D_SYNTAX.BadExistingTypedef.d": SYNTAX,
    "actions/printf/tst.conv_d_unsigned.d": NAMES,
    "funcs/inet_ntoa6/err.D_PROTO_ARG.inet_ntoa6.arg2_not_const.d": NAMES,
    "funcs/inet_ntoa6/err.D_PROTO_ARG.inet_ntoa6.arg2_not_int.d": NAMES,
    "funcs/inet_ntoa6/tst.inet_ntoa6.strict-0.d": NAMES,
    "funcs/inet_ntoa6/tst.inet_ntoa6.strict-1.d": NAMES,
    "funcs/inet_ntoa6/tst.inet_ntoa6.strict-not-0.d": NAMES,
    "variables/bvar/tst.curcpu.d": NAMES,
    "variables/bvar/tst.execargs.d": NAMES,
    "error/tst.DTRACEFLT_BADADDR.d": EPIDS,
    "error/tst.DTRACEFLT_BADADDR2.d": EPIDS,
    "error/tst.DTRACEFLT_DIVZERO.div.d": EPIDS,
    "error/tst.DTRACEFLT_DIVZERO.mod.d": EPIDS,
    "error/tst.DTRACEFLT_UNKNOWN.d": EPIDS,
    "speculation/tst.CommitCommitCommit.d": COMMITS,
    "speculation/tst.CommitDiscard4x.d": COMMITS,
    "arrays/tst.declared-bounds.runtime_out.d": FAULTS,
    "aggs/err.aggsize-too-small.d": SMALLEST,
    "assocs/err.dynvarsize-too-small.d": SMALLEST,
    "options/err.b-too-low.d": SMALLEST,
    "options/err.bufsize-too-low.d": SMALLEST,
    "options/err.strsize-min.d": SMALLEST,
    "options/err.iregs.d": OPTIONS,
    "options/err.version-pragma.d": OPTIONS,
    "options/err.version.d": OPTIONS,
    "preprocessor/err.ifdefelsenotendif.d": PREPROCESSOR,
    "preprocessor/err.ifdefnotendif.d": PREPROCESSOR,
    "misc/err.bad-prov-2.d": HEADERS,
    "misc/err.bad-prov.d": HEADERS,
    "aggs/tst.llquantize_basic.d": LLQUANTIZE,
    "aggs/tst.llquantize_sort.d": LLQUANTIZE,
    "aggs/tst.llquantnormal.d": LLQUANTIZE,
    "aggs/tst.llquantround.d": LLQUANTIZE,
    "aggs/tst.llquantsortsum.d": LLQUANTIZE,
    "aggs/tst.llquantsortzero.d": LLQUANTIZE,
    "printa/tst.basics.d": LLQUANTIZE,
    "aggs/tst.quantlast.d": QUANTIZE,
    "aggs/err.D_LQUANT_MISMATCH.lqbadarg2.d": CONSTANTS,
    "arithmetic/tst.basics.d": PROMOTION,
    "arithmetic/tst.cast-add-assoc.d": PROMOTION,
    "arithmetic/tst.cast-add-tvar.d": PROMOTION,
    "arithmetic/tst.cast-exp-assoc.d": PROMOTION,
    "arithmetic/tst.cast-exp-tvar.d": PROMOTION,
    "arithmetic/tst.cast-imp-assoc.d": PROMOTION,
    "arithmetic/tst.cast-imp-tvar.d": PROMOTION,
    "aggs/tst.signedkeys.d": KEYS,
    "aggs/tst.typecast-key.d": KEYS,
    "arithmetic/tst.moddiv.d": REMAINDER,
    "arrays/tst.ctf-bounds.d": TYPES,
    "arrays/tst.ctf-bounds.oob-cast.d": TYPES,
    "builtinvar/tst.lwpsinfo.d": TYPES,
    "builtinvar/tst.lwpsinfo1.d": TYPES,
    "builtinvar/tst.psinfo-bug22561297.d": TYPES,
    "builtinvar/tst.psinfo.d": TYPES,
    "builtinvar/tst.psinfo1.d": TYPES,
    "types/tst.complex.d": TYPES,
    "arrays/tst.uregsarray.d": SYSTEM,
    "builtinvar/tst.errno2.d": SYSTEM,
    "funcs/copyin/tst.copyin-retval-ok.d": SYSTEM,
    "funcs/tst.inet_ntoa_alloca.d": SYSTEM,
    "funcs/tst.inet_ntoa_copyin.d": SYSTEM,
    "regression/tst.sigaltstack.d": SYSTEM,
    "variables/bvar/tst.args-match-argN.d": SYSTEM,
    "variables/bvar/tst.arg0.d": BEGIN,
    "variables/inline/tst.procfs-cwd.d": BEGIN,
    "variables/inline/tst.procfs-root.d": BEGIN,
    "assocs/tst.init-str.d": UNASSIGNED,
    "operators/tst.str_comparison-basic-with-NULL.d": UNASSIGNED,
    "assocs/tst.store_zero_deletes.d": CHUNKS,
    "assocs/tst.store_zero_deletes_struct.d": CHUNKS,
    "assocs/tst.store_zero_deletes_union.d": CHUNKS,
    "variables/tvar/tst.store_zero_deletes.d": CHUNKS,
    "variables/tvar/tst.store_zero_deletes_struct.d": CHUNKS,
    "variables/tvar/tst.store_zero_deletes_union.d": CHUNKS,
    "funcs/strjoin/tst.strjoin-bordercases.d": SHORT,
    "funcs/strjoin/tst.strjoin-capped-size-2.d": SHORT,
    "funcs/strjoin/tst.strjoin-capped-size-3.d": SHORT,
    "funcs/strjoin/tst.strjoin-capped-size.d": SHORT,
    "funcs/strlen/tst.capped-size.d": SHORT,
    "funcs/tst.lltostr-short.d": SHORT,
    "funcs/tst.cleanpath.d": PATHS,
    "funcs/tst.getmajor.d": DEVICES,
    "funcs/tst.getminor.d": DEVICES,
    "funcs/substr/tst.substr-large-idx.d": EMPTY,
    "funcs/alloca/err.alloca-crossing-clauses.d": SCRATCH,
    "funcs/alloca/err.alloca-load-beyond-top.d": SCRATCH,
    "funcs/alloca/err.alloca-store-beyond-top.d": SCRATCH,
    "funcs/alloca/tst.alloca-funcs.d": SCRATCH,
    "funcs/bcopy/err.badbcopy7.d": SCRATCH,
    "funcs/bcopy/err.bcopy-into-string.d": SCRATCH,
    "pointers/err.AllocaOverrun.d": SCRATCH,
    "funcs/alloca/err.alloca-bcopy-crossing-top.d": SIZES,
    "funcs/bcopy/err.badbcopy6.d": SIZES,
    "pointers/err.InvalidAddress5.d": ALIGNMENT,
}
"""What Linux does there that illumos does not: each looked at by itself, beside libdtrace and dtrace.c of illumos."""


@dataclass(frozen=True)
class Program:
    """One D program of Debian's package."""

    path: Path

    @property
    def name(self) -> str:
        """Its place below `unittest`."""
        return "/".join(self.path.parts[self.path.parts.index("unittest") + 1 :])

    @property
    def folder(self) -> str:
        """The folder below `unittest` (the first, where they nest)."""
        return self.path.parts[self.path.parts.index("unittest") + 1]

    @property
    def kind(self) -> str:
        return self.path.name.split(".")[0]

    @property
    def tag(self) -> str:
        found = re.match(r"(?:err\.(D_\w+)|drp\.(\w+))\.", self.path.name)
        return (found[1] or found[2]) if found else ""

    @cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8", errors="replace")

    @cached_property
    def code(self) -> str:
        return re.sub(r"/\*.*?\*/", " ", self.text, flags=re.S)

    def option(self, name: str) -> str | None:
        """The option `@@name` of the program, else of the `test.options` of its folders; None without it."""
        for text in (self.text, *(self._options(folder) for folder in self.path.parents[:4])):
            found = re.search(rf"@@{name}(?![\w-])[ \t]*:?[ \t]*(.*?)[ \t]*(?:\*/|$)", text, re.M)
            if found:
                return found[1]
        return None

    @staticmethod
    def _options(folder: Path) -> str:
        path = folder / "test.options"
        return path.read_text("utf-8") if path.is_file() else ""

    def expected(self) -> bytes | None:
        path = self.path.with_suffix(".r")
        return path.read_bytes() if path.is_file() else None


def programs(folder: Path) -> list[Program]:
    """The programs in D below the peer's folder."""
    unit = next(folder.glob("**/testsuite/test/unittest"))
    found = [path for path in unit.glob("**/*.d") if re.match(r"(tst|err|drp)\.", path.name)]
    return [Program(path) for path in sorted(found)]


def excluded(program: Program) -> str:
    """Why a program does not apply here; nothing when it does."""
    if program.folder in FOLDERS:
        return FOLDERS[program.folder]
    base = program.path.with_suffix("")
    if program.option("skip") is not None or program.option("xfail") is not None or base.with_name(f"{base.name}.x").exists():
        return "its own suite skips it, or expects that it may fail"
    if (program.option("trigger") or "none") != "none" or base.with_name(f"{base.name}.t").exists():
        return "a real user process"
    if any(base.with_name(base.name + end).exists() for end in (".r.p", ".sh", ".c")):
        return "a program of the shell that judges it"
    for pattern, reason in (*WORDS, *EXTENSIONS):
        if re.search(pattern, program.code):
            return reason
    if program.tag in ("D_ARR_BOUNDS", "D_ALLOCA_INCOMPAT", "D_ALLOCA_SIZE"):
        return LINUX + ": an error that illumos has not"
    return DIFFERENT.get(program.name, "")


def command(program: Program) -> tuple[list[str], Path]:
    """Options and current folder of its run."""
    where = program.path.parents[len(program.path.parts) - 1 - program.path.parts.index("testsuite") - 1]
    name = str(program.path.relative_to(where))
    tags = {"err": ["-xerrtags"], "drp": ["-xdroptags"]}.get(program.kind, []) if program.tag else []
    first = program.text.split("\n", 1)[0]
    if first.startswith("#!dtrace"):
        return [*shlex.split(first)[1:], name, *tags], where
    return [*tags, "-s", name, *shlex.split(program.option("runtest-opts") or "")], where


def alike(text: bytes, ordered: bool) -> bytes:
    """Output in the form in which it is compared."""
    text = re.sub(rb"0x[0-9a-f]+", b"{ptr}", text)
    text = re.sub(rb"at (BPF pc|DIF offset) (\d+|NNN)", b"at NNN", text)
    text = re.sub(rb"(?m)^(CPU +ID)? +FUNCTION:NAME$|^ *(?:\d+ +\d+)? +(?=[\w-]*:[\w-]+ )", rb"", text)
    text = re.sub(rb"error (?:in \w+ for probe ID|on enabled probe ID \d+ \(ID) (\d+)(?:: | \()([^)]*)\)", rb"error at \1 (\2)", text)
    text = re.sub(rb"(?m)^(dtrace: error at .*?) ?(?:in action #\d+|in predicate)?(?: ?at NNN)?$", rb"\1", text)
    return text if ordered else b"\n".join(sorted(text.split(b"\n")))


def judge(program: Program, done: Done) -> str:
    """Why a run is not what the program wants; nothing when it is."""
    first = (done.err.decode("utf-8", "replace").strip().splitlines() or [""])[0]
    if done.status in (CRASHED, HANGS):
        last = done.err.decode("utf-8", "replace").strip().splitlines()[-1:]
        return "does not end in time" if done.status == HANGS else f"crashes: {last}"
    if done.status != (program.kind == "err"):
        return f"status {done.status}: {first[:150]}"
    if program.tag and f"[{program.tag}]".encode() not in done.err:
        ours = next((names for begin, names in RENAMED if program.tag.startswith(begin)), ())
        return "" if any(f"[{name}" in first for name in ours) else f"no [{program.tag}]: {first[:150]}"
    wanted = program.expected()
    if wanted is not None:
        printed = done.out + (b"-- @@stderr --\n" + done.err if done.err else b"")
        ordered = program.option("nosort") is not None
        ours, theirs = alike(printed, ordered), alike(wanted, ordered)
        if ours != theirs:
            return f"output differs: {difference(theirs, ours)}"
    return ""


def verdict(program: Program) -> Verdict:
    """Run a program, when it applies, and judge it."""
    reason = excluded(program)
    options, where = command(program)
    if reason:
        return Verdict(program, "n/a", reason)
    wrong = judge(program, run(options, where))
    return Verdict(program, "FAIL" if wrong else "pass", wrong)


def run_suite(folder: Path, folders: list[str] | None = None, only: str = "", verbose: bool = False, every: int = 1) -> list[Verdict]:
    """Run Debian's programs, or those of some folders, or those whose name has `only` in it; of all those one in `every`."""
    verdicts = []
    for program in programs(folder)[::every]:
        if (not folders or program.folder in folders) and only in program.name:
            verdicts.append(verdict(program))
            if verbose:
                print(f"{verdicts[-1].result:4}  {program.name}  {verdicts[-1].reason}", flush=True)
    return verdicts


def main() -> int:
    sys.path.insert(0, str(ROOT))
    from tools.peers import PeerMissing, peer

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", action="extend", nargs="+", help="only these folders")
    parser.add_argument("--only", default="", help="only programs whose folder/name has this in it")
    parser.add_argument("-v", "--verbose", action="store_true", help="print every program as it ends")
    chosen = parser.parse_args()
    try:
        verdicts = run_suite(peer("dtrace").folder, chosen.folder, chosen.only, chosen.verbose)
    except PeerMissing as missing:
        print(f"dtrace_linux: {missing}", file=sys.stderr)
        return 2
    return report(verdicts)


if __name__ == "__main__":
    sys.exit(main())
