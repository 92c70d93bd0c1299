"""The bill of materials (CycloneDX 1.6) and the licences of all that is in an image."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Final

from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output.json import JsonV1Dot6
from msgspec import Struct
from packageurl import PackageURL

from images.errors import BuildError
from images.workshop import LIBRARIES

_STATUS: Final = "var/lib/dpkg/status"
_NAMESPACE: Final = uuid.UUID("6f0e4a52-9a0c-4cf4-a7e8-0d5d6f0b7a11")
_LICENCE: Final = re.compile(r"^License: *(\S.*)$", re.MULTILINE)
_NAME: Final = re.compile(r"[-_.]+")
_LICENCE_FILE: Final = re.compile(r"(licen[cs]e|copying|notice)", re.IGNORECASE)
_UNSAID: Final = "not said in a form that programs read: see its text"


class Part(Struct, frozen=True, order=True):
    """A package in the image.

    Attributes:
        kind: ``deb`` or ``pypi``.
        name, version: its own.
        architecture: Debian's; empty for Python.
        licences: names, as the package says them.
        text: the licences themselves.
    """

    kind: str
    name: str
    version: str
    architecture: str
    licences: tuple[str, ...]
    text: str


def write_bill(root: Path, bill: Path, licences: Path, *, name: str, version: str, epoch_s: int) -> None:
    """Write both for the root. Two builds of the same write the same.

    Raises:
        BuildError: a package has no licence text.
    """
    parts = sorted([*_debian(root), *_python(root / LIBRARIES)])
    bare = next((part for part in parts if not part.text), None)
    if bare is not None:
        raise BuildError(f"{bare.kind} {bare.name}: no text of its licence is in the image")
    image = Component(name=name, version=version, type=ComponentType.OPERATING_SYSTEM, bom_ref="image")
    metadata = BomMetaData(component=image, timestamp=datetime.fromtimestamp(epoch_s, UTC))
    serial = uuid.uuid5(_NAMESPACE, f"{name} {version}")
    bom = Bom(components=map(_component, parts), metadata=metadata, serial_number=serial)
    bom.register_dependency(image, list(bom.components))
    bill.write_text(JsonV1Dot6(bom).output_as_string(indent=1) + "\n", encoding="utf-8")
    licences.write_text("".join(_told(parts, f"{name} {version}")), encoding="utf-8")


def _component(part: Part) -> Component:
    purl = PackageURL(
        part.kind,
        "debian" if part.kind == "deb" else None,
        part.name,
        part.version,
        {"arch": part.architecture} if part.architecture else None,
    )
    said = [DisjunctiveLicense(name=licence) for licence in part.licences]
    return Component(
        name=part.name,
        version=part.version,
        type=ComponentType.LIBRARY,
        purl=purl,
        bom_ref=str(purl),
        licenses=said,
    )


def _told(parts: Iterable[Part], title: str) -> Iterator[str]:
    yield f"{title}: licences of what is in it\n"
    for part in parts:
        yield f"\n{'=' * 72}\n{part.name} {part.version}: {', '.join(part.licences) or _UNSAID}\n{'-' * 72}\n"
        yield part.text.rstrip() + "\n"


def _debian(root: Path) -> Iterator[Part]:
    for stanza in (root / _STATUS).read_text(encoding="utf-8").split("\n\n"):
        said = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line and line[0] != " ")
        if said.get("Status") != "install ok installed":
            continue
        text = _read(root / "usr/share/doc" / said["Package"] / "copyright")
        names = tuple(sorted({found.strip() for found in _LICENCE.findall(text)}))
        yield Part("deb", said["Package"], said["Version"], said["Architecture"], names, text)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _python(folder: Path) -> Iterator[Part]:
    for found in distributions(path=[str(folder)]):
        said = found.metadata
        names = tuple(said.get_all("License-Expression") or ()) or tuple(
            one.rpartition(" :: ")[2] for one in said.get_all("Classifier") or () if one.startswith("License ::")
        )
        text = "\n".join(_texts(found)) or "\n".join(said.get_all("License") or ())
        name = _NAME.sub("-", said["Name"]).lower()
        yield Part("pypi", name, found.version, "", names, text or ", ".join(names))


def _texts(found: Distribution) -> Iterator[str]:
    for file in sorted(found.files or (), key=str):
        if ".dist-info" in str(file) and _LICENCE_FILE.search(file.name):
            yield file.read_text(encoding="utf-8")
