"""Makes what the demo's office has from the start: ``python -m demo.office_people OFFICE.TOML < PREMISES.JSON``.

Standard input: a list of :class:`Shop`. Output: :class:`Made`, with an account for each role and the secrets that its
person would know; beside them a year of cases, a rota, and who is asked when nobody answers. A real office has no such
command: there people are invited.
"""

from __future__ import annotations

import os
import secrets
import sys
from itertools import cycle
from typing import Final

import msgspec

from runtime.loading import loading
from wire.snapshots import RoleSlug

CONFIG_VARIABLE: Final = "WATCHLINK_OFFICE_CONFIG"
_SECRET_CHARS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"  # noqa: S105 - an alphabet
"""Base32 (RFC 4648, section 6)."""

PEOPLE: Final[tuple[tuple[RoleSlug, str, tuple[str, ...]], ...]] = (
    ("co-ordinator", "Alex Grant", ("hart", "pub-watch")),
    ("cctv", "Priya Shah", ("hart", "pub-watch")),
    ("pcso", "J Patel", ("hart",)),
    ("duty-sergeant", "Morgan Webb", ("hart",)),
    ("duty-officer", "Sam Okoro", ("pub-watch",)),
    ("police", "Kit Lowe", ("hart", "pub-watch")),
    ("fleet-engineer", "Robin Hale", ("hart", "pub-watch")),
    ("members-contact", "Dee Mistry", ("hart",)),
    ("members-contact", "Nell Ward", ("hart",)),
    ("members-contact", "Lee Tanner", ("pub-watch",)),
    ("co-ordinator", "Jo Brandt", ("hart", "pub-watch")),
)


NUMBERS: Final = {"J Patel": "07700 900101", "Alex Grant": "07700 900102"}
"""Telephone numbers that nobody has (Ofcom keeps them for drama), of people who have a phone in the demo."""
STAFF: Final = ("Aled Penn", "Rita Moss", "Joan Fry", "Omar Lund")
"""Who may look at a shop's gallery: one each, and so on anew."""


class Shop(msgspec.Struct, frozen=True):
    """A premises of the demo town, with its node's names."""

    name: str
    place: str
    schemes: tuple[str, ...]


class DemoAccount(msgspec.Struct, frozen=True):
    """An account of this run, and what its person knows."""

    role: RoleSlug
    title: str
    name: str
    schemes: tuple[str, ...]
    username: str
    password: str
    totp_secret: str
    phone: str = ""
    """Its number; empty = they have none in the demo."""


class DemoStaff(msgspec.Struct, frozen=True):
    """Somebody who may look at a shop's gallery, and the start code that they were given."""

    name: str
    start_code: str


class Made(msgspec.Struct, frozen=True):
    """What was made: the accounts, and the office's number and a member of staff of each shop, in their order."""

    accounts: tuple[DemoAccount, ...]
    premises: tuple[int, ...]
    staff: tuple[DemoStaff, ...]


def main(config: str, shops: tuple[Shop, ...]) -> Made:
    """Set Django up, then :func:`fill`."""
    os.environ[CONFIG_VARIABLE] = config
    os.environ["DJANGO_SETTINGS_MODULE"] = "office.settings"
    with loading():
        import django  # noqa: PLC0415 - it reads the settings, so they must be named first

        django.setup()
    return fill(shops)


def fill(shops: tuple[Shop, ...]) -> Made:
    """Make everything in one transaction."""
    from django.db import transaction  # noqa: PLC0415 - as above
    from django.utils import timezone  # noqa: PLC0415

    from demo import office_life, office_rota  # noqa: PLC0415

    with transaction.atomic():
        accounts, premises = tuple(_account(*person) for person in PEOPLE), tuple(map(_premises, shops))
        made = Made(accounts, premises, tuple(_staff(number, name) for number, name in zip(premises, cycle(STAFF))))
        office_life.play(timezone.now())
        office_rota.plan(timezone.now())
    return made


def _account(role: RoleSlug, name: str, schemes: tuple[str, ...]) -> DemoAccount:
    from allauth.mfa.adapter import get_adapter  # noqa: PLC0415 - as above
    from allauth.mfa.models import Authenticator  # noqa: PLC0415

    from office.accounts.models import Account, RoleGrant, Scheme  # noqa: PLC0415
    from office.accounts.rules import TITLES  # noqa: PLC0415
    from office.audit.journal import record  # noqa: PLC0415
    from office.escalation.addresses import read_way  # noqa: PLC0415
    from office.escalation.models import ContactWay  # noqa: PLC0415

    username = name.rsplit(maxsplit=1)[-1].lower()
    password = secrets.token_urlsafe(9)
    secret = "".join(secrets.choice(_SECRET_CHARS) for _ in range(32))
    account = Account(username=username, name=name)
    account.set_password(password)
    account.save()
    for slug in schemes:
        RoleGrant.objects.create(account=account, role=role, scheme=Scheme.objects.get(slug=slug))
    Authenticator.objects.create(
        user=account, type=Authenticator.Type.TOTP, data={"secret": get_adapter().encrypt(secret)}
    )
    phone = NUMBERS.get(name, "")
    if phone:
        ContactWay.objects.create(account=account, place=1, **msgspec.structs.asdict(read_way(phone)))
    record(None, "account made for the demo", f"account {account.pk}", name=name, role=role)
    return DemoAccount(role, TITLES[role], name, schemes, username, password, secret, phone)


def _premises(shop: Shop) -> int:
    from datetime import timedelta  # noqa: PLC0415 - as above

    from django.utils import timezone  # noqa: PLC0415

    from office.accounts.models import Scheme  # noqa: PLC0415
    from office.members.facts import ContactFacts, PremisesFacts  # noqa: PLC0415
    from office.members.models import Contact, Member, Membership, Premises  # noqa: PLC0415

    schemes = list(Scheme.objects.filter(slug__in=shop.schemes))
    member = Member.objects.create(name=shop.name)
    for scheme in schemes:
        Membership.objects.create(member=member, scheme=scheme, joined_on=timezone.localdate() - timedelta(days=600))
    facts = PremisesFacts(
        name=shop.name,
        place=shop.place,
        address=f"12 {shop.place}, LE1 4AA",
        latitude=52.635,
        longitude=-1.133,
        opening_hours="Mon to Sat 09:00 to 17:30",
        staff_contact="Phone behind the till: 0116 496 0012",
        when_going="The back door is in the yard. One step. A dog, friendly.",
        contacts=(ContactFacts(name="Sam Field", phone="0116 496 0034", is_key_holder=True, note="lives above"),),
    )
    premises = Premises(member=member)
    premises.put(facts, member.name)
    premises.save()
    premises.schemes.set(schemes)
    Contact.objects.bulk_create(Contact.of(premises, facts))
    return int(premises.pk)


def _staff(premises: int, name: str) -> DemoStaff:
    from office.accounts.models import Account  # noqa: PLC0415 - as above
    from office.members.models import Premises  # noqa: PLC0415
    from office.staff.acts import add  # noqa: PLC0415

    co_ordinator = Account.objects.get(name=PEOPLE[0][1])
    return DemoStaff(name, add(co_ordinator, Premises.objects.get(pk=premises), name).text)


if __name__ == "__main__":
    sys.stdout.buffer.write(
        msgspec.json.encode(main(sys.argv[1], msgspec.json.decode(sys.stdin.buffer.read(), type=tuple[Shop, ...])))
    )
