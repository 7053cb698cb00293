"""Probability densities and statistics of samples under the names of scipy.stats."""

from .ops.densities import *  # noqa: F403
from .ops.multivariate import *  # noqa: F403
from .ops.samples import *  # noqa: F403
