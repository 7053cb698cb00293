"""Matrices of derivatives and their products with vectors: jacobian, hessian, hvp and their kin."""

from __future__ import annotations

import functools
import math
from builtins import sum as math_sum
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..backends.namespace import INEXACT, as_array
from ..core.traced import Traced, shape
from ..core.tree import flatten, matching, tree_map
from ..errors import DataError, NotLinearError, ShapeError
from ..ops.elementwise import astype, conj, real
from ..ops.reduce import sum
from ..ops.rules import zeros_like
from ..ops.shape import permute_dims, reshape
from .batching import vmap
from .derivatives import checked, checked_tangent, choose, grad, jvp, lowest, numeric, vjp
from .function import derived, name_of

Function = Callable[..., Any]
COLUMNS = 2**26
"""Elements of one batched pass where `chunk="auto"`: half a gigabyte of float64."""
APART = 100
"""Elements to a leaf from which a Hessian is faster by its blocks than as a whole, as measured."""


def jacobian(
    f: Function, argnums: Any = 0, mode: str = "auto", chunk: Any = "auto", has_aux: bool = False
) -> Function:
    """All derivatives of all outputs: jacobian : (x -> y) -> (x -> ∂y/∂x), shape y.shape + x.shape.

    mode : "fwd" (one pass for all inputs), "rev" (for all outputs), or "auto": the one with fewer
        columns, forward where they are equal
    chunk : how many columns go in one batched pass; None for all, "auto" to bound the memory
    has_aux : f returns (output, anything else); the result is then (Jacobian, else)

    Containers of inputs and outputs give containers of outputs holding containers of inputs. A
    complex Jacobian is that of a holomorphic function. Cost: about min(n, m) forwards, in few
    batched passes.

    >>> import adjoint as ad, numpy as np
    >>> ad.jacobian(lambda x: ad.stack([x[0] * x[1], x[0] + x[1], x[1]]))(np.array([2.0, 5.0]))
    array([[5., 2.],
           [1., 1.],
           [0., 1.]])
    """
    if mode not in ("auto", "fwd", "rev"):
        raise ShapeError(
            f"`jacobian` has the modes 'auto', 'fwd' and 'rev'; it was given {mode!r}."
        )

    def full(*args: Any, **kwargs: Any) -> Any:
        h, leaves, rebuild, single = restricted(f, argnums, args, kwargs, "jacobian")
        lone = len(leaves) == total(leaves) == 1 and leaves[0].dtype.kind != "c"
        if mode == "fwd" or (mode == "auto" and lone):
            out, _, *aux = jvp(h, tuple(leaves), tuple([zeros_like(x) for x in leaves]), has_aux)
            pullback = None
        else:
            out, pullback, *aux = vjp(h, *leaves, has_aux=has_aux)
        ends, _, rebuild_out = flatten(out)
        ends = [o if isinstance(o, Traced) else as_array(o, "jacobian") for o in ends]
        forwards = pullback is None or chosen_mode(mode, leaves, ends) == "fwd"
        blocks = (
            columns(h, leaves, ends, chunk, has_aux)
            if forwards
            else rows(pullback, leaves, ends, chunk, rebuild_out)
        )
        whole = rebuild_out([rebuild(b)[0] if single else rebuild(b) for b in blocks])
        return (whole, *aux) if has_aux else whole

    return derived(full, "Jacobian", jacobian, f, argnums, mode, chunk, has_aux)


def jacfwd(f: Function, argnums: Any = 0, chunk: Any = "auto", has_aux: bool = False) -> Function:
    """`jacobian` by forward mode, one column an input: for few inputs and many outputs.

    >>> import adjoint as ad, numpy as np
    >>> ad.jacfwd(lambda t: t * np.array([1.0, 2.0]))(3.0)
    array([1., 2.])
    """
    return jacobian(f, argnums, "fwd", chunk, has_aux)


