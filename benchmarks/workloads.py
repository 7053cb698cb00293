"""What is timed. Every workload is one function text, a gradient written by hand, and its inputs.

The text is written against a small `lib` (sin, exp, log, tanh, log1p, repeat), operators, `@`,
indexing and the method `.sum`: what every contender has. Its constants come first, its parameters
after. The hand-written gradient is plain NumPy as one would write it without any tool: it computes
the value too, reuses what it can, and works in place where that is safe. It is the unit of the
tables and the reference every contender has to agree with.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

RATE = 0.01  # of the per-sample training loops


@dataclass(frozen=True)
class Workload:
    """`kind` names the method of a contender that runs it; one without that method sits out."""

    title: str
    kind: str  # gradient, epoch, tracked, jvp, hvp, hessian, per_example or primal
    loss: Callable  # loss(lib, *constants, *params)
    hand: Callable[[], list]  # the answer, in bare NumPy
    params: tuple = ()
    constants: tuple = ()
    tangents: tuple = ()  # for jvp and hvp
    skip: tuple[str, ...] = ()  # contenders that would take minutes, or do not apply


def chain(steps, x0, title):
    """`steps` times five ops, one after another: nothing but the cost per op."""

    def loss(lib, x):
        x = lib.repeat(steps, lambda x: lib.sin(x) * 1.01 + x * x * 0.001, x)
        return x.sum() if np.ndim(x0) else x

    def hand():
        x, seen = x0, []
        for _ in range(steps):
            seen.append(x)
            x = np.sin(x) * 1.01 + x * x * 0.001
        g = np.ones_like(x)[()]
        for x in reversed(seen):
            g = g * (np.cos(x) * 1.01 + x * 0.002)
        return [g]

    return Workload(title, "gradient", loss, hand, (x0,))


def doublings(n=60):
    """x = x + x: 2^n paths over n nodes, so a backward pass that walks paths never returns."""

    def loss(lib, x):
        return lib.repeat(n, lambda x: x + x, x).sum()

    def hand():
        return [np.full(2, 2.0**n)]

    return Workload(f"x = x + x, {n} times", "gradient", loss, hand, (np.array([1.0, 2.0]),))


def long_chain(ops, title, skip):
    """A graph as deep as it is long: recursion breaks here, and a cost per op that grows shows."""
    x0 = np.array([1.0])

    def loss(lib, x):
        return lib.repeat(ops // 2, lambda x: x * 1.000001 + 0.001, x).sum()

    def hand():
        x = x0
        for _ in range(ops // 2):
            x = x * 1.000001 + 0.001
        g = np.ones(1)
        for _ in range(ops // 2):
            g = g * 1.000001
        return [g]

    return Workload(title, "gradient", loss, hand, (x0,), skip=skip)


def rosenbrock_loss(lib, x):
    a, b = x[1:], x[:-1]
    return (100.0 * (a - b**2) ** 2 + (1.0 - b) ** 2).sum()


def rosenbrock(n):
    x = np.random.default_rng(0).normal(size=n)

    def hand():
        a, b = x[1:], x[:-1]
        d, e = a - b * b, 1.0 - b
        (100.0 * d * d + e * e).sum()
        t = 200.0 * d
        g = np.zeros(n)
        g[1:] = t
        g[:-1] -= 2.0 * (t * b + e)
        return [g]

    return Workload(f"Rosenbrock, {n} variables", "gradient", rosenbrock_loss, hand, (x,))


def rosenbrock_jvp(n):
    rng = np.random.default_rng(0)
    x, v = rng.normal(size=n), rng.normal(size=n)

    def hand():
        a, b, va, vb = x[1:], x[:-1], v[1:], v[:-1]
        d, e = a - b * b, 1.0 - b
        (100.0 * d * d + e * e).sum()
        return [(200.0 * d * (va - 2.0 * b * vb) - 2.0 * e * vb).sum()]

    return Workload(f"jvp of Rosenbrock, {n}", "jvp", rosenbrock_loss, hand, (x,), tangents=(v,))


def rosenbrock_hvp(n):
    rng = np.random.default_rng(0)
    x, v = rng.normal(size=n), rng.normal(size=n)

    def hand():
        a, b, va, vb = x[1:], x[:-1], v[1:], v[:-1]
        t, dt = 200.0 * (a - b * b), 200.0 * (va - 2.0 * b * vb)
        h = np.zeros(n)
        h[1:] = dt
        h[:-1] -= 2.0 * (dt * b + t * vb - vb)
        return [h]

    return Workload(f"hvp of Rosenbrock, {n}", "hvp", rosenbrock_loss, hand, (x,), tangents=(v,))


def rosenbrock_hessian(n):
    x = np.random.default_rng(0).normal(size=n)

    def hand():
        a, b = x[1:], x[:-1]
        h = np.zeros((n, n))
        flat = h.ravel()  # a view, in which a diagonal is every (n + 1)th entry
        diagonal = flat[:: n + 1]
        diagonal[1:] = 200.0
        diagonal[:-1] += 800.0 * b * b - 400.0 * (a - b * b) + 2.0
        flat[1 :: n + 1] = flat[n :: n + 1] = -400.0 * b
        return [h]

    return Workload(f"Hessian of Rosenbrock, {n}", "hessian", rosenbrock_loss, hand, (x,))


def logistic_data(samples):
    rng = np.random.default_rng(0)
    x = np.ones((samples, 3))
    x[:, 1:] = rng.random((samples, 2))
    return x, (x[:, 1] + x[:, 2] >= 1.0).astype(float)


def logistic_loss(lib, x, y, w):
    """The log-likelihood of one sample; the loop climbs it."""
    h = 1.0 / (1.0 + lib.exp(-(w * x).sum()))
    return y * lib.log(h) + (1.0 - y) * lib.log(1.0 - h)


def logistic_loss_by_methods(w, x, y):
    """The same as the 2019 tool spells it: methods only, and every operand a Tensor."""
    h = 1 / (1 + (-(w * x).sum()).exp())
    return y * h.log() + (1 - y) * (1 - h).log()


def logistic(samples=100, tracked=False):
    """One epoch of updates after each sample: the smallest arrays anybody trains on."""
    x, y = logistic_data(samples)
    w0 = np.ones(3)

    def hand():
        w = w0.copy()
        for xi, yi in zip(x, y, strict=True):
            h = 1.0 / (1.0 + np.exp(-(w * xi).sum()))
            yi * np.log(h) + (1.0 - yi) * np.log(1.0 - h)
            w += RATE * ((yi - h) * xi)
        return [w]

    kind, loss, how = (
        ("tracked", logistic_loss_by_methods, ", everything tracked")
        if tracked
        else ("epoch", logistic_loss, "")
    )
    return Workload(f"logistic epoch, {samples} samples{how}", kind, loss, hand, (w0,), (x, y))


class Classifier:
    """A tanh network with softmax cross entropy: inputs, the texts, and the answers by hand."""

    def __init__(self, sizes, batch):
        rng = np.random.default_rng(0)
        self.batch = batch
        self.x = rng.normal(size=(batch, sizes[0]))
        self.labels = np.eye(sizes[-1])[rng.integers(0, sizes[-1], batch)]
        self.params, self.tangents = [], []
        for n_in, n_out in pairwise(sizes):
            self.params += [rng.normal(size=(n_in, n_out)) / np.sqrt(n_in), np.zeros(n_out)]
        self.tangents = [rng.normal(size=p.shape) for p in self.params]
        self.layers = range(0, len(self.params), 2)
        self.last = self.layers[-1]
        self.name = "MLP " + "-".join(map(str, sizes)) + f", batch {batch}"

    def logits(self, lib, z, params):
        for i in self.layers:
            z = z @ params[i] + params[i + 1]
            if i < self.last:
                z = lib.tanh(z)
        return z

    def loss(self, lib, x, labels, *params):
        z = self.logits(lib, x, params)
        # the logits are small: no shift before exp, the same for everyone
        return (lib.log(lib.exp(z).sum(1)) - (z * labels).sum(1)).sum() * (1.0 / self.batch)

    def loss_of_one(self, lib, x, labels, *params):
        """Of a single example: no array has a batch axis."""
        z = self.logits(lib, x, params)
        return lib.log(lib.exp(z).sum()) - (z * labels).sum()

    def softmax_and_loss(self, z):
        e = np.exp(z)
        s = e.sum(1, keepdims=True)
        loss = (np.log(s[:, 0]) - (z * self.labels).sum(1)).sum() / self.batch
        e /= s
        return e, loss

    def forward(self):
        """Every layer's input, then the logits."""
        z, acts = self.x, [self.x]
        for i in self.layers:
            z = z @ self.params[i]
            z += self.params[i + 1]
            if i < self.last:
                np.tanh(z, z)
                acts.append(z)
        return acts, z

    def backward(self, acts, d, of_layer):
        """`of_layer` makes the gradients of weight and bias from a layer's input and its delta."""
        grads = [None] * len(self.params)
        for i in reversed(self.layers):
            a = acts[i // 2]
            grads[i], grads[i + 1] = of_layer(a, d)
            if i:
                d = d @ self.params[i].T
                slope = a * a
                np.subtract(1.0, slope, slope)
                d *= slope
        return grads

    def primal(self):
        _, z = self.forward()
        return [self.softmax_and_loss(z)[1]]

    def gradient(self):
        acts, z = self.forward()
        d, _ = self.softmax_and_loss(z)
        d -= self.labels
        d *= 1.0 / self.batch
        return self.backward(acts, d, lambda a, d: (a.T @ d, d.sum(0)))

    def per_example(self):
        """The same without the sum over the batch: outer products of inputs and deltas."""
        acts, z = self.forward()
        d, _ = self.softmax_and_loss(z)
        d -= self.labels
        return self.backward(acts, d, lambda a, d: (np.einsum("bi,bj->bij", a, d), d))

    def forward_with_tangents(self):
        """[(a, da)] of every layer's input, then the logits and theirs."""
        z, dz, seen = self.x, None, []
        for i in self.layers:
            seen.append((z, dz))
            w, b, dw, db = *self.params[i : i + 2], *self.tangents[i : i + 2]
            dz = z @ dw + db if dz is None else z @ dw + dz @ w + db
            z = z @ w
            z += b
            if i < self.last:
                np.tanh(z, z)
                dz *= 1.0 - z * z
        return seen, z, dz

    def jvp(self):
        _, z, dz = self.forward_with_tangents()
        p, _ = self.softmax_and_loss(z)
        p -= self.labels
        return [(p * dz).sum() / self.batch]

    def hvp(self):
        """Pearlmutter's R-operator (1994): the backward pass, differentiated along the tangents."""
        seen, z, dz = self.forward_with_tangents()
        p, _ = self.softmax_and_loss(z)
        d = (p - self.labels) / self.batch
        rd = p * (dz - (p * dz).sum(1, keepdims=True)) / self.batch
        out = [None] * len(self.params)
        for i in reversed(self.layers):
            a, da = seen[i // 2]
            out[i], out[i + 1] = a.T @ rd, rd.sum(0)
            if i:
                out[i] += da.T @ d
                d, rd = d @ self.params[i].T, rd @ self.params[i].T + d @ self.tangents[i].T
                slope = 1.0 - a * a
                rd = rd * slope - 2.0 * d * a * da
                d *= slope
        return out

    def workload(self, kind, title):
        return Workload(
            title,
            kind,
            self.loss_of_one if kind == "per_example" else self.loss,
            getattr(self, kind),
            tuple(self.params),
            (self.x, self.labels),
            tuple(self.tangents),
        )


def classifier(sizes, batch, kind="gradient"):
    net = Classifier(sizes, batch)
    titles = {"gradient": net.name, "per_example": f"per-example gradients, {net.name}"}
    return net.workload(kind, titles.get(kind, f"{kind} of {net.name}"))


def modes(sizes, batch):
    """One function, and three derivatives to be timed in units of it."""
    net = Classifier(sizes, batch)
    return [net.workload(kind, net.name) for kind in ("primal", "gradient", "jvp", "hvp")]


def deep_tanh(layers=8, width=256, batch=512):
    """Activations of a megabyte: what a tape keeps alive decides."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch, width))
    params = []
    for _ in range(layers):
        params += [rng.normal(size=(width, width)) * 0.05, np.zeros(width)]

    def loss(lib, x, *params):
        for w, b in zip(params[::2], params[1::2], strict=True):
            x = lib.tanh(x @ w + b)
        return (x * x).sum()

    def hand():
        z, acts, grads = x, [x], [None] * len(params)
        for i in range(0, len(params), 2):
            z = z @ params[i]
            z += params[i + 1]
            np.tanh(z, z)
            acts.append(z)
        (z * z).sum()
        d = 2.0 * z
        for i in reversed(range(0, len(params), 2)):
            a, slope = acts[i // 2], acts[i // 2 + 1] ** 2
            np.subtract(1.0, slope, slope)
            d *= slope
            grads[i], grads[i + 1] = a.T @ d, d.sum(0)
            if i:
                d = d @ params[i].T
        return grads

    title = f"MLP {layers} x {width} tanh, batch {batch}"
    return Workload(title, "gradient", loss, hand, tuple(params), (x,))


def big_elementwise(n=10**6):
    """8 MB an array: memory traffic and the speed of tanh, exp and log1p."""
    x = np.random.default_rng(0).normal(size=n)

    def loss(lib, x):
        return (lib.tanh(x) * lib.exp(-x * x) + lib.log1p(x * x)).sum()

    def hand():
        q, t = x * x, np.tanh(x)
        e = np.negative(q)
        np.exp(e, e)
        te = t * e
        value = np.log1p(q)
        value += te
        value.sum()
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
        return [t]

    return Workload("elementwise, 1e6 numbers", "gradient", loss, hand, (x,))


SMALL, LARGE = ((64, 128, 128, 10), 32), ((784, 512, 512, 10), 256)
MANY = (SMALL[0], 256)
MINUTES = ("HIPS", "MyGrad", "JAX")  # eager contenders too slow for a million ops

GRADIENTS = {
    "a0": lambda: chain(1000, np.float64(0.5), "scalar chain, 5000 ops, 0-d"),
    "a1": lambda: chain(1000, np.array([0.5]), "the same, shape (1,)"),
    "b10": lambda: rosenbrock(10),
    "b1000": lambda: rosenbrock(1000),
    "c": lambda: logistic(),
    "c_tracked": lambda: logistic(tracked=True),
    "d": lambda: classifier(*SMALL),
    "e": lambda: classifier(*LARGE),
    "m": lambda: deep_tanh(),
    "f": lambda: big_elementwise(),
    "g": lambda: doublings(),
    "h": lambda: long_chain(10**5, "chain of 100,000 ops, (1,)", skip=("JAX",)),
    "h1m": lambda: long_chain(10**6, "chain of 1,000,000 ops, (1,)", skip=MINUTES),
}
HIGHER = {
    "b10_jvp": lambda: rosenbrock_jvp(10),
    "b10_hvp": lambda: rosenbrock_hvp(10),
    "d_jvp": lambda: classifier(*SMALL, kind="jvp"),
    "d_hvp": lambda: classifier(*SMALL, kind="hvp"),
    "b100_hessian": lambda: rosenbrock_hessian(100),
    "d_per_example": lambda: classifier(*MANY, kind="per_example"),
}
COSTS = {
    "d_cost": lambda: modes(*SMALL),
    "e_cost": lambda: modes(*LARGE),
}
