"""python benchmarks/compile/costs.py: what compiled derivatives of the networks cost, in primals.

Value and gradient, value and tangent, and the product of Hessian and vector, in units of the
compiled function itself, the parameters as a list of pairs. Medians of ratios within rounds, BLAS
on one thread. Writes COSTS.md beside this file.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import warnings
from datetime import date
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

import adjoint as ad

NETWORKS = {
    "64-128-128-10, batch 32": ((64, 128, 128, 10), 32, 300),
    "784-512-512-10, batch 256": ((784, 512, 512, 10), 256, 8),
}
ROUNDS = 11


def loss(layers, x, y):
    for weights, bias in layers[:-1]:
        x = ad.tanh(x @ weights + bias)
    weights, bias = layers[-1]
    logits = x @ weights + bias
    return ad.mean(ad.logsumexp(logits, axis=1) - ad.sum(logits * y, axis=1))


def tangent(layers, ways, x, y):
    return ad.jvp(lambda layers: loss(layers, x, y), (layers,), (ways,))


def product(layers, ways, x, y):
    return ad.hvp(lambda layers: loss(layers, x, y), layers, ways)


def calls(sizes, batch):
    """{name: call} of the compiled functions at random parameters."""
    rng = np.random.default_rng(0)
    shapes = list(pairwise(sizes))
    layers, ways = (
        [(rng.normal(size=(i, o)) / np.sqrt(i), 0.1 * rng.normal(size=o)) for i, o in shapes]
        for _ in range(2)
    )
    x = rng.normal(size=(batch, sizes[0]))
    y = np.eye(sizes[-1])[rng.integers(0, sizes[-1], batch)]
    primal, gradient = ad.compile(loss), ad.compile(ad.value_and_grad(loss))
    jvp, hvp = ad.compile(tangent), ad.compile(product)
    return {
        "primal": lambda: primal(layers, x, y),
        "value and gradient": lambda: gradient(layers, x, y),
        "value and tangent": lambda: jvp(layers, ways, x, y),
        "Hessian times vector": lambda: hvp(layers, ways, x, y),
    }


def seconds(call, repetitions):
    start = perf_counter()
    for _ in range(repetitions):
        call()
    return (perf_counter() - start) / repetitions


def main():
    warnings.simplefilter("ignore", ad.CompileWarning)
    lines = [
        "# The cost of compiled derivatives\n",
        f"{date.today()}. In units of the compiled primal, float64, one thread of BLAS; medians",
        f"over {ROUNDS} rounds. By `python benchmarks/compile/costs.py`.\n",
        "| network | primal | value and gradient | value and tangent | Hessian times vector |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for title, (sizes, batch, repetitions) in NETWORKS.items():
        found = calls(sizes, batch)
        for call in found.values():
            call()
        rounds = [[seconds(c, repetitions) for c in found.values()] for _ in range(ROUNDS)]
        primal = median(row[0] for row in rounds)
        costs = [median(row[k] / row[0] for row in rounds) for k in (1, 2, 3)]
        cells = [f"{primal * 1e6:.0f} µs", *[f"{cost:.2f}" for cost in costs]]
        lines.append(f"| {' | '.join([title, *cells])} |")
    text = "\n".join(lines) + "\n"
    print(text)
    Path(__file__).with_name("COSTS.md").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
