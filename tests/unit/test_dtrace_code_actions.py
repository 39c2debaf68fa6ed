"""What statements become, and the errors of actions and aggregating functions with their tags and words."""

import pytest

from smartos.dtrace.check.globals import new_environment
from smartos.dtrace.code.compile import compile_program, stabilities
from smartos.dtrace.errors import DError
from smartos.dtrace.program import Act, Action, Lib, Program


def compiled(text: str, **settings: object) -> Program:
    return compile_program(text, new_environment(**settings))


def actions(body: str, **settings: object) -> list[Action]:
    return compiled(f"BEGIN {{ {body} }}", **settings).ecbs[-1].actions


def shape(action: Action) -> tuple[str, int]:
    return action.kind.name, action.difo.type.size if action.difo else -1


@pytest.mark.parametrize(
    "body, expected",
    [
        ("x = 1;", [("DIFEXPR", 0)]),
        ("trace(1);", [("DIFEXPR", 4)]),
        ("trace(execname);", [("DIFEXPR", 256)]),
        ('printf("hi");', [("PRINTF", 8)]),
        ('printf("%d %s", 1, execname);', [("PRINTF", 4), ("PRINTF", 256)]),
        ("exit(0);", [("EXIT", 4)]),
        ("tracemem(curthread, 20);", [("TRACEMEM", 20)]),
        ("tracemem(curthread, 20, 4);", [("TRACEMEM_DYNSIZE", 8), ("TRACEMEM", 20)]),
        ("stack();", [("STACK", -1)]),
        ("sym(0); umod(0);", [("SYM", 8), ("UMOD", 8)]),
        ("speculate(1); commit(2);", None),
        ("stop(); panic(); breakpoint(); raise(9); chill(1);",
         [("STOP", -1), ("PANIC", -1), ("BREAKPOINT", -1), ("RAISE", 4), ("CHILL", 4)]),
        ("ftruncate();", [("LIBACT", 8)]),
        ('setopt("quiet");', [("LIBACT", 256), ("LIBACT", 8)]),
        ("@ = count();", [("DIFEXPR", 8), ("COUNT", -1)]),
        ("@a[1, stack(3)] = sum(2);", [("DIFEXPR", 8), ("DIFEXPR", 4), ("STACK", -1), ("SUM", 4)]),
        ("@ = quantize(1, 2);", [("DIFEXPR", 8), ("DIFEXPR", 0), ("QUANTIZE", 4)]),
    ],
)  # fmt: skip
def test_a_statement_becomes_actions(body: str, expected: list[tuple[str, int]] | None) -> None:
    if expected is None:
        assert [action.kind for action in actions(body)] == [Act.SPECULATE, Act.COMMIT]
    else:
        assert [shape(action) for action in actions(body)] == expected


def test_a_clause_without_statements_has_one_statement_and_no_action() -> None:
    (ecb,) = compiled("BEGIN").ecbs
    assert (len(ecb.statements), ecb.actions) == (1, [])


def test_a_clause_is_compiled_for_each_description() -> None:
    program = compiled("BEGIN, END { trace(1); }")
    assert [str(ecb.probe) for ecb in program.ecbs] == [":::BEGIN", ":::END"]
    assert program.ecbs[0].actions[0].difo is not program.ecbs[1].actions[0].difo


def test_an_aggregating_action_knows_its_keys_and_its_aggregation() -> None:
    found = actions("@a[pid, execname] = lquantize(arg0, -10, 100, 5, 2);")
    assert (found[-1].kind, found[-1].ntuple) == (Act.LQUANTIZE, 4)
    assert found[-1].arg == 5 << 48 | 22 << 32 | (-10 & 0xFFFFFFFF)
    assert found[-1].statement is not None and found[-1].statement.aggregation is not None
    assert found[-1].statement.aggregation.name == "a"
    log = actions("@ = llquantize(arg0, 10, 0, 6, 20);")
    assert log[-1].arg == 10 << 48 | 0 << 32 | 6 << 16 | 20


