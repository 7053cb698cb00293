"""Random programs drawn from the registry: maps, moves, folds, windows, products, writes.

Each step is drawn while the program runs once on its inputs, so every shape fits. The drawn
program is then a function of three arrays that can be run again in any mode.
"""

import warnings

import numpy as np

import adjoint as ad

ELSEWHERE = {"acosh", "ldexp", "to_complex"}  # not defined, or not real, between 0 and 1
NAMES = sorted(
    name
    for name, op in ad.OPS.items()
    if op.forward.__module__ == "adjoint.ops.elementwise"
    and op.word == "elementwise"
    and not op.params
    and len(op.inputs) < 3
    and name not in ELSEWHERE
)
UNARY = [n for n in NAMES if len(ad.OPS[n].inputs) == 1]
BINARY = [n for n in NAMES if len(ad.OPS[n].inputs) == 2]
FOLDS = ["sum", "mean", "max", "min", "prod", "logsumexp", "var", "std"]
COMPARISONS = ["less", "less_equal", "greater", "greater_equal", "equal", "not_equal"]
SHAPES = ((4, 3), (3,), (), (1, 3), (2, 4, 3), (17,), (5, 9), (0, 3), (1,))


def inside(x):
    """x brought between 0 and 1, where every op is defined."""
    return 0.5 + 0.4 * ad.sin(x)


