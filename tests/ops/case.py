"""One line an op: `case("tanh", uniform(-2, 2, (2, 3)))`, and the arrays it is made of."""

from operator import attrgetter
from zlib import crc32

import numpy as np
import scipy.fft
import scipy.integrate
import scipy.linalg
import scipy.signal
import scipy.special
import scipy.stats

import adjoint as ad

CASES = []


# NumPy 2.0 has other names or no defaults for these parameters.
OLDER = dict(
    reshape=lambda x, shape: np.reshape(x, shape),
    clip=lambda x, min=None, max=None: np.clip(x, min, max),
    take_along_axis=lambda x, indices, axis=-1: np.take_along_axis(x, indices, axis),
)


class Case:
    """A function of adjoint at a point: what it is, its arguments, and NumPy's word for it.

    name      of an op or of a public function, which may stand in a room: `special.erf`
    args      its arguments; the floating-point ones are differentiated, the others are static
    params    static parameters by name
    like      the same function in NumPy, by default NumPy's of that name
    call      a function that uses the op, where a plain call does not show what it should
    via       what of the output is compared, where not all of it is determined
    """

    def __init__(self, name, *args, like=None, via=None, call=None, **params):
        self.name, self.via, self.params = name, via, params
        self.call = call or (ad.OPS[name].call if name in ad.OPS else attrgetter(name)(ad))
        self.like = like or OLDER.get(name) or reference(name)
        self.label = (
            name
            + "-"
            + "-".join([*map(brief, args), *(f"{k}={brief(v)}" for k, v in params.items())])
        )
        rng = np.random.default_rng(crc32(self.label.encode()))
        self.args = [draw(a, rng) for a in args]
        self.varied = [i for i, a in enumerate(self.args) if differentiable(a)]
        CASES.append(self)

    @property
    def point(self):
        """The arguments that are differentiated."""
        return tuple([self.args[i] for i in self.varied])

    def at(self, function, point):
        """`function` with `point` for the arguments that are differentiated."""
        args = list(self.args)
        for i, x in zip(self.varied, point, strict=True):
            args[i] = x
        out = function(*args, **self.params)
        return out if self.via is None else self.via(out)

    def __call__(self, *point):
        """The function of those arguments alone."""
        return self.at(self.call, point)

    def expected(self):
        """What NumPy says."""
        return self.at(self.like, self.point)


case = Case


def reference(name):
    """NumPy's or SciPy's function of that name."""
    for library in (np, np.linalg, scipy, scipy.special):
        try:
            return attrgetter(name)(library)
        except AttributeError:
            continue
    raise AttributeError(f"say like=...: neither NumPy nor SciPy has {name}")


class Draw:
    """An array to be drawn when its case is known, so that cases do not depend on one another."""

    def __init__(self, make, text):
        self.make, self.text = make, text


def draw(value, rng):
    if isinstance(value, list):
        return [draw(v, rng) for v in value]
    return value.make(rng) if isinstance(value, Draw) else value


def brief(value):
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(brief, value)) + "]"
    if callable(value):
        return value.__name__
    if isinstance(value, Draw):
        return value.text
    return str(value.tolist()) if isinstance(value, np.ndarray) else str(value)


def differentiable(value):
    if isinstance(value, list):
        return any(map(differentiable, value))
    return np.asarray(value).dtype.kind in "fc"


def uniform(low, high, shape=()):
    """Real numbers between two bounds."""
    return Draw(lambda rng: rng.uniform(low, high, shape)[()], f"{shape}")


def plane(low, high, shape=()):
    """Complex numbers in a square."""
    return Draw(
        lambda rng: (rng.uniform(low, high, shape) + 1j * rng.uniform(low, high, shape))[()],
        f"complex{shape}",
    )


def apart(low, high, shape):
    """Real numbers of which no two are close, in random order."""
    return Draw(
        lambda rng: rng.permutation(np.linspace(low, high, int(np.prod(shape)))).reshape(shape),
        f"apart{shape}",
    )


def regular(*shape, imaginary=False):
    """Square matrices that are well conditioned, but neither symmetric nor definite."""

    def make(rng):
        a = rng.uniform(-1, 1, shape) + (1j * rng.uniform(-1, 1, shape) if imaginary else 0)
        return a + 2 * np.roll(np.eye(shape[-1]), 1, 0)

    return Draw(make, f"{'complex ' if imaginary else ''}regular{shape}")


def definite(*shape, imaginary=False):
    """Positive definite matrices."""

    def make(rng):
        a = rng.uniform(-1, 1, shape) + (1j * rng.uniform(-1, 1, shape) if imaginary else 0)
        return a @ a.conj().swapaxes(-1, -2) + np.eye(shape[-1])

    return Draw(make, f"{'complex ' if imaginary else ''}definite{shape}")
