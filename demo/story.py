"""Facts as plain sentences, in the words of the screens: only what is proven."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from demo.chronicle import CENTRAL, Fact
from wire.kinds import Role

NameOf = Callable[[str], str]
"""A node's id → its premises' name."""

_ROLES: Final = {role.slug: role.title for role in Role}
_STATES: Final = {
    "answered": "is ANSWERED by {who}",
    "on-the-way": "{who} is on the way",
    "closed": "{who} has closed it",
    "unanswered": "it is unanswered again",
}
_WAYS: Final = {"page": "an open page", "push": "phone", "sms": "text message", "email": "e-mail"}
_SENTENCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pressed": "{place}: {KIND} was pressed",
        "stored": "{place}: {alert} is saved on this unit",
        "published": "{place}: the broker has taken {alert}, which is not delivery",
        "receipt": "{place}: RECEIVED by central system{by_radio}{late}",
        "undelivered": "{place}: NOT DELIVERED – the screen says to use the radio or call 999",
        "shown": "{place}: warned – {KIND} at {from_premises} is on its screen{late}",
        "late": "{place}: {alert} is late",
        "response": "{place}: {from_premises} is {response}",
        "closed": "{place}: {alert} is closed",
        "cancelled": "{place}: {alert} was cancelled by the shop ({reason})",
        "committed": "central has {alert} on its disk",
        "rejected": "central rejected something: {reason}",
        "network_cut": "{place}: the network is gone",
        "network_restored": "{place}: the network is back",
        "over_started": "{place}: its over begins, {mode}, bursts: {bursts}",
        "over_ended": "{place}: its over has ended, {airtime_ms} ms",
        "over_failed": "{place}: the over failed: {detail}",
        "heard": "{place}: heard {alert} over the air",
        "relayed": "{place}: passed {alert} on to central",
        "path_test": "{place}: the radio path test {outcome}",
        "radio_blocked": "{place}: the channel has been busy for {waited_ms} ms",
        "radio_clear": "{place}: the channel is clear",
        "keyed": "the air: {who} is transmitting",
        "unkeyed": "the air: {who} has stopped after {airtime_ms} ms",
        "timed_out": "the air: {who} had to be unkeyed",
        "stuck": "the air: the key of {who} is STUCK",
        "recorded": "the air: recording {over}, {seconds} s of {who}",
        "measured": "  ⏱ {what}: {ms} ms{bar}",
        "lied": "  told {count}{of}: {what}",
        "moved": "  '{what}', truly signed: {by}",
        "unplayed": "  nothing to play in {count} cells, and in {elsewhere} only with radios",
        "restored": "central's disk is restored from an older copy",
        "seeded": "seed {seed}, {times} times",
        "initialised": "the office: {who} is the first co-ordinator",
        "invited": "the office: {who} has an account",
        "signed_in": "central: {who} is in the control room",
        "premises_added": "{place}: central shows what the office knows of it",
        "alert": "{place}: its alert is on the control room's page",
        "answered": "{place}: the answer from the control room is on its screen",
        "on_duty": "central: {who} is on duty, and the screens of the shops say that somebody is",
        "step_skipped": "central: nobody can be asked as {role}, so the next is asked at once",
        "asked": "central asks {role} by {ways}",
        "nobody": "central: NOBODY can be asked",
        "push_delivered": "the phone of {who} says that an alert waits, and nothing else",
        "tapped": "the phone of {who}: a tap opened the alert, after sign-in",
        "failed": "a message did not go out: {reason}",
        "signed_in_without_office": "central: {who} is in without the office, by a code on paper",
        "account_ended": "central: {who} is out, the account has ended",
        "locked_out": "the office: the password's way to the account of {who} is locked for minutes",
        "nominated": "the office: {who} has nominated a person, and the co-ordinator reads it",
        "checked": "the office: {who} has checked it, and who nominated sees that",
        "voted": "the office: {who} have voted, told neither name nor looks",
        "police_refused": "the office: the votes of {who} were refused and recorded",
        "decided": "the office: the members have decided at their meeting",
        "issued": "the office: {who} has issued it, and the PCSO has the notice as a PDF",
        "served": "the office: {who} has served it, and the co-ordinator reads how",
        "appealed": "the office: {who} has recorded the person's appeal",
        "revoked": "the office: {who} has revoked it, and for the PCSO there is no such case any more",
        "erased": "the office: of {who} nothing is left but the number",
        "cached": "{place}: whoever is excluded is on its own screen, with a face",
        "viewed": "{place}: {who} has looked, and it is on record",
        "unreadable": "{place}: nobody can read of them there any more",
        "deletion_receipt": "the office: {who} reads that every shop has deleted it",
        "breached": "{place}: {who} has reported in two taps that they are here",
        "received": "{place}: central's system has it",
        "opened": "central: a PCSO reads whom it is about, by reference alone",
        "outcome_shown": "{place}: {who} reads what became of it",
        "sighted": "{place}: {who} has seen them nearby",
        "neighbour_opened": "{place}: {who} is warned, and opens their card",
        "clock_set_back": "{place}: somebody has set its clock back by a year",
        "ended": "{place}: days have passed without a word of the office",
        "contact": "{place}: the office has answered, and its gallery is on again",
        "rebooted": "{place}: its unit was switched off and on, without a network",
        "installed": "broker, central and enrolment service are in place on their machine",
        "added": "{count} premises have a number and a label, and no key",
        "claimed": "{premises}: its unit has claimed it, with keys of its own",
        "armed": "{place}: its unit is armed, and central sees it",
        "renewed": "{place}: its unit has renewed its certificate, and is back with it",
        "replaced": "{place}: its broken unit is dead, and another one has its place",
        "backed_up": "central is backed up, and the key opens it",
        "killed": "✗ {program} is killed with -9",
        "restarted": "✓ {program} is back",
    }
)
_OF_A_UNIT: Final = {
    "revoked": "{place}: its unit is revoked: no session, ticket or certificate of it counts",
    "signed_in": "{place}: a member of staff is in at its gallery's page",
}
"""Facts that are told of people, too."""
_OF_SHOPS: Final = {
    "issued": "the office: {who} has issued it; now it is for the shops of the scheme",
    "revoked": "the office: {who} has revoked it",
}
"""Those that are told with a scheme, and mean its shops."""
_PLACES: Final = frozenset(
    name for pattern in _SENTENCES.values() for _, name, _, _ in string.Formatter().parse(pattern) if name
)
TOLD: Final = frozenset(_SENTENCES) | {"acknowledged"}
"""Facts that people and programs are told; the rest is housekeeping."""


def is_told(fact: Fact) -> bool:
    """Whether people and programs are told it. A node says at each start that it is armed: that is housekeeping."""
    return fact.fact in TOLD and (fact.fact != "armed" or "seen_by" in fact.detail)


def sentence_of(fact: Fact, name_of: NameOf) -> str:
    """One line, without a full stop."""
    place = "central" if fact.node == CENTRAL else name_of(fact.node)
    detail = {key: str(value) for key, value in fact.detail.items()}
    if fact.fact == "acknowledged":
        state = detail.get("state", "")
        who = f"{_role(detail)} {detail.get('name', '')}".strip()
        return f"{place}: {_STATES.get(state, '{who} said ' + state).format(who=who)}"
    pattern = _OF_A_UNIT.get(fact.fact) if fact.node else None
    pattern = pattern or (_OF_SHOPS.get(fact.fact) if "scheme" in detail else None) or _SENTENCES.get(fact.fact)
    if pattern is None:
        return f"{place}: {fact.fact}"
    words = {
        **dict.fromkeys(_PLACES, ""),
        **detail,
        "who": ", ".join(name_of(who) for who in detail.get("who", "").split(", ")),
        "outcome": {"ok": "came back", "lost": "was lost"}.get(detail.get("result", ""), "is on central's disk"),
        "bar": f" (bar {detail['bar_ms']} ms)" if "bar_ms" in detail else "",
        "by_radio": ", by radio" if detail.get("path") == "radio" else "",
        "place": place,
        "role": _role(detail),
        "ways": ", ".join(_WAYS.get(way, way) for way in detail.get("ways", "").split()),
        "alert": fact.alert,
        "KIND": detail.get("kind", "").upper(),
        "of": f" of {detail['of']}" if "of" in detail else "",
        "late": ", late" if detail.get("is_late") == "true" else "",
        "program": name_of(fact.node) if fact.node not in ("", CENTRAL) else detail.get("program", ""),
    }
    return pattern.format_map(words)


def _role(detail: Mapping[str, str]) -> str:
    slug = detail.get("role", "")
    return _ROLES.get(slug, slug)
