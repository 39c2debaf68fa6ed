"""What the checker refuses: the tag and the words of the message, as the real compiler has them."""

import pytest

from smartos.dtrace.check.cook import clauses, compilation, cook_clause, cook_program
from smartos.dtrace.check.globals import new_environment
from smartos.dtrace.ctf import C, Pointer
from smartos.dtrace.environment import ProbeArg, ProbeInfo
from smartos.dtrace.errors import DError
from smartos.dtrace.ident import Ident, Kind, Stability
from smartos.dtrace.match import matches
from smartos.dtrace.parse.parser import parse


class Some:
    """A few probes."""

    def __init__(self, *probes):
        self.all = probes

    def matching(self, desc):
        return [probe for probe in self.all if matches(desc, probe)]


def text_of(text, **settings):
    """The error of a program as the tool prints it for a script, with its tag; nothing if it has none."""
    env = settings.pop("env", None) or new_environment(**settings)
    try:
        with compilation(env):
            program = cook_program(parse(text, env), env)
            for clause in clauses(program):
                for desc in clause.descs:
                    cook_clause(clause, desc, env)
    except DError as error:
        return error.text(tags=True)
    return ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trace(nope);", "[D_IDENT_UNDEF] line 1: failed to resolve nope: Unknown variable name"),
        ("nope();", "[D_FUNC_UNDEF] line 1: undefined function name: nope"),
        ("execname();", "[D_FUNC_IDKIND] line 1: scalar 'execname' may not be referenced as a function"),
        ("(1)();", "[D_FUNC_IDENT] line 1: function designator is not of function type"),
        ("x = strlen;", "[D_IDENT_BADREF] line 1: function 'strlen' may not be referenced as scalar"),
        ("x = 1 / 0;", "[D_DIV_ZERO] line 1: expression contains division by zero"),
        ("x = 1; x = \"a\";", '[D_OP_INCOMPAT] line 1: operands have incompatible types: "int" = "string"'),
        ("x = execname * 2;", "[D_OP_ARITH] line 1: operator * requires operands of arithmetic type"),
        ("x = execname | 2;", "[D_OP_INT] line 1: operator | requires operands of integral type"),
        ("x = execname && 2;", "[D_OP_SCALAR] line 1: operator && requires operands of scalar type"),
        ("execname = \"a\";", "[D_OP_WRITE] line 1: operator = can only be applied to a writable variable"),
        ("1 = 2;", "[D_OP_LVAL] line 1: operator = requires modifiable lvalue as an operand"),
        ("x = (void *)0; x++;", "[D_OP_VFPTR] line 1: operator ++ requires an operand of known size"),
        ("a[1] = 1; a[1, 2] = 2;", "[D_PROTO_LEN] line 1: a[ ] prototype mismatch: 2 keys passed, 1 expected"),
        ("a[1] = 1; a[\"x\"] = 2;", "[D_PROTO_ARG] line 1: a[ ] key #1 is incompatible with prototype:\n"
                                    "\tprototype: int\n\t      key: string"),
        ("@a[1] = count(); @a[1, 2] = count();",
         "[D_PROTO_LEN] line 1: @a[ ] prototype mismatch: 2 keys passed, 1 expected"),
        ("strlen();", "[D_PROTO_LEN] line 1: strlen( ) prototype mismatch: 0 args passed, 1 expected"),
        ("strlen(1);", "[D_PROTO_ARG] line 1: strlen( ) argument #1 is incompatible with prototype:\n"
                       "\tprototype: const char *\n\t argument: int"),
        ("substr(\"a\");", "[D_PROTO_LEN] line 1: substr( ) prototype mismatch: 1 arg passed, at least 2 expected"),
        ("@a = count(); @a = sum(1);", "[D_AGG_REDEF] line 1: aggregation redefined: @a\n\t current: @a = sum( )\n"
                                       "\tprevious: @a = count( ) : line 1"),
        ("@a = 1;", "[D_AGG_FUNC] line 1: @a must be assigned the result of an aggregating function"),
        ("@a[1][2] = count();", "[D_AGG_MDIM] line 1: improper attempt to reference @a as a multi-dimensional array"),
        ("@a[@b] = count();", "[D_IDENT_UNDEF] line 1: failed to resolve @b: Unknown variable name"),
        ("@b = count(); a[@b] = 1;", "[D_KEY_TYPE] line 1: aggregation expression may not be used as associative array "
                                     "index: key #1"),
        ("this->x[1] = 1;", "[D_ARR_LOCAL] line 1: local variables may not be used as associative arrays: x"),
        ("trace(self->x);", "[D_VAR_UNDEF] line 1: self->x has not yet been declared or assigned"),
        ("x = 1; x[1] = 1;", "[D_DEREF_NONPTR] line 1: cannot dereference non-pointer type"),
        ("x = &y;", "[D_IDENT_UNDEF] line 1: failed to resolve y: Unknown variable name"),
        ("y = 1; x = &y;", "[D_ADDROF_VAR] line 1: cannot take address of dynamic variable"),
        ("x = &1;", "[D_ADDROF_LVAL] line 1: unacceptable operand for unary & operator"),
        ("x = *(void *)1;", "[D_DEREF_VOID] line 1: cannot dereference pointer to void"),
        ("x = 1; y = x->z;", "[D_OP_PTR] line 1: operator -> must be applied to a pointer"),
        ("x = (int *)1; y = x->z;", '[D_OP_SOU] line 1: operator -> cannot be applied to pointer to type "int"; '
                                    "must be applied to a struct or union pointer"),
        ("x = 1; y = x.z;", '[D_OP_SOU] line 1: operator . cannot be applied to type "int"; must be applied to a struct or '
                            "union"),
        ("x = sizeof (void);", "[D_SIZEOF_TYPE] line 1: cannot apply sizeof to an operand of unknown size"),
        ("x = offsetof(int, a);", "[D_OFFSETOF_TYPE] line 1: offsetof operand must be a struct or union type"),
        ("x = (float)execname;", '[D_CAST_INVAL] line 1: invalid cast expression: "string" to "float"'),
        ("x = xlate <kthread_t> (1);", '[D_XLATE_NONE] line 1: cannot translate from "int" to "kthread_t"'),
        ("x = args[0];", "[D_ARGS_IDX] line 1: index 0 is out of range for dtrace:::BEGIN args[ ]"),
        ("x = args[pid];", "[D_PROTO_ARG] line 1: args[ ] argument #1 is incompatible with prototype:\n"
                           "\tprototype: integer constant\n\t argument: pid_t"),
        ("x = uregs[-1];", "[D_REGS_IDX] line 1: index -1 is out of range for array uregs"),
        ("x = nosuch`y;", "[D_IDENT_UNDEF] line 1: failed to resolve nosuch`y: Unknown module name"),
        ("x = `nosuch;", "[D_IDENT_UNDEF] line 1: failed to resolve `nosuch: Unknown symbol name"),
        ("x = pid ? execname : 1;", "[D_OP_INCOMPAT] line 1: operator ?: operands must have compatible types"),
        ("pid ? trace(1) : trace(2);", "[D_OP_ACT] line 1: action cannot be used in a conditional context"),
        ("x = (1, trace(1));", "[D_OP_ACT] line 1: operator , operands cannot be actions"),
        ("x = pid == execname;", '[D_OP_INCOMPAT] line 1: operands have incompatible types: "pid_t" == "string"'),
    ],
)  # fmt: skip
def test_messages_of_expressions(text, message):
    assert text_of(f"dtrace:::BEGIN {{ {text} }}") == message


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("inline int i = i + 1; BEGIN { }", "D_IDENT_UNDEF"),
        ('inline int i = "a"; BEGIN { }', "D_OP_INCOMPAT"),
        ("inline int i = 1; inline int i = 2; BEGIN { }", "D_DECL_IDRED"),
        ("inline int f[int a] = a; BEGIN { trace(f[1, 2]); }", "D_PROTO_LEN"),
        ('inline int f[int a] = a; BEGIN { trace(f["a"]); }', "D_PROTO_ARG"),
        ("translator int < int i > { a = 1; }; BEGIN { }", "D_XLATE_SOU"),
        ("struct s { int a; }; translator struct s < int i > { b = 1; }; BEGIN { }", "D_XLATE_MEMB"),
        ('struct s { int a; }; translator struct s < int i > { a = "x"; }; BEGIN { }', "D_XLATE_INCOMPAT"),
        ("struct s { int a; int b; }; translator struct s < int i > { a = i; }; BEGIN { trace(xlate <struct s> (1).b); }",
         "D_XLATE_NOCONV"),
        ("struct s { int a; }; translator struct s < int i > { a = i; };"
         " translator struct s < int i > { a = i; }; BEGIN { }", "D_XLATE_REDECL"),
        ("provider p { probe a(int); probe a(int); }; BEGIN { }", "D_PROV_PRDUP"),
        ("provider p { probe a(int i) : (string i); }; BEGIN { }", "D_PROV_PRXLATOR"),
        ("provider p { probe a(int i); }; p:::b { }", "D_PDESC_ZERO"),
        ('BEGIN /"a"/ { }', "D_PRED_SCALAR"),
        ("nosuch:::probe { }", "D_PDESC_ZERO"),
        ("struct s { int a : 3; }; BEGIN { x = &((struct s *)arg0)->a; }", "D_ADDROF_BITFIELD"),
        ("struct s { int a : 3; }; BEGIN { x = sizeof (((struct s *)arg0)->a); }", "D_SIZEOF_BITFIELD"),
        ("struct s { int a : 3; }; BEGIN { x = offsetof(struct s, a); }", "D_OFFSETOF_BITFIELD"),
        ("enum e { A }; int A1; BEGIN { x = (enum e)0; y = x == B; }", "D_IDENT_UNDEF"),
    ],
)  # fmt: skip
def test_tags_of_programs(text, tag):
    assert text_of(text).startswith(f"[{tag}] ")


