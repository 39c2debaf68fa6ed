"""Declarations of D: types, layouts, variables, and what may not be declared."""

import pytest

from smartos.dtrace.check.globals import new_environment
from smartos.dtrace.ctf import DYN, Struct, resolve, sizeof, spelling
from smartos.dtrace.errors import DError
from smartos.dtrace.ident import Is, Kind
from smartos.dtrace.parse.parser import parse
from smartos.dtrace.tree import Inline, Int, ProviderDecl


def declared(text: str):  # noqa: ANN201
    env = new_environment(empty=True)
    parse(text, env)
    return env


def struct(text: str, name: str = "struct s") -> Struct:
    found = resolve(declared(text).types.lookup(name))
    assert isinstance(found, Struct)
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("int x;", "int"), ("unsigned x;", "unsigned"), ("long int x;", "long"), ("unsigned long long int x;", "unsigned long long"),
        ("short unsigned x;", "unsigned short"), ("char *x[3];", "char *[3]"), ("int x[3][5];", "int [3][5]"),
        ("int (*x)[4];", "int *[4]"), ("const char *const x;", "char *"), ("uint_t **x;", "uint_t **"),
        ("int (*x)(int, char *);", "int (*)()"), ("enum { A, B } x;", "enum"),
        ("string x;", "string"), ("volatile struct buf *x;", "struct buf *"), ("int y, *x;", "int *"),
    ],
)  # fmt: skip
def test_variables_have_the_types_that_c_gives_them(text: str, expected: str) -> None:
    assert spelling(declared(text).globals["x"].type) == expected


def test_arrays_of_arrays_are_laid_out_as_in_c() -> None:
    kind = declared("int x[3][5];").globals["x"].type
    assert (kind.count, kind.of.count, sizeof(kind)) == (3, 5, 60)


