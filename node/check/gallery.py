"""The gallery beside the node: whether this unit has one, and how it does by its own word."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from node.check.machine import said
from node.step import Step, bad, not_done, ok
from wire.gallery_status import is_heard

UNIT: Final = "watchlink-gallery.service"
FILE: Final = "gallery.toml"
_ADVICE: Final = "journalctl -u watchlink-gallery -n 30 says why; alerts do without it"
_NO_CONTACT_ADVICE: Final = (
    "is the network all right (see above)? is [office] in gallery.toml the office's address? then: watchlink node"
    " install; at the office: does watchlink-office-nodes run, and is its port open?"
)


def gallery_step(folder: Path) -> Step:
    """Off where no office is named; else as systemd knows it, and whether the office answers by its own word.

    Args:
        folder: of ``node.toml``.
    """
    if not (folder / FILE).exists():
        why = "off: the seed of this unit named no office"
        return not_done("gallery", why, "write gallery.toml, if its town has one (docs/gallery.md)")
    shown = said("systemctl", "show", UNIT, "--property=LoadState,ActiveState,StatusText") or ""
    told = dict(line.partition("=")[::2] for line in shown.splitlines())
    if told.get("LoadState") != "loaded":
        return not_done("gallery", f"{UNIT} is not installed here", "watchlink node install")
    word = told.get("StatusText", "")
    if told.get("ActiveState") != "active":
        return bad("gallery", f"{UNIT} is {told.get('ActiveState')}{f': {word}' if word else ''}", _ADVICE)
    if not is_heard(word):
        return bad("gallery", word, _NO_CONTACT_ADVICE)
    return ok("gallery", word or "it runs")
