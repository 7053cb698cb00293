"""Quadrature and differential equations under the names of scipy.integrate."""

from .errors import IntegrationError as IntegrationError
from .ops.quadrature import cumulative_simpson as cumulative_simpson
from .ops.quadrature import cumulative_trapezoid as cumulative_trapezoid
from .ops.quadrature import fixed_quad as fixed_quad
from .ops.quadrature import newton_cotes as newton_cotes
from .ops.quadrature import romb as romb
from .ops.quadrature import simpson as simpson
from .ops.quadrature import trapezoid as trapezoid
from .transforms.integrals import dblquad as dblquad
from .transforms.integrals import odeint as odeint
from .transforms.integrals import quad as quad
from .transforms.integrals import quad_vec as quad_vec
from .transforms.integrals import solve_ivp as solve_ivp
