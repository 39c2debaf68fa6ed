"""The paper's ARC keeps the paper's invariants; ZFS's differs from it in the three ways that arc.c names."""

import json
import random
from collections import OrderedDict

import pytest

from smartos.probes import matching, subscribe
from smartos.zfs.arc import problems as arc_problems
from smartos.zfs.arc import traces
from smartos.zfs.arc.paper import ARC, LRU, Cache
from smartos.zfs.arc.state import ARC_GROW_RETRY, ARC_MINTIME, HZ, MAXBLOCK, ArcThrottled, ArcTooSmall, Header, State
from smartos.zfs.arc.zfs import STATES, ZfsArc

K, M = 1 << 10, 1 << 20
SHORT = [(name, make(3000)) for name, (_, make) in traces.TRACES.items()]


class DBL:
    """The paper's DBL(2c), section III: two LRU lists, the upper bound of what ARC remembers."""

    def __init__(self, c: int) -> None:
        self.c, self.L1, self.L2 = c, OrderedDict(), OrderedDict()

    def request(self, page: int) -> None:
        if page in self.L1 or page in self.L2:
            self.L1.pop(page, None)
            self.L2.pop(page, None)
            self.L2[page] = None
            return
        if len(self.L1) == self.c:
            self.L1.popitem(last=False)
        elif len(self.L1) + len(self.L2) == 2 * self.c:
            self.L2.popitem(last=False)
        self.L1[page] = None


# The paper's ARC


@pytest.mark.parametrize("c", [1, 3, 40])
@pytest.mark.parametrize(("name", "trace"), SHORT)
def test_the_papers_invariants_hold_after_every_request(name: str, trace: list[int], c: int) -> None:
    """Section III: the conditions A.1 to A.5, and p between 0 and c."""
    cache = ARC(c)
    for page in trace:
        cache.request(page)
        t1, t2, b1, b2 = (len(getattr(cache, each)) for each in ARC.LISTS)
        assert t1 + b1 <= c and t1 + b1 + t2 + b2 <= 2 * c
        assert t1 + t2 == min(c, t1 + t2 + b1 + b2)
        assert t1 + t2 == c or not b1 + b2
        assert 0 <= cache.p <= c
        assert page in cache.T1 or page in cache.T2


@pytest.mark.parametrize("c", [1, 3, 40])
@pytest.mark.parametrize(("name", "trace"), SHORT)
def test_the_directory_is_that_of_dbl(name: str, trace: list[int], c: int) -> None:
    """L1 is B1 then T1, L2 is B2 then T2, in the order of DBL(2c): p decides what is cached, never what is known."""
    cache, dbl = ARC(c), DBL(c)
    for i, page in enumerate(trace):
        cache.request(page)
        dbl.request(page)
        if i % 50 == 0 or i > len(trace) - 50:
            assert [*cache.B1, *cache.T1] == list(dbl.L1)
            assert [*cache.B2, *cache.T2] == list(dbl.L2)


def test_a_trace_worked_by_hand() -> None:
    """ARC(4): T2 from a second request, ghosts of both kinds, and p there and back."""
    cache = ARC(4)
    assert cache.run("ABCDAB") == [False] * 4 + [True] * 2
    cache.run("E")
    assert cache.lists() == {"T1": ["D", "E"], "T2": ["A", "B"], "B1": ["C"], "B2": []}
    cache.run("CD")
    assert cache.p == 2 and cache.lists() == {"T1": ["E"], "T2": ["B", "C", "D"], "B1": [], "B2": ["A"]}
    cache.run("A")
    assert cache.p == 1 and cache.lists() == {"T1": [], "T2": ["B", "C", "D", "A"], "B1": ["E"], "B2": []}
    assert cache.where("E") == "B1" and cache.where("Z") == ""


def test_p_moves_by_the_ratio_of_the_ghost_lists() -> None:
    """Figure 4: delta is 1, or |B2| / |B1| when B2 is longer, and the other way round."""
    for page, ghosts, expected in (("x", (1, 3), 3.0), ("x", (2, 1), 1.0), ("y", (3, 2), 8.5), ("y", (1, 2), 9.0)):
        cache = ARC(20)
        cache.T2.update(dict.fromkeys(range(20)))
        b1 = ["x", *range(100, 120)][: ghosts[0]]
        b2 = ["y", *range(200, 220)][: ghosts[1]]
        cache.B1.update(dict.fromkeys(b1))
        cache.B2.update(dict.fromkeys(b2))
        cache.p = 10.0 if page == "y" else 0.0
        cache.request(page)
        assert cache.p == expected


