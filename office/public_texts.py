"""What the public page is handed. Whoever writes it need not load a web server."""

from __future__ import annotations

from msgspec import Struct


class PublicTexts(Struct, frozen=True):
    """What the page knows of a scheme: its terms, nothing of its register.

    Attributes:
        slug, name: of the scheme.
        paper_title: what its paper is called.
        responsible, contact: as the terms have them; lines are broken.
        notice: the long privacy notice; ``## `` begins a heading, ``- `` an item; empty = the office’s own.
    """

    slug: str
    name: str
    paper_title: str
    responsible: str
    contact: str
    notice: str = ""
