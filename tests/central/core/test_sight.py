"""What a scope sees of the town, and that nothing tells of the rest: not even a number (ADR 0023)."""

from __future__ import annotations

import msgspec
import pytest

from central.core import effects as do
from central.core import events as ev
from central.core.boards import BoardKeeper
from central.core.journal import Recall
from central.core.rights import WHOLE_TOWN, Rights, Scope
from central.core.set_aside import INTERNAL_ERROR
from central.core.sight import ELSEWHERE, View
from central.core.view import Acknowledge, Board, Card, Change, Close, EndDuty, Person, StartDuty
from tests.support.central_town import (
    ALL_RIGHTS,
    ARCADE,
    BAKERY,
    CORNER,
    CROWN,
    GATEWAY,
    JONES,
    Town,
    make_directory,
    opened,
)
from tests.support.escalating_town import JO, KIM, POLICY, PUBS, SAM, on_duty, ready, rights, rota, shift
from wire.ids import FrameId, NodeId, node_text
from wire.kinds import AlertKind, MemberResponse
from wire.snapshots import PremisesEntry
from wire.topics import FrameTopic

HART, PUB_WATCH, BOTH = (Scope(frozenset(numbers), frozenset(numbers)) for numbers in ((1,), (2,), (1, 2)))
ENGINEER = Scope(frozenset(), frozenset({1}))
SECRETS = ("The Crown", "00000012", "Pub Watch", "pubwatch", "K Publican")
"""What a HART page must never contain."""


class Watched:
    """A town, and views of it that take each change as the web's side does."""

    def __init__(self, *scopes: Scope, directory: bytes | None = None) -> None:
        self.town = Town(directory=directory or make_directory(has_gateway=True))
        self.whole = BoardKeeper(self.town.board())
        self.views = {scope: View(scope, self.whole, "-v", self.town.now_at) for scope in scopes}
        self.made: dict[Scope, list[Change]] = {scope: [] for scope in scopes}
        self._taken = len(self.town.said)

    def take(self) -> None:
        for order in self.town.said[self._taken :]:
            if isinstance(order, do.ShowChange):
                self.whole.apply(order.change)
                for scope, view in self.views.items():
                    made = view.take(order.change)
                    if made is not None:
                        self.made[scope].append(made)
        self._taken = len(self.town.said)

    def board(self, scope: Scope) -> Board:
        self.take()
        return self.views[scope].board(self.town.now_at)

    def text(self, scope: Scope) -> str:
        """All that a page of this scope was ever sent."""
        return msgspec.json.encode((self.board(scope), self.made[scope])).decode()

    def cards(self, scope: Scope) -> dict[str, Card]:
        return {card.incident: card for card in self.board(scope).cards}


def play_the_other_scheme(town: Town) -> None:
    """Everything that a night at the pubs brings."""
    town.press(7, AlertKind.ATTACK, node=CROWN)
    for counter in range(20, 26):
        town.press(counter, node=CROWN)
    publican = Person("duty-officer", "K Publican", 9)
    rights = rights_in(2)
    town.act(StartDuty(), publican, rights)
    town.act(Acknowledge("00000012-7", "attack"), publican, rights)
    town.act(Close("00000012-7", "Barred"), publican, rights)
    town.act(EndDuty(), publican, rights)
    town.beat(CROWN)
    town.handle(ev.InputRejected("malformed", CROWN))
    town.handle(ev.InputRejected("malformed", None))
    town.later(3)


def rights_in(scheme: int) -> Rights:
    return Rights(frozenset(grant for grant in ALL_RIGHTS.grants if grant[1] == scheme))


def test_page_of_one_scheme_is_not_sent_a_word_of_the_other() -> None:
    watched = Watched(HART)

    play_the_other_scheme(watched.town)

    assert [] == [secret for secret in SECRETS if secret in watched.text(HART)]


