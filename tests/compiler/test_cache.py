"""The cache on disk: what it returns is what was stored, whatever happens to its files."""

import errno
import os
import stat
import subprocess
import sys

import numpy as np
import pytest

from adjoint.__main__ import main
from adjoint.compiler import cache, machine
from adjoint.compiler.cache import get, put
from adjoint.errors import CompileError

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no owner here")
native_only = pytest.mark.skipif(bool(machine.available()), reason=str(machine.available()))

KEY, OTHER = "ab" * 32, "cd" * 32
IMAGE, FACTS = bytes(range(256)), {"shape": (2, 3), "name": "f", "none": None, "many": [1.5, True]}
SEVEN = "define i32 @f() { ret i32 7 }"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A cache of its own for every test."""
    monkeypatch.setenv("ADJOINT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def file(home):
    """The file of a stored image."""
    put(KEY, IMAGE, FACTS)
    return home / "native" / f"{KEY}.code"


def test_what_was_stored_is_returned(file):
    assert get(KEY) == (IMAGE, FACTS)
    assert get(OTHER) is None
    put(KEY, b"", {})
    assert get(KEY) == (b"", {})


@pytest.mark.parametrize("fact", [float("inf"), float("nan"), np.float64(1), np.ones(1), object()])
def test_with_facts_that_are_no_literals_nothing_is_stored(home, fact):
    put(KEY, IMAGE, {"fact": fact})
    assert get(KEY) is None and not home.exists()


def test_files_are_the_users_alone(file):
    for path, mode in ((file, 0o600), (file.parent, 0o700)):
        assert stat.S_IMODE(path.stat().st_mode) == mode
        assert path.stat().st_uid == os.geteuid()
    assert [path.name for path in file.parent.iterdir()] == [file.name]


SIZE = len(IMAGE) + len(repr(FACTS)) + cache.HEAD.size


@pytest.mark.parametrize(
    "length", [0, 1, 15, 16, cache.HEAD.size - 1, cache.HEAD.size, cache.HEAD.size + 1, SIZE - 1]
)
def test_a_file_cut_off_is_absent_and_removed(file, length):
    assert file.stat().st_size == SIZE
    os.truncate(file, length)
    assert get(KEY) is None and not file.exists()


def test_a_file_lengthened_is_absent_and_removed(file):
    with open(file, "ab") as end:
        end.write(b"\0")
    assert get(KEY) is None and not file.exists()


def test_a_file_with_any_bit_flipped_is_absent_and_removed(file):
    sound = file.read_bytes()
    for place in range(len(sound)):
        changed = bytearray(sound)
        changed[place] ^= 1 << place % 8
        file.write_bytes(changed)
        assert get(KEY) is None and not file.exists(), place
        file.touch(0o600)


def test_a_file_under_the_name_of_another_is_absent(file):
    file.rename(file.with_name(f"{OTHER}.code"))
    assert get(OTHER) is None


@pytest.mark.parametrize("mode", [0o640, 0o620, 0o604, 0o602, 0o666, 0o777])
def test_a_file_others_may_reach_is_absent_and_removed(file, mode):
    file.chmod(mode)
    assert get(KEY) is None and not file.exists()


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o777, 0o1777])
def test_a_directory_others_may_enter_is_not_used(file, mode):
    file.parent.chmod(mode)
    assert get(KEY) is None
    put(OTHER, IMAGE, FACTS)
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert "not used" in cache.describe() and "0700" in cache.describe()
    with pytest.raises(PermissionError):
        cache.clear()


def test_a_directory_of_another_user_is_not_used(file, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: file.stat().st_uid + 1)
    assert get(KEY) is None
    put(OTHER, IMAGE, FACTS)
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_file_of_another_user_is_absent(file, monkeypatch):
    private = cache.is_private
    monkeypatch.setattr(
        cache, "is_private", lambda found: private(found) and stat.S_ISDIR(found.st_mode)
    )
    assert get(KEY) is None


def test_a_link_to_a_file_is_absent_and_its_target_kept(file):
    target = file.with_name("target")
    file.rename(target)
    file.symlink_to(target)
    assert get(KEY) is None
    assert not file.is_symlink() and target.exists()


def test_a_link_to_a_directory_is_not_used(file):
    target = file.parents[1] / "target"
    file.parent.rename(target)
    file.parent.symlink_to(target)
    assert get(KEY) is None


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_absent(file, make):
    file.unlink()
    make(file)
    assert get(KEY) is None
    put(KEY, IMAGE, FACTS)
    assert get(KEY) == (None if make is os.mkdir else (IMAGE, FACTS))


def test_a_place_where_nothing_can_be_made_is_no_trouble(home):
    home.write_text("a file, and no directory")
    put(KEY, IMAGE, FACTS)
    assert get(KEY) is None
    assert "not used" in cache.describe()


@pytest.mark.parametrize("call", ["open", "rename", "scandir", "utime", "fstat", "stat", "unlink"])
def test_trouble_with_the_disk_is_no_trouble(file, monkeypatch, call):
    def refuse(*args, **options):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, call, refuse)
        put(OTHER, IMAGE, FACTS)
        found = get(KEY)
    assert found in (None, (IMAGE, FACTS))


def test_a_full_disk_leaves_what_was_there_and_nothing_unfinished(file, monkeypatch):
    class Full:
        def __init__(self, handle, mode):
            self.file = open(handle, mode)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.file.close()

        def write(self, data):
            self.file.write(data[: len(data) // 2])
            self.file.flush()
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(cache, "open", Full, raising=False)
        put(KEY, b"new", FACTS)
        put(OTHER, b"new", FACTS)
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert get(KEY) == (IMAGE, FACTS) and get(OTHER) is None


def test_what_was_longest_unused_is_removed_when_there_is_too_much(file, monkeypatch):
    monkeypatch.setattr(cache, "LIMIT", 3 * SIZE + 10)
    keys = [KEY, "1" * 64, "2" * 64, "3" * 64]
    for age, key in enumerate(keys[:3]):
        put(key, IMAGE, FACTS)
        os.utime(file.with_name(f"{key}.code"), (1000 + age, 1000 + age))
    assert get(KEY)
    put(keys[3], IMAGE, FACTS)
    assert [get(key) is not None for key in keys] == [True, False, True, True]
    put(OTHER, bytes(4 * SIZE), FACTS)
    assert get(OTHER) is None and get(KEY)


def test_what_was_never_finished_is_removed_in_time(file):
    old, new = (file.with_name(f"{name}.part") for name in ("old", "new"))
    for path in (old, new):
        path.touch()
    os.utime(old, (1000, 1000))
    put(OTHER, IMAGE, FACTS)
    assert not old.exists() and new.exists()


WRITER = """
import sys
from adjoint.compiler.cache import get, put
key, mine = "ab" * 32, int(sys.argv[1])
for turn in range(150):
    size = 1000 * mine + turn
    put(key, bytes([mine]) * size, {"size": size, "writer": mine})
    image, facts = get(key)
    assert image == bytes([facts["writer"]]) * facts["size"]
