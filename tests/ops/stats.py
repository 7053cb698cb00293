"""Cases of `adjoint.ops.densities`, `multivariate` and `samples`."""

import numpy as np
import scipy.stats

import adjoint as ad

from .case import apart, case, definite, uniform

# Shapes for the cases of each family, and points: between these, or these numbers.
FAMILIES = dict(
    norm=[], halfnorm=[], expon=[], laplace=[], logistic=[], cauchy=[], rayleigh=[],
    gumbel_r=[], gumbel_l=[], uniform=[],
    lognorm=[uniform(0.5, 1.5)], t=[uniform(1.5, 4)], gamma=[uniform(1.2, 3)],
    chi2=[uniform(2.5, 5)], invgamma=[uniform(1.2, 3)], beta=[uniform(1.2, 3), uniform(1.2, 3)],
    f=[uniform(2.5, 5), uniform(2.5, 5)], pareto=[uniform(1, 3)], weibull_min=[uniform(1.2, 3)],
    gennorm=[uniform(1.2, 3)], vonmises=[uniform(0.5, 2)], wrapcauchy=[uniform(0.2, 0.6)],
    truncnorm=[uniform(-2, -1.5), uniform(1.5, 2)],
    bernoulli=[uniform(0.2, 0.8)], binom=[5, uniform(0.2, 0.8)], poisson=[uniform(0.5, 3)],
    geom=[uniform(0.2, 0.8)], nbinom=[uniform(2, 4), uniform(0.2, 0.8)],
    betabinom=[5, uniform(1, 3), uniform(1, 3)], zipf=[uniform(1.5, 3)],
)  # fmt: skip
POINTS = dict.fromkeys(
    "norm laplace logistic cauchy gumbel_r gumbel_l t gennorm vonmises truncnorm".split(),
    np.array([-1.3, 0.4, 1.1]),
)
POINTS |= dict.fromkeys(["beta", "uniform"], np.array([0.2, 0.7])) | dict(
    pareto=np.array([1.2, 3.0])
)
# The logarithms where they are finite, the others also where they are 0 and 1.
COUNTS = dict(
    bernoulli=np.array([-1, 0, 1, 2]), bernoulli_log=np.array([0, 0]),
    all=np.array([-1, 0, 1, 2, 6]), all_log=np.array([1, 2, 3]),
)  # fmt: skip
POSITIVE, LEVELS = np.array([0.3, 1.4, 2.6]), np.array([0.15, 0.4, 0.8])

for name, shapes in FAMILIES.items():
    family = getattr(ad.stats, name)
    for method in family.methods:
        called = f"stats.{name}.{method}"
        if family.discrete:
            which = (name if name == "bernoulli" else "all") + "_log" * (method[:3] == "log")
            case(called, COUNTS[which], *shapes)
            case(called, 2 + int(COUNTS[which][1]), *shapes, loc=2)
            continue
        level = method in ("ppf", "isf")
        at = LEVELS if level else POINTS.get(name, POSITIVE)
        case(called, at, *shapes)
        if method in ("pdf", "sf", "ppf"):
            at = at if level else 0.5 + 2 * at
            case(called, at, *shapes, uniform(0.45, 0.5), uniform(1.9, 2.1))

root = definite(3, 3)
weights = uniform(0.5, 2, (5,))
for name in "logpdf", "pdf":
    normal, student = f"stats.multivariate_normal.{name}", f"stats.multivariate_t.{name}"
    symmetric = getattr(ad.stats.multivariate_normal, name)
    case(normal, uniform(-1, 1, (2, 3)), uniform(-1, 1, (3,)))
    case(normal, uniform(-1, 1, (3,)), uniform(-1, 1, (3,)), root)
    case(normal, uniform(-1, 1, (4,)), uniform(-1, 1), uniform(1, 2))
    case(normal, uniform(-1, 1, (3,)), uniform(-1, 1, (3,)), cov=np.array([1.0, 2.0, 0.5]))
    case(normal, uniform(-1, 1, (3,)), cov=np.diag([1.0, 2.0, 0.5]))
    case(student, uniform(-1, 1, (2, 3)), uniform(-1, 1, (3,)), root, uniform(2, 3))
    case(f"stats.dirichlet.{name}", uniform(0.1, 0.4, (2,)), uniform(1.2, 3, (3,)))
    case(f"stats.dirichlet.{name}", uniform(0.1, 0.4, (2, 4)), uniform(1.2, 3, (3,)))
