"""The tables of cases, one for each file of `adjoint.ops`."""

from . import constant, elementwise, index, linalg, reduce, shape  # noqa: F401
from .case import CASES as CASES
