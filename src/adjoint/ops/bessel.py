"""Solutions of linear differential equations: Bessel, Airy, Struve, hypergeometric, polynomials.

Arguments are real or complex where SciPy takes both, and it takes them in the same order. Orders
and other parameters have no derivative in closed form: one that is asked for is refused. Formulas
are named by their equation in the NIST Digital Library of Mathematical Functions, DLMF,
https://dlmf.nist.gov.
"""

from __future__ import annotations

import math

import numpy as np

from ..errors import NoRuleError
from .constant import less, signum
from .elementwise import (
    abs,
    cos,
    exp,
    imag,
    is_complex,
    log,
    log1p,
    maximum,
    real,
    sin,
    sqrt,
    where,
)
from .rules import elementwise
from .special import ROOT_PI, binom, counted, known, refused, rgamma, several


def alike(xp, value, x):
    """What SciPy computed, in the precision of x, which some of its functions do not keep."""
    value = xp.asarray(value)
    kept = getattr(x, "dtype", None) in (np.float32, np.complex64)
    single = {"f": np.float32, "c": np.complex64}[value.dtype.kind]
    return (value.astype(single) if kept else value)[()]


@elementwise(lambda t, x: -t * j1(x))
def j0(xp, x, /):
    """Bessel function of the first kind, order 0: ∂y/∂x = -J₁(x).

    x : real.  Keeps: x.  Source: DLMF 10.6.3.

    >>> ad.grad(ad.special.j0)(0.0) + 0.0
    np.float64(0.0)
    """
    return xp.special.j0(x)


@elementwise(lambda t, x: t * ((j0(x) - jv(2, x)) * 0.5))
def j1(xp, x, /):
    """Bessel function of the first kind, order 1: ∂y/∂x = ½(J₀(x) - J₂(x)).

    x : real.  Keeps: x.  Source: DLMF 10.6.1.

    >>> ad.grad(ad.special.j1)(0.0)
    np.float64(0.5)
    """
    return xp.special.j1(x)


@elementwise(lambda t, x: -t * y1(x))
def y0(xp, x, /):
    """Bessel function of the second kind, order 0: ∂y/∂x = -Y₁(x).

    x : real.  Keeps: x.  Undefined: at 0 (a pole), and for x < 0 (NaN).  Source: DLMF 10.6.3.

    >>> round(float(ad.grad(ad.special.y0)(1.0)), 9)
    0.781212821
    """
    return xp.special.y0(x)


@elementwise(lambda t, x: t * ((y0(x) - yv(2, x)) * 0.5))
def y1(xp, x, /):
    """Bessel function of the second kind, order 1: ∂y/∂x = ½(Y₀(x) - Y₂(x)).

    x : real.  Keeps: x.  Undefined: at 0 (a pole), and for x < 0 (NaN).  Source: DLMF 10.6.1.

    >>> round(float(ad.grad(ad.special.y1)(1.0)), 9)
    0.869469786
    """
    return xp.special.y1(x)


@elementwise(lambda t, x: t * i1(x))
def i0(xp, x, /):
    """Modified Bessel function of the first kind, order 0: ∂y/∂x = I₁(x).

    x : real.  Keeps: x.  Source: DLMF 10.29.3.

    >>> ad.grad(ad.special.i0)(0.0)
    np.float64(0.0)
    """
    return xp.special.i0(x)


@elementwise(lambda t, x: t * ((i0(x) + iv(2, x)) * 0.5))
def i1(xp, x, /):
    """Modified Bessel function of the first kind, order 1: ∂y/∂x = ½(I₀(x) + I₂(x)).

    x : real.  Keeps: x.  Source: DLMF 10.29.1.

    >>> ad.grad(ad.special.i1)(0.0)
    np.float64(0.5)
    """
    return xp.special.i1(x)


@elementwise(lambda t, x, out: t * (i1e(x) - signum(x) * out))
def i0e(xp, x, /):
    """Scaled modified Bessel function, order 0: y = e⁻ˣI₀(x) with |x| for x in the exponent.

    ∂y/∂x = e⁻ˣI₁(x) - y sign x.  x : real.  Keeps: x, out.  Undefined: at 0, a corner; there the
    slope is 0.  Source: DLMF 10.29.3.

    >>> ad.grad(ad.special.i0e)(0.0)
    np.float64(0.0)
    """
    return xp.special.i0e(x)


@elementwise(lambda t, x, out: t * ((i0e(x) + ive(2, x)) * 0.5 - signum(x) * out))
def i1e(xp, x, /):
    """Scaled modified Bessel function, order 1: y = e⁻ˣI₁(x) with |x| for x in the exponent.

    ∂y/∂x = ½e⁻ˣ(I₀(x) + I₂(x)) - y sign x.  x : real.  Keeps: x, out.  Source: DLMF 10.29.1.

    >>> ad.grad(ad.special.i1e)(0.0)
    np.float64(0.5)
    """
    return xp.special.i1e(x)


@elementwise(lambda t, x: -t * k1(x))
def k0(xp, x, /):
    """Modified Bessel function of the second kind, order 0: ∂y/∂x = -K₁(x).

    x : real.  Keeps: x.  Undefined: at 0 (a pole), and for x < 0 (NaN).  Source: DLMF 10.29.3.

    >>> round(float(ad.grad(ad.special.k0)(1.0)), 9)
    -0.60190723
    """
    return xp.special.k0(x)


@elementwise(lambda t, x: t * ((k0(x) + kv(2, x)) * -0.5))
def k1(xp, x, /):
    """Modified Bessel function of the second kind, order 1: ∂y/∂x = -½(K₀(x) + K₂(x)).

    x : real.  Keeps: x.  Undefined: at 0 (a pole), and for x < 0 (NaN).  Source: DLMF 10.29.1.

    >>> round(float(ad.grad(ad.special.k1)(1.0)), 9)
    -1.022931668
    """
    return xp.special.k1(x)