def test_stack_arguments_come_from_the_call_or_the_options() -> None:
    assert [action.arg for action in actions("stack(); stack(5); ustack(3, 100); jstack();")] == [0, 5, 100 << 32 | 3, 0]
    options = {"stackframes": 7, "ustackframes": 8, "jstackframes": 9, "jstackstrsize": 64}
    assert [action.arg for action in actions("stack(); ustack(); jstack(2);", options=options)] == [7, 8, 64 << 32 | 2]


def test_what_the_consumer_does_to_aggregations_is_said_by_number() -> None:
    found = actions("@a = count(); clear(@a); normalize(@a, 2); denormalize(@a); trunc(@a); trunc(@a, 3);")[2:]
    assert {action.kind for action in found} == {Act.LIBACT}
    assert [Lib(action.arg).name for action in found] == ["CLEAR", "NORMALIZE", "NORMALIZE", "DENORMALIZE", *["TRUNC"] * 4]


def test_printa_takes_several_aggregations_and_one_format() -> None:
    found = actions('@a[1] = count(); @b[2] = sum(3); printa("%d %@d %@d\\n", @a, @b);')[-2:]
    assert [action.kind for action in found] == [Act.PRINTA, Act.PRINTA]
    assert found[0].format is not None and found[1].format is None


@pytest.mark.parametrize(
    "body, tag, message",
    [
        ("@a = count(); @a;", "D_AGG_NULL", "expression has null effect: @a"),
        ("@a = count(); trace(@a);", "D_TRACE_AGG", "trace( ) may not be applied to an aggregation"),
        ("@a = count(); print(@a);", "D_PRINT_AGG",
         "print( ) may not be applied to an aggregation -- did you mean printa()?"),
        ("@ = sum(execname);", "D_AGG_SCALAR", "sum( ) argument #1 must be of scalar type"),
        ("clear(@z);", "D_IDENT_UNDEF", "failed to resolve @z: Unknown variable name"),
        ("clear();", "D_CLEAR_PROTO", "clear( ) prototype mismatch: 0 args passed, 1 expected"),
        ("clear(1);", "D_CLEAR_AGGARG",
         "clear( ) argument #1 is incompatible with prototype:\n\tprototype: aggregation\n\t argument: int"),
        ("@a = count(); normalize(@a);", "D_NORMALIZE_PROTO",
         "normalize( ) prototype mismatch: 1 args passed, 2 expected"),
        ("@a = count(); normalize(@a, execname);", "D_NORMALIZE_SCALAR",
         "normalize( ) argument #2 must be of scalar type"),
        ("trunc();", "D_TRUNC_PROTO", "trunc( ) prototype mismatch: 0 args passed, at least 1 expected"),
        ("@a = count(); trunc(@a, 1, 2);", "D_TRUNC_PROTO",
         "trunc( ) prototype mismatch: 3 args passed, no more than 2 expected"),
        ('printa("%d");', "D_PRINTA_PROTO", "printa( ) prototype mismatch: 1 args passed, 2 expected"),
        ("@a[1] = count(); @b = count(); printa(@a, @b);", "D_PRINTA_AGGKEY",
         "printa( ): @a and @b do not have matching key signatures: @a has 1 key, @b has 0 keys"),
        ("printf(1);", "D_PRINTF_ARG_FMT",
         "printf( ) argument #1 is incompatible with prototype:\n\tprototype: string constant\n\t argument: int"),
        ('freopen(".");', "D_FREOPEN_INVALID", 'freopen( ) argument #1 cannot be "."'),
        ('printf("");', "D_PRINTF_FMT_EMPTY", "printf( ) format string is empty"),
        ("tracemem(execname, 1);", "D_TRACEMEM_ADDR",
         "tracemem( ) argument #1 is incompatible with prototype:\n\tprototype: pointer or integer\n\t argument: string"),
        ("tracemem(1, 0);", "D_TRACEMEM_SIZE",
         "tracemem( ) argument #2 must be a non-zero positive integral constant expression"),
        ("tracemem(1, 1, 1, 1);", "D_TRACEMEM_ARGS", "tracemem ( ) prototype mismatch: expected at most 3 args"),
        ("stack(pid);", "D_STACK_SIZE", "stack( ) size must be a non-zero positive integral constant expression"),
        ("stack(1, 2);", "D_STACK_PROTO", "stack( ) prototype mismatch: too many arguments"),
        ("ustack(0);", "D_USTACK_FRAMES", "ustack( ) argument #1 must be a non-zero positive integer constant"),
        ("ustack(1, -1);", "D_USTACK_STRSIZE", "ustack( ) argument #2 must be a positive integer constant"),
        ("ustack(1, 2, 3);", "D_USTACK_PROTO", "ustack( ) prototype mismatch: too many arguments"),
        ("commit(1); commit(1);", "D_COMM_COMM", "commit( ) may not follow commit( )"),
        ("trace(1); commit(1);", "D_COMM_DREC", "commit( ) may not follow data-recording action(s)"),
        ("commit(1); @ = count();", "D_AGG_COMM", "aggregating actions may not follow commit( )"),
        ("commit(1); trace(1);", "D_DREC_COMM", "data-recording actions may not follow commit( )"),
        ("speculate(1); speculate(1);", "D_SPEC_SPEC", "speculate( ) may not follow speculate( )"),
        ("commit(1); speculate(1);", "D_SPEC_COMM", "speculate( ) may not follow commit( )"),
        ("trace(1); speculate(1);", "D_SPEC_DREC", "speculate( ) may not follow data-recording action(s)"),
        ("speculate(1); @ = count();", "D_AGG_SPEC", "aggregating actions may not follow speculate( )"),
        ("speculate(1); stop();", "D_ACT_SPEC", "destructive actions may not follow speculate( )"),
        ("speculate(1); exit(0);", "D_EXIT_SPEC", "exit( ) may not follow speculate( )"),
        ("@ = lquantize(1, pid, 10);", "D_LQUANT_BASETYPE", "lquantize( ) argument #1 must be an integer constant"),
        ("@ = lquantize(1, 10000000000, 10);", "D_LQUANT_BASEVAL", "lquantize( ) argument #1 must be a 32-bit quantity"),
        ("@ = lquantize(1, 10, pid);", "D_LQUANT_LIMTYPE", "lquantize( ) argument #2 must be an integer constant"),
        ("@ = lquantize(1, 10, 1);", "D_LQUANT_MISMATCH",
         "lquantize( ) base (argument #1) must be less than limit (argument #2)"),
        ("@ = lquantize(1, 1, 10, 0);", "D_LQUANT_STEPTYPE",
         "lquantize( ) argument #3 must be a non-zero positive integer constant"),
        ("@ = lquantize(1, 1, 10, 70000);", "D_LQUANT_STEPVAL", "lquantize( ) argument #3 must be a 16-bit quantity"),
        ("@ = lquantize(1, 1, 10, 50);", "D_LQUANT_STEPLARGE",
         "lquantize( ) step (argument #3) too large: must have at least one quantization level"),
        ("@ = lquantize(1, 1, 100000);", "D_LQUANT_STEPSMALL",
         "lquantize( ) step (argument #3) too small: number of quantization levels must be a 16-bit quantity"),
        ("@ = lquantize(1, 0, 10); @ = lquantize(1, 5, 10);", "D_LQUANT_MATCHBASE",
         "lquantize( ) base (argument #1) doesn't match previous declaration: expected 0, found 5"),
        ("@ = lquantize(1, 0, 10); @ = lquantize(1, 0, 20);", "D_LQUANT_MATCHLIM",
         "lquantize( ) limit (argument #2) doesn't match previous declaration: expected 10, found 20"),
        ("@ = lquantize(1, 0, 10); @ = lquantize(1, 0, 10, 2);", "D_LQUANT_MATCHSTEP",
         "lquantize( ) step (argument #3) doesn't match previous declaration: expected 1, found 2"),
        ("@ = llquantize(1, 1, 0, 6, 20);", "D_LLQUANT_FACTORSMALL",
         "llquantize( ) factor (argument #1) must be two or more"),
        ("@ = llquantize(1, 10, 6, 6, 20);", "D_LLQUANT_MAGRANGE",
         "llquantize( ) high magnitude (argument #3) must be greater than low magnitude (argument #2)"),
        ("@ = llquantize(1, 10, 0, 6, 5);", "D_LLQUANT_FACTORNSTEPS",
         "llquantize( ) factor (argument #1) must be less than or equal to the number of linear steps per magnitude "
         "(argument #4)"),
        ("@ = llquantize(1, 10, 0, 6, 15);", "D_LLQUANT_FACTOREVEN",
         "llquantize( ) factor (argument #1) must evenly divide the number of steps per magnitude (argument #4), and the "
         "number of steps per magnitude must evenly divide a power of the factor"),
        ("@ = llquantize(1, 10, 0, 20, 10);", "D_LLQUANT_MAGTOOBIG",
         "llquantize( ) factor (10) raised to power of high magnitude (20) overflows 64-bits"),
        ("@ = llquantize(1, 10, 0, 6, 70000);", "D_LLQUANT_NSTEPVAL",
         "llquantize( ) argument #4 (linear steps per magnitude) must be an unsigned 16-bit quantity"),
        ("@ = llquantize(1, 10, 0, 6, 20); @ = llquantize(1, 10, 1, 6, 20);", "D_LLQUANT_LOWMATCH",
         "llquantize( ) low magnitude (argument #2) doesn't match previous declaration: expected 0, found 1"),
        ("@ = quantize(1, execname);", "D_PROTO_ARG",
         "quantize( ) increment value (argument #2) must be of scalar type"),
        ("@ = quantize(1, 2, 3);", "D_PROTO_LEN", "quantize( ) prototype mismatch: 3 args passed, at most 2 expected"),
    ],
)  # fmt: skip
def test_an_error_has_its_tag_and_its_words(body: str, tag: str, message: str) -> None:
    with pytest.raises(DError) as caught:
        actions(body)
    assert (caught.value.tag, caught.value.message) == (tag, message)


