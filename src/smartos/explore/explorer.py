"""The explorer and the stepper: controls over frames that a model really yielded.

The same object has two representations. In the built page it is HTML: the default frame, native controls, and a store
with the frame of every state, which our own script (`static/explorer.js`) hosts without a kernel. Markup is made here
and nowhere else; the script only wires it.
"""

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape

from smartos.explore.controls import Control, LatticeError
from smartos.explore.frame import Frame, folded

State = dict[str, object]

STEP_BUTTONS = [
    ("first", "First step", "⏮"),
    ("back", "Step back", "◀"),
    ("play", "Play", "▶"),
    ("forward", "Step forward", "▶|"),
    ("last", "Last step", "⏭"),
]


class Explorer:
    """Controls over a declared lattice; each point has one frame.

    A dozen lines make one from a model::

        def frame(disks: int, parity: int) -> Frame:
            pool = Pool(disks, parity)
            return Frame(pool.draw(), pool.describe(), Table(["disk", "holds"], pool.columns()))

        Explorer(
            "raidz", "Where a block's columns land", frame,
            {"disks": Range("Disks", [3, 4, 5]), "parity": Choice("Parity", [1, 2])},
            default={"disks": 4}, keys=[{"disks": 5, "parity": 2}],
        )

    `name` is its address in the page (`#raidz?disks=4`), `keys` the further states that print and pages without
    script show. Raises :class:`LatticeError` when a name, default or key state is not one it declares.
    """

    kind = "explorer"

    def __init__(
        self,
        name: str,
        title: str,
        frame: Callable[..., Frame],
        controls: Mapping[str, Control],
        default: Mapping[str, object] | None = None,
        keys: Sequence[Mapping[str, object]] = (),
    ) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
            raise LatticeError(f"the explorer's name {name!r} becomes an address; use small letters, digits, hyphens")
        self.name, self.title, self.controls = name, title, dict(controls)
        self._frame = frame
        self.default = self._complete(default or {})
        self.keys = [self._complete(key) for key in keys]

    def _complete(self, state: Mapping[str, object]) -> State:
        """`state` with first values where it is silent; every value checked against its control."""
        for key in state:
            if key not in self.controls:
                raise LatticeError(f"explorer {self.name} has no control {key!r}; it has {', '.join(self.controls)}")
        full = {key: state.get(key, control.values[0]) for key, control in self.controls.items()}
        for key, value in full.items():
            if value not in list(self.controls[key].values):
                raise LatticeError(f"{key}={value!r} is not on explorer {self.name}'s lattice")
        return full

    def states(self) -> Iterator[State]:
        """Every point of the lattice, the last control running fastest."""
        names = list(self.controls)
        for values in itertools.product(*(control.values for control in self.controls.values())):
            yield dict(zip(names, values, strict=True))

    def frames(self, **state: object) -> list[Frame]:
        """The frames of one state: one for an explorer, one per event for a stepper."""
        return [self._frame(**self._complete(state))]

    def start(self) -> int:
        """The step that the default state stands on."""
        return 0

    def store(self) -> dict:
        """All states as plain data: controls, and per state the indices of its figures, tables and sentences."""
        pools: dict[str, dict[str, int]] = {"figures": {}, "says": {}, "tables": {}}

        def keep(pool: str, text: str) -> int:
            return pools[pool].setdefault(text, len(pools[pool]))

        runs = []
        for state in self.states():
            runs.append([
                [keep("figures", f.figure), keep("says", f.says), keep("tables", f.table.html() if f.table else "")]
                for f in self.frames(**state)
            ])
        controls = [
            {"key": key, "values": [str(v) for v in c.values], "labels": c.labels} for key, c in self.controls.items()
        ]
        return {
            "name": self.name, "kind": self.kind, "controls": controls, "default": self._indices(self.default),
            "start": self.start(), "runs": runs, **{pool: list(texts) for pool, texts in pools.items()},
        }  # fmt: skip

    def _indices(self, state: State) -> list[int]:
        return [list(self.controls[key].values).index(value) for key, value in state.items()]

    def shell(self) -> str:
        """The markup with the default frame in place and the controls set to it."""
        frames = self.frames(**self.default)
        frame = frames[self.start()]
        controls = "".join(
            control.html(self.name, key, index)
            for (key, control), index in zip(self.controls.items(), self._indices(self.default), strict=True)
        )
        table = folded(frame.table).replace('class="data"', 'class="data explorer-table"') if frame.table else ""
        return (
            f'<div class="explorer-controls">{controls}{self._steps(frames)}</div>'
            f'<figure class="explorer-frame"><div class="explorer-figure">{frame.figure}</div>'
            f'<figcaption class="explorer-says" aria-live="polite">{escape(frame.says)}</figcaption></figure>'
            f'{table}{self._transcript(frames)}{self._key_frames()}'
            f'<p class="explorer-link"><button type="button" data-copy-link>Copy link to this state</button>'
            f'<span class="explorer-note" role="status"></span></p>'
        )

    def _steps(self, frames: list[Frame]) -> str:
        return ""

    def _transcript(self, frames: list[Frame]) -> str:
        return ""

    def _key_frames(self) -> str:
        """Further states for print and for pages without script."""
        shown = []
        for key in self.keys:
            where = ", ".join(
                f"{self.controls[k].label}: {self.controls[k].labels[list(self.controls[k].values).index(v)]}"
                for k, v in key.items()
            )
            frame = self.frames(**key)[-1]
            shown.append(
                f'<figure class="plot"><p class="explorer-where">{escape(where)}</p>{frame.figure}'
                f"<figcaption>{escape(frame.says)}</figcaption></figure>"
            )
        return f'<div class="explorer-keys">{"".join(shown)}</div>' if shown else ""

    def _repr_html_(self) -> str:
        data = json.dumps(self.store(), ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
        return (
            f'<section class="explorer" id="{self.name}" data-explorer="{self.kind}" aria-labelledby="{self.name}-title">'
            f'<p class="explorer-title" id="{self.name}-title">{escape(self.title)}</p>{self.shell()}'
            f'<script type="application/json" class="explorer-store">{data}</script></section>'
        )


class Stepper(Explorer):
    """A walk over an event log: `run(**state)` yields the frames of one run, in order.

    Controls, where there are any, choose the run (a fault, a policy); `at` is the step that stands in the page before
    anything is touched, counted from the end when negative.
    """

    kind = "stepper"

    def __init__(
        self,
        name: str,
        title: str,
        run: Callable[..., Sequence[Frame]],
        controls: Mapping[str, Control] | None = None,
        default: Mapping[str, object] | None = None,
        keys: Sequence[Mapping[str, object]] = (),
        at: int = 0,
    ) -> None:
        self._run, self._at = run, at
        super().__init__(name, title, lambda **state: run(**state)[-1], controls or {}, default, keys)

    def frames(self, **state: object) -> list[Frame]:
        frames = list(self._run(**self._complete(state)))
        if not frames:
            raise LatticeError(f"stepper {self.name} has no step at {state}; a run yields at least one frame")
        return frames

    def start(self) -> int:
        count = len(self.frames(**self.default))
        return range(count)[self._at]

    def _steps(self, frames: list[Frame]) -> str:
        buttons = "".join(
            f'<button type="button" data-step="{what}" aria-label="{label}">{sign}</button>'
            for what, label, sign in STEP_BUTTONS
        )
        last, at = len(frames) - 1, self.start()
        return (
            f'<div class="explorer-steps" role="group" aria-label="Steps of {escape(self.title)}">{buttons}'
            f'<label for="{self.name}-step">Step</label>'
            f'<input type="range" id="{self.name}-step" data-jump min="0" max="{last}" step="1" value="{at}" '
            f'aria-valuetext="{at} of {last}"><output for="{self.name}-step">{at} of {last}</output>'
            f'<label for="{self.name}-speed">Speed</label><select id="{self.name}-speed" data-speed>'
            f'<option value="2000">slow</option><option value="1000" selected>normal</option>'
            f'<option value="400">fast</option></select></div>'
        )

    def _transcript(self, frames: list[Frame]) -> str:
        steps = "".join(f"<li>{escape(frame.says)}</li>" for frame in frames)
        return f'<details class="explorer-transcript"><summary>Transcript</summary><ol start="0">{steps}</ol></details>'
