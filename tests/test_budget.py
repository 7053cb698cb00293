"""A room that outgrows its budget needs an idea taken out, not another file."""

from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "adjoint"
BUDGET = dict(
    errors=420, backends=175, core=2300, ops=16200, transforms=3600, interop=750, compiler=13000,
    show=1350, testing=350, demo=660,
    fft=40, integrate=40, linalg=90, signal=40, special=40, stats=40,
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
