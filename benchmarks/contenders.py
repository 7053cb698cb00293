"""Who is timed. A contender turns a workload into a thunk that returns arrays.

Each imports its library in `__init__`, so a missing library is an ImportError to be reported, and
has a method per kind of workload it can run. Each is written in the idiom its own documentation
recommends, the faster one where there are two: a benchmark against a strawman tells nothing.
"""

from functools import partial
from importlib.metadata import version
from types import SimpleNamespace

import numpy as np
from workloads import RATE

FUNCTIONS = ("sin", "exp", "log", "tanh", "log1p")


def repeat(n, step, x):
    for _ in range(n):
        x = step(x)
    return x


def library(module, repeat=repeat):
    """The `lib` of the workloads' texts."""
    return SimpleNamespace(repeat=repeat, **{name: getattr(module, name) for name in FUNCTIONS})


class Contender:
    """`name` heads a column; `package` is whose version is reported."""

    name = package = ""
    lib = None

    @property
    def version(self):
        return version(self.package)

    def before(self):
        """Called ahead of every timing, untimed."""

    def constant(self, array):
        return array

    def bound(self, work):
        """The loss as a function of its parameters alone."""
        return partial(work.loss, self.lib, *map(self.constant, work.constants))

    def mapped(self, work, vmap, grad):
        """Per-example gradients: the constants have a batch axis, the parameters are shared."""
        batched, shared = len(work.constants), len(work.params)
        arguments = tuple(range(batched, batched + shared))
        return vmap(
            grad(partial(work.loss, self.lib), arguments), (0,) * batched + (None,) * shared
        )


class HandWritten(Contender):
    """Bare NumPy, no tool: the unit of measurement."""

    name, package = "hand", "numpy"
    lib = library(np)

    def answer(self, work):
        return work.hand

    gradient = epoch = tracked = jvp = hvp = hessian = per_example = answer

    def primal(self, work):
        """Not by hand: the text itself, called on arrays."""
        loss = self.bound(work)
        return lambda: [loss(*work.params)]


class WithTensors(Contender):
    """A library whose Tensors record as they are computed, and have `backward()` and `.grad`."""

    variable = zero = None  # a tracked Tensor of an array; clearing a Tensor's .grad

    def gradient(self, work):
        loss, zero = self.bound(work), self.zero
        tensors = [self.variable(x) for x in work.params]

        def run():
            for x in tensors:
                zero(x)
            loss(*tensors).backward()
            return [x.grad for x in tensors]

        return run

    def epoch(self, work):
        loss, lib, zero = work.loss, self.lib, self.zero
        samples = list(zip(*map(self.constant, work.constants), strict=True))

        def run():
            w = self.variable(work.params[0].copy())
            for x, y in samples:
                zero(w)
                loss(lib, x, y, w).backward()
                w.data += RATE * w.grad
            return [w.data]

        return run


def tracked_epoch(Tensor, work):
    """The 2019 tool's own loop: inputs and labels are Tensors like any other."""
    loss, (xs, ys) = work.loss, work.constants

    def run():
        w = Tensor(work.params[0].copy())
        for x, y in zip(xs, ys, strict=True):
            w.zero_grad()
            loss(w, Tensor(x), Tensor(np.array(y))).backward()
            w.data += RATE * w.grad
        return [w.data]

    return run


class Adjoint(WithTensors):
    name = package = "adjoint"

    def __init__(self):
        import adjoint

        self.ad, self.lib = adjoint, library(adjoint)
        self.variable = adjoint.Tensor
        needed = dict(jvp="jvp", hvp="hvp", hessian="hessian", per_example="vmap")
        for kind, transform in needed.items():  # may be absent from an early version
            if not hasattr(adjoint, transform):
                setattr(self, kind, None)

    @property
    def version(self):
        return getattr(self.ad, "__version__", "unreleased")

    def zero(self, tensor):
        tensor.zero_grad()

    def tracked(self, work):
        return tracked_epoch(self.ad.Tensor, work)

    def jvp(self, work):
        loss = self.bound(work)
        return lambda: [self.ad.jvp(loss, work.params, work.tangents)[1]]

    def hvp(self, work):
        loss = self.bound(work)
        return lambda: self.ad.hvp(loss, work.params, work.tangents)

    def hessian(self, work):
        hessian = self.ad.hessian(self.bound(work))
        return lambda: [hessian(*work.params)]

    def per_example(self, work):
        grads = self.mapped(work, self.ad.vmap, self.ad.grad)
        return lambda: grads(*work.constants, *work.params)


class SeedLike(Contender):
    name = "seed_like"
    version = "2019 semantics, re-created"

    def tracked(self, work):
        from seed_like import Tensor

        return tracked_epoch(Tensor, work)


class Torch(WithTensors):
    package = "torch"
    threads = 1
    name = "PyTorch"

    def __init__(self):
        import torch

        self.torch, self.lib = torch, library(torch)

    def before(self):
        self.torch.set_num_threads(self.threads)

    def constant(self, array):
        return self.torch.tensor(array)

    def variable(self, array):
        return self.torch.tensor(array, requires_grad=True)

    def zero(self, tensor):
        tensor.grad = None

    def jvp(self, work):
        """By double backward: torch.func.jvp needs 1.4 to 2 times as long."""
        loss, jvp = self.bound(work), self.torch.autograd.functional.jvp
        x, v = (tuple(map(self.constant, arrays)) for arrays in (work.params, work.tangents))
        return lambda: [jvp(loss, x, v)[1]]

    def hvp(self, work):
        """By double backward: torch.func.jvp of torch.func.grad needs nearly 3 times as long."""
        loss, grad = self.bound(work), self.torch.autograd.grad
        x, v = list(map(self.variable, work.params)), list(map(self.constant, work.tangents))
        return lambda: grad(grad(loss(*x), x, create_graph=True), x, v)

    def hessian(self, work):
        """torch.autograd.functional.hessian(vectorize=True) would need a quarter of the time."""
        hessian, (x,) = self.torch.func.hessian(self.bound(work)), map(self.constant, work.params)
        return lambda: [hessian(x)]

    def per_example(self, work):
        grads = self.mapped(work, self.torch.func.vmap, self.torch.func.grad)
        arrays = list(map(self.constant, work.constants + work.params))
        return lambda: grads(*arrays)


