"""What a page may load and run: a Content-Security-Policy, in each page and for whoever serves them.

A page's own policy stands in a meta element, so it holds on every host. A worker is bound by the header of its own
response alone, so the same policy is written to `_headers`, the form in which several static hosts read it; `make
serve` sends it too. Pages opened as files have no origin that 'self' could name in every browser, hence `file:` in the
meta element: a page that came over a network cannot load such an address.

Left out: reports of what was refused; the book has nobody who would read them.
"""

import base64
import hashlib

DIRECTIVES = {
    "default-src": "'none'",
    "script-src": "'self' 'wasm-unsafe-eval'",
    "style-src": "'self'",
    "style-src-attr": "'unsafe-inline'",  # the style attribute, in what a reader's own cell may show
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "worker-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
}
OF_FILES = ("script-src", "style-src", "img-src", "font-src", "form-action")


def digest(script: str) -> str:
    """The source expression that lets this one inline script run."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def policy(script: str, files: bool = False) -> str:
    """The policy of a page whose inline script is `script`; with `files`, also for one opened from the disk."""
    parts = []
    for name, value in DIRECTIVES.items():
        more = f" {digest(script)}" if name == "script-src" else ""
        parts.append(f"{name} {value}{more}{' file:' if files and name in OF_FILES else ''}")
    return "; ".join(parts)


def headers(script: str) -> str:
    """The text of `_headers`."""
    lines = [f"Content-Security-Policy: {policy(script)}; frame-ancestors 'self'", "X-Content-Type-Options: nosniff"]
    return "/*\n" + "".join(f"  {line}\n" for line in lines)
