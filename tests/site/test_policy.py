"""The pages' policy: the same strict one in every page and from the server, at work, and no hindrance on the disk."""

from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.site.pages import soup, toc
from tests.site.running import LAB, strip
from tests.site.visit import visit
from tests.unit.extensions import load


def test_a_page_opened_as_a_file_says_what_it_needs(browser: Any, site: Path) -> None:
    with visit(browser, (site / f"{LAB}.html").as_uri()) as seen:
        for name in (".cell-run", ".cell-edit"):
            seen.page.locator(name).first.click()
            assert "make serve" in strip(seen).inner_text()
        part = seen.page.locator("[data-part]").first
        assert part.get_attribute("data-live") is not None
        font = "() => document.fonts.ready.then(() => getComputedStyle(document.body).fontFamily)"
        assert "Source Serif" in seen.page.evaluate(font)
        assert seen.errors == []


def test_the_policy_is_strict_in_every_page_and_for_the_server(site: Path, address: str) -> None:
    rules = load("look_policy")
    for page in toc():
        html = soup(site, f"{page}.html")
        script = html.head.find("script", src=False).string
        policy = html.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
        assert policy == rules.policy(script, files=True), page
        assert "default-src 'none'" in policy and "'unsafe-eval'" not in policy and "http" not in policy, page
        assert "script-src 'self' 'wasm-unsafe-eval' 'sha256-" in policy
        inline = [s for s in html.find_all("script", src=False) if not s.get("type", "").startswith("application/")]
        assert len(inline) == 1 and not html.find("style"), page
    for path in ("index.html", "_static/run/worker.js"):
        with urlopen(f"{address}/{path}") as answer:
            assert answer.headers["Content-Security-Policy"].startswith(rules.policy(script)), path


def test_the_policy_is_at_work(browser: Any, address: str) -> None:
    """What it forbids does not happen; the browser says so, and the page's record has it."""
    with visit(browser, f"{address}/{LAB}.html") as seen:
        seen.page.evaluate("""() => {
          window.refused = new Set();
          addEventListener("securitypolicyviolation", (event) => window.refused.add(event.effectiveDirective));
          document.head.append(Object.assign(document.createElement("style"), { textContent: "p { color: red }" }));
          document.head.append(Object.assign(document.createElement("script"), { textContent: "window.ran = true" }));
          new Image().src = "https://example.invalid/dot.png";
        }""")
        seen.page.wait_for_function("() => window.refused.size === 3")
        refused = sorted(seen.page.evaluate("() => [...window.refused]"))
        assert refused == ["img-src", "script-src-elem", "style-src-elem"]
        assert seen.page.evaluate("() => 'ran' in window") is False
