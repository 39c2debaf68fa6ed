"""The checker's types: what an expression's value is, and what goes together with what."""

import pytest

from smartos.dtrace.check.cook import clauses, compilation, cook, cook_clause, cook_program, diftype
from smartos.dtrace.check.globals import builtins, new_environment
from smartos.dtrace.check.nodes import node_name, type_name
from smartos.dtrace.ctf import is_string, spelling
from smartos.dtrace.dif import BYREF, CTF, STR, DifType
from smartos.dtrace.errors import DError
from smartos.dtrace.ident import Is, Kind
from smartos.dtrace.parse.parser import parse, parse_expression
from smartos.dtrace.tree import Agg, Clause, Int, Node, Var


def expression(text, env=None):
    """The checked expression."""
    env = env or new_environment()
    with compilation(env):
        return cook(parse_expression(text, env), env, Is.REF)


def checked(text, **settings):
    """The checked clauses of a program, and the environment."""
    env = new_environment(**settings)
    with compilation(env):
        program = cook_program(parse(text, env), env)
        return [cook_clause(clause, desc, env) for clause in clauses(program) for desc in clause.descs], env


def outline(node):
    """The kinds of a node and of all under it, with what is known of their types."""
    parts = [part for value in vars(node).values() for part in (value if isinstance(value, list) else [value])]
    return (type(node).__name__, node.type, [outline(part) for part in parts if isinstance(part, Node)])


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1", "int"), ("2147483648", "long"), ("0x80000000", "unsigned int"), ("0x100000000", "long"),
        ("0xffffffffffffffff", "unsigned long"), ("1u", "unsigned int"), ("1l", "long"), ("1ul", "unsigned long"),
        ("1ull", "unsigned long long"), ("4294967296u", "unsigned long"), ("'a'", "int"),
        ("1 + 1l", "long"), ("1u + 1", "unsigned int"), ("1ul + 1l", "unsigned long"), ("1l + 1ll", "long long"),
        ("(char)1 + (char)1", "char"), ("(short)1 + (char)1", "short"), ("1 == 1l", "int"), ("1 && 2", "int"),
        ("(unsigned char)1 << 9", "unsigned char"), ("pid + 1", "pid_t"), ("1 + pid", "int"), ("timestamp - 1", "uint64_t"),
        ("timestamp / walltimestamp", "uint64_t"), ("execname", "string"), ("\"a\"", "string"), ("execname + 1", "string"),
        ("(char *)0 + 1", "char *"), ("(char *)8 - (char *)0", "ptrdiff_t"),
        ("*(int *)arg0", "int"), ("&*(int *)arg0", "int *"),
        ("pid ? \"a\" : execname", "string"), ("pid ? 1 : 2l", "long"), ("pid ? (int *)0 : 0", "int *"),
        ("(1, 2l)", "long"), ("sizeof (int)", "size_t"), ("strlen(\"abc\")", "size_t"), ("rand()", "int"),
        ("arg0", "int64_t"), ("!arg0", "int"), ("~arg0", "int64_t"), ("stringof(arg0)", "string"), ("stack()", "stack"),
        ("curthread", "kthread_t *"), ("alloca(4)", "void *"), ("((int *)arg0)[2]", "int"),
    ],
)  # fmt: skip
def test_the_type_of_an_expression(text, kind):
    assert type_name(expression(text)) == kind


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7), ("-1", 2**64 - 1), ("-1u", 2**32 - 1), ("~0", 2**64 - 1), ("!5", 0), ("7 / 2", 3),
        ("-7 / 2", 2**64 - 3),
        ("-7 % 3", 2**64 - 1), ("7u / 2", 3), ("1 << 4", 16), ("-1 >> 60", 15), ("1 < 2", 1), ("-1 < 0", 1), ("-1 < 0ul", 0),
        ("1 ? 5 : 6", 5), ("3 ^^ 1", 0), ("2 && 0", 0), ("(char)257", 1), ("(int)-1", 2**64 - 1), ("(unsigned char)-1", 255),
        ("(long)(int)0xffffffff", 2**64 - 1), ("sizeof (short)", 2), ("sizeof (\"abc\")", 4), ("sizeof (string)", 256),
        ("6 & 3 | 8 ^ 1", 11),
    ],
)  # fmt: skip
def test_constants_are_folded(text, value):
    found = expression(text)
    assert isinstance(found, Int)
    assert found.value == value


def test_offsetof_and_members_follow_the_layout():
    env = new_environment(empty=True)
    with compilation(env):
        parse("struct s { char a; int b; struct { long c; } d; char name[16]; };", env)
        assert cook(parse_expression("offsetof(struct s, d)", env), env).value == 8
        found = cook(parse_expression("((struct s *)arg0)->d.c", env), env, Is.REF)
        assert type_name(found) == "long"
        assert found.lvalue
        name = cook(parse_expression("((struct s *)arg0)->name", env), env, Is.REF)
        assert (type_name(name), name.ref, name.lvalue) == ("char [16]", True, False)


def test_dif_is_told_of_strings_and_references():
    assert diftype(expression("execname")) == DifType(STR, 0, BYREF, 256)
    assert diftype(expression("pid")) == DifType(CTF, 1, 0, 4)
    assert diftype(expression("curthread")) == DifType(CTF, 3, 0, 8)
    env = new_environment(empty=True)
    with compilation(env):
        parse("struct s { int a; int b; };", env)
        assert diftype(cook(parse_expression("*(struct s *)arg0", env), env, Is.REF)) == DifType(CTF, 6, BYREF, 8)


