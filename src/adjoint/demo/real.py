"""Logistic and softmax regression on real data: read, split, standardise, learn in mini-batches."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import adjoint as ad

from .terminal import track


class Data(NamedTuple):
    """A table of numbers with a label for each row, and the names to speak of them."""

    name: str
    X: np.ndarray
    labels: np.ndarray  # 0 to k - 1
    classes: list[str]
    columns: list[str]
    remarks: list[str]


class DataFileError(ValueError):
    """A file that cannot be learnt from; the message says why in one line."""


def from_sklearn(bunch: Any, name: str) -> Data:
    """One of the data sets inside scikit-learn."""
    classes, columns = [str(c) for c in bunch.target_names], [str(c) for c in bunch.feature_names]
    return Data(name, bunch.data, bunch.target, classes, columns, [])


def number(cell: str) -> float | None:
    """The finite number that a cell holds, if it does."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def read_csv(path: Path) -> Data:
    """A table with the label in its last column; columns that are not numbers are left out.

    The separator is the comma, semicolon or tab, whichever the first line has most of. A first
    line without any number is the header.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=max(",;\t", key=first.count))
            lines = [(reader.line_num, [c.strip() for c in row]) for row in reader if any(row)]
    except OSError as error:
        raise DataFileError(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataFileError(f"{path} is not a CSV file: {error}") from None
    if not lines:
        raise DataFileError(f"{path} is empty")
    width = len(lines[0][1])
    header = [f"column {i + 1}" for i in range(width)]
    if all(number(cell) is None for cell in lines[0][1]):
        header = lines.pop(0)[1]
    if width < 2:
        raise DataFileError(f"{path} has one column; it needs numbers, and a label in the last")
    for line, row in lines:
        if len(row) != width:
            raise DataFileError(
                f"{path}, line {line}: {len(row)} cells; the first line has {width}"
            )
        if not row[-1]:
            raise DataFileError(f"{path}, line {line}: no label in the last column")

    columns, kept, remarks = [], [], []
    for i, name in enumerate(header[:-1]):
        values = [number(row[i]) for _, row in lines]
        if None in values:
            line, row = lines[values.index(None)]
            remarks.append(f"left out: {name!r}, where line {line} has {row[i]!r} for a number")
        else:
            columns.append(values)
            kept.append(name)
    if not columns or not lines:
        raise DataFileError(f"{path} has no column of numbers before the label")

    labels = [row[-1] for _, row in lines]
    numbers = [number(label) for label in labels]
    if None in numbers:
        classes = sorted(set(labels))
    else:  # 1 and 1.0 are the same class, and 10 comes after 9
        labels = [f"{value:.15g}" for value in numbers]
        classes = sorted(set(labels), key=float)
    if not 2 <= len(classes) <= max(2, len(labels) // 2):
        raise DataFileError(
            f"{path} has {len(classes)} distinct labels in {len(labels)} rows; "
            "its last column must name at least two classes, and several rows of each"
        )
    index = {label: i for i, label in enumerate(classes)}
    coded = np.array([index[label] for label in labels])
    return Data(path.stem, np.array(columns).T, coded, classes, kept, remarks)


class Split(NamedTuple):
    """Rows to learn from and rows to test on, standardised by the former."""

    X: np.ndarray
    labels: np.ndarray
    test_X: np.ndarray
    test_labels: np.ndarray
    test_rows: np.ndarray


def split(data: Data, rng: np.random.Generator) -> Split:
    """Four fifths to learn from and one to test on; each column with mean 0 and deviation 1."""
    rows = rng.permutation(len(data.X))
    test, train = np.split(rows, [max(1, len(rows) // 5)])
    mean, deviation = data.X[train].mean(0), data.X[train].std(0)
    X = (data.X - mean) / np.where(deviation > 0, deviation, 1.0)
    return Split(X[train], data.labels[train], X[test], data.labels[test], test)


Model = dict[str, Any]


def logits(model: Model, X: np.ndarray) -> Any:
    """One number a row for two classes, one a row and class for more."""
    return X @ model["weight"] + model["bias"]


def loss(model: Model, X: np.ndarray, labels: np.ndarray) -> Any:
    """The mean of -ln p(label): by `log_sigmoid` for two classes, by `log_softmax` for more."""
    z = logits(model, X)
    if z.ndim == 1:
        return -ad.log_sigmoid(np.where(labels == 1, 1.0, -1.0) * z).mean()
    return -ad.log_softmax(z)[np.arange(len(labels)), labels].mean()


def predict(model: Model, X: np.ndarray) -> np.ndarray:
    """The likeliest class of each row."""
    z = logits(model, X)
    return (z >= 0).astype(int) if z.ndim == 1 else z.argmax(-1)


def accuracy(model: Model, X: np.ndarray, labels: np.ndarray) -> float:
    """The share of rows whose likeliest class is their label."""
    return float(np.mean(predict(model, X) == labels))


class Epoch(NamedTuple):
    """How well the model did on the whole data after one epoch."""

    loss: float
    train: float
    test: float


def batches(count: int, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """All rows once, shuffled, `size` at a time."""
    rows = rng.permutation(count)
    for start in range(0, count, size):
        yield rows[start : start + size]


def train(
    parts: Split,
    classes: int,
    rng: np.random.Generator,
    epochs: int = 30,
    rate: float = 0.1,
    size: int = 32,
    label: str = "training",
) -> tuple[Model, list[Epoch]]:
    """Descend the loss by the gradient of one mini-batch after another, from weights of zero."""
    columns = parts.X.shape[1]
    model: Model = dict(weight=np.zeros(columns), bias=0.0)
    if classes > 2:
        model = dict(weight=np.zeros((columns, classes)), bias=np.zeros(classes))
    gradient = ad.grad(loss)
    history = []
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in track(range(epochs), label):
            for rows in batches(len(parts.X), size, rng):
                slope = gradient(model, parts.X[rows], parts.labels[rows])
                model = ad.tree_map(lambda value, s: value - rate * s, model, slope)
            now = float(loss(model, parts.X, parts.labels))
            if not np.isfinite(now):
                break
            right = accuracy(model, parts.X, parts.labels)
            history.append(Epoch(now, right, accuracy(model, parts.test_X, parts.test_labels)))
    return model, history
