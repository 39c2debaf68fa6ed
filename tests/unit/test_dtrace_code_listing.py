"""The code generator, seen through the listing that `dtrace -S` prints.

The instructions of the first tests are those that were published of other implementations of libdtrace's compiler for
the same D; the rest follows from its source.
"""

import pytest

from smartos.dtrace.check.globals import new_environment
from smartos.dtrace.code.compile import compile_expression, compile_program
from smartos.dtrace.code.listing import instruction, listing, object_listing
from smartos.dtrace.dif import Difo
from smartos.dtrace.errors import DError
from smartos.dtrace.kernel.difo_check import validate


def objects(text: str, **settings: object) -> list[Difo]:
    program = compile_program(text, new_environment(**settings))
    for difo in program.difos:
        assert validate(difo) == []
    return program.difos


def code(difo: Difo) -> list[str]:
    return [" ".join(instruction(difo, word).split("!")[0].split()) for word in difo.code]


def last(text: str, **settings: object) -> list[str]:
    return code(objects(text, **settings)[-1])


def test_a_listing_to_the_letter() -> None:
    program = compile_program('BEGIN /execname == "test"/ { x = tid; }', new_environment())
    assert listing(program) == (
        """
DIFO 0x80e6fb8 returns D type (integer) (size 4)
OFF OPCODE      INSTRUCTION
00: 29011801    ldgs DT_VAR(280), %r1\t\t! DT_VAR(280) = "execname"
01: 26000102    sets DT_STRING[1], %r2\t\t! "test"
02: 27010200    scmp %r1, %r2
03: 12000006    be   6
04: 0e000001    mov  %r0, %r1
05: 11000007    ba   7
06: 25000001    setx DT_INTEGER[0], %r1\t\t! 0x1
07: 23000001    ret  %r1

NAME             ID   KND SCP FLAG TYPE
execname         118  scl glb r    string (unknown) by ref (size 256)

DIFO 0x80e7018 returns D type (integer) (size 4)
OFF OPCODE      INSTRUCTION
00: 29011701    ldgs DT_VAR(279), %r1\t\t! DT_VAR(279) = "tid"
01: 2a050001    stgs %r1, DT_VAR(1280)\t\t! DT_VAR(1280) = "x"
02: 23000001    ret  %r1

NAME             ID   KND SCP FLAG TYPE
tid              117  scl glb r    D type (integer) (size 4)
x                500  scl glb w    D type (integer) (size 4)
"""
    )


def test_registers_are_used_again_from_the_lowest() -> None:
    assert last("BEGIN { x = 3; y = 4; z = ((x << 1) ^ (y << 2)) | ((x & y) >> 3) & (~y) }") == [
        "ldgs DT_VAR(1280), %r1", "setx DT_INTEGER[0], %r2", "sll %r1, %r2, %r1", "ldgs DT_VAR(1281), %r2",
        "setx DT_INTEGER[1], %r3", "sll %r2, %r3, %r2", "xor %r1, %r2, %r1", "ldgs DT_VAR(1280), %r2",
        "ldgs DT_VAR(1281), %r3", "and %r2, %r3, %r2", "setx DT_INTEGER[2], %r3", "sra %r2, %r3, %r2",
        "ldgs DT_VAR(1281), %r3", "not %r3, %r3", "and %r2, %r3, %r2", "or %r1, %r2, %r1",
        "stgs %r1, DT_VAR(1282)", "ret %r1",
    ]  # fmt: skip


def test_a_load_through_null_is_the_fifth_instruction() -> None:
    """The published fault of `*(char *)NULL` is "invalid address (0x0) in action #1 at DIF offset 16"."""
    assert last("BEGIN { *(char *)NULL; }")[4] == "ldsb [%r1], %r1"