def test_what_is_right_is_not_refused():
    thing = Ident("thing", Kind.SYMBOL, type=C["int"], data="unix")
    program = """
        struct s { int a; string b; };
        translator struct s < int i > { a = i + 1; b = "x"; };
        inline int add[int x, int y] = x + y;
        inline struct s mine = xlate <struct s> (3);
        provider p { probe go__on(int i) : (int i); };
        int table[int, string];
        BEGIN, END { @[add[1, 2], execname] = lquantize(arg0, 0, 10, 1); table[1, "a"] = mine.a; self->t = timestamp;
                     printf("%d %s", xlate <struct s> (1).a, mine.b); x = (struct s *)arg0; y = x->a == 3 ? "a" : "b"; }
        END /self->t && table[1, "a"]/ { this->p = &`thing; trace(*this->p); }
    """
    assert text_of(program, symbols=lambda module, name: thing) == ""


def test_args_have_the_types_of_the_probe_or_of_its_translation():
    native = Pointer(C["int"])
    args = [ProbeArg(native, 0), ProbeArg(native, 0, C["char"])]
    env = new_environment(probes=Some(ProbeInfo(1, "io", "m", "f", "start", args)))
    assert text_of("io:::start { trace(*args[0]); }", env=env) == ""
    assert text_of("io:::start { trace(args[1]); }", env=env).startswith(
        "[D_ARGS_XLATOR] line 1: translator for args[1] from int * to char is not defined")  # fmt: skip
    env = new_environment()
    with compilation(env):
        parse("struct out { int a; }; translator struct out < int *p > { a = *p; };", env)
    out = env.types.pointer(env.types.lookup("struct out"))
    env.probes = Some(ProbeInfo(1, "io", "m", "f", "start", [ProbeArg(env.types.pointer(C["int"]), 0, out)]))
    assert text_of("io:::start { trace(args[0]->a); x = args[0]->a + 1; }", env=env) == ""
    assert text_of("io:::start { trace(args[0]->b); }", env=env).startswith("[D_XLATE_NOCONV] ")


