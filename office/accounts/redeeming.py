"""Links are redeemed here: an invitation becomes an account or a role, a recovery link a way back in. Each once."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from office.accounts import links, rules, sessions
from office.accounts.access import in_turn, rights_of
from office.accounts.acts import standing_of
from office.accounts.models import Account, Invitation, RecoveryLink, RoleGrant
from office.accounts.telling import tell
from office.audit.journal import record


class LinkVoidError(Exception):
    """The link was used, has expired, or was taken back. Which of them, nobody is told."""


def open_invitation(token: str, *, now: datetime | None = None) -> Invitation:
    """The invitation of a token, if it still stands.

    Raises:
        LinkVoidError: it does not.
    """
    found = Invitation.objects.filter(
        digest=links.digest_of(token), used_at=None, cancelled_at=None, expires_at__gt=now or timezone.now()
    ).select_related("invited_by")
    invitation = found.first()
    if invitation is None or rules.why_not_call(invitation.name) is not None:
        raise LinkVoidError
    schemes = frozenset(invitation.schemes.values_list("number", flat=True))
    inviter = None if invitation.invited_by is None else rights_of(invitation.invited_by)
    if not rules.may_redeem(invitation.role, schemes, inviter):
        raise LinkVoidError
    return invitation


def join(token: str, *, username: str, password: str) -> Account:
    """Make the account that an invitation promises. The username was checked by the form.

    Raises:
        LinkVoidError: it does not stand, or somebody was quicker.
        django.db.IntegrityError: the username was taken in this moment.
    """
    with in_turn():
        invitation = _take(token)
        account = Account(username=username, name=invitation.name, email=invitation.email)
        account.set_password(password)
        account.save()
        Invitation.objects.filter(pk=invitation.pk).update(used_by=account)
        _grant(invitation, account)
        return account


def add_role(token: str, account: Account) -> None:
    """Give the role that an invitation promises to somebody who has an account; inside ``acting``.

    Raises:
        LinkVoidError: it does not stand, or somebody was quicker.
    """
    with in_turn():
        invitation = _take(token)
        Invitation.objects.filter(pk=invitation.pk).update(used_by=account)
        _grant(invitation, account)


def open_recovery(token: str) -> RecoveryLink:
    """The recovery link of a token, if it still stands.

    Raises:
        LinkVoidError: it does not: used, expired, the account ended, its password or sessions changed since, or
            whoever made the link may no longer help this person.
    """
    found = RecoveryLink.objects.filter(
        digest=links.digest_of(token), used_at=None, expires_at__gt=timezone.now(), account__is_active=True
    ).select_related("account", "made_by")
    link = found.first()
    if link is None or link.generation != link.account.generation:
        raise LinkVoidError
    if link.made_by is not None and not rules.may_open(rights_of(link.made_by), standing_of(link.account)):
        raise LinkVoidError
    return link


def recover(token: str, new_password: str | None) -> Account:
    """Use a recovery link up. The password, old or new, was checked by the form.

    Raises:
        LinkVoidError: it does not stand, or somebody was quicker.
    """
    with in_turn():
        link = open_recovery(token)
        if not RecoveryLink.objects.filter(pk=link.pk, used_at=None).update(used_at=timezone.now()):
            raise LinkVoidError
        account = link.account
        if new_password is not None:
            set_password(account, new_password)
        record(account, "recovery-link.used", account, new_password=new_password is not None)
        tell(account, "A recovery link was used for your account. If this was not you, tell your co-ordinator at once.")
        if link.made_by is not None:
            tell(link.made_by, f"{account.name} used the recovery link that you made.")
        return account


def set_password(account: Account, password: str) -> None:
    """A new password: every session of the person ends. An ended account gets none.

    Raises:
        LinkVoidError: the account has ended.
    """
    account.set_password(password)
    # By condition, not by the object in hand: what has ended meanwhile stays ended.
    if not Account.objects.filter(pk=account.pk, is_active=True).update(password=account.password):
        raise LinkVoidError
    sessions.end_all_sessions(account)


def _take(token: str) -> Invitation:
    invitation = open_invitation(token)
    if not Invitation.objects.filter(pk=invitation.pk, used_at=None).update(used_at=timezone.now()):
        raise LinkVoidError
    return invitation


def _grant(invitation: Invitation, account: Account) -> None:
    schemes = list(invitation.schemes.all())
    for scheme in schemes:
        RoleGrant.objects.get_or_create(account=account, role=invitation.role, scheme=scheme)
    record(
        account,
        "invitation.used",
        account,
        schemes=[scheme.number for scheme in schemes],
        role=invitation.role,
        invited_by=invitation.invited_by.name if invitation.invited_by is not None else "Watchlink itself",
    )
