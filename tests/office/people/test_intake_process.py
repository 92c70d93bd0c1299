"""The caged child itself: what it refuses, what it may not do, and that the pages go on whatever becomes of it."""

from __future__ import annotations

import contextlib
import ctypes
import io
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from office.people import intake_process
from office.people.intake_process import (
    Marker,
    NotMarkedError,
    PhotographRefusedError,
    cut_face,
    read_photograph,
)
from office.people.intake_terms import (
    BUSY,
    EMPTY,
    FILE_BYTES_MAX,
    MEMORY_BYTES_MAX,
    PORTRAIT,
    SENTENCES,
    SMALL,
    TOO_SLOW,
    Box,
    Job,
)
from runtime.cage import _CALLS, _MACHINES, allowed_on
from tests.office.people.pictures import (
    chunk,
    claiming,
    drawn,
    of_many_scans,
    oriented,
    png,
    saved,
    srgb_profile,
    with_segment,
)

pytestmark = pytest.mark.integration


def noise(width: int, height: int) -> Image.Image:
    """What compresses badly."""
    return Image.effect_noise((width // 8, height // 8), 90).resize((width, height)).convert("RGB")


def large_baseline() -> bytes:
    """63 megapixels, as the largest telephones make them."""
    return saved(Image.new("L", (9_000, 7_000), 90), quality=40)


ACCEPTED: dict[str, Callable[[], bytes]] = {
    "63 megapixels": large_baseline,
    "12 megapixels": lambda: saved(noise(4_000, 3_000), quality=60),
    "4 megapixels, progressive": lambda: saved(noise(2_300, 1_800), quality=60, progressive=True),
    "8 megapixels, PNG of 16 bits": lambda: png(2_880, 2_880, bits=16, colour=6, data=bytes(8 * 2_880 + 1) * 2_880),
    "turned, with place": lambda: oriented(6),
    "CMYK with a profile": lambda: saved(drawn(mode="CMYK"), icc_profile=srgb_profile()),
    "EXIF data of 4 MB": lambda: with_segment(saved(drawn()), 1, b"Exif\0\0MM\0*" + b"\xff" * 65_000, times=60),
    "a profile of 4 MB": lambda: with_segment(saved(drawn()), 2, b"ICC_PROFILE\0\x01\x3c" + b"\xff" * 65_000, times=60),
    "a page behind the picture": lambda: saved(drawn()) + b"<html><script>alert(1)</script></html>",
    "animated": lambda: saved(drawn(), "PNG", save_all=True, append_images=[noise(300, 400)] * 5),
}
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", EMPTY),
    "too many bytes": (lambda: b"\xff\xd8\xff" + bytes(FILE_BYTES_MAX), "8.0 MB; 8 MB is the most"),
    "PNG that wants 867 MB": (lambda: png(17_000, 17_000, data=bytes(20_000_000)), SENTENCES["too-large"]),
    "63 megapixels, progressive": (
        lambda: claiming(saved(drawn(), progressive=True), 9_000, 7_000),
        SENTENCES["progressive"],
    ),
    "JPEG that says 4 gigapixels": (lambda: claiming(saved(drawn()), 65_500, 65_500), SENTENCES["too-large"]),
    "thousands of scans": (lambda: of_many_scans(4_000), TOO_SLOW),
    "cut off": (lambda: saved(drawn())[:3_000], SENTENCES["damaged"]),
    "GIF": (lambda: saved(drawn(), "GIF"), SENTENCES["unreadable"]),
    "SVG": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", SENTENCES["unreadable"]),
    "a page before the picture": (lambda: b"<html>" + saved(drawn()), SENTENCES["unreadable"]),
    "text of 60 MB in a PNG": (
        lambda: png(300, 400, data=bytes(901 * 400), extra=chunk(b"zTXt", b"x\0\0" + _packed(60_000_000))),
        SENTENCES["unreadable"],
    ),
    "a profile of 60 MB in a PNG": (
        lambda: png(300, 400, data=bytes(901 * 400), extra=chunk(b"iCCP", b"x\0\0" + _packed(60_000_000))),
        SENTENCES["unreadable"],
    ),
}


def _packed(count: int) -> bytes:
    return zlib.compress(bytes(count), 1)


@pytest.mark.parametrize("make", ACCEPTED.values(), ids=ACCEPTED)
def test_what_is_greedy_but_honest_is_read_in_the_cage(make: Callable[[], bytes]) -> None:
    made = read_photograph(make())

    with Image.open(io.BytesIO(made.data)) as picture:
        assert ("JPEG", "RGB", (made.width, made.height)) == (picture.format, picture.mode, picture.size)
        assert picture.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.parametrize(("make", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_is_hostile_is_refused_with_a_sentence(
    make: Callable[[], bytes], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_process, "DEADLINE_S", 60.0)  # the child's own limits come first
    with pytest.raises(PhotographRefusedError) as refused:
        read_photograph(make())

    assert sentence in str(refused.value)


def test_a_face_is_cut_out() -> None:
    portrait, small = cut_face(saved(drawn(600, 800)), Box(0, 0, 150, 200))

    assert [PORTRAIT, SMALL] == [(one.width, one.height) for one in (portrait, small)]


def test_a_box_outside_is_refused() -> None:
    with pytest.raises(PhotographRefusedError):
        cut_face(saved(drawn(600, 800)), Box(590, 0, 150, 200))


def test_a_child_that_hangs_is_killed_and_the_next_photograph_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as hanging:
        hanging.setattr(intake_process, "DEADLINE_S", 0.0)
        with pytest.raises(PhotographRefusedError, match=TOO_SLOW):
            read_photograph(saved(drawn()))

    assert 300 == read_photograph(saved(drawn())).width


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGPROF)", TOO_SLOW),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", TOO_SLOW),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", SENTENCES["unreadable"]),
        ("print('<b>not an answer</b>')", SENTENCES["unreadable"]),
        ("print('x' * 10_000)", SENTENCES["unreadable"]),
        ("""print('{"parts":[{"width":1,"height":1,"bytes_count":9000000000}]}')""", SENTENCES["unreadable"]),
        ("""print('{"parts":[{"width":1,"height":1,"bytes_count":-1}]}')""", SENTENCES["unreadable"]),
        ("""print('{"parts":[]}')""", SENTENCES["unreadable"]),
        ("""print('{"refused":"<script>"}')""", SENTENCES["unreadable"]),
    ],
    ids=["slow", "killed", "crashed", "nonsense", "endless-head", "gigabytes", "negative", "nothing", "own-words"],
)
def test_a_child_that_was_taken_over_says_nothing_to_anybody(
    code: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = subprocess.Popen

    def taken_over(command: list[str], **options: object) -> subprocess.Popen[bytes]:
        return start([sys.executable, "-c", code], **options)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(subprocess, "Popen", taken_over)

    with pytest.raises(PhotographRefusedError) as refused:
        read_photograph(saved(drawn()))
    assert sentence == str(refused.value)


def test_no_more_than_two_photographs_are_read_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_process, "WAITS_S", 0.0)
    with intake_process._slots, intake_process._slots, pytest.raises(PhotographRefusedError, match=BUSY):
        read_photograph(saved(drawn()))

    assert 300 == read_photograph(saved(drawn())).width