@elementwise(lambda t, x, out: t * (out - k1e(x)))
def k0e(xp, x, /):
    """Scaled modified Bessel function of the second kind, order 0: y = eˣK₀(x).

    ∂y/∂x = y - eˣK₁(x).  x : real.  Keeps: x, out.  Undefined: at 0 (a pole), and for x < 0 (NaN).
    Source: DLMF 10.29.3.

    >>> round(float(ad.grad(ad.special.k0e)(1.0)), 9)
    -0.491690406
    """
    return xp.special.k0e(x)


@elementwise(lambda t, x, out: t * (out - (k0e(x) + kve(2, x)) * 0.5))
def k1e(xp, x, /):
    """Scaled modified Bessel function of the second kind, order 1: y = eˣK₁(x).

    ∂y/∂x = y - ½eˣ(K₀(x) + K₂(x)).  x : real.  Keeps: x, out.  Undefined: at 0 (a pole), and for
    x < 0 (NaN).  Source: DLMF 10.29.1.

    >>> round(float(ad.grad(ad.special.k1e)(1.0)), 9)
    -1.14446308
    """
    return xp.special.k1e(x)


@elementwise(refused("jv", "v"), lambda t, v, z: t * ((jv(v - 1, z) - jv(v + 1, z)) * 0.5))
def jv(xp, v, z, /):
    """Bessel function of the first kind: y = Jᵥ(z),  ∂y/∂z = ½(Jᵥ₋₁(z) - Jᵥ₊₁(z)).

    v : real; a derivative in it is refused.  z : real or complex.  Keeps: v, z.
    Source: DLMF 10.6.1.

    >>> round(float(ad.grad(lambda z: ad.special.jv(1, z))(0.0)), 9)
    0.5
    """
    return xp.special.jv(v, z)


jn = jv


@elementwise(refused("yv", "v"), lambda t, v, z: t * ((yv(v - 1, z) - yv(v + 1, z)) * 0.5))
def yv(xp, v, z, /):
    """Bessel function of the second kind: y = Yᵥ(z),  ∂y/∂z = ½(Yᵥ₋₁(z) - Yᵥ₊₁(z)).

    v : real; a derivative in it is refused.  z : real or complex.  Keeps: v, z.
    Undefined: at 0 (a pole).  Source: DLMF 10.6.1.

    >>> round(float(ad.grad(lambda z: ad.special.yv(0, z))(1.0)), 9)
    0.781212821
    """
    return xp.special.yv(v, z)


@elementwise(refused("iv", "v"), lambda t, v, z: t * ((iv(v - 1, z) + iv(v + 1, z)) * 0.5))
def iv(xp, v, z, /):
    """Modified Bessel function of the first kind: y = Iᵥ(z),  ∂y/∂z = ½(Iᵥ₋₁(z) + Iᵥ₊₁(z)).

    v : real; a derivative in it is refused.  z : real or complex.  Keeps: v, z.
    Source: DLMF 10.29.1.

    >>> round(float(ad.grad(lambda z: ad.special.iv(1, z))(0.0)), 9)
    0.5
    """
    return xp.special.iv(v, z)


@elementwise(refused("kv", "v"), lambda t, v, z: t * ((kv(v - 1, z) + kv(v + 1, z)) * -0.5))
def kv(xp, v, z, /):
    """Modified Bessel function of the second kind: y = Kᵥ(z),  ∂y/∂z = -½(Kᵥ₋₁(z) + Kᵥ₊₁(z)).

    v : real; a derivative in it is refused.  z : real or complex.  Keeps: v, z.
    Undefined: at 0 (a pole).  Source: DLMF 10.29.1.

    >>> round(float(ad.grad(lambda z: ad.special.kv(0, z))(1.0)), 9)
    -0.60190723
    """
    return xp.special.kv(v, z)


@elementwise(
    refused("kve", "v"), lambda t, v, z, out: t * (out - (kve(v - 1, z) + kve(v + 1, z)) * 0.5)
)
def kve(xp, v, z, /):
    """Scaled modified Bessel function of the second kind: y = eᶻKᵥ(z).

    ∂y/∂z = y - ½eᶻ(Kᵥ₋₁(z) + Kᵥ₊₁(z)).  v : real; a derivative in it is refused.  z : real or
    complex.  Keeps: v, z, out.  Undefined: at 0 (a pole).  Source: DLMF 10.29.1.

    >>> round(float(ad.grad(lambda z: ad.special.kve(0, z))(1.0)), 9)
    -0.491690406
    """
    return xp.special.kve(v, z)


@elementwise(counted("yn", "n"), lambda t, n, x: t * ((yn(n - 1, x) - yn(n + 1, x)) * 0.5))
def yn(xp, n, x, /):
    """Bessel function of the second kind of whole order: ∂y/∂x = ½(Yₙ₋₁(x) - Yₙ₊₁(x)).

    n : whole number; a derivative in it is refused.  x : real.  Keeps: n, x.  Undefined: at 0 (a
    pole), and for x < 0 (NaN).  Source: DLMF 10.6.1.

    >>> round(float(ad.grad(lambda z: ad.special.yn(0, z))(1.0)), 9)
    0.781212821
    """
    return xp.special.yn(n, x)


