"""Special functions under the names of scipy.special."""

from .ops.bessel import *  # noqa: F403
from .ops.elementwise import cbrt as cbrt
from .ops.elementwise import exp2 as exp2
from .ops.elementwise import expm1 as expm1
from .ops.elementwise import log1p as log1p
from .ops.elementwise import xlogy as xlogy
from .ops.incomplete import *  # noqa: F403
from .ops.special import *  # noqa: F403
