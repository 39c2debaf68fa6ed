"""The parser of D: trees of expressions and clauses, and where it says that a program goes wrong."""

import time

import pytest

from smartos.dtrace.check.globals import new_environment
from smartos.dtrace.environment import Environment
from smartos.dtrace.errors import DError
from smartos.dtrace.parse.parser import parse, parse_expression, parse_type
from smartos.dtrace.tree import Clause, ExprStatement, Func, If, Int, Name, Node, Op1, Op2, Op3, String, TypeRef


def shape(node: Node) -> str:
    """A tree with all its brackets."""
    match node:
        case Int():
            return str(node.value)
        case String():
            return repr(node.value.decode())
        case Name() | TypeRef(name=str(), type=None):
            return node.name
        case TypeRef():
            from smartos.dtrace.ctf import spelling

            assert node.type is not None
            return spelling(node.type)
        case Func():
            return f"{node.name}({', '.join(map(shape, node.args))})"
        case Op1():
            return f"({node.op} {shape(node.child)}{' ' + node.name if node.name else ''})"
        case Op2() if node.keys is not None:
            return f"{shape(node.left)}[{', '.join(map(shape, node.keys))}]"
        case Op2():
            return f"({shape(node.left)} {node.op} {shape(node.right)})"
        case Op3():
            return f"({shape(node.test)} ? {shape(node.left)} : {shape(node.right)})"
    raise TypeError(node)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b * c - d", "((a + (b * c)) - d)"),
        ("a || b ^^ c && d | e ^ f & g == h < i << j + k % l",
         "(a || (b ^^ (c && (d | (e ^ (f & (g == (h < (i << (j + (k % l)))))))))))"),
        ("a = b += c", "(a = (b += c))"),
        ("a ? b : c ? d : e", "(a ? b : (c ? d : e))"),
        ("a, b, c", "((a , b) , c)"),
        ("-a++ + ++*b", "((- (post++ a)) + (pre++ (* b)))"),
        ("(int)a + 1", "((int () a) + 1)"),
        ("(a)[1].b->c", "((a[1] . b) -> c)"),
        ("sizeof (int) + 2 * 3", "10"),
        ("sizeof (a)[1]", "(sizeof a[1])"),
        ("sizeof a + 1", "((sizeof a) + 1)"),
        ("(char *)a", "(char * () a)"),
        ("(int (*)(int, char *))a", "(int (*)() () a)"),
        ("stringof (a) == \"x\"", "((stringof a) == 'x')"),
        ("@x[1, \"a\"] = count()", "(@x[1, 'a'] = count())"),
        ("self->x = this->y", "((self -> x) = (this -> y))"),
        ("!a && ~b", "((! a) && (~ b))"),
        ("&a->b", "(& (a -> b))"),
    ],
)  # fmt: skip
def test_expressions(text: str, expected: str) -> None:
    assert shape(parse_expression(text, new_environment())) == expected


def wrong(text: str, script: bool = True, **settings: object) -> tuple[str, str]:
    env = new_environment(**settings)
    env.script = script
    with pytest.raises(DError) as caught:
        parse(text, env)
    return caught.value.tag, str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("BEGIN { a + }", 'line 1: syntax error near "}"'),
        ("BEGIN { trace(1)", "line 1: syntax error near end of input"),
        ("BEGIN\n{\n trace(1);\n", "line 4: syntax error near end of input"),
        ("BEGIN { (a + b) = 1 + 2 = 3; }", 'line 1: syntax error near "="'),
        ("BEGIN { int x; }", 'line 1: syntax error near "int"'),
        ("BEGIN { } ;", 'line 1: syntax error near ";"'),
        ("BEGIN { while (1) { } }", 'line 1: syntax error near "while"'),
        ("BEGIN { \"a\" \"b\" }", 'line 1: syntax error near ""b""'),
        ("int x = 3;", 'line 1: syntax error near "="'),
        ("BEGIN\n", "line 1: expected predicate and/or actions following probe description"),
        ("BEGIN /1/\n", "line 1: expected actions { } following probe description and predicate"),
        ("BEGIN { if (1) else trace(1); }", 'line 1: syntax error near "else"'),
        ("enum e { A, };", 'line 1: syntax error near "}"'),
        ("struct s { };", 'line 1: syntax error near "}"'),
        ("counter x;", 'line 1: syntax error near "counter"'),
        ("BEGIN { stack)(1); }", 'line 1: extra ) in input stream'),
        ("translator int { };", 'line 1: syntax error near "{"'),
    ],
)
def test_syntax_errors(text: str, message: str) -> None:
    assert wrong(text) == ("D_SYNTAX", message)


