"""The figure of the node: every part stands where the table says, every way leads through parts that exist."""

import re
from xml.etree import ElementTree

import pytest

from smartos.explore.post.node_figure import HEIGHT, LETTERS, PARTS, SIZE, WAYS, WIDTH, explorer, node
from tests.unit.test_glyphs import token


def inside(inner: tuple[float, float, float, float], outer: tuple[float, float, float, float]) -> bool:
    """Whether one box lies within another."""
    (x, y, w, h), (ox, oy, ow, oh) = inner, outer
    return ox <= x and oy <= y and x + w <= ox + ow and y + h <= oy + oh


def holder(key: str) -> str:
    """The smallest part that another is drawn in, or ''."""
    around = [k for k in PARTS if k != key and inside(PARTS[key].box, PARTS[k].box)]
    return min(around, key=lambda k: PARTS[k].box[2] * PARTS[k].box[3], default="")


@pytest.mark.parametrize("way", [None, *WAYS])
def test_every_state_is_a_picture_with_words_and_values(way: str | None) -> None:
    frame = node(way)
    picture = ElementTree.fromstring(frame.figure)
    assert picture.get("role") == "img" and picture.get("aria-label") == frame.says
    assert len(re.findall(r"\.(?: |$)", frame.says)) <= 2
    assert frame.table is not None and frame.table.rows


def test_a_guest_lives_in_the_only_process_of_its_zone() -> None:
    assert [holder(key) for key in ("guest", "qemu", "kvmzone")] == ["qemu", "kvmzone", ""]
    assert [key for key in PARTS if holder(key) == "kvmzone"] == ["qemu"]


def test_what_the_kernel_holds_is_drawn_in_the_kernel_and_no_zone_is() -> None:
    assert {key for key in PARTS if holder(key) == "kernel"} == {"dtrace", "zfs", "kvm", "crossbow"}
    above = ("global", "native", "kvmzone", "qemu", "guest")
    assert not any(inside(PARTS[key].box, PARTS["kernel"].box) for key in above)


def test_no_part_leaves_the_picture() -> None:
    assert all(inside(part.box, (0, 0, WIDTH, HEIGHT)) for part in PARTS.values())


def test_letters_are_eleven_pixels_high_on_a_narrow_phone() -> None:
    phone, edges = 360, 32
    assert SIZE * (phone - edges) / WIDTH >= 11


def test_words_fit_their_boxes() -> None:
    """Source Sans at 12 units is 5.1 units a character on average, 5.6 with room to spare."""
    for key, part in PARTS.items():
        assert len(part.words) * 5.6 <= part.box[2], f"{part.words!r} is too long for {key}"


@pytest.mark.parametrize("way", WAYS)
def test_the_numbers_of_the_sentence_are_the_numbers_of_the_figure(way: str) -> None:
    said = {int(n) for group in re.findall(r"\(([\d, ]+)\)", WAYS[way].says) for n in group.split(",")}
    assert said == set(range(1, len(WAYS[way].steps) + 1))
    numbered = [t.text for t in ElementTree.fromstring(node(way).figure).iter("text") if t.text.isdigit()]
    assert sorted(map(int, numbered)) == sorted(said)


@pytest.mark.parametrize("way", ["disk", "packet"])
def test_what_a_guest_s_driver_sends_leaves_the_guest_through_kvm(way: str) -> None:
    """The chapter says so of a disk write: the processor leaves the guest, and KVM returns to QEMU."""
    keys = [key for key, _ in WAYS[way].steps]
    driver, backend = {"disk": ("vblk", "backblk"), "packet": ("vnet", "backnet")}[way]
    assert keys.index(driver) < keys.index("kvm") < keys.index(backend)


def test_at_launch_a_packet_goes_through_the_vnic_backend_and_not_through_vnd() -> None:
    told = " ".join(what for _, what in WAYS["packet"].steps) + WAYS["packet"].says
    assert "DLPI" in told and "-net vnic" in told and "vnd" not in told


def test_a_native_process_meets_neither_qemu_nor_kvm() -> None:
    assert {PARTS[key].tech for key, _ in WAYS["native"].steps} <= {"zones", "zfs", ""}


def test_an_unknown_way_is_named_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match=r"'boot'.*disk, packet, exit, enabling, native"):
        node("boot")


def test_the_explorer_offers_every_way_and_begins_with_the_whole() -> None:
    shown = explorer()
    assert shown.default == {"follow": "node"}
    assert [state["follow"] for state in shown.states()] == ["node", *WAYS]


@pytest.mark.parametrize("tech", LETTERS)
def test_letters_without_a_stylesheet_have_its_colours(tech: str) -> None:
    assert LETTERS[tech] == token(f"{tech}-ink")[0]