def test_replace_takes_from_t1_at_the_target_only_for_a_ghost_of_b2() -> None:
    for page, list_ in (("x", "T2"), ("y", "T1")):
        cache = ARC(2)
        cache.T1["a"] = cache.T2["b"] = cache.B1["x"] = cache.B2["y"] = None
        cache.p = 0.0 if page == "x" else 2.0
        cache.request(page)
        assert cache.p == 1.0
        assert [e.old for e in cache.log if e.what == "evict"] == [list_]


def test_a_scan_leaves_t2_as_it_was() -> None:
    cache, lru = ARC(10), LRU(10)
    for each in (cache, lru):
        each.run([*range(5), *range(5), *range(1000, 1100)])
        each.again = each.run(range(5))
    assert cache.again == [True] * 5 and lru.again == [False] * 5


def test_a_loop_longer_than_the_cache_defeats_both() -> None:
    """Neither ever hits; ARC never even hits a ghost, because T1 alone fills L1."""
    trace = traces.loop(3000, 41)
    for policy in (ARC, LRU):
        assert not any(policy(40).run(trace))
    assert all(policy(41).run(trace)[41:] == [True] * 2959 for policy in (ARC, LRU))


@pytest.mark.parametrize(("name", "trace"), SHORT)
def test_the_log_alone_rebuilds_the_lists(name: str, trace: list[int]) -> None:
    cache = ARC(30)
    cache.run(trace)
    lists = {each: [] for each in ARC.LISTS}
    for event in cache.log:
        if event.what in ("hit", "insert", "evict", "delete"):
            if event.old:
                lists[event.old].remove(event.page)
            if event.new:
                lists[event.new].append(event.page)
    assert lists == cache.lists()
    assert sum(e.what == "hit" for e in cache.log) == cache.hits and cache.log[-1].n == cache.requests == len(trace)


def test_lru_throws_out_what_was_used_longest_ago() -> None:
    cache = LRU(2)
    assert cache.run("ABACB") == [False, False, True, False, False]
    assert list(cache.pages) == ["C", "B"]
    assert "2 of 2 pages; 1 of 5" in cache.describe()


def test_caches_describe_themselves_and_refuse_to_hold_nothing() -> None:
    cache = ARC(2)
    assert cache.ratio == 0
    cache.run("AAB")
    assert cache.ratio == pytest.approx(1 / 3)
    assert cache.describe() == "ARC holds 2 of 2 pages (T1 1, T2 1, B1 0, B2 0) with p = 0; 1 of 3 requests were hits."
    with pytest.raises(ValueError, match="at least one page"):
        LRU(0)
    with pytest.raises(NotImplementedError):
        Cache(1).request("A")


# ZFS's first difference: a block that is held cannot be evicted


def test_held_blocks_are_passed_over_and_the_lowest_evictable_goes() -> None:
    cache = ZfsArc(M)
    for dva in range(9):
        cache.read(dva, MAXBLOCK, hold=dva in (0, 2))
    assert cache.size > cache.c
    cache.read(9, MAXBLOCK)
    assert [e.page for e in cache.log if e.what == "evict"] == [1]
    assert cache.headers[0].b_state is cache.mru and 0 not in cache.mru.blocks


def test_when_everything_is_held_the_cache_outgrows_its_target() -> None:
    cache = ZfsArc(M)
    for dva in range(12):
        cache.read(dva, MAXBLOCK, hold=True)
    assert cache.size == 12 * MAXBLOCK > cache.c and cache.counts["recycle_miss"] == 3
    assert not any(e.what == "evict" for e in cache.log)
    for dva in range(12):
        cache.release(dva)
    cache.adjust()
    assert cache.size <= cache.c


