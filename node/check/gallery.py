"""The gallery beside the node: whether this unit has one, how it does by its own word, and whether tablets reach it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from node.check.machine import said
from node.step import Step, bad, not_done, ok
from wire.gallery_status import is_heard

UNIT: Final = "watchlink-gallery.service"
FILE: Final = "gallery.toml"
KEY: Final = "gallery.key"
SOCKETS: Final = {80: "watchlink-gallery-http.socket", 443: "watchlink-gallery-https.socket"}
"""What systemd opens for it, by port."""
ANNOUNCER: Final = "avahi-daemon.service"
ANNOUNCED: Final = "/avahi-daemon.service.d/watchlink.conf"
"""By which it announces the unit's name."""
_ADVICE: Final = "journalctl -u watchlink-gallery -n 30 says why; alerts do without it"
_NO_CONTACT_ADVICE: Final = (
    "is the network all right (see above)? is [office] in gallery.toml the office's address? then: watchlink node"
    " install; at the office: does watchlink-office-nodes run, and is its port open?"
)
_SHUT_ADVICE: Final = "ss -ltnp names it; stop that, then: systemctl restart watchlink-gallery; alerts do without"


def gallery_steps(folder: Path) -> tuple[Step, ...]:
    """Off where no office is named; else as systemd knows it, and whether the office answers by its own word.

    While it runs, the ports at which tablets find it, too.

    Args:
        folder: of ``node.toml``.
    """
    if not (folder / KEY).exists():
        why = "off: the keys of this unit were made by the fleet, and a gallery makes its own"
        return (not_done("gallery", why, "watchlink fleet replace, then a card to claim with (docs/gallery.md)"),)
    if not (folder / FILE).exists():
        why = "off: the seed of this unit named no office"
        return (not_done("gallery", why, "write gallery.toml, if its town has one (docs/gallery.md)"),)
    told = _told(UNIT)
    if told.get("LoadState") != "loaded":
        return (not_done("gallery", f"{UNIT} is not installed here", "watchlink node install"),)
    word = told.get("StatusText", "")
    if told.get("ActiveState") != "active":
        return (bad("gallery", f"{UNIT} is {told.get('ActiveState')}{f': {word}' if word else ''}", _ADVICE),)
    gallery = ok("gallery", word or "it runs") if is_heard(word) else bad("gallery", word, _NO_CONTACT_ADVICE)
    return gallery, _tablets_step()


def _tablets_step() -> Step:
    """Another program may have had the port first; the gallery runs all the same."""
    told = {port: _told(name) for port, name in SOCKETS.items()}
    if any(one.get("LoadState") != "loaded" for one in told.values()):
        return not_done("tablets", "this unit opens no ports for them yet", "watchlink node install")
    shut = [str(port) for port, one in told.items() if one.get("ActiveState") != "active"]
    if shut:
        what = f"find no gallery at port {' and '.join(shut)}, which another program may have"
        return bad("tablets", what, _SHUT_ADVICE)
    return ok("tablets", f"find the gallery at http://UNIT/fit and https://UNIT/, by the unit's {_way()}")


def _way() -> str:
    """As Debian ships it, the announcer tells the machine's own name, for which there is no certificate."""
    told = _told(ANNOUNCER)
    if told.get("ActiveState") != "active":
        return "address: nobody announces its name"
    if ANNOUNCED not in told.get("DropInPaths", ""):
        return "address: avahi-daemon announces another name until 'watchlink node install' is run again"
    return "address or name"


def _told(unit: str) -> dict[str, str]:
    shown = said("systemctl", "show", unit, "--property=LoadState,ActiveState,StatusText,DropInPaths") or ""
    return dict(line.partition("=")[::2] for line in shown.splitlines())
