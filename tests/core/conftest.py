"""Ops declared for one test, and threads that change places as often as they can."""

import sys

import pytest

import adjoint as ad
from adjoint.ops.rules import elementwise


@pytest.fixture
def counted():
    """An addition of two arrays that counts how often its rules are called, and that count."""
    calls = []

    def through(t):
        calls.append(1)
        return t

    @elementwise(through, through)
    def counted(xp, x, y, /):
        return x + y

    yield counted, calls
    del ad.OPS["counted"]


@pytest.fixture
def eager_switching():
    """Threads take turns every microsecond, so that what they share is found out."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)
