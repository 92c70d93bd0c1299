"""Who may do what with accounts and roles. Pure: no database, no requests, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from msgspec import Struct

from wire.limits import NAME_CHARS_MAX
from wire.own_names import is_own_name
from wire.snapshots import AnsweringRole, RoleSlug
from wire.text import display_text

TITLES: Final[Mapping[str, str]] = {
    "co-ordinator": "Co-ordinator",
    "cctv": "CCTV control room",
    "pcso": "PCSO",
    "duty-sergeant": "Duty sergeant",
    "duty-officer": "Duty officer",
    "police": "Police",
    "fleet-engineer": "Fleet engineer",
    "members-contact": "Member’s contact",
}
"""Roles as people read them."""


class Rights(Struct, frozen=True):
    """What a person may do: read from the database for each request, after its body has arrived.

    Attributes:
        account: number; 0 = nobody.
        grants: (role, number of the scheme).
    """

    account: int
    grants: frozenset[tuple[str, int]] = frozenset()

    def schemes(self, *roles: RoleSlug) -> frozenset[int]:
        """Numbers of the schemes in which the person has one of ``roles``; without any: in which they have a role."""
        return frozenset(scheme for role, scheme in self.grants if not roles or role in roles)

    @property
    def co_ordinates(self) -> frozenset[int]:
        """Numbers of the schemes in which the person is co-ordinator."""
        return self.schemes("co-ordinator")

    @property
    def speaks_for_members(self) -> bool:
        """Whether the person is a member's contact in some scheme."""
        return bool(self.schemes("members-contact"))

    @property
    def is_asked_about_votes(self) -> bool:
        """Whether the person votes or advises on exclusions in some scheme."""
        return bool(self.schemes("members-contact", "co-ordinator", "police", "pcso", "duty-sergeant"))

    @property
    def enters_control_room(self) -> bool:
        """Whether central lets the person in: everybody but who is a member's contact alone."""
        return any(role != "members-contact" for role, _ in self.grants)

    @property
    def sees_galleries(self) -> bool:
        """Whether the person sees what units hold of some scheme's gallery."""
        return bool(self.schemes("co-ordinator", "fleet-engineer"))

    @property
    def deals_with_breaches(self) -> bool:
        """Whether the person reads and deals with what shops report in some scheme (``ROLES`` of the breaches)."""
        return bool(self.schemes("co-ordinator", "police"))

    @property
    def reads_rota(self) -> bool:
        """Whether the person may answer alerts in some scheme, and so reads its rota."""
        return bool(self.schemes(*get_args(AnsweringRole)))

    @property
    def reads_register(self) -> bool:
        """Whether the person reads who is excluded in some scheme (``READERS`` of the exclusions)."""
        police = self.schemes("police", "pcso", "duty-sergeant", "duty-officer")
        return bool(police or self.schemes("co-ordinator", "members-contact", "cctv"))


NOBODY: Final = Rights(0)


class Standing(Struct, frozen=True):
    """A person on whom a co-ordinator acts.

    Attributes:
        account: number.
        grants: (role, number of the scheme).
        alone_in: numbers of the schemes in which no other co-ordinator can sign in.
    """

    account: int
    grants: frozenset[tuple[str, int]]
    alone_in: frozenset[int] = frozenset()

    @property
    def schemes(self) -> frozenset[int]:
        """Numbers of the schemes in which the person has a role."""
        return frozenset(scheme for _, scheme in self.grants)


def may_see(rights: Rights, person: Standing) -> bool:
    """Whether a co-ordinator sees a person: one scheme in common is enough. Others do not exist for them."""
    return bool(rights.co_ordinates & person.schemes)


def may_grant(rights: Rights, schemes: frozenset[int]) -> bool:
    """Whether a co-ordinator may give roles, and invite people, in all of ``schemes``."""
    return bool(schemes) and schemes <= rights.co_ordinates


def is_grave(role: str) -> bool:
    """Whether giving the role wants a second factor shown just now: it opens the control room, or gives roles."""
    return role != "members-contact"


def why_not_remove(role: str, scheme: int, person: Standing) -> str | None:
    """Why a role that the person has in a scheme of the co-ordinator cannot be removed, and what to do; or ``None``."""
    if role == "co-ordinator" and scheme in person.alone_in:
        return "This is the scheme's only co-ordinator. Make somebody else co-ordinator first."
    if person.grants <= {(role, scheme)}:
        return "This is the person's only role. Give another role first, or end the account."
    return None


def why_not_end(rights: Rights, person: Standing) -> str | None:
    """Why the account of a person whom the co-ordinator sees cannot be ended, and what to do; or ``None``."""
    if person.account == rights.account:
        return "You cannot end your own account. Ask another co-ordinator."
    if not person.schemes <= rights.co_ordinates:
        return "You cannot end this account. Remove its roles in your schemes instead."
    if person.alone_in:
        return "This is a scheme's only co-ordinator. Make somebody else co-ordinator first."
    return None


def why_not_correct(rights: Rights, person: Standing) -> str | None:
    """Why a person whom the co-ordinator sees cannot be given another name or e-mail address; or ``None``.

    What the whole account is about takes the co-ordinator of every scheme the person is in. Refusals do not say in
    which schemes or roles anybody is elsewhere.
    """
    if not person.schemes <= rights.co_ordinates:
        return "You cannot correct this account. Ask another co-ordinator."
    return None


def why_not_recover(rights: Rights, person: Standing) -> str | None:
    """Why a person whom the co-ordinator sees cannot be helped with a lost phone, and what to do; or ``None``.

    It signs the person out everywhere, and a link with a new password opens the account to whoever holds it. So it
    takes the co-ordinator of every scheme the person is in: nobody shuts another scheme out, or gains it, by helping.
    """
    if person.account == rights.account:
        return "You cannot do this for yourself. Ask another co-ordinator, or the engineer at the office's machine."
    if not person.schemes <= rights.co_ordinates:
        return "You cannot do this for this account. Ask another co-ordinator, or the engineer at the office's machine."
    return None


def may_open(maker: Rights, person: Standing) -> bool:
    """Whether a recovery link still stands: whoever made it may still help the person, as both stand now."""
    return may_see(maker, person) and why_not_recover(maker, person) is None


def why_not_call(name: str) -> str | None:
    """Why nobody can have this name, and what to do; or ``None``. White space apart, it is then shown as it is."""
    shown = display_text(name, NAME_CHARS_MAX)
    if shown != " ".join(name.split()):
        return f"Some characters cannot be shown, or there are too many. Without them the name reads “{shown}”."
    if not shown:
        return "Enter the person’s name."
    if is_own_name(name):
        return "Watchlink itself goes by this name. Enter the person’s own name."
    return None


def withdrawn_text(invitations: int, recovery_links: int) -> str:
    """How many links were taken back: ``1 invitation and 2 recovery links``; empty if none was."""
    counts = (invitations, "invitation"), (recovery_links, "recovery link")
    return " and ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts if count)


def may_redeem(role: str, schemes: frozenset[int], inviter: Rights | None) -> bool:
    """Whether an invitation still stands: whoever made it may still give the role.

    Args:
        role: of the invitation.
        schemes: of the invitation.
        inviter: rights now; ``None`` = Watchlink itself, which makes the first co-ordinator.
    """
    if inviter is None:
        return role == "co-ordinator" and bool(schemes)
    return may_grant(inviter, schemes)
