"""A room that outgrows its budget needs an idea taken out, not another file."""

from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "adjoint"
BUDGET = dict(
    errors=320, backends=175, core=1850, ops=9000, transforms=2900, interop=300, compile=3000,
    show=1350, testing=350, demo=660,
    fft=60, integrate=60, linalg=120, signal=60, special=160, stats=60,
)  # fmt: skip


def lines(room: str) -> int:
    files = [SOURCE / f"{room}.py", *(SOURCE / room).rglob("*.py")]
    return sum(len(file.read_text("utf-8").splitlines()) for file in files if file.exists())


@pytest.mark.parametrize("room", BUDGET)
def test_room_keeps_to_its_budget(room):
    assert lines(room) <= BUDGET[room], "change the number in the commit that explains why"


def test_every_room_has_a_budget():
    rooms = {path.relative_to(SOURCE).parts[0].removesuffix(".py") for path in SOURCE.rglob("*.py")}
    assert rooms - {"__init__", "__main__"} <= BUDGET.keys()
