"""Cases of `adjoint.ops.statistics`."""

import numpy as np

import adjoint as ad

from .case import case, plane, uniform

cube = uniform(-1, 1, (2, 3, 4))
heavy = uniform(0.5, 2, (2, 3, 4))
rows = uniform(-1, 1, (3, 5))
often = np.array([1, 3, 1, 2, 1])
light = uniform(0.5, 1, (5,))


def weighed(a, weights, **params):
    return np.average(a, weights=weights, **params)


def balanced(a, weights, **params):
    return ad.average(a, weights=weights, **params)


for fold in {}, dict(axis=0), dict(axis=(2, 0)), dict(axis=-1, keepdims=True):
    case("average", cube, **fold)
    case("average", cube, heavy, call=balanced, like=weighed, **fold)
    case("average", cube, heavy, call=balanced, like=weighed, returned=True, **fold)
case("average", cube, uniform(0.5, 2, (3,)), call=balanced, like=weighed, axis=1)
case("average", cube, uniform(0.5, 2, (4, 2)), call=balanced, like=weighed, axis=(2, 0))
case("average", plane(-1, 1, (3,)), uniform(0.5, 2, (3,)), call=balanced, like=weighed)
case("average", uniform(-1, 1, (3,)), weights=[1, 2, 3])
for params in (
    {}, dict(bias=True), dict(ddof=2), dict(fweights=often), dict(fweights=often, ddof=0)
):  # fmt: skip
    case("cov", rows, **params)
case("cov", rows, rowvar=False)
case("cov", uniform(-1, 1, (5,)))
case("cov", plane(-1, 1, (2, 4)))
case("cov", uniform(-1, 1, (0, 4)))


def of_weights(of):
    return lambda x, w, **params: of(x, aweights=w, **params)


for params in {}, dict(ddof=0), dict(fweights=often), dict(bias=True, fweights=often):
    case("cov", rows, light, call=of_weights(ad.cov), like=of_weights(np.cov), **params)
for name in "cov", "corrcoef":
    case(name, rows, uniform(-1, 1, (2, 5)))
    case(name, uniform(-1, 1, (5,)), uniform(-1, 1, (5,)))
    case(name, uniform(-1, 1, (5, 2)), uniform(-1, 1, (5, 1)), rowvar=False)
    case(name, uniform(-1, 1, (5, 2)), uniform(-1, 1, (5,)), rowvar=False)
case("corrcoef", rows)
case("corrcoef", plane(-1, 1, (2, 4)))
PLACES = np.array([3, 0, 3, 1])
case("bincount", PLACES, uniform(-1, 1, (4,)))
case("bincount", PLACES, uniform(-1, 1, (4,)), minlength=6)
