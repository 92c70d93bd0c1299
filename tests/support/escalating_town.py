"""People on duty, a rota and policies, for towns in which somebody is always asked."""

from __future__ import annotations

from datetime import timedelta

from central.core import events as ev
from central.core.asking_lines import AskingLine
from central.core.journal import Asking
from central.core.rights import Rights, rights_of
from central.core.view import Person, StartDuty
from tests.support.central_town import CORNER, START, Town
from wire.ids import NodeId
from wire.snapshots import AuditHead, PolicyEntry, RoleEntry, RoleSlug, Rota, ShiftEntry, StepEntry, Way

HEAD = AuditHead(sequence=1, digest="0" * 64)
PCSO = StepEntry(role="pcso", wait_s=30, ways=("push", "sms"))
SERGEANT = StepEntry(role="duty-sergeant", wait_s=20, ways=("push",))
CO_ORDINATOR = StepEntry(role="co-ordinator", wait_s=60, ways=("sms",))
STEPS = (PCSO, SERGEANT, CO_ORDINATOR)
POLICY = PolicyEntry(scheme=1, kinds=("attack", "assist"), version=1, steps=STEPS)
PUBS = PolicyEntry(scheme=2, kinds=("attack", "assist"), version=1, steps=(SERGEANT, PCSO))

JO, SAM, KIM = Person("pcso", "Jo Patel", 3), Person("duty-sergeant", "Sam Lee", 4), Person("co-ordinator", "Kim", 5)
PEOPLE = (JO, SAM, KIM)
JO_LEADING = Person("duty-sergeant", JO.name, JO.account)
"""Jo's other role, for :func:`people`."""


def rights(person: Person, schemes: tuple[int, ...] = (1, 2)) -> Rights:
    role: RoleSlug = person.role  # type: ignore[assignment]
    return rights_of((RoleEntry(role=role, schemes=schemes),))


def people(*persons: Person) -> ev.PeopleChanged:
    """Somebody with several roles is named with each."""
    grants: dict[int, frozenset[tuple[RoleSlug, int]]] = {}
    for one in persons:
        grants[one.account] = grants.get(one.account, frozenset()) | rights(one).grants
    names = {one.account: one.name for one in persons}
    return ev.PeopleChanged(tuple((account, Rights(some)) for account, some in grants.items()), tuple(names.items()))


def rota(*policies: PolicyEntry, shifts: tuple[ShiftEntry, ...] = (), number: int = 1) -> ev.RotaChanged:
    return ev.RotaChanged(
        Rota(
            number=number,
            made_at=START,
            audit=HEAD,
            through=START + timedelta(days=14),
            shifts=shifts,
            policies=policies,
        )
    )


def shift(person: Person, begins_min: int, ends_min: int, scheme: int = 1) -> ShiftEntry:
    """Minutes from the start."""
    role: RoleSlug = person.role  # type: ignore[assignment]
    return ShiftEntry(
        role=role,  # type: ignore[arg-type]
        scheme=scheme,
        account=person.account,
        begins_at=START + timedelta(minutes=begins_min),
        ends_at=START + timedelta(minutes=ends_min),
    )


def reaching(*ways: tuple[Person, tuple[Way, ...]]) -> ev.WaysChanged:
    return ev.WaysChanged(tuple((one.account, some) for one, some in ways))


def on_duty(town: Town, *persons: Person, schemes: tuple[int, ...] = (1, 2)) -> None:
    for one in persons:
        town.act(StartDuty(), one, rights(one, schemes))


def stay(town: Town, seconds: int, *persons: Person) -> None:
    """Time goes by; the pages of these people stay open."""
    for _ in range(0, seconds, 30):
        for one in persons:
            town.act(StartDuty(is_sign=True), one, rights(one))
        town.later(min(30, seconds))
        seconds -= 30


def ready(town: Town, *persons: Person) -> Town:
    town.handle(people(*PEOPLE))
    town.handle(rota(POLICY, PUBS))
    on_duty(town, *persons)
    return town


def jo_by_rota(town: Town, *ways: Way) -> None:
    """The rota names Jo for the first hour, who is on duty nowhere and is reached by these."""
    town.handle(rota(POLICY, shifts=(shift(JO, 0, 60),)))
    town.handle(reaching((JO, ways)))


CORNER_7 = "00000010-7"


def asked(town: Town, node: NodeId = CORNER) -> list[tuple[str, ...]]:
    """The steps in the journal of one premises: roles, NOBODY as ``-``, each with those skipped before it."""
    found: list[tuple[str, ...]] = []
    for entry in town.disk:
        details = getattr(entry, "details", None)
        if isinstance(details, Asking) and entry.incident is not None and entry.incident.node == node:
            found.append((*details.skipped, details.role or "-"))
    return found


def line(town: Town, incident: str = CORNER_7) -> AskingLine:
    (one,) = town.card(incident).asking
    return one


def history(town: Town, incident: str = CORNER_7) -> list[tuple[str, str]]:
    return [
        (one.what, one.text)
        for one in town.card(incident).history
        if one.what in ("asked", "skipped", "nobody", "told", "not-told")
    ]