class TorchTwoThreads(Torch):
    name, threads = "PyTorch 2t", 2


class MyGrad(WithTensors):
    name, package = "MyGrad", "mygrad"

    def __init__(self):
        import mygrad

        self.lib, self.variable = library(mygrad), mygrad.tensor

    def zero(self, tensor):
        tensor.null_grad()


class Hips(Contender):
    name, package = "HIPS", "autograd"

    def __init__(self):
        import autograd
        import autograd.numpy

        self.autograd, self.lib = autograd, library(autograd.numpy)

    def arguments(self, work):
        return tuple(range(len(work.params)))

    def gradient(self, work):
        grad = self.autograd.grad(self.bound(work), self.arguments(work))
        return lambda: grad(*work.params)

    def epoch(self, work):
        grad = self.autograd.grad(partial(work.loss, self.lib), 2)
        samples = list(zip(*work.constants, strict=True))

        def run():
            w = work.params[0].copy()
            for x, y in samples:
                w += RATE * grad(x, y, w)
            return [w]

        return run

    def jvp(self, work):
        """Its forward mode takes one argument; a tuple of arrays is one."""
        loss = self.bound(work)
        jvp = self.autograd.make_jvp(lambda params: loss(*params))
        x, v = tuple(work.params), tuple(work.tangents)
        return lambda: [jvp(x)(v)[1]]

    def hvp(self, work):
        """The gradient of grad · v, spelt out: its own helper takes a single array."""
        loss, arguments = self.bound(work), self.arguments(work)
        grad = self.autograd.grad(loss, arguments)

        def directional(*params):
            pairs = zip(grad(*params), work.tangents, strict=True)
            return sum((g * v).sum() for g, v in pairs)

        hvp = self.autograd.grad(directional, arguments)
        return lambda: hvp(*work.params)

    def hessian(self, work):
        hessian = self.autograd.hessian(self.bound(work))
        return lambda: [hessian(*work.params)]

    def per_example(self, work):
        """A loop: it has no batching. That its answers are not stacked is in its favour."""
        grad = self.mapped(work, lambda grad, axes: grad, self.autograd.grad)
        samples = list(zip(*work.constants, strict=True))
        return lambda: list(zip(*[grad(*s, *work.params) for s in samples], strict=True))


class Jax(Contender):
    """Eager: every op dispatched as it is called."""

    name, package = "JAX", "jax"

    def __init__(self):
        import jax
        import jax.numpy

        jax.config.update("jax_enable_x64", True)
        self.jax, self.lib = jax, library(jax.numpy)
        self.constant = jax.numpy.asarray

    def finish(self, function):
        return function

    def call(self, function, *arguments):
        function, ready = self.finish(function), self.jax.block_until_ready
        return lambda: ready(function(*arguments))

    def differentiated(self, work):
        return self.jax.grad(self.bound(work), tuple(range(len(work.params))))

    def converted(self, arrays):
        return tuple(map(self.constant, arrays))

    def rows(self, array):
        return list(map(self.constant, array))

    def gradient(self, work):
        return self.call(self.differentiated(work), *self.converted(work.params))

    def epoch(self, work):
        grad = self.finish(self.jax.grad(partial(work.loss, self.lib), 2))
        samples = list(zip(*map(self.rows, work.constants), strict=True))
        w0 = self.constant(work.params[0])

        def run():
            w = w0
            for x, y in samples:
                w = w + RATE * grad(x, y, w)
            return [self.jax.block_until_ready(w)]

        return run

    def jvp(self, work):
        loss, jvp = self.bound(work), self.jax.jvp
        return self.call(
            lambda x, v: [jvp(loss, x, v)[1]],
            self.converted(work.params),
            self.converted(work.tangents),
        )

    def hvp(self, work):
        """Forward over reverse, as its documentation recommends."""
        grad, jvp = self.differentiated(work), self.jax.jvp
        return self.call(
            lambda x, v: jvp(grad, x, v)[1],
            self.converted(work.params),
            self.converted(work.tangents),
        )

    def hessian(self, work):
        hessian = self.jax.hessian(self.bound(work))
        return self.call(lambda x: [hessian(x)], *self.converted(work.params))

    def per_example(self, work):
        grads = self.mapped(work, self.jax.vmap, self.jax.grad)
        return self.call(grads, *self.converted(work.constants + work.params))


class JaxCompiled(Jax):
    """Traced and compiled once, outside the timing; the chains are loops for it, not unrolled."""

    name = "jax.jit"

    def __init__(self):
        super().__init__()
        loop = self.jax.lax.fori_loop
        self.lib.repeat = lambda n, step, x: loop(0, n, lambda _, x: step(x), x)

    def finish(self, function):
        return self.jax.jit(function)


EVERYBODY = (HandWritten, Adjoint, SeedLike, Torch, TorchTwoThreads, Hips, MyGrad, Jax, JaxCompiled)
CONTENDERS = {contender.name: contender for contender in EVERYBODY}
