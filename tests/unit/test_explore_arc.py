"""The frames of the ARC's explorers show what the caches did."""

import re

import pytest

from smartos.explore.zfs import arc as figures
from smartos.zfs.arc.paper import ARC, LRU
from smartos.zfs.arc.problems import shown

STATES = list(figures.explorer().states())


def ident(state: dict) -> str:
    return "-".join(str(value) for value in state.values())


@pytest.mark.parametrize("state", STATES, ids=ident)
def test_a_frame_says_both_hit_ratios_and_the_range_of_p(state: dict) -> None:
    frame = figures.explorer().frames(**state)[0]
    arc, lru = ARC(state["c"]), LRU(state["c"])
    trace = figures.trace_of(state["trace"])
    arc.run(trace)
    lru.run(trace)
    assert f"answers {arc.ratio:.1%} of them with ARC and {lru.ratio:.1%} with LRU" in frame.says
    targets = [0.0, *(event.p for event in arc.log)]
    if max(targets):
        assert f"between {shown(min(targets))} and {shown(max(targets))} of {state['c']}" in frame.says
    else:
        assert "leave p at 0" in frame.says
    assert frame.table.rows[-1][:3] == (figures.REQUESTS, f"{arc.ratio:.1%}", f"{lru.ratio:.1%}")
    assert len(frame.table.rows) == figures.ROWS


@pytest.mark.parametrize("state", STATES, ids=ident)
def test_bars_and_curve_are_to_scale(state: dict) -> None:
    frame = figures.explorer().frames(**state)[0]
    rows, targets, _ = figures.compared(**state)
    width = figures.RIGHT - figures.LEFT
    drawn = [float(w) for w in re.findall(r'<rect x="46" y="\d+" width="([\d.]+)" height="20" fill="var', frame.figure)]
    hits = [count for count in rows[-1][1:] if count]
    assert drawn == pytest.approx([width * count / figures.REQUESTS for count in hits], abs=0.01)
    curve = re.search(r'<path d="(M[^"z]+)" fill="none"', frame.figure).group(1)
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", curve)]
    up = (figures.BOTTOM - figures.TOP) / state["c"]
    expected = [figures.BOTTOM - up * p for p in (0, *targets[figures.EVERY - 1 :: figures.EVERY])]
    assert heights == pytest.approx(expected, abs=0.06)


def test_the_default_and_the_key_states_tell_different_stories() -> None:
    """ARC ahead past scans, ahead on Zipf, both at nothing in a loop, LRU ahead after a change of habit."""
    explorer = figures.explorer()
    found = []
    for state in (explorer.default, *explorer.keys):
        (_, arc, lru), *_ = reversed(figures.compared(**state)[0])
        found.append((arc > lru) - (arc < lru))
    assert found == [1, 1, 0, -1]


@pytest.mark.parametrize("trace", figures.WALKS)
def test_each_step_shows_the_lists_of_the_model(trace: str) -> None:
    frames = figures.stepper().frames(trace=trace)
    cache = ARC(figures.PLACES)
    requests = figures.WALKS[trace][1]
    assert len(frames) == len(requests) + 1
    for frame, page in zip(frames[1:], requests, strict=True):
        hit = cache.request(page)
        assert frame.table.rows == [
            *((name, " ".join(pages) or "nothing") for name, pages in cache.lists().items()), ("p", shown(cache.p)),
        ]  # fmt: skip
        assert (": a hit." in frame.says) == hit
        cells = re.findall(r'height="36" fill="(\S+?)[ ,"].*?>(\w)</text>', frame.figure)
        filled = sorted(letter for fill, letter in cells if fill.startswith("var"))
        assert filled == sorted(cache.T2)
        assert sorted(letter for _, letter in cells) == sorted(sum(cache.lists().values(), []))
        assert f"p = {shown(cache.p)}" in frame.figure
        place = re.search(r'<line x1="([\d.]+)"[^>]*stroke-width="2.5"', frame.figure).group(1)
        assert float(place) == pytest.approx(figures.MIDDLE - figures.CELL * cache.p)


def test_the_walk_has_ghosts_of_both_kinds_and_begins_at_one() -> None:
    stepper = figures.stepper()
    frames = stepper.frames(trace="both")
    assert "ghost in B1" in frames[stepper.start()].says
    assert any("ghost in B2" in frame.says for frame in frames)
    assert not any(": a hit." in frame.says for frame in stepper.frames(trace="loop"))


@pytest.mark.parametrize("make", [figures.explorer, figures.stepper])
def test_it_is_small_deterministic_and_every_control_has_an_effect(make) -> None:
    explorer = make()
    before = explorer.store()
    figures.compared.cache_clear()
    assert make().store() == before
    frames = [frame for state in explorer.states() for frame in explorer.frames(**state)]
    assert len(frames) <= 60
    for frame in frames:
        assert frame.says.endswith(".") and frame.table.rows
        assert float(re.search(r'viewBox="0 0 ([\d.]+)', frame.figure).group(1)) <= 440
        assert not re.search(r'="(-\d|nan)', frame.figure)
    for key, control in explorer.controls.items():
        seen = {explorer.frames(**{**explorer.default, key: value})[-1].figure for value in control.values}
        assert len(seen) > 1
