"""adjoint: automatic differentiation for any array. `import adjoint as ad`."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import errors as errors
from .core import history as history
from .core.guard import guard as guard
from .core.op import OPS as OPS
from .core.op import Op as Op
from .core.tensor import Tensor as Tensor
from .core.tensor import no_grad as no_grad
from .core.tree import register as register
from .core.tree import tree_map as tree_map
from .errors import AdjointError as AdjointError
from .interop import names as names
from .interop import protocols as protocols
from .ops import methods as methods
from .ops.constant import all as all
from .ops.constant import any as any
from .ops.constant import argmax as argmax
from .ops.constant import argmin as argmin
from .ops.constant import argsort as argsort
from .ops.constant import ceil as ceil
from .ops.constant import equal as equal
from .ops.constant import floor as floor
from .ops.constant import floor_divide as floor_divide
from .ops.constant import greater as greater
from .ops.constant import greater_equal as greater_equal
from .ops.constant import isfinite as isfinite
from .ops.constant import isinf as isinf
from .ops.constant import isnan as isnan
from .ops.constant import less as less
from .ops.constant import less_equal as less_equal
from .ops.constant import logical_and as logical_and
from .ops.constant import logical_not as logical_not
from .ops.constant import logical_or as logical_or
from .ops.constant import nextafter as nextafter
from .ops.constant import not_equal as not_equal
from .ops.constant import round as round
from .ops.constant import signbit as signbit
from .ops.constant import trunc as trunc
from .ops.elementwise import abs as abs
from .ops.elementwise import acos as acos
from .ops.elementwise import acosh as acosh
from .ops.elementwise import add as add
from .ops.elementwise import angle as angle
from .ops.elementwise import asin as asin
from .ops.elementwise import asinh as asinh
from .ops.elementwise import astype as astype
from .ops.elementwise import atan as atan
from .ops.elementwise import atan2 as atan2
from .ops.elementwise import atanh as atanh
from .ops.elementwise import cbrt as cbrt
from .ops.elementwise import clip as clip
from .ops.elementwise import conj as conj
from .ops.elementwise import copysign as copysign
from .ops.elementwise import cos as cos
from .ops.elementwise import cosh as cosh
from .ops.elementwise import deg2rad as deg2rad
from .ops.elementwise import divide as divide
from .ops.elementwise import exp as exp
from .ops.elementwise import exp2 as exp2
from .ops.elementwise import expm1 as expm1
from .ops.elementwise import hypot as hypot
from .ops.elementwise import imag as imag
from .ops.elementwise import log as log
from .ops.elementwise import log1p as log1p
from .ops.elementwise import log2 as log2
from .ops.elementwise import log10 as log10
from .ops.elementwise import log_sigmoid as log_sigmoid
from .ops.elementwise import logaddexp as logaddexp
from .ops.elementwise import logaddexp2 as logaddexp2
from .ops.elementwise import maximum as maximum
from .ops.elementwise import minimum as minimum
from .ops.elementwise import multiply as multiply
from .ops.elementwise import negative as negative
from .ops.elementwise import positive as positive
from .ops.elementwise import pow as pow
from .ops.elementwise import rad2deg as rad2deg
from .ops.elementwise import real as real
from .ops.elementwise import reciprocal as reciprocal
from .ops.elementwise import remainder as remainder
from .ops.elementwise import sigmoid as sigmoid
from .ops.elementwise import sign as sign
from .ops.elementwise import sin as sin
from .ops.elementwise import sinh as sinh
from .ops.elementwise import softplus as softplus
from .ops.elementwise import sqrt as sqrt
from .ops.elementwise import square as square
from .ops.elementwise import subtract as subtract
from .ops.elementwise import tan as tan
from .ops.elementwise import tanh as tanh
from .ops.elementwise import where as where
from .ops.elementwise import xlogy as xlogy
from .ops.index import take as take
from .ops.index import take_along_axis as take_along_axis
from .ops.kinks import kinks as kinks
from .ops.linalg import cholesky as cholesky
from .ops.linalg import det as det
from .ops.linalg import dot as dot
from .ops.linalg import einsum as einsum
from .ops.linalg import inner as inner
from .ops.linalg import inv as inv
from .ops.linalg import matmul as matmul
from .ops.linalg import outer as outer
from .ops.linalg import slogdet as slogdet
from .ops.linalg import solve as solve
from .ops.linalg import tensordot as tensordot
from .ops.linalg import trace as trace
from .ops.linalg import vecdot as vecdot
from .ops.reduce import cumprod as cumprod
from .ops.reduce import cumsum as cumsum
from .ops.reduce import log_softmax as log_softmax
from .ops.reduce import logsumexp as logsumexp
from .ops.reduce import max as max
from .ops.reduce import mean as mean
from .ops.reduce import min as min
from .ops.reduce import prod as prod
from .ops.reduce import softmax as softmax
from .ops.reduce import std as std
from .ops.reduce import sum as sum
from .ops.reduce import var as var
from .ops.shape import broadcast_arrays as broadcast_arrays
from .ops.shape import broadcast_to as broadcast_to
from .ops.shape import concat as concat
from .ops.shape import diag as diag
from .ops.shape import expand_dims as expand_dims
from .ops.shape import flip as flip
from .ops.shape import matrix_transpose as matrix_transpose
from .ops.shape import moveaxis as moveaxis
from .ops.shape import permute_dims as permute_dims
from .ops.shape import ravel as ravel
from .ops.shape import roll as roll
from .ops.shape import split as split
from .ops.shape import squeeze as squeeze
from .ops.shape import stack as stack
from .ops.shape import swapaxes as swapaxes
from .ops.shape import tile as tile
from .ops.shape import transpose as transpose
from .ops.shape import tril as tril
from .ops.shape import triu as triu
from .transforms.batching import vmap as vmap
from .transforms.checkpoint import checkpoint as checkpoint
from .transforms.checkpoint import checkpoint_chain as checkpoint_chain
from .transforms.custom import clip_gradient as clip_gradient
from .transforms.custom import custom as custom
from .transforms.custom import reverse_gradient as reverse_gradient
from .transforms.custom import stop_gradient as stop_gradient
from .transforms.custom import straight_through as straight_through
from .transforms.derivatives import grad as grad
from .transforms.derivatives import jvp as jvp
from .transforms.derivatives import value_and_grad as value_and_grad
from .transforms.derivatives import vjp as vjp
from .transforms.differences import NumericDerivativeWarning as NumericDerivativeWarning
from .transforms.differences import numeric as numeric
from .transforms.jacobians import batch_jacobian as batch_jacobian
from .transforms.jacobians import derivative as derivative
from .transforms.jacobians import elementwise_grad as elementwise_grad
from .transforms.jacobians import ggnvp as ggnvp
from .transforms.jacobians import hessian as hessian
from .transforms.jacobians import hessian_diagonal as hessian_diagonal
from .transforms.jacobians import hvp as hvp
from .transforms.jacobians import jacfwd as jacfwd
from .transforms.jacobians import jacobian as jacobian
from .transforms.jacobians import jacrev as jacrev
from .transforms.jacobians import laplacian as laplacian
from .transforms.jacobians import linear_transpose as linear_transpose
from .transforms.jacobians import linearize as linearize
from .transforms.jacobians import vhp as vhp
from .transforms.optimise import History as History
from .transforms.optimise import Optimiser as Optimiser
from .transforms.optimise import adam as adam
from .transforms.optimise import adamw as adamw
from .transforms.optimise import descend as descend
from .transforms.optimise import minimize as minimize
from .transforms.optimise import rmsprop as rmsprop
from .transforms.optimise import sgd as sgd
from .transforms.ravel import ravel_tree as ravel_tree

if TYPE_CHECKING:
    from . import fft as fft
    from . import integrate as integrate
    from . import linalg as linalg
    from . import signal as signal
    from . import special as special
    from . import stats as stats
    from .compiler.compiled import CompileWarning as CompileWarning
    from .compiler.compiled import compile as compile
    from .ops.aliases import *
    from .ops.arrange import *
    from .ops.bessel import i0 as i0
    from .ops.bessel import sinc as sinc
    from .ops.constant import allclose as allclose
    from .ops.constant import argpartition as argpartition
    from .ops.constant import argwhere as argwhere
    from .ops.constant import array_equal as array_equal
    from .ops.constant import array_equiv as array_equiv
    from .ops.constant import count_nonzero as count_nonzero
    from .ops.constant import fix as fix
    from .ops.constant import flatnonzero as flatnonzero
    from .ops.constant import heaviside as heaviside
    from .ops.constant import isclose as isclose
    from .ops.constant import iscomplex as iscomplex
    from .ops.constant import isin as isin
    from .ops.constant import isneginf as isneginf
    from .ops.constant import isposinf as isposinf
    from .ops.constant import isreal as isreal
    from .ops.constant import logical_xor as logical_xor
    from .ops.constant import nonzero as nonzero
    from .ops.constant import rint as rint
    from .ops.constant import spacing as spacing
    from .ops.convolution import *
    from .ops.creation import *
    from .ops.decompositions import svd as svd
    from .ops.elementwise import divmod as divmod
    from .ops.elementwise import fabs as fabs
    from .ops.elementwise import float_power as float_power
    from .ops.elementwise import fmax as fmax
    from .ops.elementwise import fmin as fmin
    from .ops.elementwise import fmod as fmod
    from .ops.elementwise import frexp as frexp
    from .ops.elementwise import ldexp as ldexp
    from .ops.elementwise import modf as modf
    from .ops.elementwise import real_if_close as real_if_close
    from .ops.interpolation import *
    from .ops.missing import *
    from .ops.norms import *
    from .ops.order import *
    from .ops.padding import *
    from .ops.piecewise import *
    from .ops.polynomial import *
    from .ops.products import *
    from .ops.quadrature import trapezoid as trapezoid
    from .ops.reduce import cummax as cummax
    from .ops.reduce import cummin as cummin
    from .ops.reduce import cumulative_prod as cumulative_prod
    from .ops.reduce import cumulative_sum as cumulative_sum
    from .ops.reduce import logcumsumexp as logcumsumexp
    from .ops.reduce import ptp as ptp
    from .ops.statistics import *
    from .ops.windows import *
    from .show.draw import draw as draw
    from .show.explain import explain as explain
    from .show.why import why as why
    from .testing import check_grads as check_grads

__version__ = "0.1.0"

# These rooms, and what is for looking and testing, are imported when first asked for.
FACES = ("fft", "integrate", "linalg", "signal", "special", "stats")
ROOMS = {
    "ops.windows": "bartlett blackman hamming hanning kaiser",
    "ops.polynomial": "poly polyadd polyder polydiv polyfit polyint polymul polysub polyval roots "
    "vander",
    "ops.bessel": "i0 sinc",
    "ops.quadrature": "trapezoid",
    "ops.interpolation": "diff digitize ediff1d gradient interp searchsorted unwrap",
    "ops.convolution": "convolve correlate",
    "ops.aliases": "absolute amax amin arccos arccosh arcsin arcsinh arctan arctan2 arctanh around "
    "concatenate conjugate degrees mod power radians true_divide",
    "ops.arrange": "append apply_along_axis apply_over_axes array_split atleast_1d atleast_2d "
    "atleast_3d block column_stack delete diagflat diagonal dsplit dstack fliplr flipud hsplit "
    "hstack insert meshgrid repeat reshape resize rollaxis rot90 row_stack sliding_window_view "
    "trim_zeros unstack vsplit vstack",
    "ops.constant": "allclose argpartition argwhere array_equal array_equiv count_nonzero fix "
    "flatnonzero heaviside isclose iscomplex isin isneginf isposinf isreal logical_xor nonzero "
    "rint spacing",
    "ops.creation": "arange array asarray copy empty empty_like eye full full_like geomspace "
    "identity linspace logspace ones ones_like tri zeros zeros_like",
    "ops.elementwise": "divmod fabs float_power fmax fmin fmod frexp ldexp modf real_if_close",
    "ops.missing": "nan_to_num nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmedian "
    "nanmin nanpercentile nanprod nanquantile nanstd nansum nanvar",
    "ops.order": "lexsort median partition percentile quantile sort sort_complex unique unique_all "
    "unique_counts unique_inverse unique_values",
    "ops.padding": "pad",
    "ops.piecewise": "choose compress extract piecewise select",
    "ops.decompositions": "svd",
    "ops.norms": "norm",
    "ops.products": "cross kron matvec vdot vecmat",
    "compiler.compiled": "CompileWarning compile",
    "ops.reduce": "cummax cummin cumulative_prod cumulative_sum logcumsumexp ptp",
    "ops.statistics": "average bincount corrcoef cov",
    "show.draw": "draw",
    "show.explain": "explain",
    "show.why": "why",
    "testing": "check_grads",
}
LATER = {name: room for room, names in ROOMS.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name in FACES:
        return import_module(f".{name}", __name__)
    if name not in LATER:
        raise AttributeError(f"module 'adjoint' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{LATER[name]}", __name__), name)
    return value


def find(room: str, name: str) -> Any:
    """What NumPy's or SciPy's function of that name is called here, in a room; or None."""
    if room and room not in FACES:
        return None
    return getattr(import_module(f"{__name__}.{room}" if room else __name__), name, None)


names.LOOKUP.append(find)


def __dir__() -> list[str]:
    return sorted({*globals(), *LATER, *FACES})


HIDDEN = (
    "Any TYPE_CHECKING LATER FACES ROOMS HIDDEN import_module find history methods names protocols"
).split()
__all__ = [
    n for n in dict.fromkeys((*globals(), *LATER, *FACES)) if n not in HIDDEN and n[0] != "_"
]
