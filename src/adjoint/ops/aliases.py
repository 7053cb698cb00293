"""NumPy's other names for functions that have two."""

from __future__ import annotations

from .constant import round as around
from .elementwise import abs as absolute
from .elementwise import acos as arccos
from .elementwise import acosh as arccosh
from .elementwise import asin as arcsin
from .elementwise import asinh as arcsinh
from .elementwise import atan as arctan
from .elementwise import atan2 as arctan2
from .elementwise import atanh as arctanh
from .elementwise import conj as conjugate
from .elementwise import deg2rad as radians
from .elementwise import divide as true_divide
from .elementwise import pow as power
from .elementwise import rad2deg as degrees
from .elementwise import remainder as mod
from .reduce import max as amax
from .reduce import min as amin
from .shape import concat as concatenate

__all__ = [
    "absolute", "amax", "amin", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2",
    "arctanh", "around", "concatenate", "conjugate", "degrees", "mod", "power", "radians",
    "true_divide",
]  # fmt: skip