@pytest.mark.parametrize(
    ("text", "tag", "message"),
    [
        ("BEGIN { nosuch(\n1)\n) }", "D_FUNC_UNDEF", "line 2: undefined function name: nosuch"),
        ("BEGIN { pid(1) + }", "D_FUNC_IDKIND", "line 1: scalar 'pid' may not be referenced as a function"),
        ("BEGIN { x.y(1) }", "D_FUNC_IDENT", "line 1: function designator is not of function type"),
        ("BEGIN { 1 / 0 + }", "D_DIV_ZERO", "line 1: expression contains division by zero"),
        ("BEGIN { trace(9223372036854775808); +", "D_INT_OFLOW",
         "line 1: integer constant 0x8000000000000000 cannot be represented in any built-in integral type"),
        ("BEGIN { sizeof (void) + }", "D_SIZEOF_TYPE", "line 1: cannot apply sizeof to an operand of unknown size"),
        ("BEGIN { offsetof(int, a) + }", "D_OFFSETOF_TYPE", "line 1: offsetof operand must be a struct or union type"),
    ],
)
def test_what_is_wrong_with_a_part_is_said_before_what_follows_is_read(text: str, tag: str, message: str) -> None:
    assert wrong(text) == (tag, message)


def test_an_empty_program_is_none() -> None:
    assert wrong("/* nothing */\nint x;\n") == ("D_EMPTY", "line 3: empty D program translation unit")
    assert parse("int x;\n", Environment(empty=True)).parts == []


def test_a_description_alone_is_enough_on_the_command_line() -> None:
    (clause,) = parse("BEGIN, syscall::read:entry", new_environment()).parts
    assert isinstance(clause, Clause) and [str(desc) for desc in clause.descs] == [":::BEGIN", "syscall::read:entry"]


@pytest.mark.parametrize(
    ("spec", "text", "expected"),
    [
        ("provider", "io", "io:::"), ("module", "io:genunix", "io:genunix::"), ("function", "io::foo", "io::foo:"),
        ("name", "foo:entry", "::foo:entry"), ("name", ":::", ":::"), ("name", "a$1:b", "::a7x:b"),
    ],
)  # fmt: skip
def test_which_part_a_description_names(spec: str, text: str, expected: str) -> None:
    (clause,) = parse(text, new_environment(spec=spec, args=["d", "7x"])).parts
    assert str(clause.descs[0]) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:b:c:d:e { }", 'invalid probe description "a:b:c:d:e": Overspecified probe description'),
        ("pid$9:::x { }", 'invalid probe description "pid$9:::x": Undefined macro variable in probe description'),
        (f"{'x' * 64} {{ }}", f'invalid probe description "{"x" * 64}": File name too long'),
        ("99 { }", "invalid probe identifier 99: Unknown probe identifier"),
        ("4294967296 { }", "identifier 4294967296 exceeds maximum probe id"),
    ],
)
def test_bad_descriptions(text: str, message: str) -> None:
    assert wrong(text) == ("D_PDESC_INVAL", "line 1: " + message)


def test_statements_and_their_lines() -> None:
    (clause,) = parse("BEGIN\n{\n\tx = 1;;\n\tif (x)\n\t\ty = 2;\n\telse {\n\t\tz = 3\n\t}\n}\n", new_environment()).parts
    first, second = clause.statements
    assert isinstance(first, ExprStatement) and first.line == 3
    assert isinstance(second, If) and [len(second.body), len(second.other)] == [1, 1]


def test_unused_arguments_are_errors_unless_allowed() -> None:
    assert wrong("BEGIN { }", args=["d", "one"], argref=False) == (
        "D_MACRO_UNUSED", "line 1: extraneous argument 'one' ($1 is not referenced)")  # fmt: skip
    assert parse("BEGIN { trace($1); }", new_environment(args=["d", "1"], argref=False)).parts


def test_nothing_nests_so_deep_that_the_parser_breaks() -> None:
    for text in ("(" * 5000, "-" * 5000, "sizeof " * 5000, "a[" * 5000, "a ? " * 5000, "(int)" * 5000):
        assert wrong("BEGIN { " + text)[0] == "D_SYNTAX"
    assert wrong("BEGIN { " + "if (1) " * 5000)[0] == "D_SYNTAX"
    assert wrong("".join(f"struct a{n} {{ " for n in range(5000)))[0] == "D_SYNTAX"


@pytest.mark.parametrize("text", ["int", "unsigned long long", "struct foo *", "uint_t", "char [4]", "string", "int (*)()"])
def test_types(text: str) -> None:
    from smartos.dtrace.ctf import spelling

    assert spelling(parse_type(text, Environment())) == text


def test_long_texts_take_time_in_proportion_to_their_length() -> None:
    for text in ("x = " + "a." * 100_000 + "b;", "(" * 900, "/* x */ " * 50_000, "x" * 200_000, "`" * 200_000, "\n" * 300_000):
        begun = time.process_time()
        wrong("BEGIN { " + text + "+ ")
        assert time.process_time() - begun < 4