def test_members_begin_where_libctf_puts_them() -> None:
    found = struct("struct s { char a; int b; short c; long d; char e; };")
    assert [member.offset // 8 for member in found.members] == [0, 4, 8, 16, 24] and found.size == 25


def test_bit_fields_begin_at_bytes_in_d() -> None:
    found = struct("struct s { int a : 3; int b : 12; uint_t c : 1; };")
    assert [(member.offset, member.type.bits, member.type.size) for member in found.members] == [(0, 3, 1), (16, 12, 2), (32, 1, 1)]


def test_unions_and_forwards() -> None:
    env = declared("struct f; struct s { struct f *p; struct s *q; }; struct f { int x; }; union u { int a; char b[9]; };")
    assert env.types.lookup("struct s").members[0].type.to is env.types.lookup("struct f")
    assert env.types.lookup("struct f").complete and sizeof(env.types.lookup("union u")) == 9


def test_enumerators_are_global_constants() -> None:
    env = declared("enum e { A = 5, B, C = A + 10, D = -1 }; int x[C];")
    assert [env.globals[name].data.value for name in "ABC"] == [5, 6, 15]
    assert env.types.lookup("enum e").values["D"] == -1 and env.globals["x"].type.count == 15
    assert env.globals["A"].kind is Kind.ENUM and Is.INLINE in env.globals["A"].flags


def test_associative_arrays_thread_and_clause_locals() -> None:
    env = declared("int a[string, long]; self int *s; this char t; int64_t g;")
    assert env.globals["a"].kind is Kind.ARRAY and [spelling(key) for key in env.globals["a"].signature.args] == ["string", "long"]
    assert Is.TLS in env.threads["s"].flags and Is.LOCAL in env.locals["t"].flags
    assert [env.globals[name].id for name in "ag"] == [0x500, 0x501] and env.threads["s"].id == 0x500


def test_a_name_may_be_a_type_and_a_member() -> None:
    assert [member.name for member in struct("typedef int foo; struct s { foo foo; };").members] == ["foo"]


def test_inlines() -> None:
    env = new_environment()
    program = parse("inline int N = 4 * 2; inline int twice[int n] = n * 2;\nint x[N];\nBEGIN { trace(N); }", env)
    assert isinstance(program.parts[0], Inline) and isinstance(env.globals["N"].data, Int) and env.globals["N"].data.value == 8
    assert env.globals["x"].type.count == 8 and env.globals["twice"].params[0].name == "n"


def test_providers() -> None:
    (provider,) = parse("provider foo { probe a__b(int x, char *y) : (int x); probe c(); };", new_environment()).parts
    assert isinstance(provider, ProviderDecl) and [probe.name for probe in provider.probes] == ["a-b", "c"]
    assert [spelling(param.type) for param in provider.probes[0].native] == ["int", "char *"]
    assert len(provider.probes[0].translated) == 1 and provider.probes[1].translated is None


@pytest.mark.parametrize(
    ("text", "tag", "message"),
    [
        ("short char x;", "D_DECL_CHARATTR", "invalid type declaration: short and long may not be used with char type"),
        ("signed void x;", "D_DECL_VOIDATTR", "invalid type declaration: attributes may not be used with void type"),
        ("signed float x;", "D_DECL_SIGNINT", "invalid type declaration: signed and unsigned may only be used with integer type"),
        ("long struct foo x;", "D_DECL_LONGINT",
         "invalid type declaration: long and long long may only be used with integer or floating-point type"),
        ("int int x;", "D_DECL_COMBO", "invalid type combination"),
        ("long long long x;", "D_DECL_COMBO", "the attribute 'long' may only be used at most twice in a declaration"),
        ("static extern int x;", "D_DECL_CLASS", "only one storage class allowed in a declaration"),
        ("static int x;", "D_DECL_BADCLASS", "specified storage class not appropriate in D"),
        ("int x[static int];", "D_DECL_PARMCLASS", "inappropriate storage class for function or associative array parameter"),
        ("int x[-1];", "D_DECL_ARRSUB",
         "positive integral constant expression or tuple signature expected as array declaration subscript"),
        ("int x[0x100000000];", "D_DECL_ARRBIG", "array dimension too big"),
        ("int x[];", "D_DECL_ARRNULL", "array declaration requires array dimension or tuple signature: x"),
        ("int x[2][int];", "D_DECL_DYNOBJ", "cannot declare array of associative arrays"),
        ("void x[2];", "D_DECL_VOIDOBJ", "cannot declare array of void"),
        ("void x;", "D_DECL_VOIDOBJ", "cannot have void object: x"),
        ("int;", "D_DECL_USELESS", "useless declaration"),
        ("int pid;", "D_DECL_IDRED", "built-in identifier redeclared: pid"),
        ("int x; char x;", "D_DECL_IDRED", "identifier redeclared: x\n\t current: scalar char\n\tprevious: scalar int"),
        ("int x[int]; int x[int, int];", "D_DECL_IDRED",
         "identifier redeclared: x\n\t current: associative array of int, tuple length 2\n\tprevious: associative array of int,"
         " tuple length 1"),
        ("typedef int f; typedef int f;", "D_DECL_IDRED", "typedef redeclared: f"),
        ("typedef int uint_t;", "D_DECL_IDRED", "typedef redeclared: uint_t"),
        ("struct s { int a; }; struct s { int a; };", "D_DECL_TYPERED", "type redeclared: struct s"),
        ("struct s { struct s { int a; } b; };", "D_DECL_TYPERED", "type redeclared: struct s"),
        ("struct s { int a; int a; };", "D_UNKNOWN", "failed to define member 'a': Duplicate member name definition"),
        ("struct s x;", "D_DECL_INCOMPLETE", "incomplete struct/union/enum struct s: x"),
        ("struct s { struct s t; };", "D_DECL_INCOMPLETE", "incomplete struct/union/enum struct s: t"),
        ("struct s { int a`b; };", "D_DECL_SCOPE", "D scoping operator may not be used in a member name (a`b)"),
        ("struct s { int a : 33; };", "D_DECL_BFSIZE", "bit-field too big for type: a"),
        ("struct s { float a : 3; };", "D_DECL_BFTYPE", "invalid type for bit-field: a"),
        ("struct s { int a : 0; };", "D_DECL_BFCONST", "positive integral constant expression expected as bit-field size"),
        ("enum e { A = 0x80000000 };", "D_DECL_ENOFLOW", "enumerator 'A' value overflows INT_MAX (2147483647)"),
        ("enum e { A = \"x\" };", "D_DECL_ENCONST", "enumerator 'A' must be assigned to an integral constant expression"),
        ("this int x[int];", "D_DECL_LOCASSC", "associative arrays may not be declared as local variables: x"),
        ("int x(int, ...), y[...];", "D_DECL_PROTO_VARARGS", "array prototype may not use a variable-length argument list"),
        ("int x[void];", "D_DECL_PROTO_TYPE", "array prototype may not use parameter of type void: (anonymous), parameter #1"),
        ("int x(int, void);", "D_DECL_PROTO_VOID", "void must be sole parameter"),
        ("int x(void a);", "D_DECL_PROTO_NAME", "void parameter may not have a name: a"),
        ("int x(int a, int a);", "D_DECL_PROTO_FORM", "parameter is already declared in function prototype: a, parameter #2"),
        ("short long x;", "D_UNKNOWN", "failed to resolve type short long : Unknown type name"),
        ("inline void x = 1;", "D_DECL_VOIDOBJ", "cannot declare void inline: x"),
        ("inline int pid = 1;", "D_DECL_IDRED",
         "identifier redefined: pid\n\t current: inline definition\n\tprevious: scalar "),
        ("provider p1 { };", "D_PROV_BADNAME", "provider name may not end with a digit: p1"),
        ("provider p { probe x(int a) : (int b); };", "D_DECL_PROTO_FORM",
         "parameter is not declared in probe output prototype: b, parameter #1"),
    ],
)  # fmt: skip
def test_errors(text: str, tag: str, message: str) -> None:
    with pytest.raises(DError) as caught:
        declared(text)
    assert (caught.value.tag, caught.value.message) == (tag, message)


def test_dynamic_members_are_refused() -> None:
    with pytest.raises(DError) as caught:
        declared("struct s { int a[int]; };")
    assert caught.value.tag == "D_DECL_DYNOBJ" and spelling(DYN) == "<DYN>"