def test_page_of_one_scheme_cannot_count_the_others_traffic() -> None:
    """Sequences, revisions and ``through`` of a quiet night and a loud one are the same."""

    def night(*, is_loud: bool) -> str:
        watched = Watched(HART)
        watched.take()
        if is_loud:
            play_the_other_scheme(watched.town)
        watched.town.now_at = watched.town.now_at.replace(minute=50, second=0)
        for counter in range(1, 6):
            watched.town.press(counter)
        watched.town.act(Acknowledge("00000010-5", "attack"), JONES, rights_in(1))
        watched.town.press(7, node=ARCADE)
        watched.take()
        later = View(HART, watched.whole, "-later", watched.town.now_at).board(watched.town.now_at)
        return watched.text(HART) + msgspec.json.encode(later).decode()

    assert night(is_loud=False) == night(is_loud=True)


def test_alert_of_a_premises_in_both_schemes_is_seen_by_both_under_their_own_names() -> None:
    watched = Watched(HART, PUB_WATCH)

    watched.town.press(7, node=ARCADE)

    assert (("hart",), (1,)) == named(watched.cards(HART)["00000013-7"])
    assert (("pubwatch",), (2,)) == named(watched.cards(PUB_WATCH)["00000013-7"])


def named(card: Card) -> tuple[tuple[str, ...], tuple[int, ...]]:
    return card.schemes, card.scheme_numbers


def test_premises_of_the_other_scheme_that_answers_is_not_named() -> None:
    watched = Watched(HART, PUB_WATCH)
    watched.town.press(7, node=ARCADE)

    for counter, node in ((8, BAKERY), (9, CROWN)):
        watched.town.respond(node, counter, FrameId(ARCADE, 7), MemberResponse.RESPONDING)

    hart = watched.cards(HART)["00000013-7"]
    assert ["Bakery"] == [line.premises for line in hart.members]
    assert ["Bakery: responding"] == [line.text for line in hart.history if line.what == "member"]
    assert [] == [secret for secret in SECRETS if secret in watched.text(HART)]
    assert "Bakery" not in watched.text(PUB_WATCH)


def test_relay_of_the_other_scheme_is_not_named() -> None:
    watched = Watched(HART)
    watched.town.beat(CROWN, radio="ready")

    watched.town.hear(watched.town.alert(7), relay=CROWN)

    card = watched.cards(HART)["00000010-7"]
    assert (ELSEWHERE, "") == (card.relay, card.relay_node)
    assert f"ATTACK, by radio, heard at {ELSEWHERE}" == card.history[0].text
    assert [] == [secret for secret in SECRETS if secret in watched.text(HART)]


def test_who_is_asked_by_the_other_scheme_is_not_named() -> None:
    """C2: an alert of a premises in both is seen by both, with their own people."""
    watched = Watched(HART, PUB_WATCH, BOTH)
    town = watched.town
    ready(town)
    on_duty(town, JO, schemes=(1,))
    on_duty(town, SAM, schemes=(2,))
    town.handle(rota(POLICY, PUBS, shifts=(shift(KIM, 5, 60), shift(SAM, 5, 60, 2))))
    town.press(7, AlertKind.ATTACK, node=ARCADE)
    town.later(1)

    (hart,), (pubs,) = (watched.cards(scope)["00000013-7"].asking for scope in (HART, PUB_WATCH))

    assert (("Jo Patel",), ("Sam Lee",)) == (hart.names, pubs.names)
    assert 2 == len(watched.cards(BOTH)["00000013-7"].asking)
    assert "Sam Lee" not in watched.text(HART)
    assert "Jo Patel" not in watched.text(PUB_WATCH)
    assert [KIM.name] == [one.name for one in watched.board(HART).next_shifts]


def test_who_is_missing_from_a_shift_of_the_other_scheme_is_not_named() -> None:
    watched = Watched(HART, PUB_WATCH, BOTH)
    ready(watched.town)
    watched.town.handle(rota(POLICY, shifts=(shift(KIM, -6, 60), shift(SAM, -6, 60, 2))))
    watched.town.later(1)

    seen = {scope: [one.name for one in watched.board(scope).missing] for scope in (HART, PUB_WATCH, BOTH)}
    assert {HART: [KIM.name], PUB_WATCH: [SAM.name], BOTH: [KIM.name, SAM.name]} == seen
    assert "Sam Lee" not in watched.text(HART)


