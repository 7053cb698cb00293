"""Matrices under the names of numpy.linalg and scipy.linalg."""

from .ops.linalg import cholesky as cholesky
from .ops.linalg import det as det
from .ops.linalg import inv as inv
from .ops.linalg import matmul as matmul
from .ops.linalg import norm as norm
from .ops.linalg import outer as outer
from .ops.linalg import slogdet as slogdet
from .ops.linalg import solve as solve
from .ops.linalg import svd as svd
from .ops.linalg import tensordot as tensordot
from .ops.linalg import trace as trace
from .ops.linalg import vecdot as vecdot
