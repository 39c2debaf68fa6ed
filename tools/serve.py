"""Serve the built book on 127.0.0.1, with the headers that it asks its hosts for. Standard library only."""

import argparse
import errno
import functools
import http.server
import sys
from pathlib import Path


class Handler(http.server.SimpleHTTPRequestHandler):
    """Static files, with the types that a browser insists on for modules and WebAssembly."""

    extensions_map = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
        ".whl": "application/zip",
        ".woff2": "font/woff2",
    }

    def end_headers(self) -> None:
        for name, value in headers(Path(self.directory)):
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *args: object) -> None:
        """A reader's own server has no need of an access log."""


def headers(folder: Path) -> list[tuple[str, str]]:
    """The headers that the book's `_headers` names for every file; read each time, for it changes with the book."""
    file = folder / "_headers"
    lines = file.read_text("utf-8").splitlines()[1:] if file.exists() else []
    return [(name, value) for name, _, value in (line.strip().partition(": ") for line in lines)]


def server(folder: Path, port: int) -> http.server.ThreadingHTTPServer:
    """A server for `folder` on the loopback address; port 0 takes any free one."""
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(Handler, directory=str(folder)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    if not (options.folder / "index.html").exists():
        sys.exit(f"serve: there is no book in {options.folder} yet; run: make book")
    try:
        httpd = server(options.folder, options.port)
    except OverflowError:
        sys.exit(f"serve: {options.port} is not a port; use a number up to 65535")
    except OSError as error:
        reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be opened ({error.strerror})"
        sys.exit(f"serve: port {options.port} {reason}; take another: make serve PORT={options.port + 1}")
    print(f"serve: http://127.0.0.1:{httpd.server_port}/  (Ctrl-C ends it)", flush=True)
    try:
        httpd.serve_forever()
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
