"""The ledger of this model: what it does as DTrace does, what it leaves out, and which test holds it to that.

"The suite" is the DTrace test suite of illumos, `usr/src/cmd/dtrace/test/tst/common`. "The Linux tool" is the compiler of
dtrace 2.0 as Debian has it, and its suite, which descends from the same one.
"""

from smartos.fidelity import Entry

SUITE = "tests/conformance/test_dtrace_suite.py"
MESSAGES = "tests/conformance/test_dtrace_messages.py"
JIT = "tests/conformance/test_dtrace_jit_suite.py"

ENTRIES: list[Entry] = [
    Entry(
        "D, the text",
        "The whole grammar of D 1.14: descriptions with globs, clauses, declarations, inlines, translators, providers, "
        "pragmas, macro arguments, if and else; the first error is the one that libdtrace would give, with its tag, words "
        "and line. A preprocessor of our own for -C, so that it works in the page.",
        "Expressions more than 200 nodes deep, which are refused. The preprocessor has all of C's macros, but `__DATE__` and "
        "`__TIME__`; it warns of nothing, and there are no headers: there are none on this system.",
        "libdtrace, dt_lex.l, dt_grammar.y, dt_decl.c, dt_pragma.c",
        SUITE,
    ),
    Entry(
        "D, the types",
        "C's types for a 64-bit little-endian machine, bit-fields, structs laid out as libctf lays them out; ranking of "
        "operands, folding of constants, prototypes, keys of arrays, stability attributes.",
        "Types of a user's process, dynamic translators, floating-point arithmetic (which D has not either).",
        "libdtrace, dt_parser.c, dt_ident.c, dt_xlator.c, dt_attr.c; libctf",
        MESSAGES,
    ),
    Entry(
        "DIF",
        "The real instruction set, version 2, with its encodings; the compiler's choice of instructions and registers; "
        "`dtrace -S`; the kernel's check of every object before it is enabled.",
        "No listing of illumos' own was to be had for a comparison word by word, so the layout follows the source. The "
        "objects' addresses are made up. `dtrace -S` prints nothing after a compile error.",
        "libdtrace, dt_cg.c, dt_as.c, dt_dis.c; uts, dtrace_difo_validate()",
        "tests/unit/test_dtrace_code_listing.py",
    ),
    Entry(
        "The machine",
        "An interpreter of DIF: every instruction and subroutine, the faults with address and offset, scratch space, "
        "dynamic variables with their bound and drops, strings cut at strsize, a user's memory apart from the kernel's.",
        "Rinsing and cleaning of freed dynamic variables: they are free at once. `scmp` reads both strings whole. "
        "Protection bits; more than one user process at a time.",
        "uts, dtrace.c",
        SUITE,
    ),
    Entry(
        "Compiled clauses",
        "After a few firings a probe's clauses become one Python function, made from their DIF; what that does not cover is "
        "interpreted. Held against the interpreter on all objects of the suite, on published scripts, on DIF by chance.",
        "A clause with speculate(), exit() or a destructive action stays with the interpreter.",
        "the interpreter",
        JIT,
    ),
    Entry(
        "The kernel's side",
        "Enabling, clauses in program order, buffers of the three policies in bytes as the real layout has them, drops, "
        "speculations, aggregation buffers, BEGIN, END and ERROR, refusal of destructive actions without -w.",
        "With -w a destructive action is noted and changes nothing. Anonymous tracing, resizing of buffers, several CPUs "
        "at once: they take turns.",
        "uts, dtrace.c",
        "tests/unit/test_dtrace_kernel_buffers.py",
    ),
    Entry(
        "What guards the system",
        "Destructive actions want -w; a load, a store, a division is checked when it happens; every buffer has a bound.",
        "Privileges: whoever runs a program here may ask everything, where the real system wants root or dtrace_user, "
        "dtrace_proc, dtrace_kernel. The dead man's switch, which ends tracing when the system does not answer for ten "
        "seconds. Predicate caches, several states at once.",
        "uts, dtrace.c (dtrace_priv_probe, dtrace_state_deadman)",
        "tests/unit/test_dtrace_fuzz.py",
    ),
    Entry(
        "The text that comes out",
        "Byte for byte: records, printf and printa with all conversions, print(), tracemem(), stacks, quantize, lquantize and "
        "llquantize, several aggregations side by side, sorting, flow indentation, messages of drops and faults.",
        "print() of long double, annotations of jstack(). `%I` and `%P` know few names: there is no name service.",
        "libdtrace, dt_consume.c, dt_printf.c, dt_aggregate.c, dt_print.c, dt_handle.c",
        SUITE,
    ),
    Entry(
        "Time",
        "Virtual, in nanoseconds: tick- and profile- fire at their rates, switchrate, aggrate and statusrate keep theirs. ^C and "
        "SIGTERM end a run in order: END fires, aggregations are printed, at a second ^C they are not.",
        "A run may take 100 seconds of virtual time; one that this ends says so, with the status 124. `-x maxtime` sets the "
        "bound or lifts it, an option of ours. Stop in the page ends Python itself, and with it a run's output. A model under `-c` takes no time of its own, so a duration measured there is that of reading the clock. Only the "
        "node at work, and a guest on /dev/kvm, have durations that mean something.",
        "uts, profile.c; libdtrace, dt_work.c",
        "tests/unit/test_dtrace_kernel_session.py",
    ),
    Entry(
        "Providers",
        "dtrace, profile, io, proc, sched, syscall, sysinfo, vminfo, ip, tcp, udp, fbt and sdt where a model does what the "
        "function does, the 44 names of the KVM port; args[] through translators. vmregs[] has what the KVM model's table of "
        "four reasons gives it, and no structure of a processor.",
        "kvm-xxx and kvm-xxx-sync, the port's two names for what was not ported, but where a lab declares the first. pid (probes in processes), USDT, lockstat, plockstat, cpc, nfs, iscsi, fc, mac, vnd. fbt has the functions of the models, not tens of "
        "thousands. Offsets in kernel structures are C's, not those of a real kernel.",
        "libdtrace, *.d; data of the KVM port",
        "tests/unit/test_dtrace_kernel_system.py",
    ),
    Entry(
        "The node at work",
        "Processes of a small node, in zones, with system calls, scheduling, disk and network, from a seed.",
        "It is invented: rates and latencies are drawn, and nothing is measured from a real node. Preemption, priorities "
        "that change, threads beyond one a process, IPv6, the contents of segments, retransmission. What the processes are for. "
        "The arguments of functions are all 0, and not every function on a path is there; io:::wait-start and wait-done.",
        "the cast of a SmartOS node of 2011",
        "tests/unit/test_dtrace_kernel_system.py",
    ),
    Entry(
        "dtrace(1M)",
        "Its options, macro arguments, messages and exit statuses; -l and -lv; `-c` runs the book's own commands.",
        "-A, -B, -G, -h and -32, the other data model, are refused by name; -p only sets $target. Options for object files "
        "are read and kept, no more.",
        "cmd/dtrace, dtrace.c",
        "tests/unit/test_dtrace_command.py",
    ),
    Entry(
        "The suite, what fails",
        "Every .d program of the suite that needs no live kernel passes: 941 with illumos' headers beside the suite, 938 without. Of the scripts around the command three fail.",
        "dtraceUtil: tst.DataModel32.d.ksh (-32), tst.ELFGenerationOut.d.ksh and tst.ELFGenerationWithO.d.ksh (-G). Not ended "
        "in ten minutes, so neither passed nor failed: misc/tst.dofmax.ksh and misc/tst.enablerace.ksh, which want millions "
        "of firings. Not applicable: 66 programs on pid, lockstat, plockstat, cpc and usdt, live functions of a kernel, C, Java.",
        "the suite at joyent/illumos-joyent 94ab2e1",
        SUITE,
    ),
    Entry(
        "Programs of others",
        "434 scripts of DTraceToolkit and the DTrace book parse; 271 compile, and none is refused whose probes, types and "
        "symbols are here.",
        "161 that want a probe, a symbol, a header or a type that is not here; two are broken as published.",
        "DTraceToolkit; DTrace-book-scripts",
        "tests/conformance/test_dtrace_scripts.py",
    ),
    Entry(
        "Safety",
        "Programs by chance, and real-looking programs with slips, in every test run and ten thousand of them in `make "
        "campaign`: only D errors come out, each ends, stays inside its bounds, leaves the traced memory as it was.",
        "Programs that wait for events of a real kernel.",
        "DTrace's own claim",
        "tests/unit/test_dtrace_fuzz.py",
    ),
]
