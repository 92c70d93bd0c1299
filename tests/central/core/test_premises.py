"""What the office knows of a premises, on the cards of the unit that stands there."""

from __future__ import annotations

from msgspec.structs import replace

from central.core import effects as do
from central.core import events as ev
from central.core.boards import BoardKeeper
from central.core.details import ContactLine, PremisesLine
from central.core.premises import TOLD_AT_ONCE, PremisesBook
from central.core.rights import Scope
from central.core.sight import View
from tests.support.central_town import ARCADE, BAKERY, CORNER, Town, make_directory, only, opened
from wire.directory import Directory, Sender
from wire.ids import NodeId, node_text
from wire.signing import SigningKey
from wire.snapshots import ContactEntry, Place, PremisesEntry

SHOP = PremisesEntry(
    premises=70,
    name="Corner Shop",
    schemes=(1,),
    address="1 High St",
    position=Place(latitude=52.1, longitude=-2.3),
    opening_hours="Mon–Sat 8–22",
    staff_contact="Ring the back office",
    when_going="Dog in the yard\n\n  Step at the back\tdoor ",
    contacts=(ContactEntry(name="A Shah", phone="01234 567", is_key_holder=True),),
)
LINE = PremisesLine(
    node="00000010",
    scheme_numbers=(1,),
    name="Corner Shop",
    address="1 High St",
    latitude=52.1,
    longitude=-2.3,
    opening_hours="Mon–Sat 8–22",
    staff_contact="Ring the back office",
    when_going="Dog in the yard\nStep at the back door",
    contacts=(ContactLine("A Shah", "01234 567", is_key_holder=True),),
)
HART, PUB_WATCH = (Scope(frozenset({number}), frozenset({number})) for number in (1, 2))


def joined_town() -> Town:
    return Town(directory=make_directory(office_premises={CORNER: 70, ARCADE: 71}))


def test_unit_is_joined_by_the_directorys_number_and_never_by_name() -> None:
    town = joined_town()

    town.handle(ev.PremisesChanged((SHOP, replace(SHOP, premises=72, name="Bakery"))))

    assert (LINE,) == town.board().premises


def test_details_travel_once_and_not_with_each_change_of_the_card() -> None:
    town = joined_town()
    town.press(7)
    town.handle(ev.PremisesChanged((SHOP,)))
    town.press(8, incident=7)
    town.handle(ev.PremisesChanged((SHOP,)))

    assert [(LINE,)] == [order.change.premises for order in only(town.said, do.ShowChange) if order.change.premises]


def test_premises_that_the_office_drops_or_changes_is_told() -> None:
    town = joined_town()
    town.handle(ev.PremisesChanged((SHOP,)))

    town.handle(ev.PremisesChanged((replace(SHOP, address="2 High St"),)))
    assert ["2 High St"] == [line.address for line in town.board().premises]
    town.handle(ev.PremisesChanged(()))
    assert () == town.board().premises


def test_unit_that_moves_shows_the_premises_where_it_is_now() -> None:
    town = joined_town()
    town.handle(ev.PremisesChanged((SHOP,)))

    data = make_directory(2, office_premises={BAKERY: 70})
    town.handle(ev.DirectoryChanged(opened(data), data))

    assert ["00000011"] == [line.node for line in town.board().premises]


def test_details_are_shown_to_schemes_of_the_premises_only() -> None:
    """The unit is still in both; the office says that the premises has left HART."""
    town = joined_town()
    whole = BoardKeeper(town.board())
    views = {scope: View(scope, whole, "", town.now_at) for scope in (HART, PUB_WATCH)}
    arcade = replace(SHOP, premises=71, schemes=(1, 2))

    def seen() -> list[list[tuple[int, ...]]]:
        for order in only(town.said, do.ShowChange):
            if order.change.sequence > whole.board(town.now_at).sequence:
                whole.apply(order.change)
                for view in views.values():
                    view.take(order.change)
        return [[line.scheme_numbers for line in views[one].board(town.now_at).premises] for one in (HART, PUB_WATCH)]

    town.handle(ev.PremisesChanged((arcade,)))
    assert [[(1,)], [(2,)]] == seen()
    town.handle(ev.PremisesChanged((replace(arcade, schemes=(2,)),)))
    assert [[], [(2,)]] == seen()


def test_import_of_thousands_is_told_in_parts() -> None:
    key = SigningKey(b"k" * 32).public
    nodes = [NodeId(number) for number in range(1, 2 * TOLD_AT_ONCE + 11)]
    senders = {
        node: Sender(node, key, "P", "", frozenset({1}), False, False, office_premises=node)  # noqa: FBT003
        for node in nodes
    }
    book = PremisesBook(lambda part, *_: part())
    book.take((replace(SHOP, premises=node) for node in nodes), Directory(1, senders, {}))

    told = []
    while book.is_changed:
        told.append([line.node for line in book.take_changed([nodes[-1]])[0]])

    assert [TOLD_AT_ONCE, TOLD_AT_ONCE, 10] == list(map(len, told))
    assert node_text(nodes[-1]) == told[0][0]
    assert len(nodes) == len({node for some in told for node in some})