@elementwise(counted("kn", "n"), lambda t, n, x: t * ((kn(n - 1, x) + kn(n + 1, x)) * -0.5))
def kn(xp, n, x, /):
    """Modified Bessel function of the second kind of whole order: ∂y/∂x = -½(Kₙ₋₁(x) + Kₙ₊₁(x)).

    n : whole number; a derivative in it is refused.  x : real.  Keeps: n, x.  Undefined: at 0 (a
    pole), and for x < 0 (NaN).  Source: DLMF 10.29.1.

    >>> round(float(ad.grad(lambda z: ad.special.kn(0, z))(1.0)), 9)
    -0.60190723
    """
    return xp.special.kn(n, x)


@elementwise(
    refused("hankel1", "v"), lambda t, v, z: t * ((hankel1(v - 1, z) - hankel1(v + 1, z)) * 0.5)
)
def hankel1(xp, v, z, /):
    """Hankel function H⁽¹⁾ = J + iY, complex: ∂y/∂z = ½(Hᵥ₋₁(z) - Hᵥ₊₁(z)).

    v : real; a derivative in it is refused.  z : real or complex.  Keeps: v, z.
    Undefined: at 0 (a pole).  Source: DLMF 10.6.1.

    >>> round(float(ad.grad(lambda z: ad.imag(ad.special.hankel1(0, z)))(1.0)), 9)
    0.781212821
    """
    return xp.special.hankel1(v, z)


@elementwise(
    refused("hankel1e", "v"),
    lambda t, v, z, out: t * ((hankel1e(v - 1, z) - hankel1e(v + 1, z)) * 0.5 - out * 1j),
)
def hankel1e(xp, v, z, /):
    """Scaled Hankel function, complex: y = e⁻ⁱᶻH⁽¹⁾ᵥ(z).

    ∂y/∂z = ½(yᵥ₋₁ - yᵥ₊₁) - iy.  v : real; a derivative in it is refused.  z : real or complex.
    Keeps: v, z, out.  Undefined: at 0 (a pole).  Source: DLMF 10.6.1.

    >>> round(float(ad.grad(lambda z: ad.real(ad.special.hankel1e(0, z)))(1.0)), 9)
    -0.176598634
    """
    return xp.special.hankel1e(v, z)


@elementwise(
    refused("hankel2", "v"), lambda t, v, z: t * ((hankel2(v - 1, z) - hankel2(v + 1, z)) * 0.5)
)
def hankel2(xp, v, z, /):
    """Hankel function H⁽²⁾ = J - iY, complex: ∂y/∂z = ½(Hᵥ₋₁(z) - Hᵥ₊₁(z)).

    v : real; a derivative in it is refused.  z : real or complex.  Keeps: v, z.
    Undefined: at 0 (a pole).  Source: DLMF 10.6.1.

    >>> round(float(ad.grad(lambda z: ad.imag(ad.special.hankel2(0, z)))(1.0)), 9)
    -0.781212821
    """
    return xp.special.hankel2(v, z)


@elementwise(
    refused("hankel2e", "v"),
    lambda t, v, z, out: t * ((hankel2e(v - 1, z) - hankel2e(v + 1, z)) * 0.5 + out * 1j),
)
def hankel2e(xp, v, z, /):
    """Scaled Hankel function, complex: y = eⁱᶻH⁽²⁾ᵥ(z).

    ∂y/∂z = ½(yᵥ₋₁ - yᵥ₊₁) + iy.  v : real; a derivative in it is refused.  z : real or complex.
    Keeps: v, z, out.  Undefined: at 0 (a pole).  Source: DLMF 10.6.1.

    >>> round(float(ad.grad(lambda z: ad.real(ad.special.hankel2e(0, z)))(1.0)), 9)
    -0.176598634
    """
    return xp.special.hankel2e(v, z)


@elementwise(
    refused("jve", "v"),
    lambda t, v, z, c: t * ((jve_apart(v - 1, z, c) - jve_apart(v + 1, z, c)) * 0.5),
    lambda t, out: -t * out,
)
def jve_apart(xp, v, z, c, /):
    """The unscaled function times e⁻ᶜ: ∂y/∂z is that of the function,  ∂y/∂c = -y."""
    return xp.special.jve(v, z) * xp.exp(xp.abs(xp.imag(z)) - c)


def jve(v, z):
    """Scaled Bessel function of the first kind: y = e⁻ᶜJᵥ(z) with c = |Im z|.

    v : real; a derivative in it is refused.  z : real or complex.  Undefined: at Im z = 0, a corner
    of the scale; there its slope is 0.  Source: DLMF 10.6.1.

    >>> round(float(ad.grad(lambda z: ad.special.jve(1, z))(1.0)), 9)
    0.325147101
    """
    return jve_apart(v, z, abs(imag(z)))


@elementwise(
    refused("yve", "v"),
    lambda t, v, z, c: t * ((yve_apart(v - 1, z, c) - yve_apart(v + 1, z, c)) * 0.5),
    lambda t, out: -t * out,
)
def yve_apart(xp, v, z, c, /):
    """The unscaled function times e⁻ᶜ: ∂y/∂z is that of the function,  ∂y/∂c = -y."""
    return xp.special.yve(v, z) * xp.exp(xp.abs(xp.imag(z)) - c)


def yve(v, z):
    """Scaled Bessel function of the second kind: y = e⁻ᶜYᵥ(z) with c = |Im z|.

    v : real; a derivative in it is refused.  z : real or complex.  Undefined: at Im z = 0, a corner
    of the scale; there its slope is 0.  Source: DLMF 10.6.1.

    >>> round(float(ad.grad(lambda z: ad.special.yve(0, z))(1.0)), 9)
    0.781212821
    """
    return yve_apart(v, z, abs(imag(z)))


@elementwise(
    refused("ive", "v"),
    lambda t, v, z, c: t * ((ive_apart(v - 1, z, c) + ive_apart(v + 1, z, c)) * 0.5),
    lambda t, out: -t * out,
)
def ive_apart(xp, v, z, c, /):
    """The unscaled function times e⁻ᶜ: ∂y/∂z is that of the function,  ∂y/∂c = -y."""
    return xp.special.ive(v, z) * xp.exp(xp.abs(xp.real(z)) - c)


