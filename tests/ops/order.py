"""Cases of `adjoint.ops.order`."""

import numpy as np

import adjoint as ad

from .case import apart, case, plane, uniform

spread = apart(-2, 2, (3, 4))
deep = apart(-2, 2, (2, 3, 4))
TWICE = np.array([[2.0, 1.0, 2.0], [1.0, 5.0, 5.0]])
METHODS = [
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf",
    "hazen", "weibull", "linear", "median_unbiased", "normal_unbiased", "lower", "higher",
    "midpoint", "nearest",
]  # fmt: skip


def sorted_by(x, axis=-1, descending=False, **ignored):
    """The reference of `sort`."""
    up = np.sort(x, axis)
    return np.flip(up, -1 if axis is None else axis) if descending else up


for axis in 0, -1, None:
    for descending in False, True:
        case("sort", spread, axis=axis, descending=descending, like=sorted_by)
case("sort", deep, axis=1, kind="stable")
case("sort", plane(-1, 1, (4,)))
case("sort", uniform(-1, 1, (0, 2)))
case("sort", uniform(-1, 1), axis=None)
case("sort", uniform(-1, 1, (1,)))
case("sort_complex", plane(-1, 1, (2, 4)))
case("sort_complex", spread)
for axis in 0, -1, None:
    case("partition", spread, 2, axis=axis)
case("partition", apart(-1, 1, (9,)), [1, -2])
case("lexicographic", TWICE, TWICE[::-1], axis=1, like=lambda *keys, axis: np.lexsort(keys, axis))
case("lexicographic", TWICE, axis=0, like=lambda *keys, axis: np.lexsort(keys, axis))
case("place", np.array([-1.0, 0.0, 2.5, 7.0]), 3, like=lambda h, last: np.array([0, 0, 2, 3]))
case("place", np.array([-0.5, 2.0]), np.array([-1, 4]), like=lambda h, last: np.array([-1, 2]))


def distinct(x, axis=None, equal_nan=True):
    """The reference of `distinct`."""
    return np.unique(x, True, True, True, axis, equal_nan=equal_nan)[1:]


def in_a_line(parts):
    return np.concatenate([np.ravel(part) for part in parts])


case("distinct", spread, like=distinct, via=in_a_line)
case("distinct", TWICE, like=distinct, via=in_a_line)
case("distinct", TWICE, axis=1, like=distinct, via=in_a_line)
case("unique", spread)
case("unique", deep, axis=1)
case("unique", plane(-1, 1, (3,)))
case("unique", uniform(-1, 1, (0,)))
case("unique", uniform(-1, 1, (2, 2)), sorted=False, like=lambda x, sorted: np.unique(x))
case("unique_values", spread, like=np.unique)
OUTPUTS = dict(return_index=True, return_inverse=True, return_counts=True)


def weighed(found):
    """The values, times a number that all indices and counts make up."""
    values, *more = found
    return values * sum([((part + 1) * (i + 2)).sum() for i, part in enumerate(more)])


def also(*names):
    """The reference of what returns the values with these."""
    return lambda x: weighed(np.unique(x, **{f"return_{name}": True for name in names}))


case(
    "unique", spread, call=lambda x: weighed(ad.unique(x, **OUTPUTS)),
    like=lambda x: weighed(np.unique(x, **OUTPUTS)),
)  # fmt: skip
for name, names in [
    ("unique_all", ("index", "inverse", "counts")),
    ("unique_counts", ("counts",)),
    ("unique_inverse", ("inverse",)),
]:
    case(name, spread, call=lambda x, name=name: weighed(getattr(ad, name)(x)), like=also(*names))
case(
    "lexsort", uniform(1, 2), TWICE.astype(int), np.array([[3, 1, 1], [0, 2, 2]]),
    call=lambda t, a, b: t * (ad.lexsort((a, b)) + 1),
    like=lambda t, a, b: t * (np.lexsort((a, b)) + 1),
)  # fmt: skip
FOLDS = [{}, dict(axis=0), dict(axis=-1), dict(axis=(2, 0)), dict(axis=1, keepdims=True)]
for fold in FOLDS:
    case("median", deep, **fold)
    case("quantile", deep, np.float64(0.45), **fold)
    case("quantile", deep, np.array([[0.31, 0.83], [0.62, 0.15]]), **fold)
    case("percentile", deep, np.array([31.0, 62.0]), **fold)
case("median", plane(-1, 1, (5,)))
case("median", uniform(-1, 1))
case("median", uniform(-1, 1, (0, 3)), axis=1)
case("percentile", deep, 40.0)
case("quantile", uniform(-1, 1), 0.3)
for method in METHODS:
    case("quantile", apart(-1, 1, (7,)), np.array([0.18, 0.46, 0.9]), method=method)
    case("quantile", spread, axis=1, q=0.4, method=method)
    case("quantile", spread, axis=0, q=[0.0, 0.5, 1.0], method=method)
for fold in {}, dict(axis=0), dict(axis=1, keepdims=True):
    case(
        "quantile", spread, np.array([0.31, 0.83]), uniform(0.5, 1, (3, 4)),
        call=lambda x, q, w, **fold: ad.quantile(x, q, weights=w, method="inverted_cdf", **fold),
        like=lambda x, q, w, **fold: np.quantile(x, q, weights=w, method="inverted_cdf", **fold),
        **fold,
    )  # fmt: skip
case("quantile", spread, 0.4, axis=1, method="inverted_cdf", weights=np.array([3.0, 0.0, 1.0, 2.0]))
