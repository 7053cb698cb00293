"""What is timed: the value and the gradient of a loss, written once for everybody.

A text is written against a small `lib` (exp, log, sin, tanh, log1p, abs, amax, repeat), operators,
`@`, indexing and the method `.sum`. The answer by hand is plain NumPy as one would write it without
any tool; every contender has to agree with it before it is timed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True)
class Workload:
    """`loss(lib, *arrays)` is differentiated by its first `wrt` arrays."""

    title: str
    loss: Callable
    hand: Callable  # hand(*arrays): the value, then the gradients
    arrays: tuple
    wrt: int = 1
    skip: tuple[str, ...] = ()  # contenders that would take minutes

    def of_dtype(self, dtype):
        arrays = tuple(np.asarray(a, dtype)[()] for a in self.arrays)
        return Workload(self.title, self.loss, self.hand, arrays, self.wrt, self.skip)


def one_sample(n=3):
    """The loss of a logistic model for one sample: nothing but the cost of a call."""
    rng = np.random.default_rng(0)

    def loss(lib, w, x, y):
        return lib.log1p(lib.exp(-y * (w * x).sum()))

    def hand(w, x, y):
        e = np.exp(-y * (w @ x))
        return [np.log1p(e), (-y * e / (1 + e)) * x]

    arrays = rng.normal(size=n), rng.normal(size=n), np.float64(1.0)
    return Workload(f"logistic loss, {n} weights", loss, hand, arrays)


def rosenbrock(n):
    def loss(lib, x):
        a, b = x[1:], x[:-1]
        return (100.0 * (a - b**2) ** 2 + (1.0 - b) ** 2).sum()

    def hand(x):
        a, b = x[1:], x[:-1]
        d, e = a - b * b, 1.0 - b
        value = (100.0 * d * d + e * e).sum()
        d *= 200.0
        g = np.zeros_like(x)
        g[1:] = d
        g[:-1] -= 2.0 * (d * b + e)
        return [value, g]

    x = np.random.default_rng(0).normal(size=n)
    return Workload(f"Rosenbrock, {n} variables", loss, hand, (x,))


def elementwise(n):
    def loss(lib, x):
        return (lib.tanh(x) * lib.exp(-x * x) + lib.log1p(x * x)).sum()

    def hand(x):
        q, t = x * x, np.tanh(x)
        e = np.negative(q)
        np.exp(e, e)
        te = t * e
        value = np.log1p(q)
        value += te
        value = value.sum()
        # e (1 - t²) - 2 x t e + 2 x / (1 + x²)
        q += 1.0
        np.divide(1.0, q, q)
        q -= te
        q *= x
        q *= 2.0
        t *= t
        np.subtract(1.0, t, t)
        t *= e
        t += q
        return [value, t]

    x = np.random.default_rng(0).normal(size=n)
    return Workload(f"elementwise chain, {n} numbers", loss, hand, (x,))


def recurrence(steps):
    """A Python loop over a scalar: JAX gets `lax.scan`, who compiles it unrolled for 20 seconds."""

    def loss(lib, x):
        return lib.repeat(steps, lambda x: lib.sin(x) * 1.01 + x * x * 0.001, x)

    def hand(x):
        seen = []
        for _ in range(steps):
            seen.append(x)
            x = np.sin(x) * 1.01 + x * x * 0.001
        g = np.ones_like(x)
        for y in reversed(seen):
            g = g * (np.cos(y) * 1.01 + y * 0.002)
        return [x, g]

    skip = ("torch.compile",)
    return Workload(f"scalar recurrence, {steps} steps", loss, hand, (np.float64(0.7),), skip=skip)


def regression(n, d):
    """Logistic regression: one pass over the matrix would do."""
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(n, d)), rng.normal(size=d)
    y = rng.random(n) < 1 / (1 + np.exp(-x @ w))

    def loss(lib, w, x, y):
        z = x @ w
        size = lib.abs(z)
        return (0.5 * (z + size) - z * y + lib.log1p(lib.exp(-size))).sum() * (1.0 / n)

    def hand(w, x, y):
        z = x @ w
        e = np.exp(-np.abs(z))
        value = (np.maximum(z, 0.0) - z * y + np.log1p(e)).sum() / n
        p = np.where(z >= 0, 1.0, e) / (1.0 + e)
        p -= y
        return [value, (p @ x) * w.dtype.type(1.0 / n)]

    return Workload(f"logistic regression, {n} x {d}", loss, hand, (0.5 * w, x, y))


def network(sizes, batch):
    """A tanh network with softmax cross entropy; its logits are small and need no shift."""
    rng = np.random.default_rng(0)
    params = []
    for n_in, n_out in pairwise(sizes):
        params += [rng.normal(size=(n_in, n_out)) / np.sqrt(n_in), 0.1 * rng.normal(size=n_out)]
    x = rng.normal(size=(batch, sizes[0]))
    labels = np.eye(sizes[-1])[rng.integers(0, sizes[-1], batch)]
    layers = range(0, len(params), 2)

    def loss(lib, *arrays):
        *params, z, labels = arrays
        for i in layers:
            z = z @ params[i] + params[i + 1]
            if i < layers[-1]:
                z = lib.tanh(z)
        return (lib.log(lib.exp(z).sum(1)) - (z * labels).sum(1)).sum() * (1.0 / batch)

    def hand(*arrays):
        *params, z, labels = arrays
        acts = [z]
        for i in layers:
            z = z @ params[i]
            z += params[i + 1]
            if i < layers[-1]:
                np.tanh(z, z)
                acts.append(z)
        d = np.exp(z)
        s = d.sum(1, keepdims=True)
        value = (np.log(s[:, 0]) - (z * labels).sum(1)).sum() / batch
        d /= s
        d -= labels
        d *= 1.0 / batch
        grads = [None] * len(params)
        for i in reversed(layers):
            a = acts[i // 2]
            grads[i], grads[i + 1] = a.T @ d, d.sum(0)
            if i:
                d = d @ params[i].T
                slope = a * a
                np.subtract(1.0, slope, slope)
                d *= slope
        return [value, *grads]

    title = "MLP " + "-".join(map(str, sizes)) + f", batch {batch}"
    return Workload(title, loss, hand, (*params, x, labels), wrt=len(params))


def mixture(n, k, d):
    """The likelihood of a mixture of Gaussians, by the factors of their inverse covariances."""
    rng = np.random.default_rng(0)
    above, diagonal = np.triu(np.ones((d, d)), 1), np.eye(d)
    params = (rng.normal(size=k), rng.normal(size=(k, d)), 0.3 * rng.normal(size=(k, d)),
              0.3 * rng.normal(size=(k, d, d)))  # fmt: skip

    def loss(lib, weights, means, logs, factors, x, above, diagonal):
        root = factors * above + lib.exp(logs)[:, :, None] * diagonal
        y = (x[None] - means[:, None]) @ root
        t = (weights + logs.sum(1))[:, None] - 0.5 * (y * y).sum(2)
        top = lib.amax(t, 0)
        likelihood = (lib.log(lib.exp(t - top).sum(0)) + top).sum()
        return likelihood - n * lib.log(lib.exp(weights).sum())

    def hand(weights, means, logs, factors, x, above, diagonal):
        scale = np.exp(logs)
        root = factors * above + scale[:, :, None] * diagonal
        centred = x[None] - means[:, None]
        y = centred @ root
        t = (weights + logs.sum(1))[:, None] - 0.5 * np.einsum("kni,kni->kn", y, y)
        top = t.max(0)
        p = np.exp(t - top)
        s = p.sum(0)
        e = np.exp(weights)
        value = (np.log(s) + top).sum() - n * np.log(e.sum())
        p /= s
        mass = p.sum(1)
        y *= -p[:, :, None]
        by_root = centred.transpose(0, 2, 1) @ y
        by_means = -(y.sum(1)[:, None] @ root.transpose(0, 2, 1))[:, 0]
        by_logs = np.einsum("kii->ki", by_root) * scale + mass[:, None]
        return [value, mass - n * e / e.sum(), by_means, by_logs, by_root * above]

    title = f"Gaussian mixture, {n} x {d}, {k} components"
    return Workload(title, loss, hand, (*params, rng.normal(size=(n, d)), above, diagonal), wrt=4)


WORKLOADS = {
    "tiny": lambda: one_sample(),
    "rosen10": lambda: rosenbrock(10),
    "chain": lambda: elementwise(10**6),
    "rosen1e5": lambda: rosenbrock(10**5),
    "scan": lambda: recurrence(1000),
    "logreg": lambda: regression(10**5, 20),
    "mlp_small": lambda: network((64, 128, 128, 10), 32),
    "mlp_large": lambda: network((784, 512, 512, 10), 256),
    "gmm": lambda: mixture(1000, 25, 10),
}
# The same texts for seconds' sake: whether all of it works, not how fast.
SMALL = {
    "tiny": lambda: one_sample(),
    "rosen10": lambda: rosenbrock(10),
    "chain": lambda: elementwise(100),
    "rosen1e5": lambda: rosenbrock(100),
    "scan": lambda: recurrence(30),
    "logreg": lambda: regression(50, 4),
    "mlp_small": lambda: network((6, 5, 3), 4),
    "mlp_large": lambda: network((6, 5, 3), 8),
    "gmm": lambda: mixture(10, 3, 2),
}
