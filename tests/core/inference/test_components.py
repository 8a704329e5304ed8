import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from emnist_cli.core.inference.components import find_components


def flood(mask: NDArray[np.bool_]) -> list[set[tuple[int, int]]]:
    """The obvious way: one flood fill a component."""
    left = {(int(y), int(x)) for y, x in np.argwhere(mask)}
    found = []
    while left:
        todo, mine = [left.pop()], set()
        while todo:
            y, x = todo.pop()
            mine.add((y, x))
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            todo += near
        found.append(mine)
    return found


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=14), elements=st.booleans()))
def test_agrees_with_flood_fill(mask: NDArray[np.bool_]) -> None:
    parts = find_components(mask)
    expected = sorted(sorted(component) for component in flood(mask))
    labelled = [sorted((int(y), int(x)) for y, x in np.argwhere(parts.labels == i + 1)) for i in range(len(parts.area))]
    assert sorted(labelled) == expected
    for i, pixels in enumerate(labelled):
        ys, xs = zip(*pixels, strict=True)
        assert parts.area[i] == len(pixels)
        assert parts.boxes[i].tolist() == [min(ys), min(xs), max(ys) + 1, max(xs) + 1]


def test_a_spiral_is_one_component() -> None:
    mask = np.zeros((41, 41), bool)
    y = x = 0
    step, turn = 40, 0
    while step > 2:
        for _ in range(2):
            dy, dx = ((0, 1), (1, 0), (0, -1), (-1, 0))[turn % 4]
            for _ in range(step):
                mask[y, x] = True
                y, x = y + dy, x + dx
            turn += 1
        step -= 2
    assert len(find_components(mask).area) == 1


def test_mask_selects_components() -> None:
    mask = np.array([[1, 0, 1], [0, 0, 0], [1, 1, 0]], bool)
    parts = find_components(mask)
    assert np.array_equal(parts.mask(parts.area > 1), [[0, 0, 0], [0, 0, 0], [1, 1, 0]])
