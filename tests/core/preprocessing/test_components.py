import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from emnist_cli.core.preprocessing.components import find_components, find_runs


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


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=14), elements=st.booleans()))
def test_runs_are_the_whole_mask(mask: NDArray[np.bool_]) -> None:
    runs = find_runs(mask)
    painted = np.zeros(mask.size, bool)
    painted[runs.pixels()] = True
    assert np.array_equal(painted.reshape(mask.shape), mask)
    assert len(runs.row) == (np.diff(mask.astype(int), axis=1, prepend=0) == 1).sum()


@pytest.mark.parametrize("share", [0.2, 0.4, 0.6])
def test_noise_agrees_with_flood_fill(share: float) -> None:
    mask = np.random.default_rng(0).random((60, 90)) < share
    assert sorted(find_components(mask).area) == sorted(len(component) for component in flood(mask))


def test_a_comb_joined_at_its_far_end_is_one_component() -> None:
    mask = np.zeros((40, 61), bool)
    mask[:, ::2] = mask[-1] = True
    assert find_components(mask).boxes.tolist() == [[0, 0, 40, 61]]


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
