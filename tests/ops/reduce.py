"""Cases of `adjoint.ops.reduce`."""

import numpy as np

import adjoint as ad

from .case import apart, case, plane, uniform

cube = uniform(0.5, 2, (2, 3, 2))
spread = apart(-2, 2, (2, 3, 2))
FOLDS = [
    {}, dict(axis=0), dict(axis=-1), dict(axis=(0, 2)), dict(axis=(-1, 0), keepdims=True),
    dict(keepdims=True), dict(axis=1, keepdims=True), dict(axis=()),
]  # fmt: skip


def logsumexp(x, axis=None, keepdims=False):
    return np.log(np.sum(np.exp(x), axis, keepdims=keepdims))


def moment(of):
    return lambda x, axis=None, keepdims=False, correction=0.0: of(
        x, axis, ddof=correction, keepdims=keepdims
    )


for fold in FOLDS:
    case("sum", cube, **fold)
    case("mean", cube, **fold)
    case("prod", cube, **fold)
    case("max", spread, **fold)
    case("min", spread, **fold)
    case("logsumexp", spread, **fold, like=logsumexp)
    if fold.get("axis") != ():
        case("variance", spread, **fold, like=moment(np.var))
        case("deviation", spread, **fold, like=moment(np.std))
        case("var", spread, **fold)
        case("std", spread, **fold)
        case("std", plane(-1, 1, (2, 3, 2)), **fold)
for name in "sum", "mean", "prod", "max", "min":
    case(name, uniform(0.5, 1))
    case(name, 1.5)
    case(name, uniform(0.5, 1, (1,)), axis=0)
    case(name, uniform(0.5, 1, (0, 2)), axis=1)
for name in "sum", "prod", "max", "min":
    case(name, uniform(0.5, 1), axis=0)
case("logsumexp", uniform(0.5, 1), axis=-1, like=logsumexp)
for name in "sum", "mean", "prod":
    case(name, plane(0.3, 1, (2, 3)))
    case(name, plane(0.3, 1, (2, 3)), axis=-1)
case("sum", uniform(0, 1, (0,)))
case("prod", uniform(0, 1, (0,)))
case("sum", uniform(0, 1, (0, 2)), axis=0)
case("prod", uniform(0, 1, (0, 2)), axis=0)
case("prod", np.array([[2.0, 0.0, 3.0], [0.0, 0.0, 1.5], [1.0, -2.0, 0.5]]), axis=1)
case("prod", np.array([0.0, 2.0, 3.0, 0.0, 0.5]))
case("logsumexp", uniform(-1, 1), like=logsumexp)
case("logsumexp", plane(-0.5, 0.5, (2, 3)), axis=1, like=logsumexp)
case("variance", uniform(-1, 1, (5,)), correction=1, like=moment(np.var))
case("deviation", uniform(-1, 1, (5,)), correction=1.5, like=moment(np.std))
case("var", plane(-1, 1, (2, 3)), axis=0)
case("var", uniform(-1, 1, (5,)), ddof=1)
case("var", 1.5)
case("std", uniform(-1, 1, (2, 5)), 1, ddof=1)
for axis in 0, 1:
    case("running_sum", cube, axis=axis, like=np.cumsum)
for axis in None, 0, -1:
    case("cumsum", cube, axis=axis)
    case("cumprod", cube, axis=axis)
case("running_sum", plane(-1, 1, (3,)), axis=0, like=np.cumsum)
case("cumsum", plane(-1, 1, (3,)))
case("cumprod", plane(-1, 1, (3,)))
case("cumprod", np.array([2.0, 0.0, 3.0, 0.0, 1.5]))
case("cumprod", uniform(1, 2, (7,)))
case("cumsum", uniform(1, 2, (0,)))
case("cumprod", uniform(1, 2, (0,)))
case("cumsum", uniform(1, 2))
for axis in -1, 0, (0, 1), None:
    case(
        "softmax",
        spread,
        axis=axis,
        like=lambda x, axis: np.exp(x) / np.exp(x).sum(axis, keepdims=True),
    )
    case("log_softmax", spread, axis=axis, like=lambda x, axis: x - logsumexp(x, axis, True))


