"""Charts: Vega draws them, the book's palette colours them, and words stand where nothing can draw."""

import sys

import pytest
from bs4 import BeautifulSoup

from smartos.explore import Table
from smartos.plot import COLOURS, Chart, NoRenderer, rendered

SPEC = {
    "width": 100,
    "height": 50,
    "data": {"values": [{"a": "x", "b": 1}, {"a": "y", "b": 2}]},
    "mark": {"type": "bar", "color": COLOURS["kvm"]},
    "encoding": {"x": {"field": "a", "type": "nominal"}, "y": {"field": "b", "type": "quantitative"}},
}


def chart() -> Chart:
    return Chart(SPEC, "Two bars, the second twice as high.", Table(["a", "b"], [("x", 1), ("y", 2)]))


def test_a_chart_is_one_named_image_in_the_palette() -> None:
    svg = BeautifulSoup(chart().svg(), "html.parser").svg
    assert svg["role"] == "img"
    assert svg["aria-label"] == "Two bars, the second twice as high."
    assert f"var(--kvm, {COLOURS['kvm']})" in str(svg)
    assert f'"{COLOURS["kvm"]}"' not in str(svg)


def test_a_chart_has_its_values_as_a_table() -> None:
    page = BeautifulSoup(chart()._repr_html_(), "html.parser")
    assert page.select_one("figcaption").get_text() == chart().says
    assert len(page.select("tbody tr")) == 2


def test_without_a_renderer_the_words_and_the_values_remain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    rendered.cache_clear()
    with pytest.raises(NoRenderer, match="pip install"):
        chart().svg()
    page = BeautifulSoup(chart()._repr_html_(), "html.parser")
    assert chart().says in page.get_text()
    assert len(page.select("tbody tr")) == 2
