"""The D compiler: a program's text to a :class:`~smartos.dtrace.program.Program`, or a :class:`DError` that says why not.

    program = compile_program("BEGIN { trace(1 + 2); exit(0); }", new_environment())

Parse, check, generate, in the order of `dt_compile` in libdtrace's `dt_cc.c`: the whole text is parsed first (inlines
and translators are checked as they come), then each clause is checked and compiled for each of its descriptions. A
program with an error leaves nothing behind in the environment.
"""

from smartos.dtrace.check import attributes
from smartos.dtrace.check.cook import compilation, cook, cook_program
from smartos.dtrace.code.clause import compile_clause
from smartos.dtrace.code.codegen import generate
from smartos.dtrace.dif import Difo
from smartos.dtrace.environment import Environment
from smartos.dtrace.errors import DError
from smartos.dtrace.ident import Is, Stability
from smartos.dtrace.parse.parser import parse, parse_expression
from smartos.dtrace.program import Program
from smartos.dtrace.tree import Clause

__all__ = ["compile_expression", "compile_program", "stabilities"]


def _placed(error: DError, env: Environment) -> DError:
    """The error with the place that its text's kind has: the line of a script, else the part of the clause."""
    if not env.script and not error.file:
        error.line = 0
    return error


def compile_program(text: str, env: Environment) -> Program:
    """Compile a program. `env.script` says whether the text is a file's, whose errors are reported by line.

    Raises DError. Its `#pragma D option`s have been set in `env.options` by then.
    """
    try:
        with compilation(env):
            return _compile(text, env)
    except DError as error:
        raise _placed(error, env) from None


def _compile(text: str, env: Environment) -> Program:
    tree = cook_program(parse(text, env), env)
    program = Program(globals=env.globals, threads=env.threads, aggregations=env.aggregations)
    for part in tree.parts:
        if isinstance(part, Clause):
            for desc in part.descs:
                compile_clause(part, desc, env, program)
    program.attr = stabilities(program)[1]
    return program


def compile_expression(text: str, env: Environment) -> Difo:
    """Compile an expression alone, as a test or an explorer wants it. Raises DError."""
    try:
        with compilation(env):
            return generate(cook(parse_expression(text, env), env, Is.REF), env)
    except DError as error:
        raise _placed(error, env) from None


def stabilities(program: Program) -> tuple[Stability, Stability]:
    """The least stability of the descriptions and of the statements, which `dtrace -v` reports."""
    ecbs = program.ecbs
    descs, statements = (attributes.GREATEST, attributes.GREATEST) if ecbs else (attributes.STABLE, attributes.STABLE)
    for ecb in ecbs:
        descs = attributes.least(descs, ecb.attr)
        statements = attributes.least(statements, ecb.statements[0].attr)
    return descs, statements