def initial(of, first):
    """The reference of the array standard's running totals, which NumPy has since 2.1."""

    def like(x, axis=None, include_initial=False):
        x = np.atleast_1d(x)
        out = of(x, axis or 0)
        front = np.full_like(out.take([0], axis or 0), first)
        return np.concatenate([front, out], axis or 0) if include_initial else out

    return like


def shared_exponents(x, axis=None):
    """The reference of `logcumsumexp`."""
    return np.logaddexp.accumulate(np.ravel(x) if axis is None else x, axis or 0)


def extreme_so_far(of):
    return lambda x, axis=None: of.accumulate(np.ravel(x) if axis is None else x, axis or 0)


for axis in 0, 1:
    case("running_product", cube, axis=axis, like=np.cumprod)
    case("running_max", spread, axis=axis, like=np.maximum.accumulate)
    case("running_min", spread, axis=axis, like=np.minimum.accumulate)
    case("running_logsumexp", spread, axis=axis, like=np.logaddexp.accumulate)
    case("crest", spread, axis=axis, like=np.maximum.accumulate)
    case("summit", spread, axis=axis, like=lambda x, axis: x.max(axis, keepdims=True))
for name, like in [
    ("cummax", extreme_so_far(np.maximum)),
    ("cummin", extreme_so_far(np.minimum)),
    ("logcumsumexp", shared_exponents),
]:
    for axis in None, 1, -1:
        case(name, spread, axis=axis, like=like)
    case(name, apart(-1, 1, (7,)), axis=0, like=like)
    case(name, uniform(-1, 1), like=like)
    case(name, uniform(-1, 1, (0, 2)), axis=0, like=like)
case("running_product", plane(-1, 1, (3,)), axis=0, like=np.cumprod)


def recurring(a, b, axis):
    """The reference of `recurrence`, one step after the other."""
    a, b = np.moveaxis(a, axis, 0), np.moveaxis(b, axis, 0)
    y, rows = np.zeros(b.shape[1:], b.dtype), []
    for step in zip(a, b, strict=True):
        y = step[0] * y + step[1]
        rows.append(y)
    return np.moveaxis(np.array(rows, b.dtype).reshape(b.shape), 0, axis)


for axis in 0, 1:
    case("recurrence", uniform(-1, 1, (2, 5)), uniform(-1, 1, (2, 5)), axis=axis, like=recurring)
case("recurrence", uniform(-1, 1, (8,)), uniform(-1, 1, (8,)), axis=0, like=recurring)
case("recurrence", uniform(-1, 1, (0,)), uniform(-1, 1, (0,)), axis=0, like=recurring)
case("recurrence", plane(-1, 1, (3,)), plane(-1, 1, (3,)), axis=0, like=recurring)
for name, of, first in ("cumulative_sum", np.cumsum, 0), ("cumulative_prod", np.cumprod, 1):
    for whole in False, True:
        like = initial(of, first)
        case(name, cube, axis=1, include_initial=whole, like=like)
        case(name, uniform(0.5, 2, (4,)), include_initial=whole, like=like)
        case(name, plane(0.5, 2, (3,)), axis=-1, include_initial=whole, like=like)
        case(name, uniform(0.5, 2), include_initial=whole, like=like)


def about(moment):
    """A moment about a mean that is known."""
    return lambda x, mean, **fold: moment(x, mean=mean, **fold)


for fold in {}, dict(axis=0), dict(axis=(0, 2)), dict(axis=-1, keepdims=True):
    case("ptp", spread, **fold)
    mid = uniform(-0.1, 0.1, np.zeros((2, 3, 2)).mean(**{**fold, "keepdims": True}).shape)
    for name in "var", "std":
        known_mean = [about(getattr(library, name)) for library in (ad, np)]
        case(name, spread, mid, call=known_mean[0], like=known_mean[1], **fold)
        case(name, spread, **fold, correction=1)
