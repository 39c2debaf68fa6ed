"""DTrace: the D language as dtrace(1M) speaks it, compiled to DIF, over whatever the other models do.

    from smartos.dtrace import run_script, trace

    with trace("io:::start { @[args[1]->dev_statname] = count(); }") as t:
        pool.sync()
    print(t.output)

The rooms are in the order of a program's way: `parse` makes a tree of its text, `check` gives the tree its types, `code`
compiles it to DIF; `kernel` enables it and keeps what it traces, `vm` runs the DIF when a probe fires, over `system`, the
traced system as D sees it, and its `providers` and `library`; `consumer` prints. The forms that they hand to each other
stand beside this file: `ctf`, `tree`, `ident`, `dif`, `program`. :mod:`~smartos.dtrace.session` puts them together.
"""

from typing import Any

__all__ = ["DError", "Session", "run_script", "trace"]
_WHERE = {"DError": "errors", "Session": "session", "run_script": "session", "trace": "session"}


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        from importlib import import_module

        return getattr(import_module(f"smartos.dtrace.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
