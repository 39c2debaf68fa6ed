"""The words of a dtrace(1M) command line: its options in any order, what it calls for, and its usage message."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from smartos.dtrace.program import Program
from smartos.output import CommandError

OPTIONS = "3:6:aAb:Bc:CD:ef:FGhHi:I:lL:m:n:o:p:P:qs:SU:vVwx:X:Z"
_PREDACT = "[[ predicate ] action ]"
_LETTERS = (
    ("a", "claim anonymous tracing state"), ("A", "generate driver.conf(4) directives for anonymous tracing"),
    ("b", "set trace buffer size"), ("c", "run specified command and exit upon its completion"),
    ("C", "run cpp(1) preprocessor on script files"), ("D", "define symbol when invoking preprocessor"),
    ("e", "exit after compiling request but prior to enabling probes"),
    ("f", "enable or list probes matching the specified function name"), ("F", "coalesce trace output by function"),
    ("G", "generate an ELF file containing embedded dtrace program"),
    ("h", "generate a header file with definitions for static probes"),
    ("H", "print included files when invoking preprocessor"), ("i", "enable or list probes matching the specified probe id"),
    ("I", "add include directory to preprocessor search path"), ("l", "list probes matching specified criteria"),
    ("L", "add library directory to library search path"),
    ("m", "enable or list probes matching the specified module name"),
    ("n", "enable or list probes matching the specified probe name"), ("o", "set output file"),
    ("p", "grab specified process-ID and cache its symbol tables"),
    ("P", "enable or list probes matching the specified provider name"),
    ("q", "set quiet mode (only output explicitly traced data)"),
    ("s", "enable or list probes according to the specified D script"), ("S", "print D compiler intermediate code"),
    ("U", "undefine symbol when invoking preprocessor"), ("v", "set verbose mode (report stability attributes, arguments)"),
    ("V", "report DTrace API version"), ("w", "permit destructive actions"),
    ("x", "enable or modify compiler and tracing options"), ("X", "specify ISO C conformance settings for preprocessor"),
    ("Z", "permit probe descriptions that match zero probes"),
)  # fmt: skip
USAGE = (
    "Usage: dtrace [-32|-64] [-aACeFGhHlqSvVwZ] [-b bufsz] [-c cmd] [-D name[=def]]\n"
    "\t[-I path] [-L path] [-o output] [-p pid] [-s script] [-U name]\n\t[-x opt[=val]] [-X a|c|s|t]\n\n"
    f"\t[-P provider {_PREDACT}]\n\t[-m [ provider: ] module {_PREDACT}]\n\t[-f [[ provider: ] module: ] func {_PREDACT}]\n"
    f"\t[-n [[[ provider: ] module: ] func: ] name {_PREDACT}]\n\t[-i probe-id {_PREDACT}] [ args ... ]\n\n"
    "\tpredicate -> '/' D-expression '/'\n\t   action -> '{' D-statements '}'\n\n"
    "\t-32 generate 32-bit D programs and ELF files\n\t-64 generate 64-bit D programs and ELF files\n\n"
) + "".join(f"\t-{letter}  {text}\n" for letter, text in _LETTERS)


def usage(message: str = "") -> CommandError:
    """The error of a command line that is wrong: what is wrong, and the usage."""
    return CommandError((message + "\n" if message else "") + USAGE.rstrip("\n"), 2)


def words(argv: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Options with their arguments, and operands as ("", word), in order. Raises :class:`CommandError`.

    As getopt(3C) called again after each operand, options may stand anywhere; after `--` one operand does not count
    as an option.
    """
    at = 0
    while at < len(argv):
        word = argv[at]
        at += 1
        if word == "--":
            if at < len(argv):
                yield "", argv[at]
                at += 1
            continue
        if not word.startswith("-") or word == "-":
            yield "", word
            continue
        place = 1
        while place < len(word):
            letter = word[place]
            place += 1
            if letter == ":" or letter not in OPTIONS:
                raise usage(f"dtrace: illegal option -- {letter}")
            if OPTIONS[OPTIONS.index(letter) + 1 : OPTIONS.index(letter) + 2] != ":":
                yield letter, ""
                continue
            argument, place = word[place:], len(word)
            if not argument:
                if at == len(argv):
                    raise usage(f"dtrace: option requires an argument -- {letter}")
                argument, at = argv[at], at + 1
            yield letter, argument


@dataclass
class Request:
    """One program of the command line: a script's name, or the text of a one-liner and how its name reads."""

    text: str
    spec: str = ""
    program: Program | None = None

    @property
    def kind(self) -> str:
        """What messages call it."""
        return "description" if self.spec else "script"

    @property
    def name(self) -> str:
        """How messages name it: a one-liner up to its predicate or action."""
        if not self.spec:
            return self.text
        end = min((at for at in map(self.text.find, "{/;") if at >= 0), default=len(self.text))
        return self.text[:end]