"""


def test_writers_at_once_leave_one_whole_file(home):
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(k)], stderr=subprocess.PIPE)
        for k in range(1, 5)
    ]
    errors = [writer.communicate(timeout=120)[1].decode() for writer in writers]
    assert errors == [""] * 4
    image, facts = get(KEY)
    assert facts["size"] == len(image) == 1000 * facts["writer"] + 149
    assert len(list((home / "native").iterdir())) == 1


@pytest.mark.parametrize("word", ["", "off"])
def test_it_can_be_switched_off(monkeypatch, tmp_path, word):
    monkeypatch.setenv("ADJOINT_CACHE", word)
    monkeypatch.chdir(tmp_path)
    put(KEY, IMAGE, FACTS)
    assert get(KEY) is None and cache.directory() is None and cache.clear() == 0
    assert "switched off" in cache.describe()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "platform, variables, path",
    [
        ("linux", dict(HOME="/h"), "/h/.cache/adjoint/native"),
        ("linux", dict(HOME="/h", XDG_CACHE_HOME="/x"), "/x/adjoint/native"),
        ("linux", dict(HOME="/h", XDG_CACHE_HOME="relative"), None),
        ("darwin", dict(HOME="/h"), "/h/Library/Caches/adjoint/native"),
        ("linux", dict(HOME="/h", ADJOINT_CACHE="~/mine"), "/h/mine/native"),
    ],
)
def test_its_place_is_the_platforms_or_as_asked(monkeypatch, platform, variables, path):
    for name in ("ADJOINT_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert cache.directory() == path


def test_keys_differ_where_a_part_differs():
    parts = [("a", "b"), ("b", "a"), ("ab",), ("a", "b", ""), (b"a", "c")]
    assert len({cache.key_of(*part) for part in parts}) == len(parts)
    assert cache.key_of("a", "b") == cache.key_of(b"a", b"b")


def test_the_environment_differs_where_the_cpu_a_version_or_the_source_differs(monkeypatch):
    environment = cache.environment.__wrapped__
    found = {environment(), environment()}
    text = cache.content
    for owner, name, value in (
        (machine, "fingerprint", lambda: "another"),
        (cache.np, "__version__", "0"),
        (cache, "llvmlite_version", lambda: "0"),
        (sys, "version", "0"),
        (cache, "content", lambda path: text(path) + b"#" * path.endswith("image.py")),
    ):
        with monkeypatch.context() as other:
            other.setattr(owner, name, value)
            found.add(environment())
    assert len(found) == 6


@pytest.mark.parametrize(
    "owner, name, value",
    [
        (cache, "IMPORTED", 0),  # all was edited since
        (os, "listdir", lambda path: ["image.pyc"]),
        (os, "listdir", lambda path: os.scandir(path + "/no")),
    ],
)
def test_nothing_is_kept_where_the_source_of_what_runs_is_not_at_hand(
    monkeypatch, home, owner, name, value
):
    with monkeypatch.context() as other:
        other.setattr(owner, name, value)
        other.setattr(cache, "environment", cache.environment.__wrapped__)
        assert cache.key_of("a") == ""
    put("", IMAGE, FACTS)
    assert get("") is None and not home.exists()


@native_only
def test_code_is_compiled_once(monkeypatch):
    first = cache.native(SEVEN)
    monkeypatch.setattr(cache, "build", lambda ir: pytest.fail("compiled twice"))
    assert cache.native(SEVEN).addresses.keys() == first.addresses.keys()


@native_only
def test_facts_come_with_the_code():
    assert cache.fetch(KEY) is None
    cache.native(SEVEN, KEY, FACTS)
    code, facts = cache.fetch(KEY)
    assert facts == FACTS and code.address("f")


@native_only
def test_what_cannot_be_loaded_any_more_is_absent():
    text = SEVEN.replace("ret i32 7", "%r = call i32 @no_such_function()\n  ret i32 %r\n")
    text += "\ndeclare i32 @no_such_function()"
    with pytest.raises(CompileError, match="no_such_function"):
        cache.native(text, KEY)
    assert get(KEY) and cache.fetch(KEY) is None


@native_only
def test_a_warm_cache_does_without_llvm():
    cache.native(SEVEN)
    ask = f"import sys; from adjoint.compiler.cache import native; native({SEVEN!r})"
    command = [sys.executable, "-c", f"{ask}; print('llvmlite' in sys.modules)"]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "False\n"


def test_the_command_says_where_and_how_much(file, capsys):
    put(OTHER, bytes(3 << 20), {})
    assert main(["cache"]) == 0
    assert capsys.readouterr().out == f"{file.parent}: 3.0 MiB, files: 2\n"
    file.with_name("mine.txt").touch()
    assert main(["cache", "--clear"]) == 0
    assert capsys.readouterr().out == f"files removed: 2\n{file.parent}: 0.0 MiB, files: 0\n"
    assert [path.name for path in file.parent.iterdir()] == ["mine.txt"]


def test_the_command_says_why_it_removed_nothing(file, capsys):
    file.parent.chmod(0o755)
    assert main(["cache", "--clear"]) == 1
    assert "nothing was removed" in capsys.readouterr().err and file.exists()
