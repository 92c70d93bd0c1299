"""What co-ordinators do with people and roles. Each is called inside :func:`office.accounts.access.acting`."""

from __future__ import annotations

from collections.abc import Iterable

from allauth.mfa.models import Authenticator
from django.db.models import Q, QuerySet
from django.utils import timezone

from office.accounts import links, rules, sessions
from office.accounts.models import Account, Invitation, PrintedCode, RecoveryLink, RoleGrant, Scheme
from office.accounts.rules import Rights, Standing
from office.accounts.second_factor import KINDS
from office.accounts.telling import send, tell
from office.accounts.withdrawal import Withdrawn, withdraw_made_by
from office.audit.journal import record
from wire.snapshots import RoleSlug


class RefusedError(Exception):
    """The rules forbid it; the message says why and what to do instead."""


def standing_of(account: Account) -> Standing:
    """A person's roles, and where nobody else is co-ordinator.

    Who never set up a second factor, or lost it, cannot sign in and is no other co-ordinator.
    """
    grants = frozenset(account.grants.values_list("role", "scheme_id"))
    led = {scheme for role, scheme in grants if role == "co-ordinator"}
    others = RoleGrant.objects.filter(role="co-ordinator", scheme__in=led, account__is_active=True)
    can_sign_in = Authenticator.objects.filter(type__in=KINDS).values("user")
    others = others.filter(account__in=can_sign_in).exclude(account=account)
    shared = set(others.values_list("scheme_id", flat=True))
    return Standing(account.pk, grants, frozenset(led - shared))


def seen(rights: Rights, number: int) -> Account | None:
    """The person of this number, if the co-ordinator may see them; those who have ended are not listed any more."""
    account = Account.objects.filter(pk=number, is_active=True).first()
    return account if account is not None and rules.may_see(rights, standing_of(account)) else None


def give_role(actor: Account, account: Account, role: RoleSlug, scheme: Scheme) -> None:
    """Give a role in a scheme of the actor's."""
    _, is_new = RoleGrant.objects.get_or_create(account=account, role=role, scheme=scheme)
    if is_new:
        record(actor, "role.given", account, schemes=[scheme.number], role=role, scheme=scheme.name)
        tell(account, f"{actor.name} gave you the role {rules.TITLES[role]} in {scheme.name}.")


def correct_person(actor: Account, rights: Rights, account: Account, *, name: str, email: str) -> None:
    """Correct a person's name or e-mail address. What they did before stays recorded under the name of then.

    Raises:
        RefusedError: the person has a role in a scheme that is not the actor's.
    """
    why = rules.why_not_correct(rights, standing_of(account))
    if why is not None:
        raise RefusedError(why)
    if (account.name, account.email) == (name, email):
        return
    record(actor, "person.corrected", account, name=[account.name, name], email_changed=account.email != email)
    if account.email != email:
        # The old address hears of it, in case the change was not wanted.
        send(account.email, "Your Watchlink account", f"{actor.name} changed the e-mail address of your account.\n")
    account.name, account.email = name, email
    account.save(update_fields=["name", "email"])
    tell(account, f"{actor.name} corrected your name or e-mail address.")


def remove_role(actor: Account, account: Account, role: RoleSlug, scheme: Scheme) -> None:
    """Remove a role in a scheme of the actor's.

    Raises:
        RefusedError: the person's only role, or the scheme's only co-ordinator.
    """
    why = rules.why_not_remove(role, scheme.number, standing_of(account))
    if why is not None:
        raise RefusedError(why)
    removed, _ = RoleGrant.objects.filter(account=account, role=role, scheme=scheme).delete()
    if removed:
        record(actor, "role.removed", account, schemes=[scheme.number], role=role, scheme=scheme.name)
        tell(account, f"{actor.name} removed your role {rules.TITLES[role]} in {scheme.name}.")


def end_account(actor: Account, rights: Rights, account: Account) -> Withdrawn:
    """End an account for good: every session, link, code and way to sign in with it.

    Returns:
        What they had made and is taken back.

    Raises:
        RefusedError: the actor's own, a scheme's only co-ordinator, or somebody with a role in another's scheme.
    """
    standing = standing_of(account)
    why = rules.why_not_end(rights, standing)
    if why is not None:
        raise RefusedError(why)
    record(actor, "account.ended", account, schemes=standing.schemes)
    send(account.email, "Your Watchlink account", f"{account.name},\n\n{actor.name} ended your account.\n")
    for invitation in invitations_of(rights, account):
        cancel_invitation(actor, invitation)
    return close_account(actor, account)


