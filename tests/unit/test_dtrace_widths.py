"""Two things of D that surprise: a value is cut where it is recorded, and a clause-local variable is not cleared.

In illumos a register has 64 bits, `dtrace_difo` returns it whole, and the record takes as many bytes as the type has.
`this->` variables are a CPU's own storage, which nothing zeroes between two firings. Each is asked of a first firing,
which is interpreted, and of a later one, which is compiled.
"""

import pytest

from smartos.commands import run
from smartos.dtrace.kernel.kernel import WARM


def said(program: str) -> list[str]:
    return run(["dtrace", "-qn", program]).out.split()


@pytest.mark.parametrize("firings", [1, 3 * WARM])
def test_a_sum_of_two_bytes_is_300_in_the_register_and_44_in_the_record(firings: int) -> None:
    program = (
        f'tick-1ms {{ this->a = (unsigned char)200; this->b = (unsigned char)100; n++; @s = sum(this->a + this->b);'
        f' printf("%d %d\\n", this->a + this->b, this->a + this->b == 300); }}'
        f' tick-1ms /n == {firings}/ {{ exit(0); }}'
    )
    words = said(program)
    assert words[:-1] == ["44", "1"] * firings and words[-1] == str(300 * firings)


def test_a_global_keeps_the_whole_register_too() -> None:
    assert said('BEGIN { a = (unsigned char)200; b = (unsigned char)100; c = a + b; printf("%d %d", c, c == 300); exit(0); }') == ["44", "1"]


@pytest.mark.parametrize("firings", [2, 3 * WARM])
def test_a_clause_local_variable_has_what_the_firing_before_left(firings: int) -> None:
    program = (
        'BEGIN { this->n = 40; } tick-1ms { printf("%d ", this->n); this->n++; m++; }'
        f" tick-1ms /m == {firings}/ {{ exit(0); }}"
    )
    assert [int(word) for word in said(program)] == list(range(40, 40 + firings))