def test_a_release_puts_a_block_at_the_young_end() -> None:
    cache = ZfsArc(M)
    cache.read(0, 512, hold=True)
    cache.read(1, 512)
    cache.release(0)
    assert cache.lists()["mru"] == [1, 0]
    with pytest.raises(ValueError, match="nobody holds"):
        cache.release(0)
    with pytest.raises(ValueError, match="no block"):
        cache.release(7)


def test_writers_are_throttled_while_half_would_be_dirty_and_a_sync_frees_them() -> None:
    cache = ZfsArc(2 * M)
    written = 0
    with pytest.raises(ArcThrottled, match="ERESTART.*over half"):
        for dva in range(100):
            cache.write(dva, MAXBLOCK)
            written += 1
    assert written == 8 and cache.anon.size == M
    assert cache.log[-1].what == "throttle"
    cache.sync()
    assert cache.anon.size == 0 and cache.mru.size == M and cache.lists()["mru"] == list(range(8))
    cache.write(200, MAXBLOCK)
    with pytest.raises(ValueError, match="dirty"):
        cache.read(200, MAXBLOCK)
    with pytest.raises(ValueError, match="copy-on-write"):
        cache.write(3, 512)


def test_a_reservation_larger_than_the_cache_is_enomem() -> None:
    cache = ZfsArc(M)
    with pytest.raises(ArcTooSmall, match="ENOMEM"):
        cache.reserve(2 * M)
    cache = ZfsArc(8 * M)
    cache.c = M
    cache.reserve(M)
    assert cache.c == 4 * M


def test_memory_throttles_writers_before_the_cache_is_half_dirty() -> None:
    cache = ZfsArc(8 * M, memory=16 * M)
    cache.write(0, MAXBLOCK)
    cache.write(1, MAXBLOCK)
    cache.taken = 15 * M
    with pytest.raises(ArcThrottled, match="quarter"):
        cache.write(2, MAXBLOCK)
    assert cache.kstat()["memory_throttle_count"] == 1


# The second: the cache's size varies


def pressed() -> ZfsArc:
    """A cache of 8 MiB, full, on a machine whose memory others have just taken."""
    cache = ZfsArc(8 * M, memory=12 * M)
    for dva in range(64):
        cache.read(dva, MAXBLOCK)
    cache.taken = 4 * M
    return cache


def test_pressure_shrinks_c_by_a_thirty_second_every_other_pass() -> None:
    cache = pressed()
    assert cache.c == 8 * M and cache.memory_is_short()
    p = cache.p
    cache.reclaim()
    assert cache.c == 8 * M - (8 * M >> 5) and cache.p == p - (p >> 5) and cache.no_grow
    assert cache.size <= cache.c
    cache.taken = 8 * M
    cache.reclaim()
    assert cache.c == 8 * M - (8 * M >> 5)
    cache.reclaim()
    assert cache.c < 8 * M - (8 * M >> 5)


def test_c_never_falls_below_c_min() -> None:
    cache = pressed()
    cache.taken = 12 * M
    for _ in range(400):
        cache.reclaim()
    assert cache.c == cache.c_min == M and cache.size <= cache.c


def test_after_a_calm_minute_use_makes_c_grow_again_up_to_c_max() -> None:
    cache = pressed()
    cache.reclaim()
    shrunk, start = cache.c, cache.now
    cache.taken = 0
    for dva in range(100, 200):
        cache.read(dva, MAXBLOCK, now=start + ARC_GROW_RETRY - 1)
    assert cache.c == shrunk
    cache.read(300, MAXBLOCK, now=start + ARC_GROW_RETRY + HZ)
    assert not cache.no_grow and cache.c == shrunk + MAXBLOCK
    grown = next(i for i, e in enumerate(cache.log) if e.what == "grow")
    assert cache.log[grown].p == cache.log[grown - 1].p + MAXBLOCK
    for dva in range(400, 420):
        cache.read(dva, MAXBLOCK)
    assert cache.c == cache.c_max and {e.what for e in cache.log} >= {"shrink", "grow"}


def test_shrinking_goes_straight_down_to_what_is_cached() -> None:
    cache = ZfsArc(8 * M, memory=12 * M)
    for dva in range(16):
        cache.read(dva, MAXBLOCK)
    cache.taken = 10 * M
    cache.reclaim()
    assert cache.c == cache.size == 2 * M