def open_invitations(own: frozenset[int]) -> QuerySet[Invitation]:
    """Invitations that still stand and are of a co-ordinator's schemes only, the newest first."""
    open_ones = Invitation.objects.filter(used_at=None, cancelled_at=None, expires_at__gt=timezone.now())
    mine = open_ones.filter(schemes__in=own).exclude(schemes__in=Scheme.objects.exclude(number__in=own)).distinct()
    return mine.order_by("-created_at", "-pk")


def invitations_of(rights: Rights, account: Account) -> list[Invitation]:
    """Open invitations by which this person could get another account: of their e-mail or name, in their schemes."""
    is_theirs = Q(name__iexact=account.name)
    if account.email:
        is_theirs |= Q(email__iexact=account.email)
    in_theirs = Invitation.objects.filter(schemes__in=standing_of(account).schemes)
    return list(open_invitations(rights.co_ordinates).filter(is_theirs, pk__in=in_theirs.values("pk")))


def cancel_invitation(actor: Account, invitation: Invitation) -> None:
    """Take an invitation back."""
    Invitation.objects.filter(pk=invitation.pk).update(cancelled_at=timezone.now())
    numbers = list(invitation.schemes.values_list("number", flat=True))
    record(actor, "invitation.cancelled", invitation, schemes=numbers)


def close_account(actor: Account | None, account: Account) -> Withdrawn:
    """End it, whatever the rules say; the caller has recorded why. Returns what they had made and is taken back."""
    account.is_active = False
    account.ended_at = timezone.now()
    account.set_unusable_password()
    account.save(update_fields=["is_active", "ended_at", "password"])
    _drop_ways_in(account)
    account.ways.all().delete()
    account.told_of.all().delete()
    RoleGrant.objects.filter(account=account).delete()
    # Nor do they come back as somebody else, by a link that they made.
    return withdraw_made_by(account, actor)


def make_recovery_link(actor: Account | None, account: Account, *, sets_password: bool) -> tuple[str, Withdrawn]:
    """Help somebody who lost their phone or key: what they signed in with is void at once, and so are their sessions.

    The links that they made are taken back: whoever has the phone could have made them. The caller has asked
    :func:`office.accounts.rules.why_not_recover`.

    Returns:
        The link, to be handed over in person or by phone, which is shown once; and what was taken back.
    """
    _drop_ways_in(account)
    token = links.new_token()
    RecoveryLink.objects.create(
        digest=links.digest_of(token),
        account=account,
        generation=account.generation,
        sets_password=sets_password,
        made_by=actor,
        expires_at=timezone.now() + links.RECOVERY_LIFE,
    )
    record(actor, "recovery-link.made", account, sets_password=sets_password)
    by = actor.name if actor is not None else "Somebody at the office's machine"
    what = "a link that lets you choose a new password" if sets_password else "a link, which asks for your password"
    tell(account, f"{by} removed your second factor and made {what}. If you did not ask for this, say so at once.")
    withdrawn = withdraw_made_by(account, actor)
    if withdrawn.told:
        tell(account, withdrawn.told)
    if actor is not None:
        tell(actor, f"You removed the second factor of {account.name} and made a recovery link.")
    return links.address("recover", token), withdrawn


def invite(
    actor: Account | None, *, name: str, email: str, role: RoleSlug, schemes: Iterable[Scheme]
) -> tuple[Invitation, str]:
    """Invite a person. The caller has asked :func:`office.accounts.rules.may_grant`.

    Returns:
        The invitation and its link, which is shown once.
    """
    token = links.new_token()
    life = links.INVITATION_LIFE if actor is not None else links.FIRST_LIFE
    invitation = Invitation.objects.create(
        digest=links.digest_of(token),
        name=name,
        email=email,
        role=role,
        invited_by=actor,
        expires_at=timezone.now() + life,
    )
    invitation.schemes.set(schemes)
    numbers = [scheme.number for scheme in schemes]
    link = links.address("join", token)
    record(actor, "invitation.made", f"invitation of {name}", schemes=numbers, role=role)
    if actor is not None:
        send(
            email,
            "Your invitation to Watchlink",
            f"{name},\n\n{actor.name} invites you to Watchlink as {rules.TITLES[role]}.\n"
            f"Open this link within seven days. It works once, so do not pass it on:\n\n{link}\n",
        )
    return invitation, link


def _drop_ways_in(account: Account) -> None:
    Authenticator.objects.filter(user=account).delete()
    PrintedCode.objects.filter(account=account).delete()
    RecoveryLink.objects.filter(account=account, used_at=None).delete()
    # Who has their phone would go on reading who is on duty when.
    account.rota_feeds.all().delete()
    sessions.end_all_sessions(account)
