"""The aggregations as the consumer keeps them: merged from snapshots, normalized, cleared, cut short, sorted, joined.

Sorting follows the options: by value, then by keys; `aggsortkey` by keys alone; `aggsortkeypos` says which key comes
first, `aggsortpos` which of several aggregations, `aggsortrev` turns everything round. Keys compare as unsigned numbers
of their size, whatever their type; strings byte by byte. Follows `dt_aggregate.c` of libdtrace.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from smartos.dtrace.consumer.charts import ZOOM
from smartos.dtrace.consumer.names import Names, settled
from smartos.dtrace.kernel import aggregate
from smartos.dtrace.kernel.aggregate import Aggregation, State
from smartos.dtrace.kernel.buffer import Record
from smartos.dtrace.kernel.cells import Cell, raw, unsigned
from smartos.dtrace.options import Options
from smartos.dtrace.program import Act

_NUMBERS = (1, 2, 4, 8)
_ADDRESSES = (Act.USYM, Act.UMOD, Act.UADDR)
Order = tuple


@dataclass(eq=False)
class Element:
    """The value of an aggregation for one tuple of keys. `normal` divides it when it is printed.

    `total`, `positives` and `negatives` are of the whole aggregation, for `agghist`; `bins` its outermost buckets, for
    `aggpack`; they are None unless it is being printed so.
    """

    aggregation: Aggregation
    key: tuple
    state: State
    normal: int = 1
    total: Fraction | None = None
    positives: bool = False
    negatives: bool = False
    bins: tuple[int, int] | None = None

    @property
    def cells(self) -> list[tuple[Record, Cell]]:
        """The keys with their records."""
        return [(r, Cell(value, r.size)) for r, value in zip(self.aggregation.keys, self.key, strict=True)]


def _key_order(record: Record, value: object) -> Order:
    if record.size in _NUMBERS:
        return record.size, unsigned(value, record.size)  # type: ignore[arg-type]
    if record.action in _ADDRESSES and isinstance(value, tuple):
        return record.size, tuple(part if isinstance(part, int) else 0 for part in value), tuple(map(str, value))
    if isinstance(value, tuple):
        return record.size, raw(value, record.size), tuple(map(str, value))
    return record.size, raw(value, record.size)  # type: ignore[arg-type]


def key_order(element: Element, position: int = 0) -> Order:
    """What elements of like keys are compared by; `position` is the key to begin with."""
    orders = [_key_order(record, value) for record, value in zip(element.aggregation.keys, element.key, strict=True)]
    at = position if position < len(orders) else 0
    return len(orders), *orders[at:], *orders[:at]


def value_order(element: Element) -> Order:
    """What elements are compared by for their value."""
    return aggregate.weight(element.aggregation.act, element.state)


@dataclass(eq=False)
class Store:
    """All elements. `options` are asked each time, as setopt() may change them between two printings."""

    options: Options
    names: Names = field(default_factory=Names)
    elements: dict[tuple, Element] = field(default_factory=dict)
    known: dict[object, Aggregation] = field(default_factory=dict)  # by the kernel's number, also those without values

    def declare(self, number: object, aggregation: Aggregation) -> Aggregation:
        """Tell of an aggregation before it has values, so that several printed together have its zero."""
        return self.known.setdefault(number, aggregation)

    def merge(self, snapshot: Mapping[object, Aggregation]) -> None:
        """Take in what accumulated since the last snapshot."""
        for number, fresh in snapshot.items():
            kept = self.declare(number, Aggregation(fresh.id, fresh.name, fresh.act, fresh.arg, fresh.keys))
            acts = [record.action for record in kept.keys]
            moves = any(act in (Act.SYM, Act.MOD, Act.USYM, Act.UMOD) for act in acts)
            sizes = tuple(record.size for record in kept.keys)
            for key, state in fresh.data.items():
                if moves:
                    key = tuple(settled(value, act, self.names) for value, act in zip(key, acts, strict=True))
                place = (kept.id, sizes, key)
                if place in self.elements:
                    aggregate.merge(kept.act, self.elements[place].state, state)
                else:
                    self.elements[place] = Element(kept, key, list(state))

    def of(self, ident: int) -> list[Element]:
        """The elements of one aggregation."""
        return [element for element in self.elements.values() if element.aggregation.id == ident]

    def normalize(self, ident: int, by: int) -> None:
        """Divide by `by` whenever values are printed. 0 does nothing, as the real one gives up there."""
        for element in self.of(ident):
            element.normal = by or 1

    def clear(self, ident: int) -> None:
        """Set all values to 0 and keep the keys."""
        for element in self.of(ident):
            aggregate.clear(element.aggregation.act, element.state)

    def truncate(self, ident: int, keep: int) -> None:
        """Keep the `keep` highest values, or the -`keep` lowest; forget the rest, keys and all."""
        found = sorted(self.of(ident), key=lambda e: (value_order(e), key_order(e)), reverse=keep >= 0)
        gone = set(map(id, found[abs(keep) :]))
        self.elements = {place: element for place, element in self.elements.items() if id(element) not in gone}

    @property
    def _reverse(self) -> bool:
        return "aggsortrev" in self.options

    @property
    def _by_key(self) -> bool:
        return "aggsortkey" in self.options

    @property
    def _key_position(self) -> int:
        return self.options.number("aggsortkeypos")

    def sorted(self) -> list[Element]:
        """All elements in the order in which they print: by aggregation, then as the options say."""
        position = self._key_position

        def order(element: Element) -> Order:
            keys = key_order(element, position)
            ident = element.aggregation.id
            return (ident, keys) if self._by_key else (ident, value_order(element), keys)

        found = sorted(self.elements.values(), key=order, reverse=self._reverse)
        if "agghist" in self.options:
            _total(found, "aggzoom" in self.options)
        if "aggpack" in self.options:
            _bins(found)
        return found

    def done(self, elements: Iterable[Element]) -> None:
        """Forget what :meth:`sorted` worked out for a printing."""
        for element in elements:
            element.total = element.bins = None

    def joined(self, idents: list[int]) -> list[tuple[Element, list[Element]]]:
        """Several aggregations side by side: for each tuple of keys one element of each, a zero where it has none.

        The first of a pair stands for the keys. Sorted by the values from `aggsortpos` on, or by keys.
        """
        bundles: dict[tuple, dict[int, Element]] = {}
        for element in self.elements.values():
            if element.aggregation.id in idents:
                bundles.setdefault(key_order(element), {}).setdefault(element.aggregation.id, element)
        if not bundles:
            return []
        start = self.options.number("aggsortpos")
        start = start if start < len(idents) else 0
        position = self._key_position
        rows = []
        for bundle in bundles.values():
            representative = bundle[min(bundle)]
            rows.append((representative, [bundle.get(i) or self._zero(i, representative) for i in idents]))

        def order(row: tuple[Element, list[Element]]) -> Order:
            values = tuple(value_order(element) for element in row[1][start:] + row[1][:start])
            keys = key_order(row[0], position)
            return (keys, values) if self._by_key else (values, keys)

        return sorted(rows, key=order, reverse=self._reverse)

    def _zero(self, ident: int, like: Element) -> Element:
        """An element that counts nothing, for an aggregation that has no value for these keys."""
        described = next((a for a in self.known.values() if a.id == ident), like.aggregation)
        state = aggregate.new(described.act, described.arg)
        aggregate.clear(described.act, state)
        return Element(Aggregation(ident, described.name, described.act, described.arg, like.aggregation.keys), like.key, state)

    def mark(self, ident: int) -> None:
        """Note that an aggregation has been printed."""
        for aggregation in self.known.values():
            if aggregation.id == ident:
                aggregation.printed = True


def _total(elements: list[Element], zoom: bool) -> None:
    """For `agghist`: what a full bar stands for in each aggregation, and the signs that occur."""
    totals: dict[int, tuple[Fraction, bool, bool]] = {}
    simple = {Act.SUM, Act.COUNT, Act.AVG, Act.STDDEV}
    for element in elements:
        if element.aggregation.act in simple:
            value = value_order(element)[0]
            total, positives, negatives = totals.get(element.aggregation.id, (Fraction(0), False, False))
            size = Fraction(int(abs(value) * ZOOM)) if zoom else Fraction(abs(value))
            total = max(total, size) if zoom else total + size
            totals[element.aggregation.id] = (total, positives or value > 0, negatives or value < 0)
    for element in elements:
        if element.aggregation.id in totals:
            element.total, element.positives, element.negatives = totals[element.aggregation.id]


def _bins(elements: list[Element]) -> None:
    """For `aggpack`: the outermost buckets of each aggregation; an lquantize() shows all that it has."""
    bins: dict[int, tuple[int, int]] = {}
    for element in elements:
        act, ident = element.aggregation.act, element.aggregation.id
        if act is Act.LQUANTIZE:
            low, high = 1, len(element.state) - 2
        elif act is Act.QUANTIZE:
            used = [at for at, value in enumerate(element.state) if value] or [aggregate.ZERO]
            low, high = used[0], used[-1]
        else:
            continue
        before = bins.get(ident, (low, high))
        bins[ident] = min(low, before[0]), max(high, before[1])
    for element in elements:
        element.bins = bins.get(element.aggregation.id)