def test_note_to_the_next_is_read_in_the_schemes_of_whoever_left_it() -> None:
    watched = Watched(HART, PUB_WATCH, BOTH)
    ready(watched.town)
    on_duty(watched.town, JO, schemes=(1,))
    on_duty(watched.town, SAM)
    for one in (JO, SAM):
        watched.town.act(EndDuty(f"of {one.name}"), one, rights(one))

    seen = {scope: [(one.note, one.schemes) for one in watched.board(scope).went_off] for scope in (HART, PUB_WATCH)}
    assert {HART: [("of Jo Patel", (1,)), ("of Sam Lee", (1,))], PUB_WATCH: [("of Sam Lee", (2,))]} == seen
    assert 2 == len(watched.board(BOTH).went_off)
    assert "Jo Patel" not in watched.text(PUB_WATCH)


def test_engineer_sees_units_and_no_alert_no_duty() -> None:
    watched = Watched(ENGINEER)
    watched.town.press(7)
    watched.town.act(StartDuty(), JONES)

    board = watched.board(ENGINEER)
    assert ((), ()) == (board.cards, board.on_duty)
    assert {node_text(node) for node in (CORNER, BAKERY, ARCADE, GATEWAY)} == {line.node for line in board.nodes}


def test_input_of_unknown_senders_is_shown_to_those_who_see_every_scheme() -> None:
    watched = Watched(HART, BOTH)
    for sender in (None, CROWN, CORNER):
        watched.town.handle(ev.InputRejected("malformed", sender))
    watched.town.later(1)

    assert ["00000010"] == [line.sender for line in watched.board(HART).rejected]
    assert {"", "00000012", "00000010"} == {line.sender for line in watched.board(BOTH).rejected}


@pytest.mark.finding(12)
def test_fault_of_central_itself_is_shown_to_everybody_and_that_on_a_unit_to_its_own_people() -> None:
    """It may have been anybody's call for help."""
    watched = Watched(HART, PUB_WATCH)
    for sender in (None, CROWN):
        watched.town.handle(ev.InputRejected(INTERNAL_ERROR, sender))
    watched.town.later(1)

    assert [""] == [line.sender for line in watched.board(HART).rejected]
    assert {"", "00000012"} == {line.sender for line in watched.board(PUB_WATCH).rejected}


def test_those_who_see_every_scheme_get_the_whole_board() -> None:
    watched = Watched(BOTH)
    play_the_other_scheme(watched.town)
    watched.town.press(7)

    theirs = watched.board(BOTH)
    assert msgspec.structs.replace(watched.whole.board(watched.town.now_at), boot_id="boot-1-v") == theirs


def test_whole_town_sees_no_more_than_its_schemes_once_there_is_another() -> None:
    """A scheme founded today is none of theirs before they have a role in it."""
    watched = Watched(HART, directory=make_directory(members=dict.fromkeys((CORNER, BAKERY, CROWN, ARCADE), (1,))))
    data = make_directory(2)

    watched.town.send(watched.town.alert(7, CROWN, schemes=(1,)), FrameTopic("hart", CROWN))
    assert ["00000012-7"] == list(watched.cards(HART))
    watched.town.handle(ev.DirectoryChanged(opened(data), data))
    watched.town.press(8, node=CROWN)

    # The alert that was HART's when it was pressed stays HART's.
    assert ["00000012-7"] == list(watched.cards(HART))
    assert "00000012" not in {line.node for line in watched.board(HART).nodes}


