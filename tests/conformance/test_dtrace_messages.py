"""The words of the checker's messages, against another compiler of D: Debian's `dtrace`, a descendant of the same one.

Each program has one slip (or one expression by chance, put where its type or value must show in a message), and both
compilers must say the same of it, tag and text. Where Linux' words have changed since, the program is left out.
"""

import random
from pathlib import Path

import pytest

from smartos.dtrace.check.globals import new_environment
from smartos.dtrace.code.compile import compile_program
from smartos.dtrace.errors import DError
from tools.peers import Peer

PRELUDE = """
struct prb { int z; };
struct s {
	int i; unsigned char c; short h:5; unsigned u:7; char name[8]; string str; struct s *next; int arr[4]; long l;
};
enum e { EA = 1, EB = 7 };
typedef unsigned short us_t;
BEGIN
{
	si = 3; sl = 4l; su = 5u; sul = 6ul; sc = (char)7; sus = (us_t)8; sll = 9ll; str = "abc"; sp = (struct s *)64;
	ip = (int *)64; cp = (char *)64; vp = (void *)64; en = (enum e)1; ss = *sp; as[1, "x"] = 3;
	self->t = 3ull; this->p = &sp->l; pp = (int **)64; @a[1] = count();
"""
SLIPS = (
    "trace(nope);", "nope();", "pid();", "x = 1 / 0;", 'si = "a";', "x = str * 2;", "x = str | 2;", "x = str && 2;",
    "1 = 2;", "timestamp++;", "vp++;", "as[1] = 2;", 'as["a", "b"] = 2;', "@a[1, 2] = count();", "@a[1] = sum(1);",
    "@b = 1;",
    "@a[1][2] = count();", "@c[@a] = count();", "this->q[1] = 1;", "trace(self->q);", "si[1] = 1;", "x = &si;", "x = &1;",
    "x = *vp;", "x = si->i;", "x = ip->i;", "x = si.i;", "x = sp->zz;", "x = ss.zz;", "x = sizeof (void);",
    "x = offsetof(int, a);", "x = offsetof(struct s, h);", "x = &sp->h;", "x = (float)str;", "x = (struct s)1;",
    "x = xlate <struct s> (1);", "x = args[pid];", "x = uregs[-1];", "x = pid ? str : 1;", "x = (1, trace(1));",
    "x = pid == str;", "str += 1;", "vp += 1;", "x = ip == cp;", "x = ip - cp;", "sp->name = str;", "x = ss + 1;",
    "x = !str;", "x = ~str;", "x = -str;", "x = en == EC;", "x = count();",
)  # fmt: skip
LEAVES = (
    "si sl su sul sc sus sll str sp ip cp vp en ss this->p self->t pp timestamp pid sp->i sp->c sp->h sp->u sp->name sp->str"
    " sp->next sp->arr sp->l ss.i ss.arr ss.name EA EB 1 0 -1 3u 0xffffffff 0x80000000 5ll 'a' \"lit\" NULL"
).split()
BINARY = "+ - * / % << >> & | ^ && || ^^ == != < <= > >=".split()
NUMBERS = ("(int)", "(char)", "(unsigned char)", "(long)", "(unsigned)", "(us_t)", "(short)")
CASTS = (*NUMBERS, "(string)", "(struct s *)", "(char *)")
CONSTANTS = ("1", "2", "-3", "4u", "5l", "6ul", "0x80000000", "0xffffffffffffffff", "7ll", "'x'", "EA", "EB")


def expression(chance: random.Random, depth: int, leaves: tuple | list, casts: tuple) -> str:
    """An expression by chance, parenthesised."""
    if depth == 0:
        return chance.choice(leaves)
    inner = expression(chance, depth - 1, leaves, casts)
    kind = chance.random()
    if kind < 0.6:
        return f"({inner} {chance.choice(BINARY)} {expression(chance, depth - 1, leaves, casts)})"
    if kind < 0.8:
        return f"({chance.choice('-~!+')}{inner})"
    return f"({chance.choice(casts)}{inner})"


def by_chance(seed: int) -> str:
    """A statement that shows an expression's type or a constant's value in its message."""
    chance = random.Random(seed)
    if seed % 3 == 0:
        return f"trace(args[{expression(chance, 3, CONSTANTS, NUMBERS)}]);"
    return f"trace((struct prb *)8 == ({expression(chance, 1 + seed % 2, LEAVES, CASTS)}));"


def ours(text: str) -> str:
    """What our compiler says."""
    try:
        compile_program(text, new_environment(script=True))
    except DError as error:
        return error.text(tags=True)
    return ""


@pytest.mark.parametrize("statement", [*SLIPS, *(by_chance(seed) for seed in range(1, 7))])
def test_both_compilers_say_the_same(linux: Peer, tmp_path: Path, statement: str) -> None:
    path = tmp_path / "slip.d"
    text = f"{PRELUDE}\t{statement}\n}}\n"
    path.write_text(text)
    said = linux.run("sbin/dtrace", "-xnolibs", "-xerrtags", "-e", "-s", str(path)).stderr
    if "Assertion" in said or "not implemented" in said:
        pytest.skip(f"Linux' compiler gives up: {said.strip()[:80]}")
    assert said.removeprefix(f"dtrace: failed to compile script {path}: ").rstrip("\n") == ours(text)