def test_few_wait_for_their_turn_and_the_others_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_process, "WAITS_S", 1e6)
    with contextlib.ExitStack() as taken:
        for _ in range(intake_process.AT_ONCE):
            taken.enter_context(intake_process._slots)
        for _ in range(intake_process.AT_ONCE + intake_process.WAITING):
            taken.enter_context(intake_process._places)
        with pytest.raises(PhotographRefusedError, match=BUSY):
            read_photograph(saved(drawn()))

    assert 300 == read_photograph(saved(drawn())).width


CAGED = """
import ctypes, os, resource, socket
from runtime.cage import close_cage, limit_resources
libc = ctypes.CDLL(None)
limit_resources(memory_bytes=120_000_000, cpu_s=2)
assert close_cage()
try:
    {attempt}
    os.write(1, b"done")
except (OSError, MemoryError, ValueError) as e:
    os.write(1, type(e).__name__.encode())
os._exit(0)
"""


@pytest.mark.parametrize(
    "attempt",
    [
        "open('/etc/hostname')",
        "socket.socket()",
        "os.fork()",
        "os.kill(os.getppid(), 0)",
        "os.execv('/bin/true', ['true'])",
        "os.unlink('/nowhere/at/all')",
        "libc.ptrace(16, os.getppid(), 0, 0) == 0 or socket.socket()",
        f"bytearray({MEMORY_BYTES_MAX})",
        "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
    ],
    ids=["file", "network", "process", "signal", "program", "unlink", "trace", "memory", "limit"],
)
def test_the_cage_lets_nothing_out(attempt: str) -> None:
    code = CAGED.format(attempt=attempt)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600, check=False)

    assert done.stdout in {"OSError", "PermissionError", "BlockingIOError", "MemoryError", "ValueError"}, done.stderr