def test_those_who_saw_every_scheme_see_nothing_of_one_that_is_founded_today() -> None:
    """Until they have a role in it; and they see all again when it is closed."""
    only_hart: dict[NodeId, tuple[int, ...]] = dict.fromkeys((CORNER, BAKERY, CROWN, ARCADE), (1,))
    watched = Watched(HART, directory=make_directory(members=only_hart, founded=(1,)))
    page = BoardKeeper(watched.board(HART))
    watched.town.press(7)

    for serial, data in (
        (2, make_directory(2, revoked=(BAKERY,))),
        (3, make_directory(3, members=only_hart, founded=(1,))),
    ):
        watched.town.handle(ev.DirectoryChanged(opened(data), data))
        if serial == 2:
            play_the_other_scheme(watched.town)
        watched.take()
        for made in watched.made[HART]:
            page.apply(made)
        now_at = watched.town.now_at
        fresh = View(HART, watched.whole, "-v", now_at).board(now_at)
        assert seen_on(fresh) == seen_on(page.board(now_at)) == seen_on(watched.board(HART))
        if serial == 2:
            assert [] == [secret for secret in SECRETS[2:] if secret in watched.text(HART)]
            assert "00000012" not in {line.node for line in page.board(now_at).nodes}
        watched.made[HART].clear()


def test_premises_that_joins_a_scheme_brings_its_open_alerts() -> None:
    watched = Watched(HART)
    watched.town.press(7, node=CROWN)
    assert {} == watched.cards(HART)

    data = make_directory(2, members={CROWN: (1, 2)}, has_gateway=True)
    watched.town.handle(ev.DirectoryChanged(opened(data), data))
    assert ["00000012-7"] == list(watched.cards(HART))

    data = make_directory(3, has_gateway=True)
    watched.town.handle(ev.DirectoryChanged(opened(data), data))
    assert {} == watched.cards(HART)


def test_number_on_a_card_that_stands_for_many_leads_back_to_what_was_on_screen() -> None:
    watched = Watched(HART)
    for counter in range(1, 6):
        watched.town.press(counter)
    watched.take()
    (theirs,), (whole,) = watched.board(HART).cards, watched.whole.board(watched.town.now_at).cards

    assert theirs.through != whole.through
    assert whole.through == watched.views[HART].through(theirs.through)
    assert watched.views[HART].through(theirs.through + 1) is None


def test_number_on_a_card_rises_only_with_a_press() -> None:
    watched = Watched(HART)
    seen = []
    for counter in range(1, 6):
        watched.town.press(counter)
    seen.append(watched.board(HART).cards[0].through)
    watched.town.act(Acknowledge("00000010-5", "attack"), JONES)
    seen.append(watched.board(HART).cards[0].through)
    watched.town.press(6)
    seen.append(watched.board(HART).cards[0].through)

    assert seen[0] == seen[1] < seen[2]


@pytest.mark.parametrize("scope", [HART, PUB_WATCH, ENGINEER, BOTH, WHOLE_TOWN])
def test_changes_of_a_scope_have_no_gaps_and_lead_to_its_board(scope: Scope) -> None:
    watched = Watched(scope)
    page = BoardKeeper(watched.board(scope))
    premises = PremisesEntry(premises=70, name="Arcade", schemes=(1,))

    play_the_other_scheme(watched.town)
    watched.town.press(7, node=ARCADE)
    data = make_directory(2, members={CROWN: (1, 2), CORNER: (2,)}, office_premises={ARCADE: 70}, has_gateway=True)
    watched.town.handle(ev.DirectoryChanged(opened(data), data))
    watched.town.handle(ev.PremisesChanged((premises,)))
    watched.town.press(3, node=BAKERY)
    watched.town.later(2)

    watched.take()
    for made in watched.made[scope]:
        page.apply(made)
    now_at = watched.town.now_at
    fresh = View(scope, watched.whole, "-v", now_at).board(now_at)
    assert seen_on(fresh) == seen_on(page.board(now_at)) == seen_on(watched.board(scope))


def seen_on(board: Board) -> tuple[object, ...]:
    cards = {card.key: msgspec.structs.replace(card, revision=0, through=0) for card in board.cards}
    nodes, premises = ({line.node: line for line in lines} for lines in (board.nodes, board.premises))
    return cards, nodes, premises, board.on_duty, board.rejected, board.schemes


