"""Aggregations: what an aggregating function keeps, how it takes a value in, how two snapshots are put together.

The state of a function is a list of integers, as the kernel's buffer has them: `[value]` for count, sum, min and max;
`[count, sum]` for avg; `[count, sum, sum of squares]` for stddev, the last of 128 bits; 127 buckets for quantize; and
the encoded parameters and then the buckets for lquantize and llquantize. Integers are signed and wrap at 64 bits.

Follows `dtrace_aggregate_*` of the kernel and `dt_aggregate_*` of libdtrace.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import isqrt

from smartos.dtrace.kernel.buffer import Record
from smartos.dtrace.kernel.cells import quotient, wrap
from smartos.dtrace.program import Act

BUCKETS, ZERO = 127, 63
_M64, _M128 = (1 << 64) - 1, (1 << 128) - 1
State = list[int]


@dataclass(eq=False)
class Aggregation:
    """The values of one aggregation `@name`, or of one of the clauses that aggregate into it, by their keys.

    `id` is the variable's number, `keys` the records of the tuple (their actions say how a key prints).
    """

    id: int
    name: str
    act: Act
    arg: int
    keys: list[Record]
    data: dict[tuple, State] = field(default_factory=dict)
    printed: bool = False  # printa() has printed it: it is not printed again at the end


def lquantize_arg(arg: int) -> tuple[int, int, int]:
    """Base, step and number of levels of an encoded lquantize()."""
    return wrap(arg, 32), arg >> 48 & 0xFFFF, arg >> 32 & 0xFFFF


def llquantize_arg(arg: int) -> tuple[int, int, int, int]:
    """Factor, lowest and highest magnitude and steps of an encoded llquantize()."""
    return arg >> 48 & 0xFFFF, arg >> 32 & 0xFFFF, arg >> 16 & 0xFFFF, arg & 0xFFFF


def new(act: Act, arg: int = 0) -> State:
    """The state before the first value."""
    match act:
        case Act.MIN:
            return [(1 << 63) - 1]
        case Act.MAX:
            return [-1 << 63]
        case Act.AVG:
            return [0, 0]
        case Act.STDDEV:
            return [0, 0, 0]
        case Act.QUANTIZE:
            return [0] * BUCKETS
        case Act.LQUANTIZE:
            return [arg] + [0] * (lquantize_arg(arg)[2] + 2)
        case Act.LLQUANTIZE:
            return [arg] + [0] * (llquantize_bucket(arg, (1 << 63) - 1) + 1)
    return [0]


def add(act: Act, arg: int, state: State, value: int, incr: int = 1) -> None:
    """Take a value in. `incr` is what a quantizing function adds to the value's bucket."""
    adder(act, arg)(state, value, incr)


def adder(act: Act, arg: int = 0) -> Callable[[State, int, int], None]:
    """The function that takes a value (of 64 bits, signed or not) into a state, for a kernel that does it often."""
    match act:
        case Act.COUNT:
            return _count
        case Act.SUM:
            return _sum
        case Act.MIN:
            return _min
        case Act.MAX:
            return _max
        case Act.AVG:
            return _avg
        case Act.STDDEV:
            return _stddev
        case Act.QUANTIZE:
            return _quantize
        case Act.LQUANTIZE:
            return _lquantize(arg)
        case Act.LLQUANTIZE:
            return _llquantize(arg)
    raise ValueError(f"{act!r} is no aggregating action")


def _count(state: State, value: int, incr: int = 1) -> None:
    state[0] += 1


def _sum(state: State, value: int, incr: int = 1) -> None:
    state[0] = wrap(state[0] + value)


def _min(state: State, value: int, incr: int = 1) -> None:
    state[0] = min(state[0], wrap(value))


def _max(state: State, value: int, incr: int = 1) -> None:
    state[0] = max(state[0], wrap(value))


def _avg(state: State, value: int, incr: int = 1) -> None:
    state[0] += 1
    state[1] = wrap(state[1] + value)


def _stddev(state: State, value: int, incr: int = 1) -> None:
    value = wrap(value)
    state[0] += 1
    state[1] = wrap(state[1] + value)
    state[2] = state[2] + value * value & _M128


def quantize_bucket(value: int) -> int:
    """The bucket of a value: a power of two at or below it in magnitude; the one in the middle is for 0."""
    value = wrap(value)
    return ZERO + value.bit_length() if value >= 0 else max(ZERO - value.bit_length(), 0)


