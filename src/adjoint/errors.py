"""Every error of adjoint: what was asked, what came, what to do; its cause and its cure."""

from __future__ import annotations

import numpy as np


class AdjointError(Exception):
    """The common parent: ``except ad.AdjointError`` catches whatever adjoint refuses.

    Each child is also the built-in error that Python users expect (`TypeError`, `ValueError`,
    `RuntimeError`), so code that already catches those keeps working.
    """


class DataError(AdjointError, TypeError):
    """Something that is not an array of numbers was given where an array was needed.

    A Tensor holds real or complex numbers. Text, Python objects, dates and masked arrays have no
    derivative, and converting them silently would hide a mistake.

    >>> import adjoint as ad
    >>> ad.Tensor(["one", "two"])
    Traceback (most recent call last):
        ...
    adjoint.errors.DataError: `Tensor` needs real or complex numbers; data has dtype <U3. \
Convert it first, for example with `np.asarray(data, dtype=float)`.

    Cured:

    >>> ad.Tensor([1.0, 2.0])
    Tensor([1., 2.])
    """


class ShapeError(AdjointError, ValueError):
    """The shapes given to an op, or the shape of a seed or tangent, do not fit.

    >>> import adjoint as ad
    >>> ad.Tensor([1.0, 2.0, 3.0]) + ad.Tensor([1.0, 2.0])
    Traceback (most recent call last):
        ...
    adjoint.errors.ShapeError: `add(x: float64(3,), y: float64(2,))` failed: operands could not be \
broadcast together with shapes (3,) (2,)

    Cured, where a table of sums was meant:

    >>> ad.Tensor([[1.0], [2.0], [3.0]]) + ad.Tensor([1.0, 2.0])
    Tensor([[2., 3.],
            [3., 4.],
            [4., 5.]], op=add)
    """


class AxisError(ShapeError, np.exceptions.AxisError, IndexError):
    """An axis was named that the array does not have; also what NumPy raises then.

    >>> import adjoint as ad, numpy as np
    >>> ad.sum(ad.Tensor([1.0, 2.0]), axis=1)
    Traceback (most recent call last):
        ...
    adjoint.errors.AxisError: `sum(x: float64(2,))` failed: axis 1 is out of bounds for array of \
dimension 1

    Cured:

    >>> ad.sum(ad.Tensor([1.0, 2.0]), axis=-1)
    Tensor(3., op=sum)
    """


class PositionError(ShapeError, IndexError):
    """An index points beyond the array, or has more entries than the array has axes.

    >>> import adjoint as ad
    >>> ad.Tensor([1.0, 2.0])[2]
    Traceback (most recent call last):
        ...
    adjoint.errors.PositionError: `getitem(x: float64(2,))` failed: index 2 is out of bounds for \
axis 0 with size 2

    Cured:

    >>> ad.Tensor([1.0, 2.0])[1]
    Tensor(2., op=getitem)
    """


class NotScalarError(AdjointError, TypeError):
    """A gradient was asked of something that is not one real number.

    >>> import adjoint as ad, numpy as np
    >>> def loss(x):
    ...     return x * x
    >>> ad.grad(loss)(np.ones(3))
    Traceback (most recent call last):
        ...
    adjoint.errors.NotScalarError: `grad` needs a scalar output; `loss` returned shape (3,). \
Use `jacobian`, or `vjp` with a cotangent.

    Cured:

    >>> ad.grad(lambda x: loss(x).sum())(np.ones(3))
    array([2., 2., 2.])
    """


class NotLinearError(AdjointError, ValueError):
    """The transpose was asked of a function that is not linear.

    >>> import adjoint as ad, numpy as np
    >>> ad.linear_transpose(ad.sin, np.ones(3))
    Traceback (most recent call last):
        ...
    adjoint.errors.NotLinearError: `linear_transpose` needs a linear function; `sin` is none: at a \
random x its value is not its derivative at 0 times x. Take `vjp` at a point, or leave out the \
constant term.

    Cured: the transpose of its derivative at a point:

    >>> value, pullback = ad.vjp(ad.sin, np.zeros(3))
    >>> pullback(np.array([1.0, 2.0, 3.0]))[0]
    array([1., 2., 3.])
    """


class ConversionError(AdjointError, TypeError):
    """A tracked Tensor was about to leave the tape: `float()`, `np.asarray()`, `json`, ...

    The number that came out would carry no gradient, and nothing would say so.

    >>> import adjoint as ad
    >>> x = ad.Tensor(2.0)
    >>> float(x * x)
    Traceback (most recent call last):
        ...
    adjoint.errors.ConversionError: `float()` of a tracked Tensor would lose its gradient; \
it was made by `multiply`, shape (). Write `.detach()` first if that is meant, or stay with \
adjoint's functions; to fill an array element by element make it with `ad.zeros`.

    Cured:

    >>> float((x * x).detach())
    4.0
    """


