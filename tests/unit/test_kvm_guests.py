"""Guests: a listing is read as it stands, and a slip in it is found."""

import pytest

from smartos.kvm import GUESTS, Guest
from smartos.kvm.guests import ORIGIN


def test_hi_is_thirteen_bytes() -> None:
    assert GUESTS["hi"].image.hex() == "baf803b048eeb069eeb00aeef4"


@pytest.mark.parametrize("name", GUESTS)
def test_every_listing_is_whole(name: str) -> None:
    guest = GUESTS[name]
    assert sum(len(line.code) for line in guest.lines) == len(guest.image) > 0
    assert all(line.source.strip() for line in guest.lines if line.code), "each line with code has its assembly"


def test_the_three_print_loops_are_the_same_bytes() -> None:
    """The page says that real, protected and long mode run the same bytes of the loop."""
    guest = GUESTS["modes"]
    loops = []
    for label in ("say16:", "say32:", "say64:"):
        start = [line.source for line in guest.lines].index(label) + 1
        loops.append(b"".join(line.code for line in guest.lines[start : start + 5]))
    assert loops[0] == loops[1] == loops[2] and len(loops[0]) == 8


def test_an_address_that_does_not_follow_is_refused() -> None:
    wrong = GUESTS["hi"].listing.replace("1005  ee", "1006  ee")
    with pytest.raises(ValueError, match=r"guest slip, line 6: address 1006 should be 1005"):
        _ = Guest("slip", wrong).image


def test_the_line_before_an_address() -> None:
    guest = GUESTS["hi"]
    assert guest.before(0x1006).source == "out dx, al"
    assert guest.before(ORIGIN) is None and guest.before(None) is None


def test_patching_replaces_whole_lines() -> None:
    changed = GUESTS["hi"].patched(0x1006, "b06f")
    assert changed.image.hex() == "baf803b048eeb06feeb00aeef4" and changed.name == "hi-patched"
    for address, code in ((0x1006, "b0"), (0x1007, "b06f"), (0x100C, "9090"), (0x1000, "")):
        with pytest.raises(ValueError, match="do not replace whole lines of guest hi"):
            GUESTS["hi"].patched(address, code)
