"""Cases of `adjoint.ops.reduce`."""

import numpy as np

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
