"""From the office's page to the shop's, and out again: real pages, port, card, core and argon2id."""

from __future__ import annotations

import contextlib
import io
import re
import threading
from collections.abc import Iterator
from pathlib import Path

from django.test import Client

from gallery.app import GalleryApp
from gallery.config import load_configuration
from gallery.core.effects import CloseSession, SignIn
from gallery.core.events import Pin, PinChosen, SignInAsked
from office.accounts.models import Account
from office.exclusions.models import SchemeTerms
from office.members.models import Premises
from office.publisher.staff import StaffPublishing
from office.staff.models import StaffMember
from runtime.logs import FactLog
from runtime.service import Service
from tests.office.conftest import HART, SignedIn
from tests.support.asking_town import GALLERY_KEY, SHOP, AskingTown, port_thread, sender
from tests.support.fleet_broker import DEADLINE_S, wait_until
from tests.support.gallery_program import write_gallery

CODE = re.compile(r'<ul class="codes code"><li>([0-9A-Z-]{19})</li>')
PIN = Pin("271828")


class Shop:
    """One run of the unit's gallery."""

    def __init__(self, config: Path) -> None:
        self.closed: list[str] = []
        self.facts = io.StringIO()
        self._app = GalleryApp(load_configuration(config), FactLog(self.facts), Service())
        self.running = self._app.running
        self.running.changed(self._changed)
        self._thread = threading.Thread(target=self._app.run)
        self._thread.start()

    def _changed(self, effect: object) -> None:
        if isinstance(effect, CloseSession):
            self.closed.append(effect.session)

    def names(self) -> list[str]:
        return [one.name for one in self.running.snapshot().staff]

    def types(self, attempt: str, person: int, secret: Pin, *, is_start_code: bool = False) -> SignIn:
        return self.running.sign_in(SignInAsked(attempt, person, secret, is_start_code)).result(DEADLINE_S).outcome

    def chooses(self, attempt: str, pin: Pin) -> SignIn:
        return self.running.choose_pin(PinChosen(attempt, pin)).result(DEADLINE_S).outcome

    def end(self) -> None:
        self._app.stop()
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive()


@contextlib.contextmanager
def shop_of(config: Path) -> Iterator[Shop]:
    """One run, that is ended in any case."""
    shop = Shop(config)
    try:
        yield shop
    finally:
        shop.end()


def test_person_is_named_chooses_a_pin_signs_in_after_a_restart_and_is_out_when_taken_off(
    tmp_path: Path, signed_in: SignedIn, contact: Account, shop: Premises
) -> None:
    town = AskingTown(tmp_path)
    town.list(sender(SHOP, (HART,), shop.pk))
    publishing, page = StaffPublishing(tmp_path / "snapshots", GALLERY_KEY), f"/premises/{shop.pk}/staff/"
    browser: Client = signed_in(contact)
    SchemeTerms.objects.create(scheme_id=HART, shows_without_proof=True)
    found = CODE.search(browser.post(f"{page}add/", {"name": "Ann Example"}).content.decode())
    assert found is not None
    code, ann = Pin(found[1]), StaffMember.objects.get().number
    publishing.publish(publishing.read())
    with port_thread(town) as port:
        config = write_gallery(tmp_path / "unit", town, port.port)
        with shop_of(config) as unit:
            wait_until(lambda: unit.names() == ["Ann Example"], "she is listed")

            assert SignIn.CHOOSE_PIN is unit.types("first", ann, code, is_start_code=True)
            assert SignIn.OPEN is unit.chooses("first", PIN)
            assert unit.running.state.galleries[HART].title.shows_without_proof
        with shop_of(config) as unit:
            # From the card, whatever the office says.
            assert SignIn.CODE_SPENT is unit.types("again", ann, code, is_start_code=True)
            assert SignIn.WRONG is unit.types("guess", ann, Pin("314159"))
            assert SignIn.OPEN is unit.types("second", ann, PIN)

            browser.post(f"{page}{ann}/take-off/")
            publishing.publish(publishing.read())
            wait_until(lambda: unit.closed == ["second"], "she is signed out")
            assert [] == unit.names()
            assert SignIn.WRONG is unit.types("third", ann, PIN)
    told = unit.facts.getvalue()

    assert "Ann" not in told
    assert not {"271828", code.text} & set(told.split('"'))