class Drawn:
    """A program of some steps; `inputs` are arrays it was drawn for."""

    def __init__(self, seed, length=8, dtypes=("float64",), empty=True):
        self.rng = rng = np.random.default_rng(seed)
        self.seed, self.steps, self.names = seed, [], []
        shapes = [s for s in SHAPES if empty or 0 not in s]
        self.inputs = tuple(
            [
                rng.uniform(-2, 2, shapes[rng.integers(len(shapes))]).astype(rng.choice(dtypes))
                for _ in range(3)
            ]
        )
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            values = list(self.inputs)
            while len(self.steps) < length:
                self.draw(values)

    def __repr__(self):
        types = ", ".join(f"{x.dtype}{list(x.shape)}" for x in self.inputs)
        return f"Drawn({self.seed}) of {types}: " + "; ".join(
            f"v{i + 3} = {name}" for i, name in enumerate(self.names)
        )

    def draw(self, values):
        """One more step; one that does not fit is drawn anew by the caller."""
        kinds = [self.map, self.map, self.pair, self.pair, self.fold, self.move, self.window,
                 self.choice, self.join, self.product, self.write, self.other]  # fmt: skip
        found = kinds[self.rng.integers(len(kinds))](values)
        if found is not None:
            name, step = found
            value = step(values)
            if np.size(value) < 400:
                values.append(np.asarray(value)[()])
                self.steps.append(step)
                self.names.append(name)

    def some(self, values, rank=0):
        """The place of a value of at least that rank, later ones more often."""
        fits = [i for i, v in enumerate(values) if np.ndim(v) >= rank]
        return None if not fits else int(self.rng.choice(fits[-6:]))

    def map(self, values):
        i, name = self.some(values), UNARY[self.rng.integers(len(UNARY))]
        return f"{name}(v{i})", lambda v: ad.OPS[name].call(inside(v[i]))

    def pair(self, values):
        i, j, name = self.some(values), self.some(values), BINARY[self.rng.integers(len(BINARY))]
        if self.rng.random() < 0.2:
            c = float(self.rng.uniform(0.1, 0.9))
            return f"{name}(v{i}, {c:.3})", lambda v: ad.OPS[name].call(inside(v[i]), c)
        try:
            np.broadcast_shapes(np.shape(values[i]), np.shape(values[j]))
        except ValueError:
            return None
        return f"{name}(v{i}, v{j})", lambda v: ad.OPS[name].call(inside(v[i]), inside(v[j]))

    def fold(self, values):
        i, name = self.some(values, 1), FOLDS[self.rng.integers(len(FOLDS))]
        if i is None or (np.size(values[i]) == 0 and name not in ("sum", "prod")):
            return None
        rank, keep = np.ndim(values[i]), bool(self.rng.random() < 0.5)
        axis = [None, int(self.rng.integers(rank)), -1, tuple(range(rank))][self.rng.integers(4)]
        call = getattr(ad, name)
        text = f"{name}(v{i}, {axis}, keepdims={keep})"
        return text, lambda v: call(inside(v[i]), axis=axis, keepdims=keep)

    def move(self, values):
        i = self.some(values, 1)
        if i is None:
            return None
        n, rank = np.size(values[i]), np.ndim(values[i])
        axis, by = int(self.rng.integers(rank)), int(self.rng.integers(-3, 4))
        axes = tuple(int(a) for a in self.rng.permutation(rank))
        moves = [
            (f"ravel(v{i})", lambda v: ad.ravel(v[i])),
            (f"reshape(v{i}, (-1, 1))", lambda v: ad.reshape(v[i], (n, 1))),
            (f"permute_dims(v{i}, {axes})", lambda v: ad.permute_dims(v[i], axes)),
            (f"flip(v{i}, {axis})", lambda v: ad.flip(v[i], axis)),
            (f"roll(v{i}, {by}, {axis})", lambda v: ad.roll(v[i], by, axis)),
            (f"expand_dims(v{i}, {axis})", lambda v: ad.expand_dims(v[i], axis)),
            (f"broadcast_to(v{i}, (2, ...))",
             lambda v: ad.broadcast_to(v[i], (2, *np.shape(v[i])))),
        ]  # fmt: skip
        return moves[self.rng.integers(len(moves))]

    def window(self, values):
        i = self.some(values, 1)
        if i is None:
            return None
        parts = []
        for n in np.shape(values[i]):
            a, b = sorted(int(k) for k in self.rng.integers(-n - 1, n + 2, 2))
            step = int(self.rng.choice([1, 1, 2, -1, -2]))
            whole = [slice(None), slice(a, b), slice(None, None, step), slice(1, None)]
            parts.append(whole[self.rng.integers(4)])
            if n and self.rng.random() < 0.2:
                parts[-1] = int(self.rng.integers(-n, n))
            if self.rng.random() < 0.1:
                parts.append(None)
        key = tuple(parts)
        return f"v{i}[{key}]", lambda v: v[i][key]

    def choice(self, values):
        i, j = self.some(values), self.some(values)
        name = COMPARISONS[self.rng.integers(len(COMPARISONS))]
        try:
            np.broadcast_shapes(np.shape(values[i]), np.shape(values[j]))
        except ValueError:
            return None
        compare = getattr(ad, name)
        return (
            f"where({name}(v{i}, v{j}), v{i}, cos(v{j}))",
            lambda v: ad.where(compare(v[i], v[j]), v[i], ad.cos(v[j])),
        )

    def join(self, values):
        i = self.some(values, 1)
        if i is None:
            return None
        axis, width = int(self.rng.integers(np.ndim(values[i]))), int(self.rng.integers(3))
        joins = [
            (f"concat(v{i}, 2 v{i}; {axis})", lambda v: ad.concat([v[i], 2.0 * v[i]], axis)),
            (f"stack(v{i}, sin v{i}; {axis})", lambda v: ad.stack([v[i], ad.sin(v[i])], axis)),
            (f"pad(v{i}, {width})", lambda v: ad.pad(v[i], width)),
            (f"tile(v{i}, 2)", lambda v: ad.tile(v[i], 2)),
        ]
        return joins[self.rng.integers(len(joins))]

    def product(self, values):
        i, j = self.some(values, 1), self.some(values, 1)
        if i is None:
            return None
        a, b = np.shape(values[i]), np.shape(values[j])
        if a[-1] != (b[-2] if len(b) > 1 else b[0]) or len(a) > 2 or len(b) > 2:
            return f"v{i} v{i}^T", lambda v: ad.tensordot(v[i], v[i], 0) if len(a) == 1 else v[i]
        return f"v{i} @ v{j}", lambda v: ad.tanh(v[i] @ v[j])

    def write(self, values):
        i = self.some(values, 1)
        if i is None or not np.shape(values[i])[0]:
            return None
        c = float(self.rng.uniform(-1, 1))

        def written(v):
            y = v[i] * 1.0
            y[-1] = c
            y[:1] += ad.sin(y[-1:])
            return y

        return f"v{i} with its last and first changed", written

    def other(self, values):
        """What the backend runs: orders, sums on the way, gathers."""
        i = self.some(values, 1)
        if i is None or np.size(values[i]) == 0:
            return None
        n = np.shape(values[i])[0]
        where = self.rng.integers(0, n, 3)
        others = [
            (f"cumsum(v{i})", lambda v: ad.cumsum(v[i], axis=-1)),
            (f"sort(v{i})", lambda v: ad.sort(v[i], axis=-1)),
            (f"v{i}[{where}]", lambda v: v[i][where]),
            (f"take(v{i}, argmax)", lambda v: ad.take(v[i], ad.argmax(v[i], axis=0), axis=0)),
            (f"softmax(v{i})", lambda v: ad.softmax(v[i], axis=-1)),
        ]
        return others[self.rng.integers(len(others))]

    def __call__(self, *inputs):
        """The last two values."""
        values = list(inputs)
        for step in self.steps:
            values.append(step(values))
        return values[-1], values[-2]

    def loss(self, *inputs):
        """A number that depends on the last values and on all inputs."""
        last, before = self(*inputs)
        ends = (last, before, *inputs)
        return sum(ad.sum(ad.sin(e)) / max(1, np.size(e)) for e in ends)