def ive(v, z):
    """Scaled modified Bessel function of the first kind: y = e⁻ᶜIᵥ(z) with c = |Re z|.

    v : real; a derivative in it is refused.  z : real or complex.  Undefined: at Re z = 0, a corner
    of the scale; there its slope is 0.  Source: DLMF 10.29.1.

    >>> round(float(ad.grad(lambda z: ad.special.ive(1, z))(1.0)), 9)
    0.049938777
    """
    return ive_apart(v, z, abs(real(z)))


def spherical_slope(f, n, z, sign):
    """(n fₙ₋₁ ± (n + 1) fₙ₊₁)/(2n + 1), the slope of spherical functions; of kₙ its negative."""
    up = (n + 1) * f(n + 1, z)
    return (n * f(maximum(n - 1, 0), z) + sign * up) / (2 * n + 1)


@elementwise(counted("spherical_jn", "n"), lambda t, n, z: t * spherical_jn(n, z, True))
def spherical_jn_value(xp, n, z, /):
    """Spherical Bessel function of the first kind: as `spherical_jn`."""
    return alike(xp, xp.special.spherical_jn(n, z), z)


def spherical_jn(n, z, derivative=False):
    """Spherical Bessel function of the first kind, or its derivative.

    (2n + 1) jₙ' = n jₙ₋₁ - (n + 1) jₙ₊₁.  n : whole number, at least 0; a derivative in it is
    refused.  z : real or complex.  Source: DLMF 10.51.1.

    >>> round(float(ad.grad(lambda z: ad.special.spherical_jn(1, z))(0.0)), 9)
    0.333333333
    """
    n, z = known(n), known(z)
    return spherical_slope(spherical_jn, n, z, -1) if derivative else spherical_jn_value(n, z)


@elementwise(counted("spherical_yn", "n"), lambda t, n, z: t * spherical_yn(n, z, True))
def spherical_yn_value(xp, n, z, /):
    """Spherical Bessel function of the second kind: as `spherical_yn`."""
    return alike(xp, xp.special.spherical_yn(n, z), z)


def spherical_yn(n, z, derivative=False):
    """Spherical Bessel function of the second kind, or its derivative.

    (2n + 1) yₙ' = n yₙ₋₁ - (n + 1) yₙ₊₁.  n : whole number, at least 0; a derivative in it is
    refused.  z : real or complex.  Source: DLMF 10.51.1.

    >>> round(float(ad.grad(lambda z: ad.special.spherical_yn(0, z))(1.0)), 9)
    1.381773291
    """
    n, z = known(n), known(z)
    return spherical_slope(spherical_yn, n, z, -1) if derivative else spherical_yn_value(n, z)


@elementwise(counted("spherical_in", "n"), lambda t, n, z: t * spherical_in(n, z, True))
def spherical_in_value(xp, n, z, /):
    """Modified spherical Bessel function of the first kind: as `spherical_in`."""
    return alike(xp, xp.special.spherical_in(n, z), z)


def spherical_in(n, z, derivative=False):
    """Modified spherical Bessel function of the first kind, or its derivative.

    (2n + 1) iₙ' = n iₙ₋₁ + (n + 1) iₙ₊₁.  n : whole number, at least 0; a derivative in it is
    refused.  z : real or complex.  Source: DLMF 10.51.4.

    >>> round(float(ad.grad(lambda z: ad.special.spherical_in(1, z))(0.0)), 9)
    0.333333333
    """
    n, z = known(n), known(z)
    return spherical_slope(spherical_in, n, z, 1) if derivative else spherical_in_value(n, z)


@elementwise(counted("spherical_kn", "n"), lambda t, n, z: t * spherical_kn(n, z, True))
def spherical_kn_value(xp, n, z, /):
    """Modified spherical Bessel function of the second kind: as `spherical_kn`."""
    return alike(xp, xp.special.spherical_kn(n, z), z)


def spherical_kn(n, z, derivative=False):
    """Modified spherical Bessel function of the second kind, or its derivative.

    (2n + 1) kₙ' = -(n kₙ₋₁ + (n + 1) kₙ₊₁).  n : whole number, at least 0; a derivative in it is
    refused.  z : real or complex.  Source: DLMF 10.51.4.

    >>> round(float(ad.grad(lambda z: ad.special.spherical_kn(0, z))(1.0)), 9)
    -1.15572735
    """
    n, z = known(n), known(z)
    return -spherical_slope(spherical_kn, n, z, 1) if derivative else spherical_kn_value(n, z)


@elementwise(
    refused("struve", "v"),
    lambda t, v, x: t * ((struve(v - 1, x) - struve(v + 1, x) + struve_source(v, x)) * 0.5),
)
def struve(xp, v, x, /):
    """Struve function: y = Hᵥ(x),  ∂y/∂x = ½(Hᵥ₋₁ - Hᵥ₊₁ + (x/2)ᵛ/(√π Γ(v + 3/2))).

    v, x : real; a derivative in v is refused.  Keeps: v, x.  Source: DLMF 11.4.23 and 11.4.24.

    >>> round(float(ad.grad(lambda z: ad.special.struve(0, z))(0.0)), 9)
    0.636619772
    """
    return xp.special.struve(v, x)


