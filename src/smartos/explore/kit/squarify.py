"""Sizes into boxes: a rectangle cut into areas in proportion, as near to squares as whole rows allow.

The layout is that of Bruls, Huizing and van Wijk, "Squarified Treemaps" (2000). Left out: nesting, which a caller gets
by cutting a box again, and margins.
"""

from collections.abc import Sequence

Box = tuple[float, float, float, float]


def squarify(sizes: Sequence[float], box: Box) -> list[Box]:
    """Boxes (x, y, width, height) for `sizes`, in their order; give them largest first.

    Raises ValueError when a size is not above zero.
    """
    if any(size <= 0 for size in sizes):
        raise ValueError(f"a box needs an area above zero; leave out the sizes that are not: {list(sizes)}")
    boxes: list[Box] = []
    x, y, width, height = box
    left = list(sizes)
    while left:
        wide, side, scale = width >= height, min(width, height), width * height / sum(left)
        count = _row(left, scale, side)
        depth, at = sum(left[:count]) * scale / side, 0.0
        for size in left[:count]:
            length = size * scale / depth
            boxes.append((x, y + at, depth, length) if wide else (x + at, y, length, depth))
            at += length
        x, width = (x + depth, width - depth) if wide else (x, width)
        y, height = (y, height) if wide else (y + depth, height - depth)
        left = left[count:]
    return boxes


def _row(sizes: Sequence[float], scale: float, side: float) -> int:
    """How many of `sizes` make the best row along `side`: the next one would spoil its worst box."""
    count = 1
    while count < len(sizes) and _worst(sizes[: count + 1], scale, side) <= _worst(sizes[:count], scale, side):
        count += 1
    return count


def _worst(row: Sequence[float], scale: float, side: float) -> float:
    """The longest side over the shortest among the boxes of a row; sizes come largest first."""
    total = sum(row) * scale
    return max(side**2 * row[0] * scale / total**2, total**2 / (side**2 * row[-1] * scale))
