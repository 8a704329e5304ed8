"""Group the ink of a page into lines of text; `segment` uses it.

Neighbors are linked to chains, and chains are joined along the straight lines fitted to them.
"""

import numpy as np
from scipy.spatial import cKDTree

from emnist_cli.core.pages.page_components import PageComponents
from emnist_cli.core.pages.sizes import Numbers
from emnist_cli.core.preprocessing.components import Indices

_MAX_SLOPE = 0.15  # of a line on the level page
_MOST_CHAINS = 1000  # a page has fewer; noise must not take long


def find_lines(parts: PageComponents, size: float) -> list[Indices]:
    """Group parts into lines.

    Args:
        parts: of characters.
        size: how tall the page's characters are, in pixels.

    Returns:
        For each line the numbers of its parts, left to right; lines from top to bottom.
    """
    if not len(parts.left):
        return []
    lines = [np.array(chain) for chain in _chains(parts, size)]
    lines = _merge(parts, lines, size)
    lines = [line[np.argsort((parts.left + parts.right)[line])] for line in lines]
    return sorted(lines, key=lambda line: float(parts.middle[line].mean()))


def slope_of(parts: PageComponents, lines: list[Indices], size: float) -> float:
    """The slope that lines have left, rows per column: the usual one of their fits, by length."""
    slopes, weights = [], []
    for line in lines:
        x = ((parts.left + parts.right) / 2)[line]
        if len(line) >= 4 and np.ptp(x) > 4 * size:
            ends = [np.polyfit(x, edge[line], 1)[0] for edge in (parts.top, parts.middle, parts.bottom)]
            slopes.append(float(np.median(ends)))
            weights.append(float(np.ptp(x)))
    if not slopes:
        return 0.0
    order = np.argsort(slopes)
    sums = np.cumsum(np.array(weights)[order])
    return float(slopes[order[np.searchsorted(sums, sums[-1] / 2)]])


def _chains(parts: PageComponents, size: float) -> list[list[int]]:
    """Link each part to the neighbour on its right where both choose each other."""
    count = len(parts.left)
    x, y = (parts.left + parts.right) / 2, parts.middle
    tree = cKDTree(np.stack([x / 3, y], axis=1))
    _, near = tree.query(np.stack([x / 3, y], axis=1), k=min(16, count))
    near = near.reshape(count, -1)
    one = np.repeat(np.arange(count), near.shape[1])
    other = near.ravel()
    keep = (other < count) & (one != other)
    one, other = one[keep], other[keep]
    ahead = (x[other] > x[one]) | ((x[other] == x[one]) & (other > one))
    one, other = one[ahead], other[ahead]
    shared = np.minimum(parts.bottom[one], parts.bottom[other]) - np.maximum(parts.top[one], parts.top[other])
    least = np.minimum(parts.height[one], parts.height[other])
    gap = np.maximum(parts.left[other] - parts.right[one], 0)
    apart = np.abs(y[one] - y[other])
    fits = (shared > 0.3 * least) & (gap < 5 * size) & (apart < 0.6 * size)
    one, other, gap, apart = one[fits], other[fits], gap[fits], apart[fits]
    cost = gap + 1.5 * apart
    following = _cheapest(one, other, cost, count)
    leading = _cheapest(other, one, cost, count)
    chains, seen = [], np.zeros(count, bool)
    for start in np.argsort(x, kind="stable").tolist():
        if seen[start]:
            continue
        chain, at = [], start
        while at >= 0 and not seen[at]:
            seen[at] = True
            chain.append(at)
            nxt = following[at]
            at = int(nxt) if nxt >= 0 and leading[nxt] == at else -1
        chains.append(chain)
    return chains


def _cheapest(of: Indices, to: Indices, cost: Numbers, count: int) -> Indices:
    """For each of `count` parts the neighbour of least cost, or -1."""
    best = np.full(count, -1)
    order = np.argsort(-cost, kind="stable")
    best[of[order]] = to[order]
    return best


class _Fits:
    """Chains, each with the straight line through the middle of its parts.

    The line is the least squares fit, drawn towards level: few parts say little of a slope.
    """

    def __init__(self, parts: PageComponents, chains: list[Indices], size: float) -> None:
        self.parts, self.members, self.size = parts, chains, size
        self.numbers = np.array([self._fit(chain) for chain in chains])
        count = len(chains)
        self.cost, self.partner = np.full(count, np.inf), np.full(count, -1)
        for i in range(count):
            self._choose(i)

    def _fit(self, chain: Indices) -> tuple[float, float, float, float, float]:
        """Left and right end, a point on the line, its slope."""
        parts, size = self.parts, self.size
        x, y = ((parts.left + parts.right) / 2)[chain], parts.middle[chain]
        weight = np.minimum(parts.height[chain], size)
        middle, height = float(np.average(x, weights=weight)), float(np.average(y, weights=weight))
        spread = float(np.average((x - middle) ** 2, weights=weight))
        slope = float(np.average((x - middle) * (y - height), weights=weight)) / (spread + (3 * size) ** 2)
        slope = max(-_MAX_SLOPE, min(slope, _MAX_SLOPE))
        return float(parts.left[chain].min()), float(parts.right[chain].max()), middle, height, slope

    def costs(self, i: int) -> Numbers:
        """How badly chain `i` and each other fit one line; below 1 they may be joined."""
        left, right, middle, height, slope = self.numbers.T
        near, far = np.maximum(left, left[i]), np.minimum(right, right[i])  # where both are, or the gap between them
        apart = 0.0
        for x in (near, far):
            # Beyond its ends a chain's slope counts for less and less.
            here = [np.clip(x, a, b) + 0.3 * (x - np.clip(x, a, b)) for a, b in ((left, right), (left[i], right[i]))]
            own = height[i] + slope[i] * (here[1] - middle[i])
            apart = apart + np.abs(height + slope * (here[0] - middle) - own) / 2
        cost = apart / (0.55 * self.size) + np.maximum(near - far, 0) / (40 * self.size)
        cost[i] = np.inf
        return np.asarray(np.where(np.isnan(cost), np.inf, cost))

    def _choose(self, i: int) -> None:
        cost = self.costs(i)
        self.partner[i] = int(cost.argmin())
        self.cost[i] = cost[self.partner[i]]

    def join(self, i: int) -> None:
        """Join a chain and its partner."""
        other = int(self.partner[i])
        self.members[i] = np.concatenate([self.members[i], self.members[other]])
        self.members[other] = self.members[other][:0]
        self.numbers[i], self.numbers[other] = self._fit(self.members[i]), np.nan
        self.cost[other] = np.inf
        cost = self.costs(i)
        better = cost < self.cost
        self.cost[better], self.partner[better] = cost[better], i
        for k in np.flatnonzero(np.isin(self.partner, (i, other)) & ~better & (self.cost < np.inf)).tolist():
            self._choose(k)
        self._choose(i)


def _merge(parts: PageComponents, chains: list[Indices], size: float) -> list[Indices]:
    """Join chains that continue or interleave one another, the best fitting pair first."""
    chains = sorted(chains, key=len, reverse=True)
    if len(chains) < 2:
        return chains
    fits = _Fits(parts, chains[:_MOST_CHAINS], size)
    while fits.cost.min() < 1:
        fits.join(int(fits.cost.argmin()))
    return [chain for chain in fits.members if len(chain)] + chains[_MOST_CHAINS:]