@elementwise(
    refused("modstruve", "v"),
    lambda t, v, x: t * ((modstruve(v - 1, x) + modstruve(v + 1, x) + struve_source(v, x)) * 0.5),
)
def modstruve(xp, v, x, /):
    """Modified Struve function: y = Lᵥ(x),  ∂y/∂x = ½(Lᵥ₋₁ + Lᵥ₊₁ + (x/2)ᵛ/(√π Γ(v + 3/2))).

    v, x : real; a derivative in v is refused.  Keeps: v, x.  Source: DLMF 11.4.25 and 11.4.26.

    >>> round(float(ad.grad(lambda z: ad.special.modstruve(0, z))(0.0)), 9)
    0.636619772
    """
    return xp.special.modstruve(v, x)


def struve_source(v, x):
    """(x/2)ᵛ/(√π Γ(v + 3/2)), by which Struve's functions depart from Bessel's."""
    return (x * 0.5) ** v * rgamma(v + 1.5) / ROOT_PI


@several(lambda x, out: (out[1], x * out[0], out[3], x * out[2]))
def airy(xp, x, /):
    """Airy functions and their derivatives: (Ai, Ai', Bi, Bi'),  with y'' = xy.

    x : real or complex.  Keeps: x, out.  Source: DLMF 9.2.1.

    >>> x, one = 0.5, 1.0
    >>> bool(ad.jvp(ad.special.airy, (x,), (one,))[1][0] == ad.special.airy(x)[1])
    True
    """
    return xp.special.airy(x)


def airye_slopes(x, out):
    """Those of Airy's functions, and of the scales e^±ζ with ζ = ⅔x√x, ∂ζ/∂x = √x."""
    if is_complex(x):
        raise NoRuleError(
            "`airye` of a complex argument has no derivative: the scale of Bi is not analytic. "
            "Use `ad.special.airy`, or give real numbers."
        )
    root = sqrt(maximum(x, 0.0))
    ai, dai, bi, dbi = out
    return dai + root * ai, x * ai + root * dai, dbi - root * bi, x * bi - root * dbi


@several(airye_slopes)
def airye(xp, x, /):
    """Scaled Airy functions: (e^ζ Ai, e^ζ Ai', e^-ζ Bi, e^-ζ Bi') with ζ = ⅔x√x where x > 0.

    x : real; complex numbers get a value, and no derivative.  Keeps: x, out.  Undefined: for x < 0
    the first two are NaN, and Bi is not scaled.  Source: DLMF 9.2.1.

    >>> round(float(ad.grad(lambda x: ad.special.airye(x)[2])(0.0)), 9)
    0.448288357
    """
    return xp.special.airye(x)


@elementwise(refused("hyp0f1", "v"), lambda t, v, z: t * (hyp0f1(v + 1, z) / v))
def hyp0f1(xp, v, z, /):
    """Confluent limit function: y = ₀F₁(v; z),  ∂y/∂z = ₀F₁(v + 1; z)/v.

    v : real; a derivative in it is refused.  z : real or complex.  Keeps: v, z.
    Source: DLMF 16.3.1.

    >>> round(float(ad.grad(lambda z: ad.special.hyp0f1(2.0, z))(0.0)), 9)
    0.5
    """
    return xp.special.hyp0f1(v, z)


@elementwise(
    refused("hyp1f1", "a"),
    refused("hyp1f1", "b"),
    lambda t, a, b, x: t * (a / b * hyp1f1(a + 1, b + 1, x)),
)
def hyp1f1(xp, a, b, x, /):
    """Kummer's function: y = ₁F₁(a; b; x),  ∂y/∂x = a/b·₁F₁(a + 1; b + 1; x).

    a, b : real; derivatives in them are refused.  x : real or complex.  Keeps: a, b, x.
    Source: DLMF 13.3.15.

    >>> ad.grad(lambda x: ad.special.hyp1f1(1.0, 2.0, x))(0.0)
    np.float64(0.5)
    """
    return xp.special.hyp1f1(a, b, x)


@elementwise(
    refused("hyperu", "a"),
    refused("hyperu", "b"),
    lambda t, a, b, x: t * (-a * hyperu(a + 1, b + 1, x)),
)
def hyperu(xp, a, b, x, /):
    """Tricomi's function: y = U(a, b, x),  ∂y/∂x = -a U(a + 1, b + 1, x).

    a, b, x : real; derivatives in a and b are refused.  Keeps: a, b, x.  Source: DLMF 13.3.22.

    >>> round(float(ad.grad(lambda x: ad.special.hyperu(1.0, 2.0, x))(2.0)), 9)
    -0.25
    """
    return xp.special.hyperu(a, b, x)


@elementwise(
    refused("hyp2f1", "a"),
    refused("hyp2f1", "b"),
    refused("hyp2f1", "c"),
    lambda t, a, b, c, z: t * (a * b / c * hyp2f1(a + 1, b + 1, c + 1, z)),
)
def hyp2f1(xp, a, b, c, z, /):
    """Gauss's function: y = ₂F₁(a, b; c; z),  ∂y/∂z = ab/c·₂F₁(a + 1, b + 1; c + 1; z).

    a, b, c : real; derivatives in them are refused.  z : real or complex.  Keeps: a, b, c, z.
    Source: DLMF 15.5.1.

    >>> ad.grad(lambda z: ad.special.hyp2f1(1.0, 1.0, 2.0, z))(0.0)
    np.float64(0.5)
    """
    return alike(xp, xp.special.hyp2f1(a, b, c, z), z)


@elementwise(lambda t, x: t * exprel_slope(x))
def exprel(xp, x, /):
    """Relative growth: y = (eˣ - 1)/x = ₁F₁(1; 2; x),  ∂y/∂x = ½·₁F₁(2; 3; x).

    x : real.  Keeps: x.  Source: DLMF 13.6.2 and 13.3.15.

    >>> ad.grad(ad.special.exprel)(0.0)
    np.float64(0.5)
    """
    return xp.special.exprel(x)


