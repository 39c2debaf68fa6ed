"""A cache that learns from what it threw away: the Adaptive Replacement Cache of the paper, and LRU to hold it against.

Both caches take pages of one size. :class:`LRU` throws out what was used longest ago. :class:`ARC` keeps two lists of
pages, T1 of those seen once lately and T2 of those seen again, and remembers the names of pages that it threw out of
either in the ghost lists B1 and B2. A request for a ghost says that its list was too short, and moves the target p.

Left out: everything that ZFS changed (see :mod:`smartos.zfs.arc.zfs`), dirty pages, and the time that a miss costs.
Follows Megiddo and Modha, "ARC: A Self-Tuning, Low Overhead Replacement Cache", FAST 2003, Figure 4, case by case; p is
a real number there, and here a float.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from typing import NamedTuple

Page = Hashable


class Event(NamedTuple):
    """One thing that happened to a cache during request `n`, counted from 1.

    `what` is hit, miss, ghost hit, adapt, evict, delete or insert (and, of ZFS's cache, more); `page` is whom it
    befell; `old` and `new` are the lists that the page left and joined, empty for none; `p` and `c` are the target of
    T1 and of the cache just after.
    """

    n: int
    what: str
    page: Page = None
    old: str = ""
    new: str = ""
    p: float = 0
    c: int = 0


class Cache:
    """What every cache here keeps: its size `c` in pages, its log, its counts. Raises ValueError when c is below 1."""

    def __init__(self, c: int) -> None:
        if c < 1:
            raise ValueError(f"a cache holds at least one page, not {c}")
        self.c = c
        self.requests = 0
        self.hits = 0
        self.log: list[Event] = []

    def request(self, page: Page) -> bool:
        """Ask for a page; True for a hit. Afterwards the page is in the cache."""
        raise NotImplementedError

    def run(self, trace: Iterable[Page]) -> list[bool]:
        """Ask for every page of a trace in order; whether each was a hit."""
        return [self.request(page) for page in trace]

    @property
    def ratio(self) -> float:
        """The share of the requests that were hits, from 0 to 1."""
        return self.hits / self.requests if self.requests else 0.0


class LRU(Cache):
    """The least recently used page goes. `pages` holds the cache, from the next to go to the latest."""

    def __init__(self, c: int) -> None:
        super().__init__(c)
        self.pages: OrderedDict[Page, None] = OrderedDict()

    def request(self, page: Page) -> bool:
        self.requests += 1
        hit = page in self.pages
        if hit:
            self.hits += 1
            self.pages.move_to_end(page)
        else:
            if len(self.pages) == self.c:
                victim, _ = self.pages.popitem(last=False)
                self.log.append(Event(self.requests, "evict", victim, "LRU", "", 0, self.c))
            self.pages[page] = None
        self.log.append(Event(self.requests, "hit" if hit else "miss", page, "", "LRU", 0, self.c))
        return hit

    def describe(self) -> str:
        """The cache in one sentence."""
        return f"LRU holds {len(self.pages)} of {self.c} pages; {self.hits} of {self.requests} requests were hits."


class ARC(Cache):
    """The paper's ARC(c): T1 and T2 hold at most c pages together, and B1 and B2 the names of at most c more.

    Each list is an OrderedDict from its LRU end to its MRU end. `p` is the target size of T1, from 0 to c.
    """

    LISTS = ("T1", "T2", "B1", "B2")

    def __init__(self, c: int) -> None:
        super().__init__(c)
        self.p = 0.0
        self.T1: OrderedDict[Page, None] = OrderedDict()
        self.T2: OrderedDict[Page, None] = OrderedDict()
        self.B1: OrderedDict[Page, None] = OrderedDict()
        self.B2: OrderedDict[Page, None] = OrderedDict()

    def lists(self) -> dict[str, list[Page]]:
        """The four lists by name, each from LRU to MRU."""
        return {name: list(getattr(self, name)) for name in self.LISTS}

    def where(self, page: Page) -> str:
        """The list that knows a page; empty when none does."""
        return next((name for name in self.LISTS if page in getattr(self, name)), "")

    def request(self, page: Page) -> bool:
        self.requests += 1
        if page in self.T1:
            return self._case_1(page, "T1")
        if page in self.T2:
            return self._case_1(page, "T2")
        if page in self.B1:
            self._case_2(page)
        elif page in self.B2:
            self._case_3(page)
        else:
            self._case_4(page)
        return False

    def _case_1(self, page: Page, old: str) -> bool:
        """A hit: whatever is asked for again belongs to T2."""
        self.hits += 1
        self._move(page, old, "T2", "hit")
        return True

    def _case_2(self, page: Page) -> None:
        """A ghost hit in B1: T1 was too short, so p grows."""
        self._note("ghost hit", page, "B1")
        delta = 1.0 if len(self.B1) >= len(self.B2) else len(self.B2) / len(self.B1)
        self._adapt(min(self.p + delta, self.c))
        self._replace(in_b2=False)
        self._move(page, "B1", "T2", "insert")

    def _case_3(self, page: Page) -> None:
        """A ghost hit in B2: T2 was too short, so p shrinks."""
        self._note("ghost hit", page, "B2")
        delta = 1.0 if len(self.B2) >= len(self.B1) else len(self.B1) / len(self.B2)
        self._adapt(max(self.p - delta, 0.0))
        self._replace(in_b2=True)
        self._move(page, "B2", "T2", "insert")

    def _case_4(self, page: Page) -> None:
        """A page that no list knows: make room in the directory, then in the cache, and put it into T1."""
        self._note("miss", page)
        l1 = len(self.T1) + len(self.B1)
        known = l1 + len(self.T2) + len(self.B2)
        if l1 == self.c:
            if len(self.T1) < self.c:
                self._forget("B1")
                self._replace(in_b2=False)
            else:
                self._forget("T1")
        elif known >= self.c:
            if known == 2 * self.c:
                self._forget("B2")
            self._replace(in_b2=False)
        self.T1[page] = None
        self._note("insert", page, "", "T1")

    def _replace(self, in_b2: bool) -> None:
        """The subroutine REPLACE: one page leaves the cache and its name joins the ghosts."""
        t1 = len(self.T1)
        if t1 and (t1 > self.p or (in_b2 and t1 == self.p)):
            self._move(next(iter(self.T1)), "T1", "B1", "evict")
        else:
            self._move(next(iter(self.T2)), "T2", "B2", "evict")

    def _adapt(self, p: float) -> None:
        self.p = p
        self._note("adapt")

    def _forget(self, old: str) -> None:
        """Drop the LRU page of a list altogether."""
        page, _ = getattr(self, old).popitem(last=False)
        self._note("delete", page, old)

    def _move(self, page: Page, old: str, new: str, what: str) -> None:
        """Take a page out of one list and put it at the MRU end of another."""
        del getattr(self, old)[page]
        getattr(self, new)[page] = None
        self._note(what, page, old, new)

    def _note(self, what: str, page: Page = None, old: str = "", new: str = "") -> None:
        self.log.append(Event(self.requests, what, page, old, new, self.p, self.c))

    def describe(self) -> str:
        """The cache in one sentence."""
        sizes = ", ".join(f"{name} {len(getattr(self, name))}" for name in self.LISTS)
        return (
            f"ARC holds {len(self.T1) + len(self.T2)} of {self.c} pages ({sizes}) with p = {self.p:.3g}; "
            f"{self.hits} of {self.requests} requests were hits."
        )
