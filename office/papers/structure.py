"""Reads the tree of tags of a PDF (ISO 32000-1, 14.7) in its order, which is that of a screen reader."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from pikepdf import Array, Dictionary, Object, Pdf

PageKey = tuple[int, int]
"""A page as (object number, generation)."""
_DEPTH_MAX = 40


class Element(Struct, frozen=True):
    """An element of the tree.

    Attributes:
        obj: itself.
        kind: ``H1``, ``Table`` …
        parent_kinds: from the root down to its parent.
        content: (page, number of the marked content) of what it holds itself, without its children's.
        children: elements right below it.
    """

    obj: Object
    kind: str
    parent_kinds: tuple[str, ...]
    content: tuple[tuple[PageKey, int], ...]
    children: tuple[Element, ...]


def elements(pdf: Pdf) -> Iterator[Element]:
    """All elements: each before its children, children in their order."""
    for root in roots(pdf):
        yield from descendants(root)


def descendants(element: Element) -> Iterator[Element]:
    """The element, and all below it."""
    yield element
    for child in element.children:
        yield from descendants(child)


def roots(pdf: Pdf) -> tuple[Element, ...]:
    """The elements right below the root; none if the PDF is not tagged.

    Raises:
        ValueError: the tree is deeper than any paper's.
    """
    tree = pdf.Root.get("/StructTreeRoot")
    return () if tree is None else tuple(_element(kid, ()) for kid in _kids(tree) if isinstance(kid, Dictionary))


def _element(obj: Object, parents: tuple[str, ...]) -> Element:
    if len(parents) > _DEPTH_MAX:
        raise ValueError("the tree of tags is too deep")
    kind = str(obj.get("/S", "/?")).removeprefix("/")
    content: list[tuple[PageKey, int]] = []
    children: list[Element] = []
    for kid in _kids(obj):
        if not isinstance(kid, Dictionary):
            content.append((_page_of(obj), int(kid)))
        elif "/MCID" in kid:
            content.append((_page_of(kid if "/Pg" in kid else obj), int(kid["/MCID"])))
        elif "/S" in kid:
            children.append(_element(kid, (*parents, kind)))
    return Element(obj, kind, parents, tuple(content), tuple(children))


def _kids(obj: Object) -> list[Object]:
    kids = obj.get("/K")
    if kids is None:
        return []
    return list(kids) if isinstance(kids, Array) else [kids]


def _page_of(obj: Object) -> PageKey:
    page = obj.get("/Pg")
    return (0, 0) if page is None else page.objgen