def exprel_slope(x):
    """The derivative of (eˣ - 1)/x, exact where x is small too."""
    return hyp1f1(2.0, 3.0, x) * 0.5


def boxcox_slope(growth, lmbda):
    """∂/∂λ of (eᴸᵏ - 1)/λ, with k = λ and L = `growth`: L²·exprel'(λL)."""
    return growth * growth * exprel_slope(growth * lmbda)


def inverse_slope(y, lmbda):
    """∂/∂λ of ln(1 + λy)/λ: y²g(λy), g(u) = (u/(1 + u) - ln(1 + u))/u² = -½·₂F₁(2, 2; 3; -u)."""
    u = lmbda * y
    small = less(abs(u), 0.5)
    near, far = where(small, u, 0.0), where(small, 1.0, u)
    g = where(
        small, hyp2f1(2.0, 2.0, 3.0, -near) * -0.5, (far / (1 + far) - log1p(far)) / (far * far)
    )
    return y * y * g


@elementwise(
    lambda t, x, lmbda: t * x ** (lmbda - 1), lambda t, x, lmbda: t * boxcox_slope(log(x), lmbda)
)
def boxcox(xp, x, lmbda, /):
    """Box-Cox transform: y = (xᵏ - 1)/k, ln x at k = 0,  ∂y/∂x = xᵏ⁻¹,  with k = λ.

    ∂y/∂λ = L² ₁F₁(2; 3; λL)/2 with L = ln x.  Keeps: x, lmbda.  Undefined: for x ≤ 0.

    >>> ad.grad(ad.special.boxcox, (0, 1))(1.0, 0.5)
    (np.float64(1.0), np.float64(0.0))
    """
    return xp.special.boxcox(x, lmbda)


@elementwise(
    lambda t, x, lmbda: t * exp((lmbda - 1) * log1p(x)),
    lambda t, x, lmbda: t * boxcox_slope(log1p(x), lmbda),
)
def boxcox1p(xp, x, lmbda, /):
    """Box-Cox transform of 1 + x: y = ((1 + x)ᵏ - 1)/k,  ∂y/∂x = (1 + x)ᵏ⁻¹,  with k = λ.

    ∂y/∂λ as of `boxcox`, with L = ln(1 + x).  Keeps: x, lmbda.  Undefined: for x ≤ -1.

    >>> ad.grad(ad.special.boxcox1p, (0, 1))(0.0, 0.5)
    (np.float64(1.0), np.float64(0.0))
    """
    return xp.special.boxcox1p(x, lmbda)


@elementwise(
    lambda t, lmbda, out: t * out ** (1 - lmbda),
    lambda t, y, lmbda, out: t * (out * inverse_slope(y, lmbda)),
)
def inv_boxcox(xp, y, lmbda, /):
    """Inverse of `boxcox`: z = (1 + λy)^(1/λ), eʸ at λ = 0,  ∂z/∂y = z/(1 + λy).

    ∂z/∂λ = z(λy/(1 + λy) - ln(1 + λy))/λ².  Keeps: y, lmbda, out.  Undefined: for λy ≤ -1.

    >>> ad.grad(ad.special.inv_boxcox, (0, 1))(1.0, 0.0)[1] / np.exp(1)
    np.float64(-0.5)
    """
    return xp.special.inv_boxcox(y, lmbda)


@elementwise(
    lambda t, lmbda, out: t * exp((1 - lmbda) * log1p(out)),
    lambda t, y, lmbda, out: t * ((1 + out) * inverse_slope(y, lmbda)),
)
def inv_boxcox1p(xp, y, lmbda, /):
    """Inverse of `boxcox1p`: z = (1 + λy)^(1/λ) - 1,  ∂z/∂y = (1 + z)/(1 + λy).

    ∂z/∂λ as of `inv_boxcox`.  Keeps: y, lmbda, out.  Undefined: for λy ≤ -1.

    >>> ad.grad(ad.special.inv_boxcox1p)(0.0, 2.0)
    np.float64(1.0)
    """
    return xp.special.inv_boxcox1p(y, lmbda)


@elementwise(lambda t, x: -t * (math.pi * spherical_jn(1, x * math.pi)))
def sinc(xp, x, /):
    """Sine over its argument: y = sin(πx)/(πx), 1 at 0;  ∂y/∂x = -π j₁(πx), everywhere smooth.

    x : real or complex.  Keeps: x.  Source: DLMF 10.49.3 and 10.51.1.

    >>> ad.grad(ad.special.sinc)(0.0) + 0.0
    np.float64(0.0)
    """
    return xp.sinc(x)


@elementwise(
    lambda t, x, n: t * (sin(x * 0.5) * eval_gegenbauer(n - 2, 2.0, cos(x * 0.5)) / -n),
    counted("diric", "n"),
)
def diric(xp, x, n, /):
    """Dirichlet's kernel: y = sin(nx/2)/(n sin(x/2)) = Uₙ₋₁(cos(x/2))/n, everywhere smooth.

    n : whole number; a derivative in it is refused.  x : real.  Keeps: x, n.
    Source: DLMF 18.5.2 and 18.9.19.

    >>> ad.grad(lambda x: ad.special.diric(x, 2))(0.0) + 0.0
    np.float64(0.0)
    """
    return alike(xp, xp.special.diric(x, n), x)


@elementwise(
    counted("eval_legendre", "n"),
    lambda t, n, x: t * eval_gegenbauer(maximum(n, -1 - n) - 1, 1.5, x),
)
def eval_legendre(xp, n, x, /):
    """Legendre polynomial: y = Pₙ(x),  ∂y/∂x = C⁽³ᐟ²⁾ₙ₋₁(x).

    n : whole number; a derivative in it is refused.  x : real or complex.  Keeps: n, x.
    Source: DLMF 18.9.19 and 18.7.9.

    >>> ad.grad(lambda x: ad.special.eval_legendre(2, x))(1.0)
    np.float64(3.0)
    """
    return xp.special.eval_legendre(n, x)


