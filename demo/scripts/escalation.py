"""Nobody answers, so central asks one after the other, until somebody does by their phone (C3, C8).

The co-ordinator plans the rota and confirms a policy of three steps at the office. Nobody has the role of the first.
The PCSO of the second is on duty and does not hear it. CCTV, of the third, has no page open: the rota names them, their
phone rings, and a tap on it opens the alert, after sign-in.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from msgspec import Struct

from central.core.view import Acknowledge, Close, Done, Person, StartDuty
from demo.chronicle import CENTRAL, Fact
from demo.notice import NeverCameError
from demo.office import Office
from demo.office_person import OfficePerson, closing
from demo.phones import Handset, TownPhones, let_wake
from demo.scripts.stage import PATIENCE_S, Stage
from demo.shop import Premises
from demo.visitor import LostError
from demo.watch_room import card_of
from wire.snapshots import RoleSlug

HART: Final = 1
EMPTY: Final = "duty-sergeant"
UNANSWERED: Final = "pcso"
ANSWERED: Final = "cctv"
"""The roles of the three steps."""
ORDER: Final = ("on_duty", "alert", "step_skipped", "asked", "push_delivered", "asked", "answered")
"""What happens, and nothing of it a second time."""
_WAIT_S: Final = 15
"""The least that a policy takes; nobody answers the second step."""
_LAST_WAIT_S: Final = 600
_WORDS: Final = "Watchlink: an alert waits."


class Cast(Struct, frozen=True):
    """Who plays, and the phones of those who have one."""

    co_ordinator: OfficePerson
    pcso: OfficePerson
    cctv: OfficePerson
    pcso_phone: Handset
    cctv_phone: Handset


async def play(stage: Stage) -> None:
    """Play it.

    Raises:
        NeverCameError: something did not happen.
    """
    office, phones = stage.town.office, stage.town.phones
    assert office is not None
    assert phones is not None
    people: list[OfficePerson] = []
    try:
        async with closing(people):
            cast = await _gather(stage, office, phones, people)
            await _plan(stage, cast)
            await _come_on_duty(stage, cast)
            await _alert(stage, cast)
    except LostError as e:
        raise NeverCameError(str(e)) from e
    told = [fact.fact for fact in sorted(stage.town.chronicle, key=lambda one: one.at_ms) if fact.fact in ORDER]
    stage.check(tuple(told) == ORDER, f"all of it happened once and in its order: {' '.join(told)}")
    stage.check(not phones.push.refused, f"the push service took every push: {phones.push.refused}")


async def _gather(stage: Stage, office: Office, phones: TownPhones, people: list[OfficePerson]) -> Cast:
    def person(name: str, role: RoleSlug) -> OfficePerson:
        people.append(OfficePerson(name, role, office_url=office.url, central_url=stage.town.watch_room.url))
        return people[-1]

    co_ordinator = person("Alex Grant", "co-ordinator")
    await co_ordinator.join(office.first_link)
    # Names that an answer's frame takes whole.
    pcso, cctv = person("J Patel", UNANSWERED), person("P Shah", ANSWERED)
    for invited in (pcso, cctv):
        await invited.join(await co_ordinator.invite(invited.name, invited.role, [HART]))
    handsets = (phones.give(pcso.name, "07700 900101"), phones.give(cctv.name, "07700 900102"))
    return Cast(co_ordinator, pcso, cctv, *handsets)


async def _plan(stage: Stage, cast: Cast) -> None:
    """The PCSO says by which number they are reached; the co-ordinator confirms a policy and plans the rota."""
    await cast.pcso.open("account/ways/")
    await cast.pcso.office.submit("Save", **{"way-1": cast.pcso_phone.number})

    browser = cast.co_ordinator.office
    await cast.co_ordinator.open("escalation/hart/add/")
    steps = {
        1: (EMPTY, _WAIT_S, ["push"]),
        2: (UNANSWERED, _WAIT_S, ["push", "sms"]),
        3: (ANSWERED, _LAST_WAIT_S, ["push"]),
    }
    filled: dict[str, str | list[str]] = {"kinds": ["attack"]}
    for number, (role, wait_s, ways) in steps.items():
        filled |= {f"role-{number}": role, f"wait-{number}": str(wait_s), f"ways-{number}": ways}
    page = await browser.submit("Confirm", **filled)
    stage.check("Confirmed" in page.words, f"the office has the policy: {page.words[:400]}")
    for one in (cast.pcso, cast.cctv):
        await cast.co_ordinator.open(f"rota/hart/{one.role}/patterns/add/")
        account = browser.form("Save").choices["person_0"][one.name]
        days = [str(day) for day in range(7)]
        page = await browser.submit("Save", person_0=account, weekdays=days, begins="00:00", hours="24")
        stage.check("Saved" in page.words, f"{one.name} is on the rota: {page.words[:400]}")


async def _come_on_duty(stage: Stage, cast: Cast) -> None:
    """Both prove their phones. The PCSO comes on duty; CCTV goes home, and has no page open."""
    shop = stage.premises("corner-shop")
    for person, handset in ((cast.pcso, cast.pcso_phone), (cast.cctv, cast.cctv_phone)):
        await stage.until(f"central let {person.name} in", person.is_let_in)
        await let_wake(person, handset)
    await cast.cctv.begin_anew()

    async def knows_the_rota() -> bool:
        return {UNANSWERED, ANSWERED} <= {one.role for one in (await cast.pcso.board()).next_shifts}

    await stage.until("central knew the rota", knows_the_rota)
    answer = await cast.pcso.act(StartDuty("page"))
    stage.check(isinstance(answer, Done), f"the PCSO came on duty; central said {answer}")
    await stage.until_words(shop, "On duty: PCSO")
    stage.say("on_duty", shop, who=cast.pcso.name, role=cast.pcso.role)


async def _alert(stage: Stage, cast: Cast) -> None:
    shop, chronicle = stage.premises("corner-shop"), stage.town.chronicle

    def tell(fact: Fact) -> None:
        # Of the moment at which central has it: what central does next would be told before a page that shows it.
        if fact.fact == "committed" and fact.alert.startswith(shop.node):
            chronicle.say(fact.at_ms + chronicle.began_ms, "alert", shop.node, incident=fact.alert)

    chronicle.listen(tell)
    alert = await stage.press(shop, "attack")
    skipped = await stage.until_fact("step_skipped", CENTRAL, alert)
    stage.check(skipped.detail["role"] == EMPTY, f"the step that nobody has was skipped: {skipped.detail}")

    first = await stage.until_fact("asked", CENTRAL, alert)
    stage.check(
        (first.detail["role"], first.detail["ways"]) == (UNANSWERED, "page push sms"),
        f"the PCSO was asked by page, push and text message: {first.detail}",
    )
    notice = await cast.pcso_phone.notice("alert")
    stage.say("push_delivered", who=cast.pcso.name)
    stage.check(set(notice.told) == {"occasion", "reference"}, f"the push says nothing else: {notice.told}")
    await _has_text(stage, cast.pcso_phone, shop)
    await stage.until(f"{cast.pcso.name} saw the alert", partial(_has_card, cast.pcso, alert))
    await stage.until_words(shop, "Asking PCSO")

    second = await stage.town.notice.until(
        lambda: next(iter(chronicle.all("asked", alert=alert)[1:]), None), "central asked the next", PATIENCE_S
    )
    stage.measure("asked → the next is asked", second.at_ms - first.at_ms, None, shop, alert)
    stage.check(
        (second.detail["role"], second.detail["ways"]) == (ANSWERED, "push"),
        f"then CCTV, who has no page open, was asked by push: {second.detail}",
    )
    await stage.until_words(shop, "Asking CCTV")
    await _answer_by_phone(stage, cast, shop, alert)


async def _has_text(stage: Stage, handset: Handset, shop: Premises) -> None:
    """A text message comes there, too, and does not say what it is about."""

    async def has_text() -> bool:
        return any(text.startswith(_WORDS) for text in handset.texts)

    await stage.until(f"{handset.owner} had a text message", has_text)
    stage.check(shop.address.premises not in " ".join(handset.texts), f"it does not say whose: {handset.texts}")


async def _answer_by_phone(stage: Stage, cast: Cast, shop: Premises, alert: str) -> None:
    """A tap opens the card, after sign-in; the shop reads who has answered; nobody is asked any more."""
    cctv, reference = cast.cctv, (await cast.cctv_phone.notice("alert")).told["reference"]
    page = await cctv.central.open(f"{stage.town.watch_room.url}wake/{reference}")
    stage.check(shop.address.premises not in page.html, f"a tap tells a stranger nothing: {page.words[:300]}")
    page = await cctv.tap(reference)
    is_open = page.url.endswith(f"#{alert}") and shop.address.premises in page.words
    stage.check(is_open, f"after sign-in the tap opened the card: {page.url} says {page.words[:300]}")
    stage.say("tapped", who=cctv.name, incident=alert)
    answer = await cctv.act(Acknowledge(alert, "attack"))
    stage.check(isinstance(answer, Done), f"{cctv.name} answered; central said {answer}")
    await stage.until_acknowledged(shop, alert, by=Person(cctv.role, cctv.name))
    await stage.until_words(shop, "ANSWERED", "Shah")
    stage.say("answered", shop, incident=alert)

    card = card_of(await cctv.board(), alert)
    stage.check(card is not None and not card.asking, f"after the answer nobody is asked: {card}")
    stage.check(isinstance(await cctv.act(Close(alert, "Attended")), Done), f"{cctv.name} closed it")
    await stage.until_fact("closed", shop.node, alert)
    for handset in (cast.pcso_phone, cast.cctv_phone):
        rung = [one.told["occasion"] for one in handset.browser.shown]
        stage.check(rung.count("alert") == 1, f"the phone of {handset.owner} rang once for it: {rung}")


async def _has_card(person: OfficePerson, alert: str) -> bool:
    return card_of(await person.board(), alert) is not None
