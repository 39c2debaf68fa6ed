"""dtrace(1M): D programs over this system, with the real tool's options, messages and exit statuses.

Scripts (`-s`) and one-liners (`-n`, `-P`, `-m`, `-f`, `-i`) are compiled, enabled and run together. Time is virtual: a run
ends with exit(), with the command of `-c`, when nothing is left that could fire, with ^C or SIGTERM, or after a hundred
seconds of virtual time: `-x maxtime=1h` sets another bound, `-x maxtime=0` none. A run that its bound ends says so and
has the status 124.

Left out, and refused by name: anonymous tracing (`-A`; `-a` finds none), object files (`-G`), headers (`-h`), dumps of
output buffers (`-B`), the 32-bit data model (`-32`). Follows cmd/dtrace/dtrace.c.
"""

import errno
import io
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from smartos.commands.device_files import large_enough
from smartos.commands.dtrace import child as dtrace_child
from smartos.commands.dtrace import report as dtrace_report
from smartos.commands.dtrace import script as dtrace_script
from smartos.commands.dtrace.options import USAGE, Request, usage, words
from smartos.commands.system import System
from smartos.dtrace.consumer.zones import time_zone
from smartos.dtrace.errors import DError, OptionError
from smartos.dtrace.options import Options
from smartos.dtrace.parse.macros import decimal
from smartos.dtrace.session import Session
from smartos.output import CommandError, Output

VERSION = "dtrace: Sun D 1.14\n"
_LONG = (1 << 63) - 1
_SPECS = {"P": "provider", "m": "module", "f": "function", "n": "name", "i": "name"}
_MODES = {"A": "anonymous", "G": "link", "h": "header", "l": "list", "V": "version"}
_SETS = {"a": "grabanon", "F": "flowindent", "H": "cpphdrs", "q": "quiet", "w": "destructive"}
_WITH = {"b": "bufsize", "D": "define", "I": "incdir", "L": "libdir", "U": "undef", "X": "stdc"}
_REFUSED = {
    "anonymous": "-A: anonymous tracing needs a kernel that boots, and is left out here",
    "link": "-G: object files are left out here", "header": "-h: header files are left out here",
}  # fmt: skip


class Fatal(Exception):
    """The command ends here, with status 1 and this message."""


