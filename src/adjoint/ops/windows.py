"""Windows: weights that fade towards the ends."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import bartlett as bartlett
from numpy import blackman as blackman
from numpy import hamming as hamming
from numpy import hanning as hanning

from .bessel import i0


def kaiser(M: int, beta: Any) -> Any:
    """Kaiser's window of M weights: w = I₀(β√(1 - u²))/I₀(β), u from -1 to 1.

    Differentiable in beta; the other windows have no parameter but their length.

    >>> ad.grad(lambda beta: ad.kaiser(3, beta)[1])(2.0), round(float(ad.kaiser(3, 2.0)[0]), 6)
    (np.float64(0.0), 0.438676)
    """
    if M <= 1:
        return np.ones(max(M, 0))
    u = np.linspace(-1, 1, M)
    return i0(np.sqrt((1 - u) * (1 + u)) * beta) / i0(beta)


__all__ = ["bartlett", "blackman", "hamming", "hanning", "kaiser"]