def test_args_of_several_probes_are_known_only_where_the_provider_promises_it():
    def probes(provider):
        return Some(*(ProbeInfo(n, provider, "m", f"f{n}", "start", [ProbeArg(C["int"], 0)]) for n in (1, 2)))

    assert text_of("io:::start { trace(args[0]); }", probes=probes("io")) == ""
    assert text_of("fbt:::start { trace(args[0]); }", probes=probes("fbt")) == (
        "[D_ARGS_MULTI] line 1: args[ ] may not be referenced because probe description fbt:::start matches an unstable set "
        "of probes")  # fmt: skip
    assert text_of("io::: { trace(args[0]); }", probes=probes("io")).startswith("[D_ARGS_MULTI] ")
    assert text_of("fbt::f1:start { trace(args[0]); }", probes=probes("fbt")) == ""


def test_a_description_may_match_nothing_if_that_is_asked_for():
    assert text_of("nosuch:::probe { trace(1); }", zdefs=True) == ""


def test_stability_below_the_least_allowed_is_an_error():
    assert text_of("dtrace:::BEGIN { trace(pid); }", amin=Stability(5, 5, 5)) == ""
    assert text_of("BEGIN { trace(pid); }", amin=Stability(5, 5, 5)).startswith("[D_ATTR_MIN] line 1: attributes for clause")
    assert text_of("dtrace:::BEGIN { trace(curthread); }", amin=Stability(5, 5, 5)) == (
        "[D_ATTR_MIN] line 1: attributes for scalar curthread (Stable/Private/Common) are less than predefined minimum")


def test_an_expression_too_deep_is_an_error_and_no_crash():
    assert text_of("BEGIN { x = " + "!" * 5000 + "pid; }").startswith("[D_")
    assert text_of("BEGIN { x = " + " + ".join(["pid"] * 5000) + "; }").startswith("[D_")


def test_a_program_that_is_no_file_has_its_errors_in_a_region():
    env = new_environment()
    with pytest.raises(DError) as failed, compilation(env):
        program = cook_program(parse("BEGIN { trace(nope); }", env), env)
        cook_clause(clauses(program)[0], clauses(program)[0].descs[0], env)
    failed.value.line = 0
    assert str(failed.value) == "in action list: failed to resolve nope: Unknown variable name"