def test_while_the_cache_may_not_grow_its_ghosts_are_trimmed_at_once() -> None:
    cache = pressed()
    cache.reclaim()
    cache.taken = 0
    for dva in range(1000, 1300):
        cache.read(dva, MAXBLOCK, now=cache.now)
        assert cache.mru_ghost.size + cache.mfu_ghost.size <= cache.c


def test_while_memory_is_short_a_read_evicts_though_the_cache_is_not_full() -> None:
    cache = ZfsArc(8 * M, memory=12 * M)
    for dva in range(32):
        cache.read(dva, MAXBLOCK)
    cache.taken = 8 * M
    cache.read(99, MAXBLOCK)
    assert [e.page for e in cache.log if e.what == "evict"][0] == 0 and cache.c <= cache.c_max


def test_sizes_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="c_min"):
        ZfsArc(M, c_min=2 * M)
    with pytest.raises(ValueError, match="c_min"):
        ZfsArc(100 * K)


# The third: blocks of many sizes


def test_a_set_of_blocks_makes_room_for_a_large_one() -> None:
    cache = ZfsArc(M)
    for dva in range(2049):
        cache.read(dva, 512)
    cache.read(5000, MAXBLOCK)
    evicted = [e for e in cache.log if e.what == "evict" and e.n == cache.requests]
    assert len(evicted) == 256 and [e.page for e in evicted] == list(range(256))


def test_a_block_of_the_right_size_next_in_line_is_preferred() -> None:
    cache = ZfsArc(M)
    sizes = [4 * K, 8 * K, 4 * K, *[MAXBLOCK] * 8]
    for dva, size in enumerate(sizes):
        cache.read(dva, size)
    cache.read(100, 8 * K)
    assert [e.page for e in cache.log if e.what == "evict" and e.n == cache.requests] == [1]
    missed = cache.counts["recycle_miss"]
    cache.read(101, 16 * K)
    assert cache.counts["recycle_miss"] == missed + 1


@pytest.mark.parametrize("size", [0, 511, 513, 131_073, 256 * K])
def test_a_size_that_no_block_has_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="whole sectors"):
        ZfsArc(M).read(0, size)


def test_a_block_keeps_its_size_and_the_clock_its_direction() -> None:
    cache = ZfsArc(M)
    cache.read(0, 512, now=50)
    with pytest.raises(ValueError, match="has 512 bytes"):
        cache.read(0, 1024)
    with pytest.raises(ValueError, match="ran back"):
        cache.read(1, 512, now=49)


# The rest of arc.c


def test_a_second_access_within_a_sixteenth_of_a_second_does_not_make_a_block_frequent() -> None:
    cache = ZfsArc(M)
    cache.read(0, 512, now=1)
    assert cache.read(0, 512, now=1 + ARC_MINTIME) and cache.lists()["mru"] == [0]
    assert cache.read(0, 512, now=2 + ARC_MINTIME) and cache.lists()["mfu"] == [0]
    assert ARC_MINTIME == HZ // 16


def accounted(cache: ZfsArc) -> None:
    """Every byte is in one state, and every list has the bytes that it says."""
    for name in STATES:
        state = getattr(cache, name)
        assert state.size == sum(h.b_size for h in cache.headers.values() if h.b_state is state)
        assert state.lsize == sum(h.b_size for h in state.blocks.values())
        assert str(state) == name and all(h.b_refcnt == 0 for h in state.blocks.values())
    assert cache.size == cache.anon.size + cache.mru.size + cache.mfu.size
    assert 0 <= cache.p <= cache.c and cache.c_min <= cache.c <= cache.c_max