@pytest.mark.parametrize(
    "text, expected",
    [
        ("!x", ["ldgs DT_VAR(1280), %r1", "tst %r1", "be 5", "mov %r0, %r1", "ba 6", "setx DT_INTEGER[0], %r1", "ret %r1"]),
        ("-x", ["ldgs DT_VAR(1280), %r1", "sub %r0, %r1, %r1", "ret %r1"]),
        ("x < y", ["ldgs DT_VAR(1280), %r1", "ldgs DT_VAR(1281), %r2", "cmp %r1, %r2", "blu 6", "mov %r0, %r1", "ba 7",
                   "setx DT_INTEGER[0], %r1", "ret %r1"]),
        ("x / 2 > 0", ["ldgs DT_VAR(1280), %r1", "setx DT_INTEGER[0], %r2", "sdiv %r1, %r2, %r1",
                       "setx DT_INTEGER[1], %r2", "cmp %r1, %r2", "bg 8", "mov %r0, %r1", "ba 9",
                       "setx DT_INTEGER[2], %r1", "ret %r1"]),
        ("x && y", ["ldgs DT_VAR(1280), %r1", "tst %r1", "be 8", "ldgs DT_VAR(1281), %r1", "tst %r1", "be 8",
                    "setx DT_INTEGER[0], %r1", "ba 9", "mov %r0, %r1", "ret %r1"]),
        ("x || y", ["ldgs DT_VAR(1280), %r1", "tst %r1", "bne 6", "ldgs DT_VAR(1281), %r1", "tst %r1", "be 8",
                    "setx DT_INTEGER[0], %r1", "ba 9", "mov %r0, %r1", "ret %r1"]),
        ("x ^^ y", ["ldgs DT_VAR(1280), %r1", "tst %r1", "be 4", "setx DT_INTEGER[0], %r1", "ldgs DT_VAR(1281), %r2",
                    "tst %r2", "be 8", "setx DT_INTEGER[0], %r2", "xor %r1, %r2, %r1", "ret %r1"]),
        ("x ? 1 : y", ["ldgs DT_VAR(1280), %r1", "tst %r1", "be 6", "setx DT_INTEGER[0], %r1", "mov %r1, %r1", "ba 7",
                       "ldgs DT_VAR(1281), %r1", "ret %r1"]),
        ("x++", ["ldgs DT_VAR(1280), %r1", "setx DT_INTEGER[0], %r2", "add %r1, %r2, %r2", "stgs %r2, DT_VAR(1280)",
                 "ret %r1"]),
        ("--x", ["ldgs DT_VAR(1280), %r1", "setx DT_INTEGER[0], %r2", "sub %r1, %r2, %r1", "stgs %r1, DT_VAR(1280)",
                 "ret %r1"]),
        ("(uint8_t)x", ["ldgs DT_VAR(1280), %r1", "setx DT_INTEGER[0], %r2", "sll %r1, %r2, %r1", "srl %r1, %r2, %r1",
                        "ret %r1"]),
        ("*p", ["ldgs DT_VAR(1282), %r1", "ldsw [%r1], %r1", "ret %r1"]),
        ("*(p + x)", ["ldgs DT_VAR(1282), %r1", "ldgs DT_VAR(1280), %r2", "setx DT_INTEGER[0], %r3", "mul %r2, %r3, %r2",
                      "add %r1, %r2, %r1", "ldsw [%r1], %r1", "ret %r1"]),
        ("p - p", ["ldgs DT_VAR(1282), %r1", "ldgs DT_VAR(1282), %r2", "sub %r1, %r2, %r1", "setx DT_INTEGER[0], %r2",
                   "udiv %r1, %r2, %r1", "ret %r1"]),
        ('strlen("abc")', ["sets DT_STRING[1], %r1", "flushts", "setx DT_INTEGER[0], %r2", "pushtr DT_TYPE(1), %r2, %r1",
                           "call DIF_SUBR(12), %r1", "ret %r1"]),
        ("sizeof (x)", ["setx DT_INTEGER[0], %r1", "ret %r1"]),
    ],
)  # fmt: skip
def test_the_code_of_an_operator(text: str, expected: list[str]) -> None:
    env = new_environment()
    compile_program("int x; unsigned int y; int *p; BEGIN { trace(0); }", env)
    assert code(compile_expression(text, env)) == expected