@elementwise(counted("eval_chebyt", "n"), lambda t, n, x: t * (n * eval_chebyu(n - 1, x)))
def eval_chebyt(xp, n, x, /):
    """Chebyshev polynomial of the first kind: y = Tₙ(x),  ∂y/∂x = n Uₙ₋₁(x).

    n : whole number; a derivative in it is refused.  x : real or complex.  Keeps: n, x.
    Source: DLMF 18.9.21.

    >>> ad.grad(lambda x: ad.special.eval_chebyt(2, x))(1.0)
    np.float64(4.0)
    """
    return xp.special.eval_chebyt(n, x)


@elementwise(counted("eval_chebyu", "n"), lambda t, n, x: t * chebyu_slope(n, x))
def eval_chebyu(xp, n, x, /):
    """Chebyshev polynomial of the second kind: y = Uₙ(x),  ∂y/∂x = 2C⁽²⁾ₙ₋₁(x).

    n : whole number; a derivative in it is refused.  x : real or complex.  Keeps: n, x.
    Source: DLMF 18.9.19 and 18.7.4.

    >>> ad.grad(lambda x: ad.special.eval_chebyu(1, x))(1.0)
    np.float64(2.0)
    """
    return xp.special.eval_chebyu(n, x)


@elementwise(counted("eval_chebyc", "n"), lambda t, n, x: t * (n * eval_chebys(n - 1, x)))
def eval_chebyc(xp, n, x, /):
    """Chebyshev polynomial on (-2, 2): y = Cₙ(x) = 2Tₙ(x/2),  ∂y/∂x = n Sₙ₋₁(x).

    n : whole number; a derivative in it is refused.  x : real or complex.  Keeps: n, x.
    Source: DLMF 18.9.21 and 18.1.3.

    >>> ad.grad(lambda x: ad.special.eval_chebyc(2, x))(1.0)
    np.float64(2.0)
    """
    return xp.special.eval_chebyc(n, x)


@elementwise(counted("eval_chebys", "n"), lambda t, n, x: t * (chebyu_slope(n, x * 0.5) * 0.5))
def eval_chebys(xp, n, x, /):
    """Chebyshev polynomial on (-2, 2): y = Sₙ(x) = Uₙ(x/2),  ∂y/∂x = C⁽²⁾ₙ₋₁(x/2).

    n : whole number; a derivative in it is refused.  x : real or complex.  Keeps: n, x.
    Source: DLMF 18.9.19 and 18.1.3.

    >>> ad.grad(lambda x: ad.special.eval_chebys(1, x))(1.0)
    np.float64(1.0)
    """
    return xp.special.eval_chebys(n, x)


@elementwise(
    counted("eval_hermite", "n"), lambda t, n, x: t * (2 * n * eval_hermite(maximum(n - 1, 0), x))
)
def eval_hermite(xp, n, x, /):
    """Hermite polynomial of physics: y = Hₙ(x),  ∂y/∂x = 2n Hₙ₋₁(x).

    n : whole number; a derivative in it is refused.  x : real.  Keeps: n, x.
    Source: DLMF 18.9.25.

    >>> ad.grad(lambda x: ad.special.eval_hermite(1, x))(1.0)
    np.float64(2.0)
    """
    return xp.special.eval_hermite(n, x)


@elementwise(
    counted("eval_hermitenorm", "n"),
    lambda t, n, x: t * (n * eval_hermitenorm(maximum(n - 1, 0), x)),
)
def eval_hermitenorm(xp, n, x, /):
    """Hermite polynomial of probability: y = Heₙ(x),  ∂y/∂x = n Heₙ₋₁(x).

    n : whole number; a derivative in it is refused.  x : real.  Keeps: n, x.
    Source: DLMF 18.9.27.

    >>> ad.grad(lambda x: ad.special.eval_hermitenorm(2, x))(1.0)
    np.float64(2.0)
    """
    return xp.special.eval_hermitenorm(n, x)


@elementwise(counted("eval_laguerre", "n"), lambda t, n, x: -t * eval_genlaguerre(n - 1, 1.0, x))
def eval_laguerre(xp, n, x, /):
    """Laguerre polynomial: y = Lₙ(x),  ∂y/∂x = -L⁽¹⁾ₙ₋₁(x).

    n : whole number; a derivative in it is refused.  x : real or complex.  Keeps: n, x.
    Source: DLMF 18.9.23.

    >>> ad.grad(lambda x: ad.special.eval_laguerre(1, x))(1.0)
    np.float64(-1.0)
    """
    return xp.special.eval_laguerre(n, x)


def chebyu_slope(n, x):
    """Uₙ'(x), with U₋ₙ = -Uₙ₋₂."""
    back = less(n, -1)
    sign = where(back, -2.0, 2.0)
    return sign * eval_gegenbauer(where(back, -n - 2, n) - 1, 2.0, x)


@elementwise(
    counted("eval_genlaguerre", "n"),
    refused("eval_genlaguerre", "alpha"),
    lambda t, n, alpha, x: -t * eval_genlaguerre(n - 1, alpha + 1, x),
)
def eval_genlaguerre(xp, n, alpha, x, /):
    """Generalised Laguerre polynomial: y = L⁽ᵅ⁾ₙ(x),  ∂y/∂x = -L⁽ᵅ⁺¹⁾ₙ₋₁(x).

    n : whole number, alpha : real; derivatives in them are refused.  x : real or complex.
    Keeps: n, alpha, x.  Source: DLMF 18.9.23.

    >>> ad.grad(lambda x: ad.special.eval_genlaguerre(1, 0.5, x))(1.0)
    np.float64(-1.0)
    """
    return xp.special.eval_genlaguerre(n, alpha, x)


