"""The glyphs: one for each technology, told apart by shape, named or hidden, in colours that can be read."""

import re
from xml.etree import ElementTree

import pytest

from smartos.explore.kit.glyphs import GLYPHS, TECHS, glyph
from smartos.explore.kit.svg import COLOURS
from tools.paths import ROOT

TOKENS = (ROOT / "book/static/css/tokens.css").read_text("utf-8")


def numbers(path: str) -> list[float]:
    """The coordinates of a path's absolute moves."""
    return [float(n) for move in re.findall(r"M([\d. -]+)", path) for n in move.split()]


def luminance(colour: str) -> float:
    """WCAG 2's relative luminance of #rrggbb."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2's contrast ratio of two colours."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def token(name: str) -> tuple[str, str]:
    """A colour of the stylesheet, light and dark."""
    found = re.search(rf"--{name}: light-dark\((#\w{{6}}), (#\w{{6}})\)", TOKENS)
    assert found, f"tokens.css has no --{name}"
    return found[1], found[2]


def test_every_technology_of_the_subject_line_has_a_glyph() -> None:
    assert list(TECHS) == list(GLYPHS) == ["zfs", "dtrace", "zones", "kvm", "crossbow"]


def test_no_two_glyphs_share_a_shape() -> None:
    assert len({re.sub(r"[\d.]+", "", path) for path in GLYPHS.values()}) == len(GLYPHS)


@pytest.mark.parametrize("name", GLYPHS)
def test_a_glyph_stays_on_its_grid(name: str) -> None:
    assert all(0 <= n <= 24 for n in numbers(GLYPHS[name]))


@pytest.mark.parametrize("name", GLYPHS)
def test_an_unlabelled_glyph_is_hidden_and_a_labelled_one_named(name: str) -> None:
    hidden = ElementTree.fromstring(glyph(name))
    assert hidden.get("aria-hidden") == "true" and hidden.get("role") is None
    named = ElementTree.fromstring(glyph(name, 16, label="The <pool>."))
    assert (named.get("role"), named.get("aria-label"), named.get("width")) == ("img", "The <pool>.", "16")
    assert named.get("aria-hidden") is None


def test_a_glyph_is_drawn_in_the_colour_of_its_technology() -> None:
    assert f"var(--zfs, {COLOURS['zfs']})" in glyph("zfs")


def test_an_unknown_technology_is_named_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match=r"'xen'.*zfs, dtrace, zones, kvm, crossbow"):
        glyph("xen")


@pytest.mark.parametrize("name", TECHS)
def test_the_stylesheet_has_the_palette_s_colour_in_light(name: str) -> None:
    assert token(name)[0] == COLOURS[name]


@pytest.mark.parametrize("name", [*(f"{tech}-ink" for tech in TECHS), "ink", "ink-2", "accent", "good", "bad"])
def test_colours_for_text_reach_4_5_to_1_on_both_papers(name: str) -> None:
    for i in (0, 1):
        for paper in ("paper", "paper-2"):
            assert contrast(token(name)[i], token(paper)[i]) >= 4.5, (name, paper, ("light", "dark")[i])


def test_edges_of_controls_reach_3_to_1_on_paper() -> None:
    assert all(contrast(token("edge")[i], token("paper")[i]) >= 3 for i in (0, 1))
