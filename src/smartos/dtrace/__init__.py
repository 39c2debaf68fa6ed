"""DTrace: the D language as dtrace(1M) speaks it, compiled to DIF, over whatever the other models do.

    from smartos.dtrace import run_script, trace

    with trace("io:::start { @[args[1]->dev_statname] = count(); }") as t:
        pool.sync()
    print(t.output)
"""

from typing import Any

__all__ = ["DError", "Session", "run_script", "trace"]
_WHERE = {"DError": "errors", "Session": "session", "run_script": "session", "trace": "session"}


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        from importlib import import_module

        return getattr(import_module(f"smartos.dtrace.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