def jacrev(f: Function, argnums: Any = 0, chunk: Any = "auto", has_aux: bool = False) -> Function:
    """`jacobian` by reverse mode, one row an output: for many inputs and few outputs.

    >>> import adjoint as ad, numpy as np
    >>> ad.jacrev(lambda x: (x * x).sum())(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    return jacobian(f, argnums, "rev", chunk, has_aux)


def batch_jacobian(f: Function, argnums: Any = 0, mode: str = "auto") -> Function:
    """The Jacobian of each example of a batch: for f that maps row i of its inputs to row i of y.

    >>> import adjoint as ad, numpy as np
    >>> ad.batch_jacobian(lambda x: x * x)(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[[2., 0.],
            [0., 4.]],
    <BLANKLINE>
           [[6., 0.],
            [0., 8.]]])
    """

    @functools.wraps(f)
    def row(*args: Any) -> Any:
        one = f(*[tree_map(lambda a: reshape(a, (1, *shape(a))), a) for a in args])
        return tree_map(lambda a: reshape(a, shape(a)[1:]), one)

    return derived(
        vmap(jacobian(row, argnums, mode)), "Jacobian of each row", batch_jacobian, f, argnums, mode
    )


def hessian(f: Function, argnums: Any = 0, chunk: Any = "auto", has_aux: bool = False) -> Function:
    """Second derivatives: hessian : (x -> ℝ) -> (x -> ∂²y/∂x²), of shape x.shape + x.shape.

    Reverse over reverse: the tape of one gradient, pulled back along all elements of x in a few
    batched passes, about n times `hvp` without its interpreter overhead. The result is exactly
    symmetric. Of a container with large leaves each two of them are asked once, and only for the
    way from the one to the other; within one leaf, half of the work cannot be saved, for a dense
    pass does all columns of a row together.

    >>> import adjoint as ad, numpy as np
    >>> ad.hessian(lambda x: x[0] ** 2 * x[1])(np.array([2.0, 5.0]))
    array([[10.,  4.],
           [ 4.,  0.]])
    """

    def second(*args: Any, **kwargs: Any) -> Any:
        h, leaves, rebuild, single = restricted(f, argnums, args, kwargs, "hessian", real=True)
        k = len(leaves)
        bounds = range(k + 1) if total(leaves) >= APART * k > APART else (0, k)
        blocks: list[list[Any]] = [[None] * k for _ in leaves]
        for start, stop in pairwise(bounds):
            slopes = grad(h, tuple(range(start, stop)), has_aux)
            _, pullback, *aux = vjp(
                functools.partial(slopes, *leaves[:start]), *leaves[start:], has_aux=has_aux
            )
            found = rows(pullback, leaves[start:], leaves[start:stop], chunk, tuple)
            for i, row in enumerate(found, start):
                blocks[i][i] = symmetric(row[i - start], leaves[i])
                for j in range(i + 1, k):
                    blocks[i][j] = row[j - start]
                    blocks[j][i] = astype(turned(row[j - start], leaves[i]), leaves[i].dtype)
        whole = rebuild([rebuild(b)[0] if single else rebuild(b) for b in blocks])
        whole = whole[0] if single else whole
        return (whole, *aux) if has_aux else whole

    return derived(second, "Hessian", hessian, f, argnums, chunk, has_aux)


def symmetric(block: Any, x: Any) -> Any:
    """The mean of a block and itself turned: rounding differs on the two sides of the diagonal."""
    return block * 0.5 + turned(block, x) * 0.5 if shape(x) else block


def turned(block: Any, x: Any) -> Any:
    """A block of second derivatives with the axes of `x`, which come first, behind the others."""
    k, n = len(shape(x)), len(shape(block))
    return permute_dims(block, (*range(k, n), *range(k)))


def hvp(f: Function, primals: Any, tangents: Any) -> Any:
    """Hessian times vector, f real: hvp : (x -> ℝ), x, ẋ -> ∂²y/∂x² ẋ, of the structure of x.

    primals, tangents : tuples of the arguments of f; of one argument also the argument itself
    Forward over reverse: about twice the gradient.

    >>> import adjoint as ad, numpy as np
    >>> ad.hvp(lambda x: (x**3).sum(), np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """
    if not isinstance(primals, tuple):
        return hvp(f, (primals,), (tangents,))[0]
    slopes = grad(f, tuple(range(len(primals))))
    return jvp(slopes, primals, tangents)[1]


def vhp(f: Function, primals: Any, cotangents: Any) -> Any:
    """Vector times Hessian, by reverse over reverse: for real smooth f equal to `hvp`.

    >>> import adjoint as ad, numpy as np
    >>> ad.vhp(lambda x: (x**3).sum(), np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """
    if not isinstance(primals, tuple):
        return vhp(f, (primals,), (cotangents,))[0]
    _, pullback = vjp(grad(f, tuple(range(len(primals)))), *primals)
    return pullback(cotangents)


def ggnvp(f: Function, loss: Function, primals: Any, tangents: Any) -> Any:
    """Generalised Gauss-Newton times vector: Jᵀ H J ẋ, J the Jacobian of f, H the Hessian of loss.

    Positive semidefinite where the loss is convex. Source: N. N. Schraudolph, "Fast curvature
    matrix-vector products", Neural Computation 14 (2002), section 3.

    >>> import adjoint as ad, numpy as np
    >>> ad.ggnvp(lambda x: x * x, lambda y: (y * y).sum() / 2, np.array([1.0, 2.0]), np.ones(2))
    array([ 4., 16.])
    """
    if not isinstance(primals, tuple):
        return ggnvp(f, loss, (primals,), (tangents,))[0]
    out, pullback = vjp(f, *primals)
    _, moved = jvp(f, primals, tangents)
    return pullback(hvp(loss, (out,), (moved,))[0])


def elementwise_grad(f: Function, argnums: Any = 0) -> Function:
    """The derivative of each output element in its own input element, for f that mixes none.

    >>> import adjoint as ad, numpy as np
    >>> ad.elementwise_grad(ad.tanh)(np.array([0.0, 1.0])).round(3)
    array([1.  , 0.42])
    """

    @functools.wraps(f)
    def summed(*args: Any, **kwargs: Any) -> Any:
        return sum(f(*args, **kwargs))

    return derived(grad(summed, argnums), "elementwise derivative", elementwise_grad, f, argnums)


def derivative(f: Function, order: int = 1) -> Function:
    """The derivative of a function of one number, of any output: f', or with `order` its n-th.

    Forward mode, nested: cost 2ⁿ forwards.

    >>> import adjoint as ad
    >>> ad.derivative(ad.sin, order=2)(0.5) == -ad.sin(0.5)
    np.True_
    """

    def slope(x: Any, *args: Any, **kwargs: Any) -> Any:
        x = checked(x, "", "derivative")
        if shape(x):
            raise ShapeError(
                f"`derivative` needs a number; it was given shape {shape(x)}. "
                "Use `elementwise_grad`."
            )
        return jvp(lambda x: f(x, *args, **kwargs), (x,), (np.ones((), x.dtype)[()],))[1]

    if not isinstance(order, int) or order < 1:
        raise ShapeError(f"`derivative` needs an order of at least 1; it was given {order!r}.")
    return (
        derivative(derived(slope, "derivative", derivative, f), order - 1)
        if order > 1
        else derived(slope, "derivative", derivative, f)
    )


def hessian_diagonal(f: Function, argnums: Any = 0, chunk: Any = "auto") -> Function:
    """The second derivative of a real function in each element of its input, ∂²y/∂xᵢ².

    The columns of the Hessian in batched passes, of which the diagonal is kept.

    >>> import adjoint as ad, numpy as np
    >>> ad.hessian_diagonal(lambda x: (x**3).sum() + x[0] * x[1])(np.array([1.0, 2.0]))
    array([ 6., 12.])
    """

    def second(*args: Any, **kwargs: Any) -> Any:
        h, leaves, rebuild, single = restricted(
            f, argnums, args, kwargs, "hessian_diagonal", real=True
        )
        slopes = grad(h, tuple(range(len(leaves))))
        n = total(leaves)

        def along(unit: Any) -> Any:
            tangents = divided(unit, leaves)
            _, moved = jvp(slopes, tuple(leaves), tuple(tangents))
            return math_sum([sum(m * t) for m, t in zip(moved, tangents, strict=True)])

        diagonal = vmap(along, chunk_size=chunk_of(chunk, n, n))(units(n, leaves))
        parts = zip(divided(diagonal, leaves), leaves, strict=True)
        whole = rebuild([astype(part, x.dtype) for part, x in parts])
        return whole[0] if single else whole

    return derived(second, "Hessian diagonal", hessian_diagonal, f, argnums, chunk)


def laplacian(f: Function, argnums: Any = 0) -> Function:
    """The sum of the second derivatives of a real function in each element: Δy = Σ ∂²y/∂xᵢ².

    >>> import adjoint as ad, numpy as np
    >>> ad.laplacian(lambda x: (x * x).sum())(np.zeros(3))
    np.float64(6.0)
    """

    def traced(*args: Any, **kwargs: Any) -> Any:
        parts, _, _ = flatten(hessian_diagonal(f, argnums)(*args, **kwargs))
        return math_sum([sum(part) for part in parts[1:]], sum(parts[0]))

    return derived(traced, "Laplacian", laplacian, f, argnums)


def linearize(f: Function, *primals: Any) -> Any:
    """The value and the linear map of f at `primals`: linearize : (x -> y), x -> (y, ẋ -> ẏ).

    The map runs over the recorded tape, so f is not called again: each use costs about one forward.

    >>> import adjoint as ad
    >>> y, pushforward = ad.linearize(lambda x: x * x, 3.0)
    >>> y, pushforward(1.0), pushforward(10.0)
    (np.float64(9.0), np.float64(6.0), np.float64(60.0))
    """
    out, pullback = vjp(f, *primals)
    _, transposed = vjp(pullback, tree_map(at_zero, out))
    leaves, paths, rebuild = flatten(primals)

    def pushforward(*tangents: Any) -> Any:
        along = matching(primals, tangents, "the pushforward", "tangent")
        along = [
            checked_tangent(t, checked(x, p, "linearize"), p)
            for t, x, p in zip(along, leaves, paths, strict=True)
        ]
        return transposed(rebuild(along))[0]

    return out, pushforward


def linear_transpose(f: Function, *examples: Any) -> Function:
    """The transpose of a linear function, given inputs that show its shapes: (x -> y) -> (ȳ -> x̄).

    examples : arrays (only shapes and dtypes count) or containers; the result takes a cotangent of
        the structure of f's output and returns a tuple, one entry an example

    f is called twice: at zeros, for its tape, and at random numbers. Where ⟨c, f(x)⟩ = ⟨fᵀ(c), x⟩
    does not hold there to a quarter of the digits, `NotLinearError` is raised.

    >>> import adjoint as ad, numpy as np
    >>> ad.linear_transpose(lambda x: np.array([[1.0, 2.0]]) @ x, np.zeros(2))(np.array([3.0]))
    (array([3., 6.]),)
    """
    zeros = tree_map(at_zero, examples)
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        out, pullback = vjp(f, *zeros)
        x, ct = (tree_map(functools.partial(random_like, rng=rng), tree) for tree in (zeros, out))
        pairs = [*zip(flatten(ct)[0], flatten(f(*x))[0], strict=True)]
        backs = zip(flatten(pullback(ct))[0], flatten(x)[0], strict=True)
        products = [*[a * b for a, b in pairs], *[-a * b for a, b in backs]]
        gap = lowest(math_sum([sum(real(p)) for p in products]))
        size = lowest(math_sum([sum(real(p * conj(p))) for p in products]))
        digits = max([np.finfo(a.dtype).eps for a, _ in pairs], default=1.0)
        linear = np.all(gap * gap <= np.sqrt(digits) * size)
    if not linear:
        raise NotLinearError(
            f"`linear_transpose` needs a linear function; `{name_of(f)}` is none: at a random x "
            "its value is not its derivative at 0 times x. Take `vjp` at a point, or leave out the "
            "constant term."
        )
    return pullback  # type: ignore[no-any-return]


def at_zero(x: Any) -> Any:
    """Zeros of the shape and dtype of `x`."""
    return np.zeros(shape(x), numeric(x).dtype)[()]


def random_like(x: Any, rng: np.random.Generator) -> Any:
    """Normal random numbers of the shape of `x`, complex where it is."""
    form, dtype = shape(x), numeric(x).dtype
    imaginary = 1j * rng.normal(size=form) if dtype.kind == "c" else 0.0
    value = np.asarray(rng.normal(size=form) + imaginary)
    return value.astype(dtype if dtype.char in INEXACT else float)[()]


def restricted(
    f: Function,
    argnums: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    who: str,
    real: bool = False,
) -> tuple[Function, list[Any], Function, bool]:
    """f of the chosen arguments' leaves, these leaves, the way back, and whether one was chosen."""
    chosen = choose(f, argnums, args, kwargs, who)
    picked = tuple([kwargs[i] if isinstance(i, str) else args[i] for i in chosen])
    leaves, paths, rebuild = flatten(picked)

    def h(*leaves: Any) -> Any:
        slots = dict(zip(chosen, rebuild(leaves), strict=True))
        named = {k: slots.get(k, v) for k, v in kwargs.items()}
        return f(*[slots.get(i, a) for i, a in enumerate(args)], **named)

    h.__name__ = name_of(f)
    ready = [checked(x, p, who) for x, p in zip(leaves, paths, strict=True)]
    if real and any(x.dtype.kind == "c" for x in ready):
        raise DataError(
            f"`{who}` needs real inputs: the gradient of a real function of complex numbers has no "
            "derivative that is one complex number. Take real and imaginary parts as inputs."
        )
    return h, ready, rebuild, not isinstance(argnums, (tuple, list))


def chosen_mode(mode: str, leaves: Sequence[Any], ends: Sequence[Any]) -> str:
    """The mode that a Jacobian goes by: the one with fewer columns, or the one that is right."""
    real_to_complex = any(o.dtype.kind == "c" for o in ends) and any(
        x.dtype.kind != "c" for x in leaves
    )
    complex_to_real = any(o.dtype.kind != "c" for o in ends) and any(
        x.dtype.kind == "c" for x in leaves
    )
    if real_to_complex and complex_to_real:
        raise DataError(
            "`jacobian` cannot hold both a complex output of a real input and a real output of a "
            "complex input; neither mode gives both. Take one of the outputs or inputs at a time."
        )
    if (real_to_complex and mode == "rev") or (complex_to_real and mode == "fwd"):
        raise DataError(
            f"`jacobian` in mode {mode!r} cannot hold a {'real' if complex_to_real else 'complex'} "
            f"output of a {'complex' if complex_to_real else 'real'} input in one number; "
            "use mode='auto'."
        )
    if real_to_complex or complex_to_real:
        return "fwd" if real_to_complex else "rev"
    if mode != "auto":
        return mode
    return "fwd" if total(leaves) <= total(ends) else "rev"


def columns(
    h: Function, leaves: Sequence[Any], ends: Sequence[Any], chunk: Any, has_aux: bool
) -> list[list[Any]]:
    """Blocks [output][input] of a Jacobian by forward mode: all unit tangents, batched."""
    chosen_mode("fwd", leaves, [numeric(o) for o in ends])

    def column(unit: Any) -> Any:
        return flatten(jvp(h, tuple(leaves), tuple(divided(unit, leaves)), has_aux)[1])[0]

    n = total(leaves)
    by_output = vmap(column, out_axes=-1, chunk_size=chunk_of(chunk, n, total(ends) + n))(
        units(n, leaves)
    )
    return [
        [
            astype(reshape(part, shape(o) + shape(x)), held(x, o))
            for part, x in zip(parted(b, leaves), leaves, strict=True)
        ]
        for b, o in zip(by_output, ends, strict=True)
    ]


def rows(
    pullback: Any, leaves: Sequence[Any], ends: Sequence[Any], chunk: Any, rebuild_out: Any
) -> list[list[Any]]:
    """Blocks [output][input] of a Jacobian by reverse mode: all unit cotangents, batched."""

    def row(unit: Any) -> Any:
        return list(pullback(rebuild_out(divided(unit, ends))))

    n = total(ends)
    by_input = vmap(row, chunk_size=chunk_of(chunk, n, total(leaves) + n))(units(n, ends))
    blocks, start = [], 0
    for o in ends:
        stop = start + math.prod(shape(o))
        blocks.append(
            [
                reshape(b[start:stop], shape(o) + shape(x))
                for b, x in zip(by_input, leaves, strict=True)
            ]
        )
        start = stop
    return blocks


def held(x: Any, out: Any) -> Any:
    """The dtype of ∂out/∂x: as precise as x, as a gradient is, and complex where `out` is."""
    return np.result_type(x.dtype, np.complex64) if out.dtype.kind == "c" else x.dtype


def total(leaves: Sequence[Any]) -> int:
    """The number of elements of all leaves."""
    return math_sum([math.prod(shape(x)) for x in leaves])


def units(n: int, leaves: Sequence[Any]) -> Any:
    """The n unit vectors, in the real dtype that the leaves share."""
    dtype = np.result_type(*[numeric(x).dtype for x in leaves]) if leaves else np.dtype(float)
    return np.eye(n, dtype=np.zeros((), dtype).real.dtype)


def divided(vector: Any, leaves: Sequence[Any]) -> list[Any]:
    """A vector cut and shaped as the leaves are."""
    return [reshape(part, shape(x)) for part, x in zip(parted(vector, leaves), leaves, strict=True)]


def parted(x: Any, leaves: Sequence[Any]) -> list[Any]:
    """The last axis of x cut into as many elements as each leaf has."""
    ends = np.cumsum([0, *[math.prod(shape(leaf)) for leaf in leaves]])
    return [x[..., int(a) : int(b)] for a, b in pairwise(ends)]


def chunk_of(chunk: Any, n: int, each: int = 1) -> int | None:
    """How many of n columns, each of `each` elements, go in one pass."""
    if chunk == "auto":
        return max(1, min(n, COLUMNS // max(each, 1))) if n else None
    return chunk  # type: ignore[no-any-return]
