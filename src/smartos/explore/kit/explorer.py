"""The explorer and the stepper: controls over frames that a model really yielded."""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape

from smartos.explore.kit.controls import Control, LatticeError
from smartos.explore.kit.frame import Frame, folded
from smartos.explore.kit.part import Part

State = dict[str, object]

SVG_BOX = re.compile(r'<svg [^>]*viewBox="0 0 ([\d.]+) ([\d.]+)"(?:(?!</svg>).)*</svg>', re.DOTALL)

STEP_BUTTONS = [
    ("first", "First step", "⇤"),
    ("back", "Step back", "←"),
    ("play", "Play", "▶"),
    ("forward", "Step forward", "→"),
    ("last", "Last step", "⇥"),
]


class Explorer(Part):
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
    script show. A click on what carries `data-set="disks=4"` in a figure sets that control too; the control is the way
    for the keyboard. Raises :class:`LatticeError` when a name, default or key state is not one it declares.
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
        super().__init__(name, title)
        self.controls = dict(controls)
        self._frame = frame
        self._known: dict[tuple, list[Frame]] = {}
        self.default = self._complete(default or {})
        self.keys = [self._complete(key) for key in keys]
        for state in [self.default, *self.keys]:
            for key, value in state.items():
                if value not in list(self.controls[key].values):
                    raise LatticeError(f"{key}={value!r} is not on explorer {name}'s lattice; a page stores no frame of it")

    def _complete(self, state: Mapping[str, object]) -> State:
        """`state` with first values where it is silent; every value checked against its control."""
        for key in state:
            if key not in self.controls:
                raise LatticeError(f"explorer {self.name} has no control {key!r}; it has {', '.join(self.controls)}")
        full = {key: state.get(key, control.values[0]) for key, control in self.controls.items()}
        for key, value in full.items():
            if not self.controls[key].admits(value):
                raise LatticeError(f"{key}={value!r} is not on explorer {self.name}'s lattice")
        return full

    def states(self) -> Iterator[State]:
        """Every point of the lattice, the last control running fastest."""
        names = list(self.controls)
        for values in itertools.product(*(control.values for control in self.controls.values())):
            yield dict(zip(names, values, strict=True))

    def frames(self, **state: object) -> list[Frame]:
        """The frames of one state: one for an explorer, one per event for a stepper. Each state is computed once."""
        full = self._complete(state)
        at = tuple(full.values())
        if at not in self._known:
            self._known[at] = self._compute(full)
        return self._known[at]

    def _compute(self, state: State) -> list[Frame]:
        return [self._frame(**state)]

    def start(self) -> int:
        """The step that the default state stands on."""
        return 0

    def ask(self, question: dict) -> dict:
        """`{"state": {key: text}}` → `{"frames": [[figure, sentence, table as HTML], …]}`, as the model yields them."""
        asked = question["state"]
        try:
            state = {key: control.parse(asked[key]) for key, control in self.controls.items()}
        except LatticeError as error:
            return {"error": str(error)}
        return {"frames": [_plain(frame) for frame in self.frames(**state)]}

    def store(self, stored: bool = True) -> dict:
        """Controls and the default state; with `stored`, per state the indices of its figures, sentences, tables."""
        data = {
            "name": self.name, "kind": self.kind, "start": self.start(),
            "controls": [{"key": key, **control.data()} for key, control in self.controls.items()],
            "default": [str(value) for value in self.default.values()],
        }  # fmt: skip
        return {**data, **self._stored_runs()} if stored else data

    def _stored_runs(self) -> dict:
        """The runs of all states; texts that recur are kept once."""
        pools: tuple[dict[str, int], ...] = ({}, {}, {})
        runs = [
            [[pool.setdefault(text, len(pool)) for pool, text in zip(pools, _plain(frame), strict=True)] for frame in run]
            for run in (self.frames(**state) for state in self.states())
        ]
        figures, says, tables = map(list, pools)
        return {"figures": figures, "says": says, "tables": tables, "runs": runs}

    def markup(self, stored: bool = True) -> str:
        """The default frame in place and the controls set to it; with `stored`, room for the tallest frame."""
        frames = self.frames(**self.default)
        frame = frames[self.start()]
        every = [f for state in self.states() for f in self.frames(**state)] if stored else frames
        controls = "".join(
            control.html(self.name, key, value)
            for (key, control), value in zip(self.controls.items(), self.default.values(), strict=True)
        )
        table = folded(frame.table).replace('class="data"', 'class="data explorer-table"') if frame.table else ""
        longest = max((f.says for f in every), key=len)
        style, copy = _room(every)
        return (
            f'<div class="explorer-controls">{controls}{self._steps(frames)}</div>'
            f'<figure class="explorer-frame"><div class="explorer-stage"{style}>{copy}'
            f'<div class="explorer-figure">{frame.figure}</div></div>'
            f'<figcaption data-longest="{escape(longest, quote=True)}">'
            f'<span class="explorer-says" aria-live="polite">{escape(frame.says)}</span></figcaption></figure>'
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
            where = ", ".join(f"{self.controls[k].label}: {self.controls[k].named(v)}" for k, v in key.items())
            frame = self.frames(**key)[-1]
            shown.append(
                f'<figure class="plot"><p class="explorer-where">{escape(where)}</p>{frame.figure}'
                f"<figcaption>{escape(frame.says)}</figcaption></figure>"
            )
        return f'<div class="explorer-keys">{"".join(shown)}</div>' if shown else ""


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

    def _compute(self, state: State) -> list[Frame]:
        frames = list(self._run(**state))
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


def _plain(frame: Frame) -> list[str]:
    """A frame as the front end gets it: figure, sentence, table."""
    return [frame.figure, frame.says, frame.table.html() if frame.table else ""]


def _room(frames: list[Frame]) -> tuple[str, str]:
    """Room for the tallest of `frames`, so that no step moves what stands below: an attribute, or an unseen copy.

    Drawings say their box. Of HTML only its length is known, so the three longest stand unseen behind the one shown.
    """
    boxes = [SVG_BOX.fullmatch(frame.figure) for frame in frames]
    if not all(boxes):
        longest = sorted({frame.figure for frame in frames}, key=lambda html: len(re.sub("<[^>]*>", "", html)))[-3:]
        return "", "".join(f'<div class="explorer-room" aria-hidden="true" inert>{html}</div>' for html in longest)
    sizes = {(float(box[2]) / float(box[1]), box[1], box[2]) for box in boxes}
    _, width, height = max(sizes)
    return (f' style="--wide: {width}; --tall: {height}"' if len(sizes) > 1 else ""), ""
