"""The memory of a process as copyin() sees it: its arguments and environment, laid out as a new 64-bit process has them.

Vectors of pointers, ended by NULL, and the strings that they point to. Left out: everything else of a process.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from smartos.dtrace.vm.memory import USER, Memory

ENVIRONMENT = {"PATH": "/usr/bin:/usr/sbin:/opt/local/bin", "HOME": "/root", "LOGNAME": "root", "SHELL": "/usr/bin/bash", "TZ": "UTC"}


def image(args: Sequence[str], environment: Mapping[str, str] = ENVIRONMENT) -> dict[str, Any]:
    """What a context says of such a process: `memory`, and the addresses `argv` and `envp` in it, with `argc`.

    >>> found = image(["dtrace"], {"TZ": "UTC"})
    >>> first = found["memory"].load(found["envp"], 8, True)
    >>> found["memory"].string(first, 256, True)
    b'TZ=UTC'
    """
    vectors = [list(args), [f"{name}={value}" for name, value in environment.items()]]
    at = USER + sum(8 * (len(vector) + 1) for vector in vectors)
    pointers, strings = bytearray(), bytearray()
    for vector in vectors:
        for text in vector:
            pointers += (at + len(strings)).to_bytes(8, "little")
            strings += text.encode("utf-8", "surrogateescape") + b"\0"
        pointers += bytes(8)
    memory = Memory()
    memory.map(pointers + strings, user=True, address=USER)
    return {"memory": memory, "argv": USER, "envp": USER + 8 * (len(args) + 1), "argc": len(args)}