def test_members_and_bit_fields_are_taken_from_where_they_are() -> None:
    declare = "struct s { int a; char b; unsigned f:3; int g:5; }; struct s *p; "
    assert last(declare + "BEGIN { trace(p->b); }") == [
        "ldgs DT_VAR(1280), %r1", "setx DT_INTEGER[0], %r2", "add %r1, %r2, %r1", "ldsb [%r1], %r1", "ret %r1",
    ]  # fmt: skip
    unsigned = last(declare + "BEGIN { trace(p->f); }")
    assert unsigned[-5:] == ["setx DT_INTEGER[1], %r2", "srl %r1, %r2, %r1", "setx DT_INTEGER[2], %r2",
                             "and %r1, %r2, %r1", "ret %r1"]  # fmt: skip
    signed = last(declare + "BEGIN { trace(p->g); }")
    assert signed[-4:] == ["sll %r1, %r2, %r1", "setx DT_INTEGER[1], %r2", "sra %r1, %r2, %r1", "ret %r1"]


def test_keys_go_over_the_tuple_stack() -> None:
    assert last('BEGIN { a["k", 1] = 2; }') == [
        "setx DT_INTEGER[0], %r1", "sets DT_STRING[1], %r2", "setx DT_INTEGER[1], %r3", "flushts",
        "setx DT_INTEGER[2], %r4", "pushtr DT_TYPE(1), %r4, %r2", "pushtv DT_TYPE(0), %r3", "stgaa %r1, DT_VAR(1280)",
        "ret %r1",
    ]  # fmt: skip


def test_a_struct_assigned_through_an_array_is_made_first() -> None:
    difo = objects("struct s { int a; int b; }; struct s t[int]; BEGIN { t[1].b = 5; }")[-1]
    lines = code(difo)
    assert [line.split()[0] for line in lines] == (
        "setx setx flushts pushtv ldgaa tst bne setx allocs stgaa ldgaa setx add stw ret".split()
    )
    assert "t                500  arr glb r/w  D type (struct) by ref (size 8)" in object_listing(difo)


def test_an_inline_with_parameters_is_its_expression() -> None:
    assert last("inline int twice[int n] = n * 2; BEGIN { x = 4; y = twice[x + 1]; }") == [
        "ldgs DT_VAR(1280), %r1", "setx DT_INTEGER[0], %r2", "add %r1, %r2, %r1", "setx DT_INTEGER[1], %r2",
        "mul %r1, %r2, %r1", "stgs %r1, DT_VAR(1281)", "ret %r1",
    ]  # fmt: skip


def test_a_translated_member_is_the_translators_expression() -> None:
    text = """
    struct in { int a; int b; }; struct out { long sum; char pad; };
    translator struct out < struct in *p > { sum = p->a + p->b; pad = 'x'; };
    struct in *q;
    BEGIN { trace(xlate <struct out> (q).sum); }
    """
    lines = last(text)
    assert lines[:3] == ["ldgs DT_VAR(1280), %r1", "mov %r1, %r2", "ldsw [%r2], %r2"]
    assert lines[3] == "mov %r1, %r3"


def test_scopes_have_their_own_instructions() -> None:
    lines = last("BEGIN { self->a = 1; this->b = 2; self->c[1] = 3; trace(self->a + this->b + self->c[1]); }")
    assert [line.split()[0] for line in lines] == "ldts ldls add setx flushts pushtv ldtaa add ret".split()
    assert last("BEGIN { uregs[0] = 1; }")[-2:] == ["stga DT_VAR(514), %r2, %r1", "ret %r1"]


def test_the_limits_of_an_object_are_errors() -> None:
    deep = "+".join(["x"] + [f"(x {'+ (x ' * 10}{')' * 10})"])
    with pytest.raises(DError) as caught:
        compile_program(f"BEGIN {{ x = 1; y = {deep}; }}", new_environment())
    assert caught.value.tag == "D_NOREG"
    doubling = "inline int a0 = pid; " + " ".join(f"inline int a{n} = a{n - 1} ? a{n - 1} : a{n - 1};" for n in range(1, 40))
    with pytest.raises(DError, match="DIF program exceeds maximum program size"):
        compile_program(doubling + "BEGIN { trace(a39); }", new_environment())


def test_an_action_in_an_expression_is_refused() -> None:
    with pytest.raises(DError) as caught:
        compile_program("BEGIN { trace(stack()); }", new_environment())
    message = "tracing function stack( ) may not be called from a D expression (D program context required)"
    assert (caught.value.tag, caught.value.message) == ("D_CG_EXPR", message)
