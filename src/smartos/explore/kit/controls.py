"""The controls of an explorer. Each declares the finite list of values that the built page knows frames for.

A control speaks text with its front end and values with the model: `parse` turns the one into the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from smartos.explore.kit.part import LatticeError

__all__ = ["Choice", "Control", "Flag", "LatticeError", "Range"]


def check_values(label: str, values: Sequence[object]) -> None:
    if not values:
        raise LatticeError(f"the control “{label}” has no values; give it at least one")
    if len({str(v) for v in values}) != len(values):
        raise LatticeError(f"the control “{label}” names a value twice: {list(values)}")


class Listed:
    """A control with a list of values and a label for each."""

    label: str
    values: Sequence[object]
    labels: list[str]

    def admits(self, value: object) -> bool:
        """Whether the model may be asked for this value."""
        return value in list(self.values)

    def parse(self, text: str) -> object:
        """The value that `text` names. Raises :class:`LatticeError` for one that the control does not have."""
        for value in self.values:
            if str(value) == text:
                return value
        raise LatticeError(f"“{self.label}” has no value {text!r}; it has {', '.join(map(str, self.values))}")

    def named(self, value: object) -> str:
        """A value in the words of the control."""
        return self.labels[list(self.values).index(value)]

    def data(self) -> dict:
        """What the front end knows of it."""
        return {"values": [str(v) for v in self.values], "labels": self.labels}


@dataclass(frozen=True)
class Choice(Listed):
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

    def html(self, ident: str, key: str, value: object) -> str:
        chosen = self.values.index(value)
        options = "".join(
            f'<option value="{escape(str(v), quote=True)}"{" selected" if i == chosen else ""}>{escape(label)}</option>'
            for i, (v, label) in enumerate(zip(self.values, self.labels, strict=True))
        )
        return (
            f'<div class="control"><label for="{ident}-{key}">{escape(self.label)}</label>'
            f'<select id="{ident}-{key}" data-control="{key}">{options}</select></div>'
        )


@dataclass(frozen=True)
class Range(Listed):
    """One of an ordered list of numbers, as a slider; `unit` is appended to each label.

    `between` (lowest, highest) frees the control: a number field beside the slider takes any number in between, whole
    ones when all of `values` are whole. The model computes it where there is Python; else the nearest of `values`
    stands in for it and the page says so.
    """

    label: str
    values: Sequence[object]
    unit: str = ""
    names: Sequence[str] = ()
    between: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        check_values(self.label, self.values)
        if self.names and len(self.names) != len(self.values):
            raise LatticeError(f"the control “{self.label}” has {len(self.values)} values but {len(self.names)} names")
        if self.between and not all(self.between[0] <= v <= self.between[1] for v in self.values):
            raise LatticeError(f"the control “{self.label}” has values outside {self.between}; widen `between`")

    @property
    def labels(self) -> list[str]:
        return list(self.names) or [self._with_unit(v) for v in self.values]

    @property
    def whole(self) -> bool:
        return all(isinstance(v, int) for v in self.values)

    def _with_unit(self, value: object) -> str:
        return f"{value} {self.unit}" if self.unit else str(value)

    def admits(self, value: object) -> bool:
        if super().admits(value) or not self.between:
            return super().admits(value)
        number = isinstance(value, int) or (isinstance(value, float) and not self.whole)
        return number and self.between[0] <= value <= self.between[1]

    def parse(self, text: str) -> object:
        try:
            return super().parse(text)
        except LatticeError:
            if not self.between:
                raise
        low, high = self.between
        kind = "a whole number" if self.whole else "a number"
        try:
            value = int(text) if self.whole else float(text)
        except ValueError:
            raise LatticeError(f"“{self.label}” takes {kind} from {low} to {high}, not {text!r}") from None
        if not self.admits(value):
            raise LatticeError(f"“{self.label}” takes {kind} from {low} to {high}, not {text}")
        return value

    def named(self, value: object) -> str:
        return super().named(value) if value in list(self.values) else self._with_unit(value)

    def data(self) -> dict:
        free = {"between": list(self.between), "whole": self.whole} if self.between else {}
        return {**super().data(), **free}

    def html(self, ident: str, key: str, value: object) -> str:
        index, text = list(self.values).index(value), escape(self.named(value))
        slider = (
            f'<input type="range" id="{ident}-{key}" data-control="{key}" min="0" max="{len(self.values) - 1}" '
            f'step="1" value="{index}" aria-valuetext="{text}">'
        )
        shown = self._exact(key, value) if self.between else f'<output for="{ident}-{key}">{text}</output>'
        return (
            f'<div class="control control-range"><label for="{ident}-{key}">{escape(self.label)}</label>{slider}{shown}</div>'
        )

    def _exact(self, key: str, value: object) -> str:
        """A number field for what is between the listed values."""
        low, high = self.between
        unit = f'<span aria-hidden="true">{escape(self.unit)}</span>' if self.unit else ""
        label = escape(f"{self.label}, exactly{', in ' + self.unit if self.unit else ''}", quote=True)
        step = 1 if self.whole else "any"
        return (
            f'<span class="control-exact"><input type="number" data-exact="{key}" aria-label="{label}" min="{low}" '
            f'max="{high}" step="{step}" value="{value}">{unit}</span>'
        )


@dataclass(frozen=True)
class Flag(Listed):
    """On or off, as a checkbox."""

    label: str
    values: Sequence[bool] = (False, True)

    @property
    def labels(self) -> list[str]:
        return ["off", "on"]

    def html(self, ident: str, key: str, value: object) -> str:
        checked = " checked" if value else ""
        return (
            f'<div class="control control-flag"><input type="checkbox" id="{ident}-{key}" data-control="{key}"{checked}>'
            f'<label for="{ident}-{key}">{escape(self.label)}</label></div>'
        )


Control = Choice | Range | Flag
