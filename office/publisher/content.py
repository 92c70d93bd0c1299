"""What the database says now, as snapshots say it. One unusable row is left out and never stops the rest."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from allauth.mfa.models import Authenticator
from django.db import connection, models, transaction

from office.accounts.models import Account, PrintedCode, RoleGrant
from office.accounts.sessions import ended_at_central
from office.escalation.models import ContactWay
from office.escalation.ways import entry_of as way_entry
from office.members.entries import stored_entries
from office.members.told import with_told
from wire.limits import NAME_CHARS_MAX, SCHEMES_PER_NODE_MAX
from wire.snapshots import (
    ENDED_SESSIONS_MAX,
    PASSKEYS_MAX,
    PRINTED_CODES_MAX,
    SECOND_FACTORS_MAX,
    WAYS_MAX,
    PasskeyEntry,
    PersonEntry,
    PremisesEntry,
    RoleEntry,
    WayEntry,
)
from wire.text import display_text

logger = logging.getLogger(__name__)

Rows = Mapping[int, Sequence[str]]
_TOLD_MAX: Final = 1_000
_told: set[str] = set()


@contextlib.contextmanager
def one_moment() -> Generator[None, None, None]:
    """Everything read inside is of one moment, and nobody who writes has to wait.

    Inside a transaction of the caller's, that one decides.
    """
    if connection.in_atomic_block:
        yield
        return
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        wrapper: Any = connection
        mode, wrapper.transaction_mode = wrapper.transaction_mode, "DEFERRED"
        try:
            with transaction.atomic():
                yield
        finally:
            wrapper.transaction_mode = mode
    else:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield


def people() -> tuple[PersonEntry, ...]:
    """Everybody with an account that has not ended, by number."""
    grants: defaultdict[int, defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for account, role, scheme in RoleGrant.objects.order_by("role", "scheme").values_list(
        "account_id", "role", "scheme_id"
    ):
        grants[account][role].append(scheme)
    ended = _by_account(ended_at_central(), "public_id")
    codes = _by_account(PrintedCode.objects.order_by("pk"), "digest")
    passkeys = _passkeys()
    second_factors = _second_factors()
    ways = _ways()
    found = (
        PersonEntry(
            account=account.pk,
            username=account.username,
            name=display_text(account.name, NAME_CHARS_MAX),
            roles=tuple(_roles(grants[account.pk])),
            generation=account.generation,
            ended_sessions=tuple(sorted(ended.get(account.pk, ())[:ENDED_SESSIONS_MAX])),
            passkeys=tuple(passkeys.get(account.pk, ())[:PASSKEYS_MAX]),
            printed_codes=tuple(codes.get(account.pk, ())[:PRINTED_CODES_MAX]),
            second_factors=tuple(second_factors.get(account.pk, ())[:SECOND_FACTORS_MAX]),
            ways=tuple(ways.get(account.pk, ())[:WAYS_MAX]),
        )
        for account in Account.objects.filter(is_active=True)
        .order_by("pk")
        .only("pk", "username", "name", "generation")
    )
    return tuple(person for person in found if _is_usable(person))


def premises() -> tuple[PremisesEntry, ...]:
    """All premises of the office, by number."""
    good, bad = stored_entries()
    for one in bad:
        _tell(f"premises {one.premises} is not published: {one.reason}")
    return with_told(good, _tell)


def _by_account(rows: models.QuerySet[Any], field: str) -> dict[int, list[str]]:
    found: defaultdict[int, list[str]] = defaultdict(list)
    for account, value in rows.filter(account__is_active=True).values_list("account_id", field):
        found[account].append(value)
    return found


def _roles(grants: Mapping[str, Sequence[int]]) -> Iterable[RoleEntry]:
    for role, schemes in sorted(grants.items()):
        for start in range(0, len(schemes), SCHEMES_PER_NODE_MAX):
            part = tuple(schemes[start : start + SCHEMES_PER_NODE_MAX])
            yield RoleEntry(role=role, schemes=part)  # type: ignore[arg-type]  # checked with the whole person


def _passkeys() -> dict[int, list[PasskeyEntry]]:
    rows = Authenticator.objects.filter(type=Authenticator.Type.WEBAUTHN, user__is_active=True).order_by("pk")
    found: defaultdict[int, list[PasskeyEntry]] = defaultdict(list)
    for number, account, data in rows.values_list("pk", "user_id", "data"):
        try:
            found[account].append(passkey_entry(data))
        except (KeyError, TypeError, ValueError) as e:
            _tell(f"passkey {number} of account {account} is not published: {e!r}")
    return found


def _second_factors() -> dict[int, list[str]]:
    rows = Authenticator.objects.filter(type__in=(Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES))
    found: defaultdict[int, list[str]] = defaultdict(list)
    for account, data in rows.filter(user__is_active=True).order_by("pk").values_list("user_id", "data"):
        found[account].append(second_factor_digest(data))
    return found


def _ways() -> dict[int, list[WayEntry]]:
    rows = ContactWay.objects.filter(account__is_active=True)
    found: defaultdict[int, list[WayEntry]] = defaultdict(list)
    for number, account, way, to in rows.values_list("pk", "account_id", "way", "to"):
        try:
            found[account].append(way_entry(way, to))
        except msgspec.ValidationError:
            # What is wrong with it might say whose number it is.
            _tell(f"way {number} of account {account} is not published: no reader would accept it")
    return found


def second_factor_digest(data: Mapping[str, Any]) -> str:
    """Of an app or recovery codes as allauth stores them, encrypted: it tells two states apart and nothing else."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"watchlink/1/second factor\n{text}".encode()).hexdigest()


def passkey_entry(data: Mapping[str, Any]) -> PasskeyEntry:
    """A passkey as allauth stores it: the browser's answer at its registration (WebAuthn Level 2, section 5.2).

    Raises:
        KeyError, TypeError, ValueError: it is not one.
    """
    text = data["credential"]["response"]["attestationObject"]
    # Imported late: with what it needs it is a tenth of the start of a command.
    from fido2 import cbor  # noqa: PLC0415
    from fido2.webauthn import AttestationObject  # noqa: PLC0415

    attested = AttestationObject(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))).auth_data.credential_data
    if attested is None:
        raise ValueError("no key in it")
    return PasskeyEntry(credential=attested.credential_id, public_key=cbor.encode(dict(attested.public_key)))


def _is_usable(person: PersonEntry) -> bool:
    try:
        msgspec.json.decode(msgspec.json.encode(person), type=PersonEntry)
    except (msgspec.MsgspecError, UnicodeError) as e:
        _tell(f"account {person.account} is not published: {e}")
        return False
    return True


def _tell(what: str) -> None:
    """Once, not at each look."""
    if what not in _told and len(_told) < _TOLD_MAX:
        _told.add(what)
        logger.error("%s", what)