@pytest.mark.parametrize("seed", range(6))
def test_every_byte_is_accounted_for_whatever_happens(seed: int) -> None:
    rng = random.Random(seed)
    cache = ZfsArc(2 * M, memory=4 * M)
    sizes, held, fresh = {}, [], 10_000
    for i in range(1500):
        dva = int(rng.random() ** 2 * 300)
        size = sizes.setdefault(dva, 512 << int(rng.random() * 9))
        hold = rng.random() < 0.1 and len(held) < 8
        cache.read(dva, size, hold=hold)
        held += [dva] if hold else []
        if held and rng.random() < 0.15:
            cache.release(held.pop(0))
        if rng.random() < 0.1:
            try:
                cache.write(fresh, 8 * K)
            except ArcThrottled:
                cache.sync()
            fresh += 1
        if i % 200 == 0:
            cache.taken = int(rng.random() * 3 * M)
        accounted(cache)
    stats = cache.kstat()
    assert stats["hits"] == stats["mru_hits"] + stats["mfu_hits"] and stats["hits"] + stats["misses"] == 1500
    assert cache.ratio == stats["hits"] / 1500 and f"{stats['hits']} of 1500" in cache.describe()
    assert {"shrink", "evict", "delete", "ghost hit", "adapt"} <= {event.what for event in cache.log}


@pytest.mark.parametrize("name", traces.TRACES)
def test_blocks_of_one_size_behave_much_as_the_papers_pages(name: str) -> None:
    """Where nothing is held, short of memory or of another size, ZFS's hit ratio is within 5 points of the paper's."""
    trace = traces.TRACES[name][1](6000)
    paper, zfs = ARC(192), ZfsArc(192 * 8 * K)
    paper.run(trace)
    zfs.run([(page, 8 * K) for page in trace])
    assert zfs.ratio == pytest.approx(paper.ratio, abs=0.05)
    accounted(zfs)


def test_every_pass_of_the_reclaim_thread_trims_the_ghosts() -> None:
    cache = ZfsArc(M)
    cache.run(traces.sized(traces.zipf(4000), seed=3))
    cache.reclaim()
    assert cache.mru.size + cache.mru_ghost.size <= cache.c
    assert cache.mru_ghost.size + cache.mfu_ghost.size <= cache.c


def test_p_stays_a_sixteenth_away_from_its_ends_when_ghosts_move_it() -> None:
    cache = ZfsArc(M)
    moved = []
    for dva, size in traces.sized(traces.zipf(6000), seed=2):
        start = len(cache.log)
        cache.read(dva, size)
        events = cache.log[start:]
        if any(e.what == "ghost hit" for e in events):
            moved += [e.p for e in events if e.what == "adapt"]
    assert moved and min(moved) >= M >> 4 and max(moved) <= M - (M >> 4)


@pytest.mark.parametrize(("recent", "frequent", "moved"), [(1, 3, 3), (1, 20, 10), (2, 1, 1), (2, 5, 2)])
def test_a_ghost_moves_p_by_its_bytes_times_the_whole_ratio_of_the_lists_up_to_ten(
    recent: int, frequent: int, moved: int
) -> None:
    for name, other, way in (("mru_ghost", "mfu_ghost", 1), ("mfu_ghost", "mru_ghost", -1)):
        cache = ZfsArc(M)
        for first, each, many in ((0, name, recent), (100, other, frequent)):
            state = getattr(cache, each)
            for dva in range(first, first + many):
                cache.headers[dva] = Header(dva, 4 * K, state)
                cache.headers[dva].link()
                state.size += 4 * K
        assert not cache.read(0, 4 * K)
        assert cache.p == M // 2 + way * moved * 4 * K
        accounted(cache)


def test_p_follows_mru_while_the_cache_fills() -> None:
    cache = ZfsArc(8 * M)
    for dva in range(56):
        cache.read(dva, MAXBLOCK)
    assert cache.p == cache.mru.size == 7 * M


def test_the_probes_are_those_of_arc_c_and_count_what_the_kstats_count() -> None:
    """Names and functions at c9c7122c5f; DTrace shows `arc__hit` as arc-hit."""
    named = {str(probe) for probe in matching("sdt:zfs:arc_*:")}
    assert named >= {
        "sdt:zfs:arc_read_nolock:arc-hit", "sdt:zfs:arc_read_nolock:arc-miss", "sdt:zfs:arc_evict:arc-evict",
        "sdt:zfs:arc_evict_ghost:arc-delete", "sdt:zfs:arc_access:new_state-mru", "sdt:zfs:arc_access:new_state-mfu",
    }  # fmt: skip
    heard: dict[str, int] = {}

    def count(probe, args, context) -> None:
        heard[probe.name] = heard.get(probe.name, 0) + 1
        assert isinstance(args[0], Header) and isinstance(args[0].b_state, State)

    cache = ZfsArc(M)
    with subscribe(count, "sdt:zfs:arc_*:"):
        cache.run(traces.sized(traces.zipf(4000)))
    stats = cache.kstat()
    assert heard["arc-hit"] == stats["hits"] and heard["arc-miss"] == stats["misses"]
    assert heard["arc-delete"] == stats["deleted"]
    assert heard["arc-evict"] == sum(e.what == "evict" for e in cache.log)
    assert heard["new_state-mru"] == sum(e.new == "mru" and e.what == "insert" for e in cache.log)