@elementwise(
    counted("eval_gegenbauer", "n"),
    refused("eval_gegenbauer", "alpha"),
    lambda t, n, alpha, x: t * (2 * alpha * eval_gegenbauer(n - 1, alpha + 1, x)),
)
def eval_gegenbauer(xp, n, alpha, x, /):
    """Gegenbauer polynomial: y = C⁽ᵅ⁾ₙ(x),  ∂y/∂x = 2α C⁽ᵅ⁺¹⁾ₙ₋₁(x).

    n : whole number, alpha : real; derivatives in them are refused.  x : real or complex.
    Keeps: n, alpha, x.  Source: DLMF 18.9.19.

    >>> ad.grad(lambda x: ad.special.eval_gegenbauer(1, 0.5, x))(1.0)
    np.float64(1.0)
    """
    return alike(xp, xp.special.eval_gegenbauer(n, alpha, x), x)


@elementwise(
    counted("eval_jacobi", "n"),
    refused("eval_jacobi", "alpha"),
    refused("eval_jacobi", "beta"),
    lambda t, n, alpha, beta, x: (
        t * ((n + alpha + beta + 1) * 0.5 * eval_jacobi(n - 1, alpha + 1, beta + 1, x))
    ),
)
def eval_jacobi(xp, n, alpha, beta, x, /):
    """Jacobi polynomial: y = P⁽ᵅ ᵝ⁾ₙ(x),  ∂y/∂x = ½(n + α + β + 1)P⁽ᵅ⁺¹ ᵝ⁺¹⁾ₙ₋₁(x).

    n : whole number, alpha, beta : real; derivatives in them are refused.  x : real or complex.
    Keeps: n, alpha, beta, x.  Source: DLMF 18.9.15.

    >>> ad.grad(lambda x: ad.special.eval_jacobi(1, 0.0, 0.0, x))(1.0)
    np.float64(1.0)
    """
    return xp.special.eval_jacobi(n, alpha, beta, x)


def eval_sh_legendre(n, x):
    """Legendre polynomial shifted to (0, 1): Pₙ(2x - 1).

    >>> ad.grad(lambda x: ad.special.eval_sh_legendre(1, x))(1.0)
    np.float64(2.0)
    """
    return eval_legendre(n, 2 * known(x) - 1)


def eval_sh_chebyt(n, x):
    """Chebyshev polynomial of the first kind shifted to (0, 1): Tₙ(2x - 1).

    >>> ad.grad(lambda x: ad.special.eval_sh_chebyt(1, x))(1.0)
    np.float64(2.0)
    """
    return eval_chebyt(n, 2 * known(x) - 1)


def eval_sh_chebyu(n, x):
    """Chebyshev polynomial of the second kind shifted to (0, 1): Uₙ(2x - 1).

    >>> ad.grad(lambda x: ad.special.eval_sh_chebyu(1, x))(1.0)
    np.float64(4.0)
    """
    return eval_chebyu(n, 2 * known(x) - 1)


def eval_sh_jacobi(n, p, q, x):
    """Jacobi polynomial shifted to (0, 1): P⁽ᵖ⁻ᵠ ᵠ⁻¹⁾ₙ(2x - 1)/binom(2n + p - 1, n).

    Derivatives in n, p and q are refused.

    >>> ad.grad(lambda x: ad.special.eval_sh_jacobi(1, 2.0, 1.0, x))(1.0)
    np.float64(1.0)
    """
    n, p, q = known(n), known(p), known(q)
    return eval_jacobi(n, p - q, q - 1, 2 * known(x) - 1) / binom(2 * n + p - 1, n)


@elementwise(
    counted("lpmv", "m"),
    refused("lpmv", "v"),
    lambda t, m, v, x, out: t * (((v + m) * lpmv(m, v - 1, x) - v * x * out) / ((1 - x) * (1 + x))),
)
def lpmv(xp, m, v, x, /):
    """Legendre function Pᵐᵥ on (-1, 1): (1 - x²) ∂y/∂x = (v + m)Pᵐᵥ₋₁(x) - v x y.

    m : whole number, v : real; derivatives in them are refused.  x : real.  Keeps: m, v, x, out.
    Undefined: at ±1 (NaN).  Source: DLMF 14.10.5.

    >>> ad.grad(lambda x: ad.special.lpmv(0, 1, x))(0.5)
    np.float64(1.0)
    """
    return xp.special.lpmv(m, v, x)


__all__ = [
    "airy", "airye", "boxcox", "boxcox1p", "diric", "eval_chebyc", "eval_chebys", "eval_chebyt",
    "eval_chebyu", "eval_gegenbauer", "eval_genlaguerre", "eval_hermite", "eval_hermitenorm",
    "eval_jacobi", "eval_laguerre", "eval_legendre", "eval_sh_chebyt", "eval_sh_chebyu",
    "eval_sh_jacobi", "eval_sh_legendre", "exprel", "hankel1", "hankel1e", "hankel2", "hankel2e",
    "hyp0f1", "hyp1f1", "hyp2f1", "hyperu", "i0", "i0e", "i1", "i1e", "inv_boxcox", "inv_boxcox1p",
    "iv", "ive", "j0", "j1", "jn", "jv", "jve", "k0", "k0e", "k1", "k1e", "kn", "kv", "kve",
    "lpmv", "modstruve", "sinc", "spherical_in", "spherical_jn", "spherical_kn", "spherical_yn",
    "struve", "y0", "y1", "yn", "yv", "yve",
]  # fmt: skip
