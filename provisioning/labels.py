"""The label of a unit: what its installer needs, and nobody else can use. Never a key, never a Wi-Fi password."""

from __future__ import annotations

from msgspec import Struct

from provisioning.claims import MadeClaim


class Label(Struct, frozen=True):
    """What stands on it. Names as the record has them, which every screen can show."""

    node: str
    premises: str
    place: str
    code: str
    last_day: str
    """The last whole day on which the code is good: ``15 March 2027``."""

    @property
    def where(self) -> str:
        """Premises and place."""
        return ", ".join(filter(None, (self.premises, self.place)))


def label_of(made: MadeClaim) -> Label:
    """The label of a claim."""
    claim = made.claim
    return Label(claim.node, claim.premises, claim.place, made.code, f"{claim.ends_at.day} {claim.ends_at:%B %Y}")


def as_text(label: Label) -> str:
    """For a terminal."""
    return "\n".join(
        (
            f"  {label.where}",
            f"  Node        {label.node}",
            f"  Claim code  {label.code}",
            f"  Use by      {label.last_day}, for one unit only",
        )
    )