case("stats.multivariate_normal.entropy", uniform(-1, 1, (3,)), root)
case("stats.dirichlet.entropy", uniform(1.2, 3, (3,)))
for name in "logpmf", "pmf":
    case(
        f"stats.multinomial.{name}",
        np.array([[1, 2, 3], [4, 0, 2], [6, 0, 0] if name == "logpmf" else [1, 1, 1]]),
        6,
        uniform(0.1, 0.4, (3,)),
        call=lambda x, n, p, f=name: getattr(ad.stats.multinomial, f)(x, n, p / ad.sum(p)),
        like=lambda x, n, p, f=name: getattr(scipy.stats.multinomial, f)(x, n, p / np.sum(p)),
    )
for name in "evaluate", "pdf", "logpdf", "__call__":
    for way in None, "silverman", 0.4:
        case(
            "stats.gaussian_kde",
            uniform(-1, 1, (2, 5)),
            uniform(-1, 1, (2, 3)),
            weights,
            call=lambda x, at, w, f=name, h=way: getattr(ad.stats.gaussian_kde(x, h, w), f)(at),
            like=lambda x, at, w, f=name, h=way: getattr(scipy.stats.gaussian_kde(x, h, w), f)(at),
        )

sample = apart(0.5, 3, (4, 3))
for name in "gmean", "hmean", "skew", "kurtosis", "sem", "variation", "entropy", "zscore":
    for fold in {}, dict(axis=1), dict(axis=None):
        case(f"stats.{name}", sample, **fold)
    case(f"stats.{name}", uniform(0.5, 2, (5,)))
for name in "gmean", "hmean", "skew", "kurtosis", "sem", "variation", "entropy":
    case(f"stats.{name}", sample, axis=1, keepdims=True)
for name in "gmean", "hmean":
    case(
        f"stats.{name}",
        uniform(0.5, 2, (5,)),
        weights,
        call=lambda a, w, f=name: getattr(ad.stats, f)(a, weights=w),
        like=lambda a, w, f=name: getattr(scipy.stats, f)(a, weights=w),
    )
for name in "skew", "kurtosis":
    case(f"stats.{name}", sample, bias=False)
case("stats.kurtosis", sample, fisher=False)
for p in 0, 2, -1.5:
    case("stats.pmean", sample, p, call=lambda a, _, p=p: ad.stats.pmean(a, p),
         like=lambda a, _, p=p: scipy.stats.pmean(a, p))  # fmt: skip
case("stats.pmean", sample, uniform(2, 3), axis=1, like=lambda a, p, axis: scipy.stats.pmean(
    a, float(np.asarray(p)), axis=axis))  # fmt: skip
for order in 1, 2, 3, [1, 3, 4]:
    case("stats.moment", sample, order)
case("stats.moment", sample, 2, center=0.5, axis=None)
case("stats.sem", sample, ddof=0)
case("stats.variation", sample, ddof=1)
case("stats.zscore", sample, ddof=1)
case("stats.zmap", sample, apart(1, 2, (5, 3)))
case("stats.entropy", sample, apart(1, 2, (4, 3)))
case("stats.entropy", sample, apart(1, 2, (4, 3)), base=2, axis=1)
for n in 2, 3, 5:
    for fold in {}, dict(axis=1):
        case(
            "stats.pearsonr",
            apart(0, 3, (n, n)),
            apart(-1, 3, (n, n)),
            **fold,
            call=lambda *xs, **fold: list(ad.stats.pearsonr(*xs, **fold)),
            like=lambda *xs, **fold: [*scipy.stats.pearsonr(*xs, **fold)],
        )
