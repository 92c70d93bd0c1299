"""Which views the office has, by its own word: believed where it speaks of this unit's log, and of no copy's."""

from __future__ import annotations

import queue
from pathlib import Path

import pytest

from gallery.arrivals import Arrivals
from gallery.core import effects as do
from gallery.core import events as ev
from gallery.net.changes import Own
from gallery.net.contact import Contact, Sources
from runtime.monotonic import monotonic_ms
from tests.support.asking_town import HART, OFFICE, SHOP, TOWN, AskingTown, sealing_key
from tests.support.fleet_broker import DEADLINE_S
from tests.support.gallery_online import office_of
from tests.support.scripted_office import Asked, Said, scripted_office
from wire.gallery_contact import GalleryAnswer, encode_answer
from wire.gallery_lines import NO_LINES
from wire.gallery_paths import VIEWS_PATH
from wire.gallery_views import View, ViewHead, ViewRecord, head_of, no_views, write_view


def chain(count: int) -> tuple[View, ...]:
    found: list[View] = []
    for n in range(1, count + 1):
        before = head_of(found[-1]) if found else no_views(TOWN, SHOP)
        found.append(write_view(ViewRecord(n=n, at_s=n, kind="list", before=before.digest)))
    return tuple(found)


LOG = chain(4)


@pytest.mark.parametrize(
    ("told", "received"),
    [
        (head_of(LOG[3]), 4),
        (head_of(LOG[1]), 2),
        (ViewHead(n=2, digest="ab" * 32), 0),
        (ViewHead(n=4, digest="ab" * 32), 0),
        (ViewHead(n=9, digest=LOG[3].digest), 0),
        (None, 0),
    ],
    ids=["all", "some", "a copy's", "a copy's last", "beyond", "nothing"],
)
def test_views_that_the_office_has_are_those_of_this_log(tmp_path: Path, told: ViewHead | None, received: int) -> None:
    town, events = AskingTown(tmp_path), queue.SimpleQueue[ev.Event]()
    now_s = int(town.now.timestamp())
    answer = GalleryAnswer(now_s=now_s, lease_until_s=now_s, schemes=(HART,), views_received=told)
    busy = Said(b'{"problem": "slow down"}', 429)

    def said(asked: Asked) -> Said:
        return busy if asked.path == VIEWS_PATH else Said(encode_answer(answer))

    with scripted_office(town, said) as office:
        sources = Sources(
            lambda _scheme: NO_LINES,
            lambda after: b"".join(one.data + b"\n" for one in LOG if one.record.n > after),
            lambda: (OFFICE.public,),
            monotonic_ms,
        )
        own = Own(TOWN, SHOP, sealing_key(SHOP))
        contact = Contact(office_of(town, office.port), own, sources, Arrivals(), events.put)
        contact.start()
        contact.ask(do.AskOffice((), head_of(LOG[3]), 0))
        event = events.get(timeout=DEADLINE_S)
        assert contact.stop(DEADLINE_S)

    assert isinstance(event, ev.OfficeAnswered)
    assert received == event.views_received
