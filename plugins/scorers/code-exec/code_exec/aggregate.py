"""From verdicts to metrics: repeats of an item to one value, items to a mean with an interval.

The same rules as those of the scorers written in Rust (`plugins/scoring`), so that a configuration means the same here. An item
counts once, however often it was repeated; one that could not be graded at all is left out of the mean and counted beside it.
"""

import math

from code_exec.about import METRICS


class Row:
    """A verdict, and what aggregation has to know of its sample."""

    def __init__(self, id, epoch, value, extracted, scores, cluster, group):
        self.id, self.epoch, self.value, self.extracted = id, epoch, value, extracted
        self.scores, self.cluster, self.group = scores, cluster, group


class Estimate:
    """A metric over many items; `error` and the limits are `None` where there are too few."""

    def __init__(self, name, group, values, clusters, unscored, config):
        self.name, self.group = name, group
        self.value = mean(values)
        self.scored, self.unscored = len(values), unscored
        self.error, limits, method = interval(values, clusters, config.interval, config.level)
        self.low, self.high = limits or (None, None)
        self.level, self.method = (config.level, method) if limits else (None, None)


def estimates(rows, config):
    """For each reducer the headline and the sub-scores that occur, over all items and then by group."""
    items = {}
    for row in rows:
        items.setdefault(row.id, []).append(row)
    items = [sorted(repeats, key=lambda row: row.epoch) for repeats in items.values()]
    made = []
    for reducer in config.reduce:
        for number, (metric, *_) in enumerate(METRICS):
            name = metric if number else None
            of_headline_alone = reducer.startswith("pass")
            if name and (of_headline_alone or not any(name in row.scores for row in rows)):
                continue
            made += _metric(reducer, metric, name, items, config)
    return made


def _metric(reducer, metric, score, items, config):
    reduced = []
    for repeats in items:
        values = [(row.scores.get(score) if score else row.value, row.extracted) for row in repeats]
        value = reduce(reducer, [(value, text) for value, text in values if value is not None and math.isfinite(value)])
        cluster = next((row.cluster for row in repeats if row.cluster is not None), None)
        group = next((row.group for row in repeats if row.group is not None), None)
        reduced.append((group, value, cluster))
    name = metric if reducer == "mean" else reducer if reducer.startswith("pass") else f"{metric}-{reducer}"

    def of(group, members):
        scored = [(value, cluster) for _, value, cluster in members if value is not None]
        values, clusters = [value for value, _ in scored], [cluster for _, cluster in scored]
        return Estimate(name, group, values, clusters, len(members) - len(scored), config)

    # By the bytes of their names, as a sorted map of Rust's has them.
    groups = sorted({group for group, _, _ in reduced if group is not None}, key=lambda name: name.encode())
    return [of(None, reduced)] + [of(group, [item for item in reduced if item[0] == group]) for group in groups]


