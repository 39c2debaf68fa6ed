"""A Firefox without a window, driven by its own protocol: JSON over a loopback socket, nothing to install beside it.

Chromium is driven by Playwright, which takes none but its own build of Firefox; this takes the one that readers have.
What Firefox says of a page, its policy's refusals among it, stands in the browser's console, which the protocol reads.
"""

import json
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

QUIET = {
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.prefetch-next": True,  # as a reader's has it
}

SAID = """const messages = Services.console.getMessageArray().filter((m) => m instanceof Ci.nsIScriptError);
Services.console.reset();
return messages.filter((m) => !(m.flags & Ci.nsIScriptError.warningFlag)).map((m) => [m.sourceName, m.errorMessage])"""


class Firefox:
    """One Firefox with a fresh profile in `folder`; ended with the `with`."""

    def __init__(self, program: str, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        settings = {**QUIET, "marionette.port": self._port}
        lines = (f"user_pref({json.dumps(key)}, {json.dumps(value)});\n" for key, value in settings.items())
        (folder / "user.js").write_text("".join(lines), "utf-8")
        options = ["--headless", "--marionette", "--remote-allow-system-access", "--no-remote", "--profile", str(folder)]
        self._log = (folder / "firefox.log").open("wb")
        self._process = subprocess.Popen([program, *options], stdout=self._log, stderr=subprocess.STDOUT)
        self._asked = 0

    def __enter__(self) -> "Firefox":
        try:
            self._socket = self._connect(time.monotonic() + 60)
            self._answers = self._socket.makefile("rb")
            self._read()  # the server's greeting
            self.call("WebDriver:NewSession", capabilities={})
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._socket.close()
        self._end()

    def _end(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._log.close()

    def _connect(self, until: float) -> socket.socket:
        """A connection, once the browser listens."""
        while True:
            assert self._process.poll() is None, f"Firefox ended with {self._process.returncode}; see {self._log.name}"
            try:
                return socket.create_connection(("127.0.0.1", self._port), timeout=90)
            except OSError:
                assert time.monotonic() < until, f"Firefox does not listen; see {self._log.name}"
                time.sleep(0.1)

    def _read(self) -> Any:
        """One message: its length in digits, a colon, JSON."""
        digits = b""
        while (byte := self._answers.read(1)) != b":":
            assert byte, f"Firefox has gone; see {self._log.name}"
            digits += byte
        return json.loads(self._answers.read(int(digits)))

    def call(self, command: str, **words: object) -> Any:
        """One command and its answer."""
        self._asked += 1
        message = json.dumps([0, self._asked, command, words]).encode()
        self._socket.sendall(b"%d:%s" % (len(message), message))
        _, _, error, answer = self._read()
        assert error is None, f"{command}: {error}"
        return answer

    def open(self, address: str) -> None:
        """Go to a page; returns once it is loaded."""
        self.call("WebDriver:Navigate", url=address)

    def run(self, script: str, *words: object) -> Any:
        """What a function body returns that is run in the page; a promise is waited for."""
        return self.call("WebDriver:ExecuteScript", script=script, args=list(words))["value"]

    def said(self, host: str) -> list[str]:
        """The errors of a host's pages that have come into the browser's console since this was last asked."""
        self.call("Marionette:SetContext", value="chrome")
        try:
            messages = self.run(SAID)
        finally:
            self.call("Marionette:SetContext", value="content")
        return [f"{source}: {text}" for source, text in messages if host in source or host in text]
