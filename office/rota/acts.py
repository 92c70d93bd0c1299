"""Changes of the rota, each with its row in the audit. Called inside :func:`office.accounts.access.acting`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from office.accounts import links
from office.accounts.models import Account, Scheme
from office.accounts.rules import TITLES
from office.accounts.telling import tell
from office.audit.journal import record
from office.rota.models import RotaCover, RotaFeed, RotaOverride, RotaPattern, RotaSwap, WithHours
from office.rota.planned import good_shifts, holders, names_of, plan
from office.rota.rules.plan import Post, Shift, shifts
from office.rota.rules.refusals import FULL, PATTERNS_MAX, why_not_swap
from office.rota.rules.spans import Span, without
from office.rota.wording import hours_text, span_text

KEPT_DAYS: Final = 400
"""So long what is over is kept: a year and a month, for who looks back. The audit keeps who changed what."""
CHANGED: Final = "One of the two shifts is not as it was when this was asked. Look at the rota, and ask anew."
ASKED_ALREADY: Final = "This swap is asked already. Wait for the answer, or withdraw it."
CHANGED_MEANWHILE: Final = (
    "Somebody has changed or removed this meanwhile. Look at what the rota is made of, and make your change there."
)
NOT_OPEN: Final = "This swap was answered or withdrawn meanwhile."


class RotaRefusedError(ValueError):
    """A change that is not possible, as a sentence that says what to do."""


def save_hours(actor: Account, row: WithHours, seen: str = "") -> None:
    """Add or change a pattern or a cover; people whose shifts it changes are told.

    Args:
        actor: who does it.
        row: as it is to be.
        seen: the mark of what the person has changed; of a new one nothing.

    Raises:
        RotaRefusedError: the scheme has too many, or somebody has changed or removed it since it was seen.
    """
    kind = type(row)
    before = kind._default_manager.filter(pk=row.pk).first()  # noqa: SLF001 - Django's public name
    if (before.mark if before is not None else "") != seen:
        raise RotaRefusedError(CHANGED_MEANWHILE)
    if before is None and kind._default_manager.filter(scheme=row.scheme).count() >= PATTERNS_MAX:  # noqa: SLF001
        raise RotaRefusedError(FULL)
    row.save()
    details: dict[str, Any] = {"now": said(row)} if before is None else {"before": said(before), "now": said(row)}
    if before is None or details["before"] != details["now"]:
        record(actor, f"{_noun(row)}.{'added' if before is None else 'changed'}", row, **details)
        _tell_people(actor, before, row)


def remove_hours(actor: Account, row: WithHours) -> None:
    """Remove a pattern or a cover, with all its shifts, past ones too."""
    record(actor, f"{_noun(row)}.removed", row, before=said(row))
    _tell_people(actor, row, None)
    row.delete()


def add_override(actor: Account, override: RotaOverride) -> bool:
    """Let it be otherwise for once; who is put on or taken off is told. Returns whether it changes anything so far."""
    span, other = Span(override.begins_at, override.ends_at), override.instead_of
    is_besides = override.account is not None and other is None
    there = shifts(plan(span, [override.scheme_id]), span)
    meant = [one for one in there if one.post == override.post and override.instead_of_id in {None, one.account}]
    override.save()
    record(actor, "rota-override.added", override, now=_override_said(override))
    whose = f", for {other.name}’s shifts" if other is not None else ""
    for one, what in (
        (override.account, f"put you on the rota as {override}{whose}"),
        (other, f"took you off the rota as {override}"),
    ):
        if one is not None and one.pk != actor.pk:
            tell(one, f"{actor.name} {what}: {span_text(span)}.")
    return is_besides or bool(meant)


def remove_override(actor: Account, override: RotaOverride) -> None:
    """Take an override back. One of a swap takes the other with it."""
    swap = override.swap
    both = [override] if swap is None else list(swap.overrides.order_by("pk"))
    for one in both:
        record(actor, "rota-override.removed", one, before=_override_said(one))
        for person in (one.account, one.instead_of):
            if person is not None and person.pk != actor.pk:
                when = span_text(Span(one.begins_at, one.ends_at))
                tell(person, f"{actor.name} took a change of the rota back, {one}: {when}. Look at the rota.")
        one.delete()


def ask_swap(actor: Account, scheme: Scheme, given: Shift, taken: Shift) -> RotaSwap:
    """Ask the person of ``taken`` to swap it for ``given``, the actor's.

    Raises:
        RotaRefusedError: the two cannot swap, or this is asked already.
    """
    _check(given, taken, scheme)
    swap = RotaSwap(
        scheme=scheme,
        asked_by=actor,
        asked=Account.objects.get(pk=taken.account),
        given_role=given.post.role,
        given_begins_at=given.span.begins_at,
        given_ends_at=given.span.ends_at,
        taken_role=taken.post.role,
        taken_begins_at=taken.span.begins_at,
        taken_ends_at=taken.span.ends_at,
    )
    if RotaSwap.objects.filter(
        state="asked",
        asked_by=actor,
        asked=swap.asked,
        given_begins_at=swap.given_begins_at,
        taken_begins_at=swap.taken_begins_at,
    ).exists():
        raise RotaRefusedError(ASKED_ALREADY)
    swap.save()
    record(actor, "rota-swap.asked", swap, asked=swap.asked.name, **swap_said(swap))
    tell(swap.asked, f"{actor.name} asks you to swap shifts. Answer on the page “Rota” of the office.")
    return swap


def answer_swap(actor: Account, swap: RotaSwap, *, agrees: bool) -> None:
    """What the person who was asked says.

    Raises:
        RotaRefusedError: it is not open any more, or the shifts have changed.
    """
    if swap.state != "asked":
        raise RotaRefusedError(NOT_OPEN)
    if agrees:
        given, taken = shifts_of(swap)
        _check(given, taken, swap.scheme)
        for shift, other in ((given, taken), (taken, given)):
            # Where both are on in one post, both stay: the second override would undo there what the first has made.
            both_on = [other.span] if other.post == shift.post else []
            for span in without([shift.span], both_on):
                RotaOverride.objects.create(
                    scheme=swap.scheme,
                    role=shift.post.role,
                    begins_at=span.begins_at,
                    ends_at=span.ends_at,
                    account_id=other.account,
                    instead_of_id=shift.account,
                    reason="Swap",
                    swap=swap,
                )
    swap.state = "agreed" if agrees else "declined"
    swap.save(update_fields=["state"])
    record(actor, f"rota-swap.{swap.state}", swap, asked_by=swap.asked_by.name, **swap_said(swap))
    tell(swap.asked_by, f"{actor.name} {'agreed to' if agrees else 'declined'} the swap of shifts that you asked for.")


def withdraw_swap(actor: Account, swap: RotaSwap) -> None:
    """Take back what was asked.

    Raises:
        RotaRefusedError: it is not open any more.
    """
    if swap.state != "asked":
        raise RotaRefusedError(NOT_OPEN)
    swap.state = "withdrawn"
    swap.save(update_fields=["state"])
    record(actor, "rota-swap.withdrawn", swap, asked=swap.asked.name, **swap_said(swap))


def shifts_of(swap: RotaSwap) -> tuple[Shift, Shift]:
    """What is given and what is taken, as it was when it was asked."""
    given = Span(swap.given_begins_at, swap.given_ends_at)
    taken = Span(swap.taken_begins_at, swap.taken_ends_at)
    return (
        Shift(given, Post(swap.given_role, swap.scheme_id), swap.asked_by_id),  # type: ignore[arg-type]  # of the choices
        Shift(taken, Post(swap.taken_role, swap.scheme_id), swap.asked_id),  # type: ignore[arg-type]
    )


def new_feed(actor: Account, what: str) -> str:
    """Give a calendar a new secret address, which is shown once; the one before ends."""
    token = links.new_token()
    RotaFeed.objects.update_or_create(
        account=actor, what=what, defaults={"digest": links.digest_of(token), "made_at": timezone.now()}
    )
    record(actor, "rota-calendar.address-made", actor, what=what)
    return links.address("rota-feed", token)


def end_feed(actor: Account, feed: RotaFeed) -> None:
    """Its address answers no more."""
    record(actor, "rota-calendar.ended", actor, what=feed.what)
    feed.delete()


def tidy_rota(now: datetime) -> None:
    """Forget what was long ago: overrides, swaps, and patterns and covers that have ended.

    Args:
        now: by a clock that can be believed: they do not come back.
    """
    before = now - timedelta(days=KEPT_DAYS)
    RotaOverride.objects.filter(ends_at__lt=before).delete()
    RotaSwap.objects.filter(given_ends_at__lt=before, taken_ends_at__lt=before).delete()
    for kind in (RotaPattern, RotaCover):
        kind._default_manager.filter(last__lt=before.date()).delete()  # noqa: SLF001 - Django's public name


def said(row: WithHours) -> dict[str, Any]:
    """A pattern or cover, as the audit keeps it."""
    found: dict[str, Any] = {"when": hours_text(row.hours)}
    if isinstance(row, RotaPattern):
        names = names_of(row.people)
        found |= {"who": [names.get(one, str(one)) for one in row.people], "turn": row.turn}
    return found


def swap_said(swap: RotaSwap) -> dict[str, Any]:
    """Both shifts, as the audit keeps them."""
    given, taken = shifts_of(swap)
    return {
        "given": f"{TITLES[given.post.role]}, {span_text(given.span)}",
        "taken": f"{TITLES[taken.post.role]}, {span_text(taken.span)}",
    }


def _check(given: Shift, taken: Shift, scheme: Scheme) -> None:
    """Both shifts are as they are said to be, and may be swapped."""
    why_not = why_not_swap(given, taken, holders([scheme.pk]), timezone.now())
    if why_not is not None:
        raise RotaRefusedError(why_not)
    for shift in (given, taken):
        there = good_shifts(shift.span, [scheme.pk])
        if not any((one.span, one.post, one.account) == (shift.span, shift.post, shift.account) for one in there):
            raise RotaRefusedError(CHANGED)


def _tell_people(actor: Account, before: WithHours | None, now: WithHours | None) -> None:
    """Whose shifts a pattern gives, takes or moves."""
    was, to_be = (set(one.people) if isinstance(one, RotaPattern) else set() for one in (before, now))
    for one in Account.objects.filter(pk__in=was | to_be, is_active=True).exclude(pk=actor.pk):
        if one.pk not in to_be:
            tell(one, f"{actor.name} took you off the rota as {before}. Look at the rota.")
            continue
        what = "changed your shifts" if one.pk in was else "put you on the rota"
        assert now is not None
        when = "in turn with others. Look at the rota" if len(to_be) > 1 else hours_text(now.hours)
        tell(one, f"{actor.name} {what} as {now}, {when}.")


def _override_said(override: RotaOverride) -> dict[str, str]:
    people = (("on", override.account), ("not on", override.instead_of))
    return {
        "when": span_text(Span(override.begins_at, override.ends_at)),
        **{word: one.name for word, one in people if one is not None},
        **({} if override.account or override.instead_of else {"on": "nobody"}),
        **({"reason": override.reason} if override.reason else {}),
    }


def _noun(row: WithHours) -> str:
    return "rota-pattern" if isinstance(row, RotaPattern) else "rota-cover"