def reduce(reducer, repeats):
    """One value for the repeats (value, extracted) that could be graded; `None` where there are none, or fewer than `K`."""
    if not repeats:
        return None
    values = [value for value, _ in repeats]
    if reducer == "mean":
        return mean(values)
    if reducer == "median":
        ordered = sorted(values)
        return (ordered[(len(values) - 1) // 2] + ordered[len(values) // 2]) / 2.0
    if reducer == "max":
        return max(values)
    if reducer == "majority":
        return majority(repeats)
    draws, right = int(reducer[5:]), sum(value >= 1.0 for value in values)
    return (pass_at if reducer[4] == "@" else pass_hat)(len(values), right, draws)


def majority(repeats):
    answered = any(text is not None for _, text in repeats)
    keys = [text if answered else value for value, text in repeats]
    counts = {}
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    most = max(counts.values())
    return next(value for key, (value, _) in zip(keys, repeats) if counts[key] == most)


def pass_at(count, right, draws):
    """How likely one of `draws` answers is right: Chen et al., Evaluating Large Language Models Trained on Code (2021), 2.1."""
    if draws > count:
        return None
    if count - right < draws:
        return 1.0
    missed = 1.0
    for number in range(count - right + 1, count + 1):
        missed *= 1.0 - draws / number
    return 1.0 - missed


def pass_hat(count, right, draws):
    """How likely all of `draws` answers are right: Yao et al., tau-bench (2024), section 3."""
    if draws > count:
        return None
    if right < draws:
        return 0.0
    both = 1.0
    for drawn in range(draws):
        both *= (right - drawn) / (count - drawn)
    return both


def mean(values):
    """In the order given; not a number where there is nothing. Not `sum`, which compensates for rounding."""
    total = 0.0
    for value in values:
        total += value
    return total / len(values) if values else math.nan


def interval(values, clusters, how, level):
    """Standard error, limits and method."""
    clustered = any(cluster is not None for cluster in clusters)
    binary = all(value in (0.0, 1.0) for value in values)
    if how == "auto":
        how = "clustered" if clustered else "wilson" if binary else "t"
    elif how == "wilson" and not binary:
        how = "t"
    centre = mean(values)
    simple = spread(values) / math.sqrt(len(values)) if len(values) > 1 else None
    if how == "wilson":
        return simple, wilson(len(values), centre, level), how
    if how == "bootstrap":
        replicates = bootstrap(by_cluster(clusters), values)
        return (spread(replicates), percentiles(replicates, level), how) if replicates else (None, None, how)
    error, freedom = simple, len(values) - 1
    if how == "clustered":
        error, freedom = cluster_error(values, clusters, centre)
    if error is None:
        return None, None, how
    reach = student_quantile(level, freedom) * error
    return error, (centre - reach, centre + reach), how


def spread(values):
    """The sample standard deviation."""
    centre, squares = mean(values), 0.0
    for value in values:
        squares += (value - centre) * (value - centre)
    return math.sqrt(squares / (len(values) - 1))


def by_cluster(clusters):
    """Indices of the items of each cluster; an item without one is a cluster of its own."""
    index, groups = {}, []
    for number, cluster in enumerate(clusters):
        at = len(groups) if cluster is None else index.setdefault(cluster, len(groups))
        if at == len(groups):
            groups.append([])
        groups[at].append(number)
    return groups


def cluster_error(values, clusters, centre):
    """Miller, Adding Error Bars to Evals (2024), section 2.2, with the factor C / (C - 1)."""
    groups = by_cluster(clusters)
    if len(groups) < 2:
        return None, 0
    variance = 0.0
    for group in groups:
        off = 0.0
        for number in group:
            off += values[number] - centre
        variance += off * off
    many = len(groups)
    return math.sqrt(variance * many / (many - 1)) / len(values), many - 1


def wilson(count, share, level):
    """Wilson, Probable Inference, the Law of Succession, and Statistical Inference (1927)."""
    if count == 0:
        return None
    z = normal_quantile(level)
    centre = share + z * z / (2.0 * count)
    reach = z * math.sqrt(share * (1.0 - share) / count + z * z / (4.0 * count * count))
    scale = 1.0 + z * z / count
    return max((centre - reach) / scale, 0.0), min((centre + reach) / scale, 1.0)


class SplitMix64:
    """Steele, Lea and Flood (2014)."""

    MASK = (1 << 64) - 1

    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        self.state = mixed = (self.state + 0x9E3779B97F4A7C15) & self.MASK
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & self.MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & self.MASK
        return ((mixed ^ (mixed >> 31)) * bound) >> 64


def bootstrap(groups, values):
    """Means of as many clusters drawn with replacement as there are, from one seed."""
    if len(groups) < 2:
        return []
    replicates, random = min(max(20_000_000 // len(values), 200), 1000), SplitMix64(0x62656E636821)
    return [
        mean([values[number] for _ in groups for number in groups[random.below(len(groups))]])
        for _ in range(replicates)
    ]


def percentiles(replicates, level):
    ordered = sorted(replicates)

    def at(share):
        place = share * (len(ordered) - 1)
        below = math.floor(place)
        low = ordered[below]
        high = ordered[below + 1] if below + 1 < len(ordered) else low
        return low + (high - low) * (place - below)

    return at((1.0 - level) / 2.0), at((1.0 + level) / 2.0)


def falls_to(share, tail):
    """Where a falling function crosses `share`, by bisection."""
    low, high = 0.0, 8.0
    while tail(high) > share and high < 1e300:
        low, high = high, 2.0 * high
    for _ in range(200):
        middle = low + (high - low) / 2.0
        if middle in (low, high):
            break
        if tail(middle) > share:
            low = middle
        else:
            high = middle
    return low + (high - low) / 2.0


def normal_quantile(level):
    return falls_to(1.0 - level, lambda z: math.erfc(z / math.sqrt(2.0)))


def student_quantile(level, freedom):
    """Abramowitz and Stegun, 26.7.1."""

    def tail(t):
        square = t * t
        return incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + square), square / (freedom + square))

    return falls_to(1.0 - level, tail)


def incomplete_beta(a, b, x, rest):
    """Regularised; `rest` is 1 - x."""
    if x <= 0.0 or rest <= 0.0:
        return 0.0 if x <= 0.0 else 1.0
    scale = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest))
    if x < (a + 1.0) / (a + b + 2.0):
        return scale * beta_fraction(a, b, x) / a
    return 1.0 - scale * beta_fraction(b, a, rest) / b


def beta_fraction(a, b, x):
    """Abramowitz and Stegun, 26.5.8, by Lentz's method."""

    def nonzero(value):
        return value if abs(value) >= 1e-300 else 1e-300

    c, fraction = 1.0, 1.0 / nonzero(1.0 - (a + b) * x / (a + 1.0))
    d = fraction
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        d = 1.0 / nonzero(1.0 + even * d)
        c = nonzero(1.0 + even / c)
        fraction *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        d = 1.0 / nonzero(1.0 + odd * d)
        c = nonzero(1.0 + odd / c)
        fraction *= d * c
        if abs(d * c - 1.0) < 1e-16:
            break
    return fraction
