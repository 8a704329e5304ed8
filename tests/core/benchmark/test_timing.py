import itertools

import numpy as np
import pytest

from emnist_cli.core.benchmark.timing import Latency, Statistic, in_turns, latency, percentile, sample, statistic


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([7.0], 0.99, 7.0),
        ([1.0, 2.0], 0.5, 1.5),
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        ([3.0, 1.0, 2.0], 0.0, 1.0),
        ([3.0, 1.0, 2.0], 1.0, 3.0),
        ([float(n) for n in range(101)], 0.95, 95.0),
        ([float(n) for n in range(101)], 0.99, 99.0),
        ([0.0, 10.0, 20.0, 30.0], 0.95, 28.5),
    ],
)
def test_percentiles_of_known_samples(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == pytest.approx(expected)


def test_percentiles_are_numpys() -> None:
    values = np.random.default_rng(1).exponential(size=137)
    for share in (0.5, 0.95, 0.99):
        assert percentile(list(values), share) == pytest.approx(np.quantile(values, share))


def test_spread_and_latency() -> None:
    assert statistic([5.0, 1.0, 2.0]) == Statistic(2.0, 1.0, 5.0)
    found = latency([[1.0, 2.0, 9.0], [4.0, 4.0, 4.0, 4.0]])
    assert found == Latency(4.0, pytest.approx(7.5), pytest.approx(8.7), 2.0, 4.0, 7)


def test_a_sample_lasts_as_long_as_asked_and_has_every_call() -> None:
    clock = itertools.accumulate(itertools.chain([0.0], itertools.cycle([0.5, 1.5])))
    made: list[int] = []
    assert sample(lambda: made.append(1), 5.0, lambda: next(clock)) == [0.5, 1.5, 0.5, 1.5, 0.5, 1.5]
    assert len(made) == 6


def test_a_sample_has_three_calls_however_long_they_take() -> None:
    clock = itertools.count(0, 100)
    assert sample(lambda: None, 0.001, lambda: float(next(clock))) == [100, 100, 100]


def test_subjects_take_turns() -> None:
    order: list[str] = []
    numbers = itertools.count()

    def measure(subject: str) -> int:
        order.append(subject)
        return next(numbers)

    found = in_turns("AB", 3, measure, lambda subject: order.append(subject.lower()))
    assert "".join(order) == "abABABAB"
    assert found == [[0, 2, 4], [1, 3, 5]]
    assert in_turns("A", 1, measure) == [[6]] and order[-1] == "A" and len(order) == 9
