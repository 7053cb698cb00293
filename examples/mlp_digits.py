"""Handwritten digits by a neural network whose module system is the first half of this file."""

from itertools import pairwise

import numpy as np
from sklearn.datasets import load_digits

import adjoint as ad


def dense(rng, inputs, outputs):
    """A layer: weights whose scale keeps that of the signal (He et al. 2015), and a bias."""
    scale = np.sqrt(2 / inputs)
    return {"weight": rng.normal(0, scale, (inputs, outputs)), "bias": np.zeros(outputs)}


def mlp(rng, *widths):
    """Layers from each width to the next: a list of dicts of arrays is all that a model is."""
    return [dense(rng, a, b) for a, b in pairwise(widths)]


def apply(model, x):
    """The logits: layer after layer, with a rectifier between them."""
    for layer in model[:-1]:
        x = ad.maximum(x @ layer["weight"] + layer["bias"], 0.0)
    return x @ model[-1]["weight"] + model[-1]["bias"]


def loss(model, x, labels):
    """The mean of -ln p(label)."""
    return -ad.log_softmax(apply(model, x))[np.arange(len(labels)), labels].mean()


def batches(rng, x, labels, epochs, size):
    """Every row once an epoch, shuffled, `size` at a time, blurred against learning by heart."""
    for _ in range(epochs):
        rows = rng.permutation(len(x))
        for start in range(0, len(rows), size):
            chosen = rows[start : start + size]
            yield x[chosen] + rng.normal(0, 0.1, (len(chosen), x.shape[1])), labels[chosen]


def main():
    """Train on four fifths of the digits and test on the rest; the share of right answers there."""
    rng = np.random.default_rng(0)
    x, labels = load_digits(return_X_y=True)
    x = x / 16
    test, train = np.split(rng.permutation(len(x)), [len(x) // 5])
    epochs, size = 40, 64
    steps = epochs * -(-len(train) // size)
    optimiser = ad.adamw(lambda step: 2e-3 * (1 - step / steps))
    feed = batches(rng, x[train], labels[train], epochs, size)
    model = mlp(rng, 64, 128, 64, 10)
    model, history = ad.descend(loss, model, optimiser, steps, feed, progress=True)
    right = np.mean(apply(model, x[test]).argmax(1) == labels[test])
    print(f"{len(history.values)} steps in {history.seconds[-1]:.1f} s")
    print(f"accuracy {right:.1%} on {len(test)} digits held out")
    return right


if __name__ == "__main__":
    main()