class Command:
    """One run of the command."""

    def __init__(self, argv: Sequence[str], system: System) -> None:
        self.system, self.options = system, Options.command()
        self.out, self.err = io.StringIO(), io.StringIO()
        self.requests: list[Request] = []
        self.args: list[str] = []
        self.given: list[tuple[str, str]] = []
        self.mode, self.exec, self.verbose, self.listing = "exec", True, 0, False
        self.output, self.file, self.beside = "", None, ""  # the name of -o, that file, and what its command prints
        self.narrow = False
        self.child: Callable[[], Output] | None = None
        self.target: int | None = None
        self._read(argv)

    # ---- the command line

    def _read(self, argv: Sequence[str]) -> None:
        """What the real tool finds in its first pass: modes, flags, operands."""
        modes = 0
        for letter, argument in words(argv):
            if not letter:
                self.args.append(argument)
                continue
            self.given.append((letter, argument))
            if letter in "36" and argument != {"3": "2", "6": "4"}[letter]:
                raise usage(f"dtrace: illegal option -- {letter}{argument}")
            if letter in _MODES:
                self.mode = _MODES[letter]
                modes += 1
            if letter in "36":
                self.narrow = letter == "3"
            if letter == "e":
                self.exec = False
        if modes > 1:
            raise CommandError("dtrace: only one of the [-AGhlV] options can be specified at a time", 2)

    def _settings(self) -> None:
        """The second pass: options and programs."""
        for letter, argument in self.given:
            if letter in _SPECS:
                self.requests.append(Request(argument, _SPECS[letter]))
            elif letter == "s":
                self.requests.append(Request(argument))
            elif letter in _SETS:
                self._set(_SETS[letter], None, f"-{letter}")
            elif letter in _WITH:
                self._set(_WITH[letter], argument, f"-{letter} {argument}")
            elif letter == "x":
                name, equals, value = argument.partition("=")
                self._set(name, value if equals else None, f"-x {name}")
            elif letter == "C":
                self.options["cpp"] = True
            elif letter == "Z":
                self.options["zdefs"] = True
            elif letter == "S":
                self.listing = True
            elif letter == "v":
                self.verbose += 1
            elif letter == "o":
                self.output = argument
            elif letter == "B":
                raise Fatal("-B: dumps of output buffers are left out here")
        if self.mode == "list":
            self.options["zdefs"] = True

    def _set(self, name: str, value: str | None, shown: str) -> None:
        try:
            self.options.set(name, value)
        except OptionError as error:
            raise Fatal(f"failed to set {shown}: {error}") from None

    def _processes(self) -> None:
        """The third pass: the command of `-c`, the process of `-p`."""
        for letter, argument in self.given:
            if letter == "c":
                try:
                    now, env = (lambda: self.session.kernel.clock.wall), dtrace_child.environment(self.options)
                    _, self.child = dtrace_child.child(argument, self.system, now, env)
                except dtrace_child.Missing as missing:
                    raise Fatal(f"failed to execute {missing}: No such file or directory") from None
                self.target = dtrace_child.TARGET
            elif letter == "p":
                self.target = self._grab(argument)

    @staticmethod
    def _grab(argument: str) -> int:
        from smartos.idle_node.cast import CAST

        found = re.fullmatch(r"\s*([+-]?)([0-9]+)", argument)  # as strtol(3C) reads it
        pid = decimal(found[2], _LONG) if found else _LONG + 1
        if found is None or pid > _LONG:
            raise Fatal(f"invalid pid: {argument}")
        pid = -pid if found[1] == "-" else pid
        if pid not in {row[0] for row in CAST}:
            raise Fatal(f"failed to grab pid {pid}: no such process")
        return pid

    # ---- the run

    def main(self) -> Output:
        """All of it."""
        if self.mode == "version":
            return Output(VERSION)
        try:
            self._settings()
            if self.narrow:
                raise Fatal("-32: there is one data model here, of 64 bits")
            if self.mode in _REFUSED:
                raise Fatal(_REFUSED[self.mode])
            self._processes()
            self.session = Session(
                self.args, self.options, out=self.out, err=self.err, target=self.target, system=self._shell, opener=self._open,
                workload="" if self.child else "node",
            )  # fmt: skip
            self.session.consumer.sheet.zone = time_zone(os.environ.get("TZ", ""))
            self._library()
            for request in self.requests:
                self._compile(request)
            status = self._list() if self.mode == "list" else self._run()
        except Fatal as error:
            self.err.write(f"dtrace: {error}\n")
            status = 1
        return self._output(status)

    def _library(self) -> None:
        """The files of `-L`."""
        from smartos.dtrace.system.libdir import load

        folders = [self.system.path(str(folder)) for folder in self.options.get("libdir", ())]
        try:
            load(self.session.setting.library, folders)
        except DError as error:
            raise Fatal(f"failed to initialize dtrace: {error.text()}") from None

    def _compile(self, request: Request) -> None:
        what = f"invalid probe specifier {request.text}" if request.spec else f"failed to compile script {request.text}"
        try:
            if request.spec:
                request.program = self.session.compile(request.text, request.spec, pspec=True)
            else:
                request.program = self._compile_script(request.text)
        except DError as error:
            for note in getattr(error, "__notes__", ()):
                self.err.write(f"{note}\n")
            raise Fatal(f"{what}: {error.text('errtags' in self.options)}") from None
        if self.listing or "verbose" in self.options:
            from smartos.dtrace.code.listing import listing

            self.err.write(listing(request.program))

    def _compile_script(self, name: str) -> Any:
        """A script compiled, with its own name for $0."""
        args = self.session.env.args
        args[0], before = name, args[0]
        try:
            return self.session.compile(dtrace_script.read(name, self.system, self.options), script=True)
        except OSError as error:
            raise Fatal(f"failed to open {name}: {error.strerror}") from None
        finally:
            args[0] = before

    def _open_output(self) -> None:
        """The file of -o, before anything happens."""
        if self.output:
            try:
                self.file = self._open(self.output)
            except OSError as error:
                raise Fatal(f"failed to open output file '{self.output}': {error.strerror}") from None

    def _list(self) -> int:
        self._open_output()
        self.out.write(dtrace_report.HEADING)
        if not self.requests:
            for probe in self.session.setting.probes.all():
                self._list_probe(probe)
        for request in self.requests:
            assert request.program is not None
            for ecb in dtrace_report.clauses(request.program):
                found = list(self.session.setting.probes.matching(ecb.probe))
                for probe in found:
                    self._list_probe(probe)
                if not found:
                    self.err.write(f"dtrace: failed to match {ecb.probe}: No probe matches description\n")
        return 0

    def _list_probe(self, probe: Any) -> None:
        self.out.write(dtrace_report.row(probe))
        if self.verbose:
            self.out.write(dtrace_report.probe_info(dtrace_report.full(probe), probe))

    def _run(self) -> int:
        session, quiet = self.session, "quiet" in self.options
        self._open_output()
        for request in self.requests:
            assert request.program is not None
            self._enable(request, quiet)
        if not self.exec:
            return 0
        if not session.matched and "zdefs" not in self.options and "grabanon" not in self.options:
            raise Fatal(f"no probes {'matched' if self.requests else 'specified'}")
        if "grabanon" in self.options:
            raise Fatal("could not enable tracing: No anonymous tracing state")
        before = dict(self.options)
        try:
            session.go()
        except DError as error:
            raise Fatal(f"could not enable tracing: {error}") from None
        self.err.write(dtrace_report.changed(self.options, before))
        if "destructive" in self.options and "quiet" not in self.options:
            self.err.write("dtrace: allowing destructive actions\n")
        try:
            self._trace()
        except DError as error:
            raise Fatal(str(error)) from None
        return session.status & 0xFF

    def _enable(self, request: Request, quiet: bool) -> None:
        program = request.program
        assert program is not None
        if self.exec:
            try:
                matched = self.session.enable(program)
            except DError as error:
                raise Fatal(f"failed to enable '{request.name}': {error}") from None
            if not quiet:
                self.err.write(f"dtrace: {request.kind} '{request.name}' matched {matched} probe{'s' * (matched != 1)}\n")
        if self.verbose:
            self.out.write(
                dtrace_report.program_info(request.kind, request.name, program, self.session.env, not self.exec)
            )

    def _trace(self) -> None:
        session = self.session
        if self.child is None:
            session.run()
            return
        with session:
            session.consumer.wake()
            self._told(self.child())
            if session.interrupts.count:
                session.interrupt()
            session.finish()

    def _told(self, done: Output) -> None:
        """What the command of `-c` wrote, and how it ended."""
        if self.file is None:
            self.out.write(done.out)
        self.beside = done.out
        self.err.write(done.err)
        if "quiet" not in self.options:
            what = f"exited with status {done.status}" if done.status else "has exited"
            self.err.write(f"dtrace: pid {self.target} {what}\n")

    # ---- what the consumer asks for

    def _shell(self, text: str) -> str:
        return dtrace_child.shell(text, self.system, lambda: self.session.kernel.clock.wall)

    def _open(self, name: str) -> Any:
        """A file to append to, for -o and freopen(). Raises :class:`OSError`; EBUSY for a disk that is in use."""
        path = self.system.path(name)
        if large_enough(path):
            self.system.turn.have(["cp", name], lambda: self._unused(path))
        return path.open("a", encoding="utf-8", errors="surrogateescape")

    def _unused(self, path: Path) -> Output:
        if owner := self.system.device(path):
            raise OSError(errno.EBUSY, f"it is part of pool '{owner}'")
        return Output()

    def _output(self, status: int) -> Output:
        if self.file is None:
            return Output(self.out.getvalue(), self.err.getvalue(), status)
        try:
            with self.file:
                self.file.write(self.out.getvalue())
        except OSError as error:
            self.err.write(f"dtrace: failed to write to {self.output}: {error.strerror}\n")
            status = 1
        return Output(self.beside, self.err.getvalue(), status)


def main(argv: Sequence[str], system: System) -> Output:
    """`dtrace`, with the words after its name."""
    if not argv:
        return Output(err=USAGE, status=2)
    return Command(argv, system).main()
