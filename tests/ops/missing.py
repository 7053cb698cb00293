"""Cases of `adjoint.ops.missing`: nothing is missing, or, as `WITH` holds NaNs, something is."""

import numpy as np

import adjoint as ad

from .case import apart, case, plane, uniform
from .order import METHODS

cube = uniform(0.5, 2, (2, 3, 2))
spread = apart(-2, 2, (2, 3, 2))
WITH = np.array([[np.nan, 1.5, -0.5, 2.0], [0.25, np.nan, np.nan, -1.0]])
FOLDS = [{}, dict(axis=0), dict(axis=(0, 2)), dict(axis=-1, keepdims=True)]


def holed(name, hole=WITH, **params):
    """A case with NaNs: they take the places that the moving numbers leave."""
    numbers = hole[~np.isnan(hole)]

    def filled(of):
        def call(x, **params):
            places = np.zeros(hole.shape, int)
            places[~np.isnan(hole)] = 1 + np.arange(len(numbers))
            return of(ad.concat([[np.nan], x])[places], **params)

        return call

    case(name, numbers, call=filled(getattr(ad, name)), like=filled(getattr(np, name)), **params)


for name in "nansum", "nanprod", "nanmean", "nanmax", "nanmin", "nanmedian", "nanvar", "nanstd":
    for fold in FOLDS:
        case(name, spread, **fold)
    holed(name)
    holed(name, axis=1, keepdims=True)
    holed(name, axis=(0, 1))
    if name not in ("nanvar", "nanstd"):
        holed(name, axis=0)
for name in "nansum", "nanprod", "nanmean":
    case(name, plane(0.5, 1, (2, 3)), axis=1)
    case(name, uniform(0.5, 1))
for name in "nanmax", "nanmin":
    case(name, uniform(0.5, 1, (0, 2)), axis=1)
for name in "nanvar", "nanstd":
    case(name, plane(-1, 1, (2, 3)), axis=1)
    case(name, spread, axis=1, ddof=1)
    holed(name, correction=0.5)
    about = [
        lambda x, mean, of=getattr(library, name), **fold: of(x, mean=mean, **fold)  # noqa: B008
        for library in (ad, np)
    ]
    case(name, spread, uniform(-0.1, 0.1, (2, 1, 2)), call=about[0], like=about[1], axis=1)
for name in "nancumsum", "nancumprod":
    for axis in None, 0, -1:
        case(name, cube, axis=axis)
        holed(name, axis=axis)
for name in "nanargmax", "nanargmin":
    case(name, spread)
    case(name, WITH)
    case(name, WITH, axis=1, keepdims=True)
for method in METHODS:
    holed("nanquantile", q=0.4, method=method)
    holed("nanquantile", q=np.array([0.15, 0.85]), axis=1, method=method)
for fold in FOLDS:
    case("nanquantile", spread, np.array([0.31, 0.83]), **fold)
    case("nanpercentile", spread, 37.0, **fold)
holed("nanpercentile", q=[15.0, 60.0], axis=1)
WEIGHTS = np.array([[3.0, 0.5, 1.0, 2.0], [0.7, 1.0, 2.0, 1.3]])
holed("nanquantile", q=0.4, axis=1, method="inverted_cdf", weights=WEIGHTS)
EXTREMES = np.array([np.nan, np.inf, -np.inf])
case("nan_to_num", cube)
case("nan_to_num", plane(-1, 1, (3,)))
case("nan_to_num", uniform(-1, 1))
for params in {}, dict(nan=3.0, posinf=2.0), dict(neginf=-1.0):
    case(
        "nan_to_num",
        uniform(-1, 1, (2,)),
        call=lambda x, **params: ad.nan_to_num(ad.concat([x, EXTREMES]), **params)[:3],
        like=lambda x, **params: np.nan_to_num(np.concat([x, EXTREMES]), **params)[:3],
        **params,
    )
