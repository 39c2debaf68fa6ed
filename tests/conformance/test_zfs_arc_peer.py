"""Our ARC and LRU against libcachesim's: the same answer to every request, over 225,000 requests and several sizes.

libcachesim (PyPI) is an independent implementation in C. It takes p for a real number too, as a double.
"""

from types import ModuleType

import pytest

from smartos.zfs.arc.paper import ARC, LRU
from smartos.zfs.arc.traces import TRACES
from tools.peers import PeerMissing
from tools.wheels import wheel

REQUESTS = 45_000
SIZES = (1, 64, 300)


@pytest.fixture(scope="module")
def peer() -> ModuleType:
    """libcachesim, which needs NumPy; skips where they are not to be had."""
    try:
        wheel("numpy")
        return wheel("libcachesim")
    except PeerMissing as missing:
        pytest.skip(str(missing))


def differences(ours, theirs, trace: list[int], peer: ModuleType) -> list[int]:
    """The requests, counted from 0, that one cache answers and the other does not."""
    request = peer.Request()
    found = []
    for i, page in enumerate(trace):
        request.obj_id = page + 1
        if theirs.get(request) != ours.request(page):
            found.append(i)
    return found


@pytest.mark.parametrize("c", SIZES)
@pytest.mark.parametrize("name", TRACES)
@pytest.mark.parametrize("policy", [ARC, LRU])
def test_every_request_is_answered_as_by_libcachesim(policy, name: str, c: int, peer: ModuleType) -> None:
    trace = TRACES[name][1](REQUESTS)
    ours, theirs = policy(c), getattr(peer, policy.__name__)(c, hashpower=16)
    assert differences(ours, theirs, trace, peer) == []
    assert len(trace) == ours.requests == REQUESTS


def test_the_traces_are_long_enough_and_tell_the_two_apart(peer: ModuleType) -> None:
    """200,000 requests or more are compared, and ARC and LRU do not answer all of them alike."""
    assert REQUESTS * len(TRACES) >= 200_000
    trace = TRACES["zipf"][1](5_000)
    assert differences(LRU(64), peer.ARC(64, hashpower=16), trace, peer)
