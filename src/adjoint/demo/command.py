"""The command `python -m adjoint demo`: its options, and the run from end to end."""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from . import pictures, real, tutorial
from .terminal import INSTALL, optional

SETS = ("tutorial", "cancer", "digits")
LOADERS = dict(cancer="load_breast_cancer", digits="load_digits")
DESCRIPTION = """\
Train logistic regression by the gradient of its log-likelihood.

tutorial  random points in the unit square, label 1 where x1 + x2 >= 1;
          one step a sample, one log line a pass; where its formula overflows
cancer    breast-cancer data of scikit-learn: 569 rows, 30 columns, 2 classes
digits    handwritten digits of scikit-learn: 1797 rows, 64 columns, 10 classes
PATH      a CSV file of yours: columns of numbers, the label in the last one

Real data is split into train (80 %) and test, standardised, and learnt in
mini-batches with a loss that does not overflow."""


def whole(least: int) -> Callable[[str], int]:
    """A reader of whole numbers from `least` on."""

    def read(text: str) -> int:
        if text.isascii() and text.isdecimal() and len(text) < 19 and int(text) >= least:
            return int(text)
        raise argparse.ArgumentTypeError(f"must be a whole number from {least} on, not {text!r}")

    return read


def rate(text: str) -> float:
    """A positive finite number."""
    value = real.number(text)
    if value is None or value <= 0:
        raise argparse.ArgumentTypeError(f"must be a positive number, not {text!r}")
    return value


def data(text: str) -> str:
    """The name of a data set, or the path of a file that is there."""
    if text not in ("all", *SETS) and not Path(text).exists():
        raise argparse.ArgumentTypeError(
            f"must be all, {', '.join(SETS)} or the path of a CSV file; there is no file {text!r}"
        )
    return text


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the demo."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    names = "all, tutorial, cancer, digits, or the path of a CSV file (all)"
    add("--data", type=data, default="all", metavar="NAME|PATH", help=names)
    add("--samples", type=whole(1), default=100, metavar="N", help="points of the tutorial (100)")
    add("--epochs", type=whole(1), metavar="N", help="passes (tutorial: 300, real data: 30)")
    add("--rate", type=rate, metavar="R", help="of a step (tutorial: 0.01, real data: 0.1)")
    add("--seed", type=whole(0), default=0, metavar="N", help="of all that is random (0)")
    pictures_go = "where the pictures go, made if need be (adjoint-demo)"
    add("--out", type=Path, default=Path("adjoint-demo"), metavar="DIR", help=pictures_go)


def run(options: argparse.Namespace, refuse: Callable[[str], Any]) -> int:
    """Train on what was asked for; 0 where all of it was learnt, 1 where some of it was not.

    `refuse` is called with what is wrong with the files that the options name.
    """
    start = perf_counter()
    chosen = SETS if options.data == "all" else (options.data,)
    table = None
    try:
        if chosen[0] not in SETS:
            table = real.read_csv(Path(options.data))
    except real.DataFileError as error:
        refuse(f"argument --data: {error}")
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=options.out):
            pass
    except OSError as error:
        refuse(f"argument --out: cannot write into {options.out}: {error.strerror}")
    if optional("matplotlib.figure") is None:
        print(f"Matplotlib is not installed: no pictures. {INSTALL}\n")

    failed = False
    for i, name in enumerate(chosen):
        if i:
            print()
        if name == "tutorial":
            failed |= not run_tutorial(options)
        elif table is not None:
            failed |= not run_real(table, options)
        elif (sets := optional("sklearn.datasets")) is not None:
            failed |= not run_real(real.from_sklearn(getattr(sets, LOADERS[name])(), name), options)
        else:
            print(f"{name}: left out, scikit-learn is not installed. {INSTALL}")
            failed |= options.data != "all"
    print(f"\ndone in {perf_counter() - start:.1f} s")
    return int(failed)


def run_tutorial(options: argparse.Namespace) -> bool:
    """The tutorial's set-up; True where it was learnt."""
    epochs, step = options.epochs or 300, options.rate or 0.01
    X, Y = tutorial.make_points(options.samples, np.random.default_rng(options.seed))
    print(f"tutorial: {len(Y)} points, {epochs} passes, rate {step:g}, weights from ones")
    history = tutorial.train(X, Y, epochs, step)
    first, last = history[0].weights, history[-1].weights
    learnt = bool(np.isfinite(last).all())
    if learnt:
        before, after = tutorial.accuracy(first, X, Y), tutorial.accuracy(last, X, Y)
        print(f"accuracy {before:.1%} before, {after:.1%} after")
    else:
        print(f"stopped: the formula overflowed in pass {len(history) - 1}; a smaller --rate helps")
    print("\nThe tutorial's formula overflows far from the boundary, the stable one does not:")
    print(tutorial.comparison_table())
    if learnt:
        save(options, "tutorial-boundary", pictures.boundary, X, Y, history)
        save(options, "tutorial-likelihood", pictures.likelihood, history)
    return learnt


def run_real(table: real.Data, options: argparse.Namespace) -> bool:
    """Binary logistic or softmax regression on a table; True where it was learnt."""
    epochs, step = options.epochs or 30, options.rate or 0.1
    rng = np.random.default_rng(options.seed)
    parts, k = real.split(table, rng), len(table.classes)
    kind = "logistic" if k == 2 else "softmax"
    print(
        f"{table.name}: {len(table.X)} rows, {len(table.columns)} columns, {k} classes; "
        f"{kind} regression, {epochs} epochs, rate {step:g}"
    )
    for remark in table.remarks:
        print(remark)
    model, history = real.train(parts, k, rng, epochs, step, label=table.name)
    if len(history) < epochs:
        print(f"stopped: the loss overflowed in epoch {len(history) + 1}; a smaller --rate helps")
        return False
    end = history[-1]
    print(f"loss {end.loss:.4f}")
    print(f"accuracy {end.train:.1%} train ({len(parts.X)} rows), ", end="")
    print(f"{end.test:.1%} test ({len(parts.test_X)} rows)")
    save(options, f"{table.name}-learning", pictures.learning, table, history)
    if k > 2 and options.data in ("all", "digits"):
        save(options, "digits-weights", pictures.digit_weights, table, model)
        save(options, "digits-predictions", pictures.digit_predictions, table, parts, model)
    return True


def save(options: argparse.Namespace, name: str, draw: Callable[..., Any], *what: Any) -> None:
    """Draw `what` into a PNG and print its path, if Matplotlib is there."""
    if optional("matplotlib.figure") is not None:
        path = options.out / f"{name}.png"
        draw(*what).savefig(path)
        print(f"saved {path}")