ONLY_HART = {CORNER: (1,), BAKERY: (1,), CROWN: (), ARCADE: (1,)}


def test_scheme_that_the_directory_lacks_is_not_everybody_elses() -> None:
    """The journal still has an alert of it, and its press comes by radio."""
    before = Town()
    before.press(7, node=CROWN)
    data = make_directory(2, members=ONLY_HART, founded=(1,))
    after = Town(Recall(journal=tuple(before.disk)), directory=data)
    whole = BoardKeeper(after.board())

    assert ["00000012-7"] == [card.incident for card in whole.board(after.now_at).cards]
    assert () == View(HART, whole, "-v", after.now_at).board(after.now_at).cards
    (card,) = View(PUB_WATCH, whole, "-v", after.now_at).board(after.now_at).cards
    assert "00000012-7" == card.incident
    refused = after.act(Acknowledge("00000012-7", "assist"), JONES, rights_in(1))
    assert refused == after.act(Acknowledge("00000012-99", "assist"), JONES, rights_in(1))


def test_engineer_of_a_scheme_that_the_directory_lacks_does_not_see_its_alerts() -> None:
    """Nor does it make the board whole that they see all of those that it has."""
    before = Town()
    before.press(7, node=CROWN)
    data = make_directory(2, members=ONLY_HART, founded=(1,))
    after = Town(Recall(journal=tuple(before.disk)), directory=data)
    scope = Scope(alerts=frozenset({1}), units=frozenset({1, 2}))

    assert () == View(scope, BoardKeeper(after.board()), "-v", after.now_at).board(after.now_at).cards


def test_scheme_that_is_closed_leaves_its_open_alerts_to_its_own_people() -> None:
    watched = Watched(HART, PUB_WATCH)
    watched.town.press(7, node=CROWN)
    watched.town.press(3)
    data = make_directory(2, members=ONLY_HART, founded=(1,))
    watched.town.handle(ev.DirectoryChanged(opened(data), data))
    watched.town.press(4)

    assert {"00000010-3", "00000010-4"} == set(watched.cards(HART))
    assert ["00000012-7"] == list(watched.cards(PUB_WATCH))


def test_alert_of_a_closed_scheme_that_comes_back_from_disk_is_kept_from_those_who_saw_all() -> None:
    before = Town()
    before.press(7, node=CROWN)
    (card,) = before.board().cards
    watched = Watched(HART, directory=make_directory(members=ONLY_HART, founded=(1,)))
    watched.town.press(3)
    board = watched.board(HART)
    page = BoardKeeper(board)
    change = Change(sequence=board.sequence + 1, at=watched.town.now_at, cards=(card,))
    watched.whole.apply(change)
    made = watched.views[HART].take(change)
    if made is not None:
        page.apply(made)

    assert ["00000010-3"] == [one.incident for one in page.board(watched.town.now_at).cards]
    assert ["00000010-3"] == list(watched.cards(HART))


def test_town_of_which_nothing_is_known_shows_nobody_what_is_of_others() -> None:
    before = Town()
    before.press(7, node=CROWN)
    before.press(8)
    data = make_directory(2, without=(CORNER, BAKERY, CROWN, ARCADE), founded=())
    whole = BoardKeeper(Town(Recall(journal=tuple(before.disk)), directory=data).board())

    (card,) = View(HART, whole, "-v", before.now_at).board(before.now_at).cards
    assert "00000010-8" == card.incident


def test_input_of_unknown_senders_is_still_for_those_who_see_every_scheme() -> None:
    """Though an alert of a scheme that was closed is out of their sight."""
    before = Town()
    before.press(7, node=CROWN)
    data = make_directory(2, members=ONLY_HART, founded=(1,))
    after = Town(Recall(journal=tuple(before.disk)), directory=data)
    after.handle(ev.InputRejected("malformed", NodeId(0x99)))
    after.later(3)
    board = View(HART, BoardKeeper(after.board()), "-v", after.now_at).board(after.now_at)

    assert (["00000099"], ()) == ([line.sender for line in board.rejected], board.cards)
