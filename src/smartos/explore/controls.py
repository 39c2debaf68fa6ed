"""The controls of an explorer. Each declares the finite list of values that the built page knows frames for."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


class LatticeError(ValueError):
    """A control or a state is not one the explorer declares."""


def check_values(label: str, values: Sequence[object]) -> None:
    if not values:
        raise LatticeError(f"the control “{label}” has no values; give it at least one")
    if len({str(v) for v in values}) != len(values):
        raise LatticeError(f"the control “{label}” names a value twice: {list(values)}")


@dataclass(frozen=True)
class Choice:
    """One of a few named values, as a select. `options` are values, or (value, label) pairs."""

    label: str
    options: Sequence[object]

    def __post_init__(self) -> None:
        check_values(self.label, self.values)

    @property
    def values(self) -> list[object]:
        return [o[0] if isinstance(o, tuple) else o for o in self.options]

    @property
    def labels(self) -> list[str]:
        return [str(o[1] if isinstance(o, tuple) else o) for o in self.options]

    def html(self, ident: str, key: str, index: int) -> str:
        options = "".join(
            f'<option value="{i}"{" selected" if i == index else ""}>{escape(label)}</option>'
            for i, label in enumerate(self.labels)
        )
        return (
            f'<div class="control"><label for="{ident}-{key}">{escape(self.label)}</label>'
            f'<select id="{ident}-{key}" data-control="{key}">{options}</select></div>'
        )


@dataclass(frozen=True)
class Range:
    """One of an ordered list of values, as a slider with its value beside it; `unit` is appended to each label."""

    label: str
    values: Sequence[object]
    unit: str = ""
    names: Sequence[str] = ()

    def __post_init__(self) -> None:
        check_values(self.label, self.values)
        if self.names and len(self.names) != len(self.values):
            raise LatticeError(f"the control “{self.label}” has {len(self.values)} values but {len(self.names)} names")

    @property
    def labels(self) -> list[str]:
        return list(self.names) or [f"{v}{' ' + self.unit if self.unit else ''}" for v in self.values]

    def html(self, ident: str, key: str, index: int) -> str:
        text = escape(self.labels[index])
        return (
            f'<div class="control control-range"><label for="{ident}-{key}">{escape(self.label)}</label>'
            f'<input type="range" id="{ident}-{key}" data-control="{key}" min="0" max="{len(self.values) - 1}" '
            f'step="1" value="{index}" aria-valuetext="{text}"><output for="{ident}-{key}">{text}</output></div>'
        )


@dataclass(frozen=True)
class Flag:
    """On or off, as a checkbox."""

    label: str
    values: Sequence[bool] = (False, True)

    @property
    def labels(self) -> list[str]:
        return ["off", "on"]

    def html(self, ident: str, key: str, index: int) -> str:
        checked = " checked" if index else ""
        return (
            f'<div class="control control-flag"><input type="checkbox" id="{ident}-{key}" data-control="{key}"{checked}>'
            f'<label for="{ident}-{key}">{escape(self.label)}</label></div>'
        )


Control = Choice | Range | Flag