def quantize_value(bucket: int) -> int:
    """The value at which a bucket of quantize() begins."""
    return 0 if bucket == ZERO else -(1 << ZERO - 1 - bucket) if bucket < ZERO else 1 << bucket - ZERO - 1


def _quantize(state: State, value: int, incr: int = 1) -> None:
    bucket = quantize_bucket(value)
    state[bucket] = wrap(state[bucket] + incr)


def _lquantize(arg: int) -> Callable[[State, int, int], None]:
    base, step, levels = lquantize_arg(arg)

    def add_value(state: State, value: int, incr: int = 1) -> None:
        value = wrap(value, 32)
        bucket = 1 if value < base else min((value - base) // step, levels) + 2
        state[bucket] = wrap(state[bucket] + incr)

    return add_value


def _llquantize(arg: int) -> Callable[[State, int, int], None]:
    def add_value(state: State, value: int, incr: int = 1) -> None:
        bucket = 1 + llquantize_bucket(arg, wrap(value))
        state[bucket] = wrap(state[bucket] + incr)

    return add_value


def llquantize_bucket(arg: int, value: int) -> int:
    """The bucket of a value: 0 below the lowest magnitude, then linear steps within each, then one above the highest."""
    factor, low, high, steps = llquantize_arg(arg)
    last, bucket = factor**low, 1
    if value < last:
        return 0
    this = last * factor
    for _order in range(low, high + 1):
        buckets = min(this, steps)
        if this * factor >= 1 << 63:
            value = this - 1
        if value < this:
            return bucket + (value - last) // (this // buckets)
        bucket += buckets - buckets // factor
        last, this = this, this * factor
    return bucket


def llquantize_values(arg: int) -> list[int]:
    """Where each bucket of an llquantize() begins, from the second on; the last is the one above the highest magnitude."""
    factor, low, high, steps = llquantize_arg(arg)
    value = factor**low
    following, found = value * factor, []
    step = following // steps if following > steps else 1
    order = low
    while order <= high:
        found.append(value)
        value += step
        if value == following:
            following = value * factor
            step = following // steps if following > steps else 1
            order += 1
    return [*found, value]


def merge(act: Act, state: State, more: State) -> None:
    """Put a later snapshot's state into an earlier one."""
    match act:
        case Act.MIN:
            state[0] = min(state[0], more[0])
        case Act.MAX:
            state[0] = max(state[0], more[0])
        case Act.STDDEV:
            state[:] = [state[0] + more[0], wrap(state[1] + more[1]), state[2] + more[2] & _M128]
        case _:
            begin = 1 if act in (Act.LQUANTIZE, Act.LLQUANTIZE) else 0
            state[begin:] = [wrap(a + b) for a, b in zip(state[begin:], more[begin:], strict=True)]


def clear(act: Act, state: State) -> None:
    """What clear() does: the values become 0, the parameters stay."""
    begin = 1 if act in (Act.LQUANTIZE, Act.LLQUANTIZE) else 0
    state[begin:] = [0] * (len(state) - begin)


def average(state: State, normal: int = 1) -> int:
    """The value of avg(), divided by a normalization."""
    return quotient(quotient(state[1], wrap(normal)), state[0]) if state[0] and normal else 0


def deviation(state: State, normal: int = 1) -> int:
    """The value of stddev(): the root of the mean of the squares less the square of the mean, in integers."""
    if not state[0] or not normal:
        return 0
    squares = state[2] // normal // normal // state[0]
    mean = average(state, normal)
    return isqrt(squares - mean * mean & _M128) & _M64


def weight(act: Act, state: State) -> tuple[int, int]:
    """What a state is sorted by: its value, or the weighted sum of its buckets and, among equals, the count at zero."""
    match act:
        case Act.AVG:
            return average(state), 0
        case Act.STDDEV:
            return deviation(state), 0
        case Act.QUANTIZE:
            return sum(quantize_value(at) * n for at, n in enumerate(state) if n), state[ZERO]
        case Act.LQUANTIZE:
            return _lquantize_weight(state)
        case Act.LLQUANTIZE:
            values = llquantize_values(state[0])
            total = state[1] * (values[0] - 1) + sum(value * n for value, n in zip(values, state[2:], strict=False))
            return total, state[1]
    return state[0], 0


def _lquantize_weight(state: State) -> tuple[int, int]:
    base, step, levels = lquantize_arg(state[0])
    places = [base - 1, *(base + step * level for level in range(levels)), base + step * levels + 1]
    zero = next((n for place, n in zip(places, state[1:], strict=True) if place == 0), 0)
    return sum(place * n for place, n in zip(places, state[1:], strict=True)), zero