@pytest.mark.parametrize(("machine", "architecture"), _MACHINES.items())
def test_the_cage_names_the_calls_of_each_machine_by_their_numbers(machine: str, architecture: int) -> None:
    """By libseccomp's tables, which come with systemd: under a wrong number another call would be let out."""
    number_of = ctypes.CDLL("libseccomp.so.2").seccomp_syscall_resolve_name_arch
    number_of.argtypes = (ctypes.c_uint32, ctypes.c_char_p)
    numbers = {name: number_of(architecture, name.encode()) for name in _CALLS}

    assert {name: number for name, number in numbers.items() if number >= 0} == allowed_on(machine)


def test_the_child_has_neither_our_environment_nor_our_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHLINK_SECRET", "secret")
    child = intake_process._Child("serve")
    try:
        child.do(Job("mark", len(picture := saved(drawn())), text="x"), picture, 30.0)
        pid = child._process.pid
        assert Path(f"/proc/{pid}/environ").read_bytes() == b""
        said = Path(f"/proc/{pid}/status").read_text()
        assert "Seccomp:\t2" in said
        assert "NoNewPrivs:\t1" in said
    finally:
        child.close()


def test_a_marker_starts_again_when_its_child_has_gone() -> None:
    marker, picture = Marker(), saved(drawn(480, 640))
    try:
        first = marker.mark(picture, "Cora Hart")
        assert marker._child is not None
        marker._child._process.kill()
        marker._child._process.wait()
        assert first == marker.mark(picture, "Cora Hart")
        assert first != marker.mark(picture, "Otto Pub")
    finally:
        marker.close()


def test_a_marker_that_cannot_says_so_and_can_again(monkeypatch: pytest.MonkeyPatch) -> None:
    marker, picture = Marker(), saved(drawn(480, 640))
    try:
        with pytest.raises(NotMarkedError):
            marker.mark(b"no picture", "Cora Hart")
        with monkeypatch.context() as hanging:
            hanging.setattr(intake_process, "MARK_DEADLINE_S", 0.0)
            with pytest.raises(NotMarkedError):
                marker.mark(picture, "Cora Hart")
        assert marker.mark(picture, "Cora Hart")
    finally:
        marker.close()


def test_the_pages_never_import_pillow() -> None:
    code = (
        "import django; django.setup(); import office.urls, office.people.photograph_views, sys;"
        "assert not {'PIL', 'office.people.intake', 'runtime.watermark'} & sys.modules.keys()"
    )
    environment = {"DJANGO_SETTINGS_MODULE": "office.settings", "PATH": ""}

    subprocess.run([sys.executable, "-c", code], check=True, timeout=600, env=environment)
