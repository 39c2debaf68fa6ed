"""A number given to the prose arrives there as it is meant to be read."""

import ast
import base64

import pytest
from bs4 import BeautifulSoup

from smartos.page import Download, glue


@pytest.mark.parametrize(("value", "text"), [(7270, "7,270"), (23, "23"), ("97.4%", "97.4%"), (True, "True"), (0.5, "0.5")])
def test_glue_stores_the_text_as_a_literal(monkeypatch: pytest.MonkeyPatch, value: object, text: str) -> None:
    import IPython.display

    seen = []
    monkeypatch.setattr(IPython.display, "display", lambda data, **more: seen.append((data, more)))
    glue("name", value)
    data, more = seen[0]
    assert more["metadata"]["scrapbook"]["name"] == "name"
    assert ast.literal_eval(data["application/papermill.record/text/plain"]) == text


def test_a_download_holds_the_bytes_in_its_link() -> None:
    data = bytes(range(256))
    link = BeautifulSoup(Download('a "file".bin', data)._repr_html_(), "html.parser").a
    assert link["download"] == 'a "file".bin'
    assert base64.b64decode(link["href"].partition(",")[2]) == data
    assert link.text == 'Save a "file".bin, 256 bytes'
