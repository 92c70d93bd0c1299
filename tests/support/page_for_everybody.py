"""Whether everybody can use a page: what axe finds, how narrow it gets, and what a screen reader is told of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe
from msgspec import Struct
from playwright.sync_api import Page, ViewportSize

DESK: Final = ViewportSize(width=1280, height=900)
PHONE: Final = ViewportSize(width=390, height=844)
NARROW: Final = ViewportSize(width=320, height=640)
"""What 400 % of a desk's width leaves (WCAG 2.2, 1.4.10)."""
_AXE: Final = Axe().axe_script
SERIOUS: Final = frozenset({"serious", "critical"})
_OF_LOOKS: Final = ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"]
"""Rules of axe that another theme or width may break; for all others the page is the same."""
_FIELDS: Final = frozenset({"textbox", "searchbox", "combobox", "checkbox", "radio", "spinbutton"})
_NAMED: Final = _FIELDS | {"button", "link", "radiogroup", "img", "region", "navigation", "heading"}
"""Roles that are nothing without a name."""
_VAGUE: Final = frozenset({"ok", "submit", "send", "go", "here", "click here", "more", "yes", "no"})
_LINE: Final = re.compile(
    r"""\s*- '?(?P<role>[a-z]+)(?: "(?P<name>(?:[^"\\]|\\.)*)")?(?P<marks>(?: \[[^\]]+\])*)'?:?"""
)
_LEVEL: Final = re.compile(r"\[level=([1-6])\]")
_UNTIED: Final = """() => {
  const faults = [];
  const all = (selector) => [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility());
  for (const error of all(".field .error, fieldset .error")) {
    const tied = error.id && document.querySelector(`[aria-describedby~="${error.id}"]`);
    const field = tied && (tied.matches("fieldset") ? tied.querySelector("input") : tied);
    if (!tied) faults.push(`no field is described by: ${error.textContent}`);
    else if (field.getAttribute("aria-invalid") !== "true") faults.push(`not marked as invalid: ${field.name}`);
  }
  for (const field of all("[aria-invalid=true]")) {
    const words = field.closest("[aria-describedby]")?.getAttribute("aria-describedby").split(" ") ?? [];
    const isSaid = words.some((id) => document.getElementById(id)?.matches(".error"));
    if (!isSaid) faults.push(`invalid, and nothing says why: ${field.name}`);
  }
  for (const link of all(".errors a")) {
    const target = document.querySelector(link.getAttribute("href"));
    if (!target?.matches("input, select, textarea, :has(input)")) faults.push(`leads to no field: ${link.textContent}`);
  }
  for (const set of all("fieldset")) {
    if (!set.querySelector(":scope > legend")?.textContent.trim()) faults.push("a fieldset without a legend");
  }
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) faults.push(`two things are called ${id}`);
  return faults;
}"""
"""Faults of a form's errors: each is tied to its field both ways, and the list on top leads there."""


class Told(Struct, frozen=True):
    """One thing of the accessibility tree.

    Attributes:
        marks: such as ``[level=1]``.
    """

    role: str
    name: str
    marks: str


def faults(page: Page) -> list[str]:
    """What keeps somebody from using the page that is loaded; it is left at a desk, in the light theme."""
    return [*told_faults(page), *_form_faults(page), *_seen_faults(page)]


def told(page: Page) -> list[Told]:
    """The accessibility tree, as Playwright writes it, from top to bottom."""
    found = (_LINE.match(line) for line in page.locator("body").aria_snapshot().splitlines())
    return [Told(one["role"], one["name"] or "", one["marks"]) for one in found if one is not None]


def told_faults(page: Page) -> Iterator[str]:
    """What a screen reader says wrongly, or not at all."""
    tree = told(page)
    levels = [int(level[1]) for one in tree if one.role == "heading" and (level := _LEVEL.search(one.marks))]
    if levels[:1] != [1] or levels.count(1) != 1:
        yield f"the first heading, and no other, is of the first level: {levels}"
    yield from (f"heading {after} follows {before}" for before, after in pairwise(levels) if after > before + 1)
    yield from (f"a {one.role} without a name" for one in tree if one.role in _NAMED and not one.name.strip())
    buttons = [one.name for one in tree if one.role == "button"]
    yield from (f"a button that does not say what it does: {name}" for name in buttons if name.casefold() in _VAGUE)
    yield from (f"two buttons say: {name}" for name in sorted(set(buttons)) if buttons.count(name) > 1)
    fields = [one.name for one in tree if one.role in _FIELDS - {"radio"}]
    yield from (f"two fields are called: {name}" for name in sorted(set(fields)) if fields.count(name) > 1)


def _form_faults(page: Page) -> list[str]:
    found: list[str] = page.evaluate(_UNTIED)
    return found


def _seen_faults(page: Page) -> Iterator[str]:
    """The light theme where it is narrowest, the dark one at a desk: so each theme and each width is looked at."""
    page.emulate_media(color_scheme="light")
    for size in (PHONE, NARROW):
        page.set_viewport_size(size)
        if page.evaluate("document.documentElement.scrollWidth") > size["width"]:
            yield f"wider than {size['width']}"
    yield from _axe(page, "320 wide, light", None)
    page.set_viewport_size(DESK)
    page.emulate_media(color_scheme="dark")
    yield from _axe(page, "dark", _OF_LOOKS)
    page.emulate_media(color_scheme="light")


def _axe(page: Page, where: str, rules: list[str] | None) -> list[str]:
    options = {} if rules is None else {"runOnly": {"type": "rule", "values": rules}}
    return [
        f"{where}: {fault['id']}: {json.dumps(fault['nodes'][0]['html'])}"
        for fault in violations(page, options=options)
        if fault["impact"] in SERIOUS
    ]


def violations(
    page: Page, within: str | None = None, options: Mapping[str, object] | None = None
) -> list[dict[str, Any]]:
    """What axe finds wrong. All else that it says of a page stays in the browser: it is long, and nobody reads it.

    Args:
        page: loaded.
        within: a selector; ``None`` = all of the page.
        options: axe's own.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(_AXE)
    told = {"resultTypes": ["violations"], **(options or {})}
    found: list[dict[str, Any]] = page.evaluate(
        "([within, options]) => axe.run(within ?? document, options).then((found) => found.violations)", [within, told]
    )
    return found