class FreedGraphError(AdjointError, RuntimeError):
    """`backward` was called a second time on a graph that the first call freed.

    >>> import adjoint as ad
    >>> x = ad.Tensor(3.0)
    >>> y = x * x
    >>> y.backward()
    >>> y.backward()
    Traceback (most recent call last):
        ...
    adjoint.errors.FreedGraphError: `backward` needs the graph of a result of `multiply`, and \
an earlier `backward` freed it. Compute the value again, or call the earlier one with \
`retain_graph=True`.

    Cured:

    >>> y = x * x
    >>> y.backward(retain_graph=True); y.backward()
    """


class NotTrackedError(AdjointError, RuntimeError):
    """`backward` was called on a Tensor that remembers nothing.

    >>> import adjoint as ad
    >>> ad.Tensor(3.0).detach().backward()
    Traceback (most recent call last):
        ...
    adjoint.errors.NotTrackedError: `backward` found nothing to differentiate: this Tensor, \
shape (), depends on no tracked Tensor. Was it detached, or made under `no_grad`?
    """


class NotKeptError(AdjointError, AttributeError):
    """A value was asked for that the tape did not keep.

    Only leaves (the Tensors you made) keep a gradient, and only what a rule names keeps a value.

    >>> import adjoint as ad
    >>> x = ad.Tensor(3.0)
    >>> y = x * x
    >>> y.grad
    Traceback (most recent call last):
        ...
    adjoint.errors.NotKeptError: the gradient of a result of `multiply` is not kept. \
Call `.retain_grad()` on it before `backward`.

    Cured:

    >>> y.retain_grad(); y.exp().backward(); bool(y.grad == y.detach().exp())
    True
    """


class NoRuleError(AdjointError, TypeError):
    """The derivative of an op was asked for that declares none.

    The value is computed; only asking for its derivative fails. Never a silent zero.

    >>> import adjoint as ad
    >>> y = ad.nextafter(ad.Tensor(1.0), 2.0)
    >>> y.backward()
    Traceback (most recent call last):
        ...
    adjoint.errors.NoRuleError: `nextafter` has no derivative rule. Express it by ops that \
have one, or cut it off with `.detach()` if it is to count as a constant.
    """


class GaugeError(AdjointError, ValueError):
    """A derivative was asked for that depends on a choice which a decomposition leaves free.

    Equal eigenvalues share a space, in which any vectors will do; a complex vector has any phase.

    >>> import adjoint as ad, numpy as np
    >>> ad.grad(lambda a: ad.linalg.eigh(a).eigenvectors[0, 0])(np.eye(2))
    Traceback (most recent call last):
        ...
    adjoint.errors.GaugeError: `eigh` met the values number 0 and 1, both 1, equal to rounding: \
their vectors are free to mix, and the derivative depends on the choice, ...

    Cured, where a function of the matrix was meant:

    >>> ad.grad(lambda a: ad.linalg.sqrtm(a)[0, 0])(np.eye(2))
    array([[0.5, 0. ],
           [0. , 0. ]])
    """


class MutationError(AdjointError, ValueError):
    """An array that the tape still needs was changed in place between forward and backward.

    The gradient would be that of neither the old value nor the new one.

    >>> import adjoint as ad, numpy as np
    >>> w = ad.Tensor(np.ones(3))
    >>> loss = (w * w).sum()
    >>> w.data += 1
    >>> loss.backward()
    Traceback (most recent call last):
        ...
    adjoint.errors.MutationError: an input of `multiply`, float64(3,), was changed in \
place after the forward pass, and its derivative needs the old value. Call `backward` before the \
change, or compute on a copy.

    Cured:

    >>> loss = (w * w).sum(); loss.backward(); w.data -= 0.1 * w.grad
    """


class CotangentError(AdjointError, ValueError):
    """The seed of a pullback is not finite.

    >>> import adjoint as ad
    >>> (ad.Tensor(3.0) * 2).backward(float("nan"))
    Traceback (most recent call last):
        ...
    adjoint.errors.CotangentError: the cotangent given to `backward` holds NaN or infinity; \
every gradient would be NaN. Check the computation that made it.
    """