def test_the_first_assignment_gives_a_variable_its_type():
    (clause,), env = checked('BEGIN { x = "a"; y = 1l; self->z[pid, execname] = timestamp; this->w = (int *)0; n++; }')
    assert is_string(env.globals["x"].type)
    assert spelling(env.globals["y"].type) == "long"
    assert spelling(env.globals["n"].type) == "int64_t"
    keyed = env.threads["z"]
    assert keyed.kind is Kind.ARRAY
    assert [spelling(kind) for kind in keyed.signature.args] == ["pid_t", "string"]
    assert spelling(keyed.type) == "uint64_t"
    assert [env.globals[name].id for name in "xyn"] == [0x500, 0x501, 0x502]
    assert env.locals["w"].id == 0x500
    assert all(statement.cooked for statement in clause.statements)


def test_an_aggregation_is_one_node_with_keys_and_function():
    (clause,), env = checked("BEGIN { @a[pid, execname] = quantize(arg0); @a[1, probename] = quantize(1); }")
    node = clause.statements[0].expr
    assert isinstance(node, Agg)
    assert (node.ident.name, len(node.keys), node.func.name) == ("a", 2, "quantize")
    assert env.aggregations["a"].id == 1
    assert env.aggregations["a"].data is env.globals["quantize"]


def test_a_clause_is_checked_anew_for_each_description_and_stays_as_it_was():
    env = new_environment()
    with compilation(env):
        program = cook_program(parse("BEGIN, END { x[pid] = 1; trace(x[pid] + 1); }", env), env)
        (clause,) = clauses(program)
        before = outline(clause)
        first, second = (cook_clause(clause, desc, env) for desc in clause.descs)
        assert outline(clause) == before
        assert first.statements[0] is not second.statements[0]
        assert first.statements[0].expr.left.ident is second.statements[0].expr.left.ident


def test_the_predicate_may_make_the_variable_that_the_statements_read():
    (clause,), _ = checked("BEGIN /x++ == 0/ { trace(x); }")
    assert isinstance(clause.statements[0].expr.args[0], Var)
    (clause,), _ = checked("BEGIN /x == 1/ { trace(x++); }")
    assert type_name(clause.pred) == "int"
    with pytest.raises(DError) as failed:
        checked("BEGIN /x++ && y == 0/ { trace(x + y++); }")
    assert (failed.value.tag, failed.value.region) == ("D_IDENT_UNDEF", "predicate")


def test_a_failed_compilation_leaves_nothing_behind():
    env = new_environment()
    names = set(env.globals)
    with pytest.raises(DError), compilation(env):
        text = "struct gone { int a; }; inline int k = 3; BEGIN { x = 1; @a = count(); trace(nope); }"
        program = cook_program(parse(text, env), env)
        cook_clause(clauses(program)[0], clauses(program)[0].descs[0], env)
    assert set(env.globals) == names
    assert not env.aggregations
    assert env.types.lookup("struct gone") is None


def test_a_second_program_sees_the_first_ones_variables():
    env = new_environment()
    for text in ("BEGIN { x = 1; }", "BEGIN { trace(x); x = 2; }"):
        with compilation(env):
            program = cook_program(parse(text, env), env)
            cook_clause(clauses(program)[0], clauses(program)[0].descs[0], env)
    with pytest.raises(DError, match='incompatible types: "int" = "string"'), compilation(env):
        program = cook_program(parse('BEGIN { x = "a"; }', env), env)
        cook_clause(clauses(program)[0], clauses(program)[0].descs[0], env)
    assert "x" in env.globals


def test_builtins_have_the_kernels_numbers_and_older_versions_have_fewer():
    table = builtins()
    assert (table["pid"].id, table["arg9"].id, table["strlen"].id, table["llquantize"].id) == (0x116, 0x10F, 12, 0x709)
    assert len(table) == len({name for name in table}) > 120
    old = new_environment(version=(1, 0, 0)).globals
    assert "strchr" not in old
    assert "strlen" in old
    for name in ("self", "this"):
        assert table[name].kind is Kind.PTR


def test_names_of_nodes_in_messages():
    assert node_name(expression("1")) == "integer constant 0x1"
    assert node_name(expression('"a\\n"')) == 'string constant "a\\n"'
    assert node_name(expression("pid")) == "scalar pid"
    assert node_name(expression("strlen(execname)")) == "function strlen( )"
    assert node_name(expression("pid + 1")) == "operator +"
    assert node_name(expression("*(int *)arg0")) == "operator *"


def test_sugar_makes_clauses_of_if():
    env = new_environment()
    with compilation(env):
        program = cook_program(parse("BEGIN { a = 1; if (a == 1) { b = 2; } else { c = 3; } d = 4; }", env), env)
        made = clauses(program)
        assert [str(clause.descs[0]) for clause in made] == ["dtrace:::ERROR"] + [":::BEGIN"] * 7
        for clause in made:
            assert isinstance(cook_clause(clause, clause.descs[0], env), Clause)
        assert [name for name in env.locals] == ["%condition_1", "%condition_2"]
        again = cook_program(parse("BEGIN { if (1) { e = 2; } }", env), env)
        assert len(clauses(again)) == 3  # the clause for errors is made once


def test_a_program_without_if_keeps_its_clause():
    env = new_environment()
    with compilation(env):
        program = cook_program(parse("BEGIN /x++/ { trace(x); }", env), env)
        assert len(clauses(program)) == 1
