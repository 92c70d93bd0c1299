"""What the pages about signing in say."""

from __future__ import annotations

from typing import Final

from central.signin.session import End, Way
from wire.snapshots import PersonEntry, RoleSlug

ENDED: Final[dict[End, str]] = {
    "signed-out": "You have signed out.",
    "shift-over": "Your shift of 12 hours at this page is over, so you were signed out. Sign in again.",
    "account-ended": "Your account has ended, so you were signed out. If that is wrong, ask your co-ordinator.",
    "ended-at-office": "Your sign-in was ended at the office, by you or by a co-ordinator, or because your password or"
    " phone was changed. Sign in again.",
    "no-role": "You no longer have a role in the control room, so you were signed out. If that is wrong, ask your"
    " co-ordinator.",
    "too-many": "You have signed in on many other computers since, so this one was signed out. Sign in again.",
    "replaced": "Somebody has signed in here since. Sign in again.",
    "restored": "Central was restored from a backup, so everybody was signed out. Sign in again.",
}
NOT_IN_ORDER: Final = (
    "Something is not in order between the office and this central. If you cannot sign in, tell the engineer."
)
"""Instead of the warnings, which name folders and hosts, for those who are not signed in."""
RECORDED_ENDS: Final[dict[End, str]] = {
    "signed-out": "signed out",
    "shift-over": "end of shift",
    "account-ended": "account ended",
    "ended-at-office": "ended at the office",
    "no-role": "no role left",
    "too-many": "too many sign-ins",
    "replaced": "signed in again",
    "restored": "central restored from a backup",
}
WAYS: Final[dict[Way, str]] = {
    "office": "at the office",
    "passkey": "with a passkey, without the office",
    "printed-code": "with a printed code, without the office",
}
ROLE_TITLES: Final[dict[RoleSlug, str]] = {
    "co-ordinator": "Co-ordinator",
    "cctv": "CCTV control room",
    "pcso": "PCSO",
    "duty-sergeant": "Duty sergeant",
    "duty-officer": "Duty officer",
    "police": "Police",
    "fleet-engineer": "Fleet engineer",
    "members-contact": "Member’s contact",
}


def role_titles(person: PersonEntry) -> tuple[str, ...]:
    """The person's roles, for people."""
    return tuple(dict.fromkeys(ROLE_TITLES[entry.role] for entry in person.roles))
