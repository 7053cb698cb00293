"""The tutorial's logistic regression, one sample at a time, and where its formula overflows."""
# ruff: noqa: E741  the tutorial calls the log-likelihood of a sample `l`

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import adjoint as ad

from .terminal import track


def make_points(samples: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Points in the unit square with a column of ones for the bias; label 1 where x1 + x2 >= 1."""
    X = np.column_stack([rng.random((samples, 2)), np.ones(samples)])
    return X, np.where(X[:, 0] + X[:, 1] >= 1, 1.0, 0.0)


class Pass(NamedTuple):
    """What one pass over the points left behind."""

    likelihood: float
    weights: np.ndarray


def train(
    X: np.ndarray,
    Y: np.ndarray,
    epochs: int = 300,
    rate: float = 0.01,
    log: Callable[[str], Any] = print,
) -> list[Pass]:
    """Climb the log-likelihood, one sample at a time, from weights of one; one log line a pass.

    The likelihood of a pass adds up the samples as they come, each before its own step. The first
    of the list that is returned is the start, whose likelihood is not a number. Training ends
    early when the formula has overflowed.
    """
    w = ad.Tensor(np.ones(X.shape[1]))
    history = [Pass(np.nan, w.data.copy())]
    for epoch in track(range(1, epochs + 1), "tutorial"):
        likelihood = 0.0
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            for x, y in zip(X, Y, strict=True):
                h = 1 / (1 + (-(w * x).sum()).exp())
                l = y * h.log() + (1 - y) * (1 - h).log()
                w.zero_grad()
                l.backward()
                w.data += rate * w.grad
                likelihood += l.data
        history.append(Pass(float(likelihood), w.data.copy()))
        weights = " ".join(f"{value:8.4f}" for value in w.data)
        log(f"pass {epoch:{len(str(epochs))}}  likelihood {likelihood:10.4f}  weights {weights}")
        if not np.isfinite(w.data).all():
            break
    return history


def accuracy(weights: np.ndarray, X: np.ndarray, Y: np.ndarray) -> float:
    """The share of points on the right side of the line where the probability is one half."""
    return float(np.mean((X @ weights >= 0) == (Y == 1)))


def as_in_the_tutorial(z: Any, y: float) -> Any:
    """The log-likelihood of label y at logit z, as the tutorial writes it."""
    h = 1 / (1 + (-z).exp())
    return y * h.log() + (1 - y) * (1 - h).log()


def stable(z: Any, y: float) -> Any:
    """The same number, by way of ln(1 + eᶻ): it is computed without leaving the range of floats."""
    return y * ad.log_sigmoid(z) + (1 - y) * ad.log_sigmoid(-z)


class Comparison(NamedTuple):
    """(value, gradient) of the two formulas for one label at one logit."""

    label: int
    logit: float
    tutorial: tuple[float, float]
    stable: tuple[float, float]


HARD = [(0, 1), (0, 10), (0, 30), (0, 40), (0, 1000), (1, 10), (1, 40), (1, -10), (1, -1000)]


def compare() -> list[Comparison]:
    """Both formulas on labels and logits that grow in either direction."""
    rows = []
    for label, logit in HARD:
        pairs = []
        for formula in (as_in_the_tutorial, stable):
            z = ad.Tensor(float(logit))
            with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
                l = formula(z, label)
                l.backward()
            pairs.append((float(l.data), float(z.grad)))
        rows.append(Comparison(label, logit, *pairs))
    return rows


def comparison_table() -> str:
    """`compare` as text, side by side."""
    lines = [
        "                1 / (1 + exp(-z)), then log            ad.log_sigmoid",
        "label  logit z    likelihood    gradient     likelihood    gradient",
    ]
    for label, logit, one, two in compare():
        numbers = "   ".join(
            f"{value + 0.0:13.6g}{slope + 0.0:12.4g}" for value, slope in (one, two)
        )
        lines.append(f"{label:5}{logit:9}{numbers}")
    return "\n".join(lines)
