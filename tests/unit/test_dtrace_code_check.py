"""The kernel's check of DIF objects: each rule has an object that breaks it and nothing else."""

import pytest

from smartos.dtrace.dif import BYREF, CTF, GLOBAL, SCALAR, STR, THREAD, Difo, DifType, DifVar, Op, branch, word2, word3
from smartos.dtrace.kernel.difo_check import validate

RET = word3(Op.RET, 0, 0, 1)
INT = DifType(CTF, 1, 0, 4)


def variable(kind: DifType = INT, number: int = 0x500, scope: int = GLOBAL, shape: int = SCALAR) -> DifVar:
    return DifVar("x", number, shape, scope, True, False, kind)


def difo(*code: int, **fields: object) -> Difo:
    return Difo([*code, RET], [7], b"\0abc\0", type=INT, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "code, message",
    [
        (word3(Op.ADD, 8, 1, 1), "[0]: invalid register 8"),
        (word3(Op.ADD, 1, 9, 1), "[0]: invalid register 9"),
        (word3(Op.ADD, 1, 1, 0), "[0]: cannot write to %r0"),
        (word3(Op.MOV, 1, 2, 1), "[0]: non-zero reserved bits"),
        (word3(Op.LDX, 1, 1, 1), "[0]: non-zero reserved bits"),
        (word3(Op.ULDUB, 1, 0, 0), "[0]: cannot write to %r0"),
        (word3(Op.STX, 1, 0, 0), "[0]: cannot write to 0 address"),
        (word3(Op.CMP, 1, 1, 1), "[0]: non-zero reserved bits"),
        (word3(Op.TST, 1, 1, 0), "[0]: non-zero reserved bits"),
        (branch(Op.BA, 2), "[0]: invalid branch target 2"),
        (branch(Op.BE, 0), "[0]: backward branch to 0"),
        (word3(Op.RET, 1, 0, 1), "[0]: non-zero reserved bits"),
        (word3(Op.FLUSHTS, 0, 0, 1), "[0]: non-zero reserved bits"),
        (word2(Op.SETX, 1, 1), "[0]: invalid integer ref 1"),
        (word2(Op.SETS, 5, 1), "[0]: invalid string ref 5"),
        (word2(Op.LDGS, 0x4, 1), "[0]: invalid variable 4"),
        (word2(Op.STGS, 0x100, 1), "[0]: invalid variable 256"),
        (word2(Op.LDGS, 0x500, 1), "[0]: invalid variable 1280"),
        (word2(Op.CALL, 49, 1), "[0]: invalid subr 49"),
        (word2(Op.CALL, 0, 0), "[0]: cannot write to %r0"),
        (word3(Op.PUSHTR, 2, 0, 1), "[0]: invalid ref type 2"),
        (word3(Op.PUSHTV, STR, 0, 1), "[0]: invalid val type 1"),
        (word3(Op.XLATE, 0, 0, 1), "[0]: invalid opcode 78"),
        (0, "[0]: invalid opcode 0"),
    ],
)
def test_one_bad_instruction_is_named(code: int, message: str) -> None:
    assert validate(difo(code)) == [message]


def test_a_good_object_passes() -> None:
    good = difo(word2(Op.SETX, 0, 1), word2(Op.STGS, 0x500, 1), branch(Op.BA, 3), vars=[variable()])
    assert validate(good) == []


def test_an_object_must_end_in_ret_and_return_a_size_that_there_is() -> None:
    assert validate(Difo([word2(Op.SETX, 0, 1)], [1])) == ["[0]: expected 'ret' as last DIF instruction"]
    assert validate(Difo([RET], type=DifType(CTF, 6, 0, 12))) == ["[0]: bad return size"]
    assert validate(Difo([RET], type=DifType(CTF, 6, BYREF, 12))) == []


@pytest.mark.parametrize(
    "row, message",
    [
        (variable(scope=3), "[0]: unrecognized variable scope 3"),
        (variable(shape=2), "[0]: unrecognized variable type 2"),
        (variable(number=0x10000), "[0]: 65536 exceeds variable id limit"),
        (variable(DifType(CTF, 6, BYREF, 0)), "[0]: zero-sized variable"),
        (variable(DifType(CTF, 6, BYREF, 20000)), "[0]: oversized by-ref static"),
    ],
)
def test_one_bad_variable_is_named(row: DifVar, message: str) -> None:
    assert validate(difo(vars=[row])) == [message]


def test_a_variable_keeps_its_kind_and_type_from_one_object_to_the_next() -> None:
    known = {(GLOBAL, 0x500): variable()}
    assert validate(difo(vars=[variable()]), known) == []
    assert validate(difo(vars=[variable(shape=0)]), known) == ["[0]: 1280 changed variable kind"]
    assert validate(difo(vars=[variable(DifType(CTF, 1, 0, 8))]), known) == ["[0]: 1280 changed variable type size"]
    string = DifType(STR, 0, BYREF, 256)
    assert validate(difo(vars=[variable(string)]), known) == ["[0]: 1280 changed variable type flags"]
    assert validate(difo(vars=[variable(DifType(CTF, 1, 0, 8), scope=THREAD)]), known) == []
