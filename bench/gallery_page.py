"""What the in-shop page costs with 10,000 people: to search, and to look at a photograph with its watermark."""

from __future__ import annotations

import io
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, get_args

import httpx
from PIL import Image

from gallery.page.finding import PAGE, Index, wanted
from tests.support.gallery_card import HART, Published
from tests.support.gallery_page import ALICE, PageUnderTest, face
from tests.support.gallery_running import PIN
from wire.gallery_lines import Category

PEOPLE: Final = 10_000
TIMES: Final = 15
SEARCH_BAR_MS: Final = 50
VIEW_BAR_MS: Final = 60
PORTRAIT_SIZE: Final = (480, 640)
"""As the office publishes it."""
NAMES: Final = ("Nora", "Zoë", "Siân", "Ann", "Bob", "Dafydd", "Eilidh", "Jo", "Sam", "Mia", "Dean", "Noor")
SURNAMES: Final = ("Reed", "Vale", "O'Brien", "Müller", "Marsh", "Hale", "Okafor", "Featherstonehaugh", "Tarn", "Long")
QUERIES: Final = ("nora", "o’brien zoe", "hart 4711", "theft sam", "nobody of that name")
PACE_S: Final = 0.06
"""Between two questions of a browser: the page slows down whoever is faster."""


def run() -> None:
    """Print the figures beside their bars."""
    with tempfile.TemporaryDirectory(prefix="watchlink-bench-") as folder:
        page = PageUnderTest(Path(folder) / "card")
        try:
            page.published = _published()
            page.hear().with_pin()
            print(f"the in-shop page with {PEOPLE} people")
            _search_alone(page)
            with httpx.Client(base_url=page.serve(), headers={"x-watchlink": "1"}) as client:
                client.headers["origin"] = str(client.base_url).rstrip("/")
                client.post("/sign-in", json={"person": ALICE, "secret": PIN.text}).raise_for_status()
                _pages(client)
                _photographs(page, client)
        finally:
            page.end()


def _published() -> Published:
    gallery = Published()
    for case in range(1, PEOPLE + 1):
        name = f"{NAMES[case % len(NAMES)]} {SURNAMES[case // 7 % len(SURNAMES)]}"
        category: Category = get_args(Category)[case % len(get_args(Category))]
        # The newest page of the list has photographs.
        photograph = _portrait(case) if case > PEOPLE - PAGE else b""
        gallery.issue(case, name, photograph, category=category, here=case % 5 == 0, days=(10, 300))
    return gallery


def _portrait(number: int) -> bytes:
    out = io.BytesIO()
    with Image.open(io.BytesIO(face(number))) as picture:
        picture.convert("RGB").resize(PORTRAIT_SIZE).save(out, "JPEG", quality=96)
    return out.getvalue()


def _search_alone(page: PageUnderTest) -> None:
    snapshot = page.gallery.running.snapshot()
    first_ms = _median_ms(lambda: Index(snapshot).found(wanted("nora", (), ""), snapshot.now_s))
    index = Index(snapshot)
    index.found(wanted("nora", (), ""), snapshot.now_s)
    queries = itertools.cycle(QUERIES)
    again_ms = _median_ms(lambda: index.found(wanted(next(queries), (), ""), snapshot.now_s))
    print(f"  a search {again_ms:.1f} ms; the first one after a change {first_ms:.1f} ms (bar {SEARCH_BAR_MS})")


def _pages(client: httpx.Client) -> None:
    queries = itertools.cycle(QUERIES)
    list_ms = _median_ms(lambda: client.get("/").raise_for_status(), PACE_S)
    search_ms = _median_ms(lambda: client.get("/", params={"q": next(queries)}).raise_for_status(), PACE_S)
    print(f"  the whole page, its view on the disk: list {list_ms:.1f} ms, search {search_ms:.1f} ms")


def _photographs(page: PageUnderTest, client: httpx.Client) -> None:
    shown = [one for one in page.gallery.people() if one.sizes]
    sizes = sorted(len(_portrait(one.case)) for one in shown)

    def look(paths: Iterator[str]) -> None:
        client.get(next(paths)).raise_for_status()

    portraits = itertools.cycle([f"/people/{HART}/{one.case}/{one.since}/portrait.jpg" for one in shown])
    cards = itertools.cycle([f"/people/{HART}/{one.case}/{one.since}/card.jpg" for one in shown])
    # Small pictures are of a list that was shown lately.
    client.get("/").raise_for_status()
    first_ms = _times_ms(lambda: look(portraits), 1, 0)[0]
    portrait_ms = _median_ms(lambda: look(portraits), PACE_S)
    card_ms = _median_ms(lambda: look(cards), PACE_S)
    print(f"  a photograph of 480 × 640 ({sizes[len(sizes) // 2] // 1_000} kB), watermarked, its view on the disk:")
    print(f"    {portrait_ms:.1f} ms (bar {VIEW_BAR_MS}), in a list {card_ms:.1f} ms; after a pause {first_ms:.0f} ms")


def _median_ms(act: Callable[[], object], pause_s: float = 0.0) -> float:
    return statistics.median(_times_ms(act, TIMES, pause_s))


def _times_ms(act: Callable[[], object], times: int, pause_s: float) -> Sequence[float]:
    values = []
    for _ in range(times):
        began_s = time.perf_counter()
        act()
        values.append((time.perf_counter() - began_s) * 1_000)
        time.sleep(pause_s)
    return values