def test_where_an_error_is_depends_on_where_the_text_came_from() -> None:
    text = "BEGIN\n{\n\ttrace(nothing);\n}\n"
    with pytest.raises(DError) as caught:
        compiled(text, script=True)
    assert str(caught.value) == "line 3: failed to resolve nothing: Unknown variable name"
    with pytest.raises(DError) as caught:
        compiled(text)
    assert str(caught.value) == "in action list: failed to resolve nothing: Unknown variable name"
    with pytest.raises(DError) as caught:
        compiled("BEGIN { clear(1); }")
    assert str(caught.value).startswith("clear( ) argument #1 is incompatible with prototype:")


def test_an_unknown_probe_is_an_error_unless_it_may_match_nothing() -> None:
    with pytest.raises(DError) as caught:
        compiled("io:::start { trace(1); }")
    assert caught.value.text(tags=True) == "[D_PDESC_ZERO] probe description io:::start does not match any probes"
    assert len(compiled("io:::start { trace(1); }", zdefs=True).ecbs) == 1


def test_a_program_that_fails_leaves_nothing_behind() -> None:
    env = new_environment()
    with pytest.raises(DError):
        compile_program("BEGIN { x = 1; @a = count(); trace(nothing); }", env)
    assert "x" not in env.globals and "a" not in env.aggregations
    compile_program('BEGIN { x = "now a string"; }', env)


def test_the_stability_of_a_program_is_the_least_of_what_it_uses() -> None:
    descs, statements = stabilities(compiled("dtrace:::BEGIN { trace(timestamp); }"))
    assert str(descs) == "Stable/Stable/Common"
    assert str(statements) == "Stable/Stable/Common"
    _, private = stabilities(compiled("dtrace:::BEGIN { trace(curthread); }"))
    assert str(private) == "Stable/Private/Common"
