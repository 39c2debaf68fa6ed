"""A number given to the prose arrives there as it is meant to be read."""

import ast

import pytest

from smartos.page import glue


@pytest.mark.parametrize(("value", "text"), [(7270, "7,270"), (23, "23"), ("97.4%", "97.4%"), (True, "True"), (0.5, "0.5")])
def test_glue_stores_the_text_as_a_literal(monkeypatch: pytest.MonkeyPatch, value: object, text: str) -> None:
    import IPython.display

    seen = []
    monkeypatch.setattr(IPython.display, "display", lambda data, **more: seen.append((data, more)))
    glue("name", value)
    data, more = seen[0]
    assert more["metadata"]["scrapbook"]["name"] == "name"
    assert ast.literal_eval(data["application/papermill.record/text/plain"]) == text
