"""Who is timed. A contender makes of a workload a thunk that returns the value and the gradients.

Each imports its library in `__init__`, so a missing one is an ImportError to be reported. Arrays
are in each library's own form before the timing, except where a column says NumPy in and out.
"""

from functools import partial
from importlib.metadata import version
from types import SimpleNamespace

import numpy as np

FUNCTIONS = ("sin", "exp", "log", "tanh", "log1p", "abs", "amax")


def repeat(n, step, x):
    for _ in range(n):
        x = step(x)
    return x


def library(module, **other):
    """The `lib` of the workloads' texts."""
    found = {name: getattr(module, name) for name in FUNCTIONS if name not in other}
    return SimpleNamespace(**{"repeat": repeat, **found, **other})


class Contender:
    """`name` heads a column; `package` is whose version is reported."""

    name = package = ""
    lib = None

    @property
    def version(self):
        return version(self.package)

    def loss(self, work):
        return partial(work.loss, self.lib)


class HandWritten(Contender):
    """Bare NumPy, no tool: what every answer is compared with."""

    name, package = "hand", "numpy"

    def thunk(self, work):
        return partial(work.hand, *work.arrays)


class Eager(Contender):
    """Ours without `compile`."""

    name, package = "eager", "adjoint"

    def __init__(self):
        import adjoint

        self.ad, self.lib = adjoint, library(adjoint)

    def differentiated(self, work):
        return self.ad.value_and_grad(self.loss(work), tuple(range(work.wrt)))

    def thunk(self, work):
        return partial(self.differentiated(work), *work.arrays)


class Compiled(Eager):
    """Ours: NumPy in and out."""

    name = "compiled"

    def thunk(self, work):
        return partial(self.ad.compile(self.differentiated(work)), *work.arrays)


class JaxNumpy(Contender):
    """The jitted function, called with NumPy arrays, its answers made NumPy arrays."""

    name, package = "jax.jit NumPy", "jax"

    def __init__(self):
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)
        self.jax, self.lib = jax, library(jnp, repeat=self.scanned)

    def scanned(self, n, step, x):
        return self.jax.lax.scan(lambda x, _: (step(x), None), x, None, length=n)[0]

    def jitted(self, work):
        loss = self.loss(work)
        return self.jax.jit(self.jax.value_and_grad(loss, tuple(range(work.wrt))))

    def thunk(self, work):
        jitted, as_numpy = self.jitted(work), partial(self.jax.tree.map, np.asarray)
        return lambda: as_numpy(jitted(*work.arrays))


class Jax(JaxNumpy):
    """The jitted function with arrays of its own, waited for."""

    name = "jax.jit"

    def thunk(self, work):
        jitted, wait = self.jitted(work), self.jax.block_until_ready
        arrays = [self.jax.numpy.asarray(a) for a in work.arrays]
        return lambda: wait(jitted(*arrays))


class Torch(Contender):
    """Tensors of its own, as many threads as it takes."""

    name, package = "PyTorch", "torch"

    def __init__(self):
        import torch

        self.torch, self.lib = torch, library(torch)

    def thunk(self, work):
        loss, grad = self.loss(work), self.torch.autograd.grad
        arrays = [self.torch.tensor(a) for a in work.arrays]
        leaves = [a.requires_grad_() for a in arrays[: work.wrt]]

        def run():
            value = loss(*arrays)
            return value, grad(value, leaves)

        return run


class TorchCompiled(Torch):
    name = "torch.compile"

    def loss(self, work):
        return self.torch.compile(super().loss(work), dynamic=False)


class Hips(Contender):
    name, package = "HIPS", "autograd"

    def __init__(self):
        import autograd
        import autograd.numpy as anp

        self.autograd, self.lib = autograd, library(anp)

    def thunk(self, work):
        loss, wrt = self.loss(work), work.wrt
        together = self.autograd.value_and_grad(lambda params, *rest: loss(*params, *rest))
        return partial(together, work.arrays[:wrt], *work.arrays[wrt:])


EVERYBODY = (HandWritten, Compiled, Eager, Jax, JaxNumpy, Torch, TorchCompiled, Hips)
CONTENDERS = {contender.name: contender for contender in EVERYBODY}
