"""What an exported page makes of gray pictures, against what the command makes of them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from emnist_cli.core.config import NormalizeConfig
from emnist_cli.core.preprocessing.normalize import preprocess
from tests import golden
from tests.handwriting import characters, draw, picture
from tests.web.scripts import ROUNDING, Gray8, differences, opened, preprocess_there


@pytest.fixture(scope="module")
def modules(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with opened(browser, tmp_path_factory.mktemp("modules")) as page:
        yield page


@pytest.mark.slow
def test_drawings_of_every_character(modules: Page) -> None:
    grays = [np.asarray(picture(c), np.uint8) for c in characters()]
    assert max(differences(modules, grays)) < ROUNDING
    assert max(differences(modules, grays[::4], "dark")) < ROUNDING
    assert max(differences(modules, [255 - gray for gray in grays[1::4]], "light")) < ROUNDING


@pytest.mark.slow
@pytest.mark.parametrize("name", golden.CASES)
def test_awkward_pictures(modules: Page, name: str) -> None:
    gray = (np.clip(golden.CASES[name](), 0, 1) * 255).astype(np.uint8)
    assert preprocess(gray) is not None
    assert max(differences(modules, [gray, 255 - gray])) < ROUNDING


def cluttered(seed: int) -> Gray8:
    """A character among what may be around it: slopes of light, noise, a box, bands along the edges, blots."""
    random = np.random.default_rng(seed)
    size = (int(random.integers(40, 500)), int(random.integers(40, 500)))
    strokes = characters()[str(random.choice(list(characters())))][int(random.integers(3))]
    gray = np.asarray(draw(strokes, size, random.uniform(0.02, 0.12), random.uniform(0.02, 0.3)), np.float32) / 255
    height, width = gray.shape
    for _ in range(random.integers(0, 4)):
        thick = int(random.integers(1, 3 + min(size) // 12))
        edge = random.integers(4)
        np.rot90(gray, edge)[: int(random.integers(1, thick + 1))] *= random.uniform(0.1, 0.9)
    if random.random() < 0.4:
        inset, thick = int(random.integers(0, min(size) // 10)), int(random.integers(1, 4))
        box = np.ones_like(gray)
        box[inset : height - inset, inset : width - inset] = random.uniform(0.1, 0.7)
        inset += thick
        box[inset : height - inset, inset : width - inset] = 1
        gray = np.minimum(gray, box)
    for _ in range(random.integers(0, 6)):
        top, left = random.integers(0, height - 4), random.integers(0, width - 4)
        gray[top : top + random.integers(1, height // 6), left : left + random.integers(1, width // 6)] *= 0.3
    slope = np.linspace(random.uniform(0.4, 1), random.uniform(0.4, 1), width)[None, :]
    gray = (0.1 + 0.85 * gray) * slope + random.normal(0, random.choice([0, 0.01, 0.04]), gray.shape)
    gray = gray if random.random() < 0.6 else 1 - gray
    return (np.clip(gray, 0, 1) * 255).astype(np.uint8)


@pytest.mark.slow
def test_cluttered_pictures(modules: Page) -> None:
    apart = differences(modules, [cluttered(seed) for seed in range(70)])
    assert max(apart) < ROUNDING, int(np.argmax(apart))


def beside(name: str) -> Gray8:
    """A small thin R, with what is not to be taken for it."""
    gray = np.full((300, 400), 230, np.uint8)
    if name != "rules alone":
        gray[130:190, 180:240] = np.asarray(picture("R", size=(60, 60), pen=0.05)) * 0.9
    if name == "a blot at the border":
        gray[270:, 30:60] = 40
    elif name == "the edge of a page":
        gray[:9, 20:] = 20
    elif name == "the edge at the side":
        gray[20:, :9] = 20
    elif name == "a scanner's lid":
        for edge in range(4):
            np.rot90(gray, edge)[:22] = 10
    elif name == "a box":
        gray[110:113, 160:260] = gray[207:210, 160:260] = gray[110:210, 160:163] = gray[110:210, 257:260] = 40
    elif name == "rules alone":
        gray[[50, 51, 150, 151, 250, 251]] = 100
    return gray


BESIDE = ["a blot at the border", "the edge of a page", "the edge at the side", "a scanner's lid", "a box"]


@pytest.mark.slow
@pytest.mark.parametrize("name", BESIDE)
def test_what_lies_beside(modules: Page, name: str) -> None:
    alone, found = preprocess(beside("nothing")), preprocess(beside(name))
    assert alone is not None and found is not None
    assert np.abs(alone - found).mean() < 0.05, "the R is what is found"
    assert max(differences(modules, [beside(name), 255 - beside(name)])) < ROUNDING


def test_rules_alone_are_no_character(modules: Page) -> None:
    assert preprocess_there(modules, [beside("rules alone")]) == [None]


def test_odd_sizes_and_nothing_at_all(modules: Page) -> None:
    random = np.random.default_rng(3)
    grays = [random.integers(0, 256, size, np.uint8) for size in ((1, 1), (1, 40), (40, 1), (3, 5), (28, 28), (500, 7))]
    grays += [np.full(size, value, np.uint8) for size in ((1, 1), (28, 28), (90, 60)) for value in (0, 128, 255)]
    assert max(differences(modules, grays)) < ROUNDING
    assert preprocess_there(modules, grays[-3:]) == [None] * 3


def test_the_numbers_come_from_python(browser: Browser, tmp_path: Path) -> None:
    """Others in constants.json change what the page makes of a drawing, so it has none of its own."""
    drawn = [np.asarray(picture("R"), np.uint8)]
    with opened(browser, tmp_path, box=18, canvas=72, image_size=32) as page:
        [seen] = preprocess_there(page, drawn, side=32)
    assert seen is not None
    rows, columns = (np.flatnonzero(seen.max(axis) > NormalizeConfig.trace) for axis in (1, 0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 in (17, 18, 19)
    assert abs(rows[0] - (31 - rows[-1])) <= 1, "centered in the larger image"


def test_pictures_in_emnists_form_pass_unchanged(modules: Page) -> None:
    finished = [(preprocess(golden.gray(c)) * 255).astype(np.uint8) for c in "AEgR5"]  # type: ignore[operator]
    for before, after in zip(finished, preprocess_there(modules, finished), strict=True):
        assert after is not None
        assert np.allclose(after, before.astype(np.float32) / before.max(), atol=1e-6)