def test_a_miss_carries_the_block_and_its_size() -> None:
    heard = []
    with subscribe(lambda probe, args, context: heard.append((probe.name, args[1:])), "arc-miss"):
        ZfsArc(M).read(0x2000, 4 * K, zb=7)
    assert heard == [("arc-miss", (0x2000, 4 * K, 7))]


# The traces and the exercises


def test_traces_have_their_length_their_shape_and_one_form_per_seed() -> None:
    for name, (title, make) in traces.TRACES.items():
        assert len(make(1001)) == 1001 and make(1001) == make(1001), name
        assert title
    assert traces.zipf(50, seed=1) != traces.zipf(50, seed=2)
    popular = traces.zipf(20_000)
    assert popular.count(0) > popular.count(10) > popular.count(300)
    scanned = [page for page in traces.scan(12_000) if page >= traces.SCANNED]
    assert len(scanned) == len(set(scanned)) == 4000 and scanned == sorted(scanned)
    assert traces.loop(7, 3) == [0, 1, 2, 0, 1, 2, 0]
    burst = traces.correlated(3000, pages=10**9)
    assert max(burst.count(page) for page in set(burst)) == 3
    assert {name for _, _, name in traces.habits(traces.mixed(4000))} == {"popular pages", "moving set", "loop"}
    assert traces.habits(traces.scan(2000)) == [
        (0, 800, "popular pages"), (800, 1200, "scan"), (1200, 2000, "popular pages"),
    ]  # fmt: skip


def test_sized_traces_give_each_page_one_size_that_zfs_has() -> None:
    found = traces.sized(traces.zipf(3000))
    sizes = dict(found)
    assert all(sizes[page] == size for page, size in found)
    assert set(sizes.values()) == {512 << i for i in range(9)}


def test_a_trace_of_nothing_is_refused() -> None:
    for make in (lambda: traces.zipf(5, pages=0), lambda: traces.loop(5, 0), lambda: traces.correlated(5, again=0)):
        with pytest.raises(ValueError, match="at least 1"):
            make()


@pytest.mark.parametrize("seed", range(40))
def test_a_problem_s_answer_is_what_the_model_has(seed: int) -> None:
    found = arc_problems.problem(seed)
    assert found == arc_problems.problem(seed) == json.loads(json.dumps(found))
    cache = ARC(found["c"])
    hits = cache.run(found["requests"])
    asked = found["asked"]
    assert found["answer"] == (round(cache.p, 2) if asked == "p" else cache.lists()[asked]) and found["answer"]
    assert [step["outcome"] == "hit" for step in found["steps"]] == hits and any(hits)
    assert all(step["says"].endswith(".") for step in found["steps"])
    assert any(step["outcome"] in ("B1", "B2") for step in found["steps"])


def test_problems_differ_and_ask_for_each_list_and_for_p() -> None:
    found = [arc_problems.problem(seed) for seed in range(40)]
    assert len({tuple(each["requests"]) for each in found}) == 40
    assert {each["asked"] for each in found} == set(arc_problems.ASKED)


def test_a_step_says_whom_it_moved() -> None:
    last = arc_problems.steps(4, "ABCDABECDA")[-1]
    assert last["says"] == (
        "A is a ghost in B2. p shrinks to 1. E is evicted from T1, and its name joins B1. A is fetched into T2."
    )
    assert last["left"] == ["E"] and arc_problems.shown(1.5) == "1.5" and arc_problems.shown(10.0) == "10"