class BatchError(AdjointError, ValueError):
    """`vmap` was given axes that do not fit, or a mapped function branched on a value.

    >>> import adjoint as ad, numpy as np
    >>> ad.vmap(lambda x, y: x * y)(np.ones(3), np.ones(4))
    Traceback (most recent call last):
        ...
    adjoint.errors.BatchError: `vmap` maps over axes of one length; it was given \
3 at [0] and 4 at [1]. Say in_axes=None for what is not mapped.

    Cured:

    >>> ad.vmap(lambda x, y: (x * y).sum(), in_axes=(0, None))(np.ones(3), np.ones(4))
    array([4., 4., 4.])
    """


class OptimisationError(AdjointError, ValueError):
    """A minimisation was asked for what cannot be, or met a value that is not finite.

    >>> import adjoint as ad
    >>> loss = lambda x, y: (x - y) ** 2
    >>> ad.descend(loss, 0.0, ad.sgd(0.5), batches=[3.0, float("nan")])
    Traceback (most recent call last):
        ...
    adjoint.errors.OptimisationError: `descend`: the loss `<lambda>` is nan at step \
1, where the parameters are finite. Look at its batch, or try a smaller rate.

    Cured:

    >>> ad.descend(loss, 0.0, ad.sgd(0.5), batches=[3.0, 4.0])[0]
    np.float64(4.0)
    """


class IntegrationError(AdjointError, ArithmeticError):
    """A differential equation could not be solved.

    >>> import adjoint as ad
    >>> ad.integrate.solve_ivp(lambda t, y: y * y, (0.0, 2.0), [1.0])
    Traceback (most recent call last):
        ...
    adjoint.errors.IntegrationError: `solve_ivp` did not reach the end: Required \
step size is less than spacing between numbers.

    Cured, for that solution is infinite at 1:

    >>> ad.integrate.solve_ivp(lambda t, y: y * y, (0.0, 0.5), [1.0]).y[0, -1].round(2)
    np.float64(2.0)
    """


class DeclarationError(AdjointError, TypeError):
    """An op was declared against the contract of `adjoint.ops.rules`; raised at import.

    >>> from adjoint.ops.rules import elementwise
    >>> @elementwise(lambda t, z: t * z)
    ... def double(xp, x, /):
    ...     return x + x
    Traceback (most recent call last):
        ...
    adjoint.errors.DeclarationError: the rule of `double` names `z`; \
`double` has x, out, x_shape, out_shape
    """


class ExpressionError(AdjointError, ValueError):
    """A typed expression is something else than arithmetic of the names that were given.

    Nothing in it is executed: it is read as numbers, names, operators and calls of known functions.

    >>> from adjoint.show.expression import parse
    >>> parse("x.real + 1", ["x"])
    Traceback (most recent call last):
        ...
    adjoint.errors.ExpressionError: column 1: an attribute is not arithmetic. \
Allowed are numbers, names, + - * / **, parentheses and calls of functions.

    Cured:

    >>> parse("x + 1", ["x"])(2.0)
    3.0
    """


class CompileError(AdjointError, RuntimeError):
    """A compiled program is not what it should be: a fault of ours, found before it could run.

    `ad.compile` answers it with a `CompileWarning` and runs the function eagerly. It is raised
    where a graph is asked about by itself:

    >>> from adjoint.compiler.graph import Graph
    >>> g = Graph()
    >>> x = g.input((3,), "float64")
    >>> _ = g.add("sine", [x], shape=(3,), dtype=x.dtype)
    >>> g.check()
    Traceback (most recent call last):
        ...
    adjoint.errors.CompileError: node %1, `sine`: there is no such op

    Cured:

    >>> g = Graph()
    >>> x = g.input((3,), "float64")
    >>> _ = g.add("sin", [x], shape=(3,), dtype=x.dtype)
    >>> g.check()
    """


class GradientMismatch(AdjointError, AssertionError):
    """`check_grads` found a derivative that disagrees with the function.

    The message shows which mode and input, where in the array, both numbers and their distance.

    >>> import adjoint as ad, numpy as np
    >>> x = np.array([0.0001, 1.0])
    >>> ad.check_grads(ad.abs, (x,))
    Traceback (most recent call last):
        ...
    adjoint.errors.GradientMismatch: a derivative of `abs` is wrong
      mode      fwd, order 1: `jvp` against finite differences
      input     [0] at index (0,)
      output    at index (0,)
      found     1.0
      expected  0.119466666666666...
      distance  7.37 relative, tolerance 9.54e-07

    Cured, for here the rule is right and the differences stepped across the corner at 0:

    >>> ad.check_grads(ad.abs, (x,), eps=1e-5, rtol=1e-6)
    """
