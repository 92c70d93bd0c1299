"""A key of the office that was struck lets nobody in any more, and puts nobody out."""

from __future__ import annotations

from pathlib import Path

import pytest

from central.signin.errors import SignInError
from runtime.snapshot_folder import SnapshotFolder
from tests.central.signin.conftest import AT, SECRET, Door, on_loop, refusal
from tests.support.software_passkey import SoftwarePasskey
from tests.support.town_office import PATEL, PRIYA
from wire.printed_codes import code_digest, code_text
from wire.signing import PublicKey
from wire.snapshots import People

CODE = code_text(bytes(range(10)))


class Watched:
    """A door whose list of people comes through a folder, as central's does."""

    def __init__(self, door: Door, folder: Path) -> None:
        self.door = door
        self.keys: tuple[PublicKey, ...] = (door.office.key.public,)
        self._folder = door.office.folder = folder / "snapshots"
        self._kept = folder / "kept"
        digest = code_digest(PATEL, CODE)
        assert digest is not None
        door.office.change(PATEL, printed_codes=(digest,))
        self.passkey = SoftwarePasskey()
        door.office.change(PRIYA, passkeys=(self.passkey.entry,))
        door.office.publish()
        self.start()

    def start(self) -> None:
        gate = self.door.gate = self.door.opened()
        self.people = SnapshotFolder(
            self._folder,
            self._kept,
            People,
            self.door.office.town,
            keys=lambda: self.keys,
            on_new=gate.take_people,
            on_fault=lambda fault: gate.take_fault("people", fault),
        )
        gate.trust_list_while(lambda: self.people.is_trusted)
        self.people.look()


@pytest.fixture
def watched(door: Door, tmp_path: Path) -> Watched:
    return Watched(door, tmp_path)


@pytest.mark.parametrize("restarts", [False, True])
def test_struck_key_lets_nobody_in(watched: Watched, *, restarts: bool) -> None:
    """Its thief signs lists and tickets as well as the office did."""

    async def script() -> None:
        watched.keys = ()
        if restarts:
            watched.start()
        gate = watched.door.gate

        assert "struck" == await refusal(watched.door.enter())
        assert "struck" == await refusal(gate.by_code("j.patel", CODE, AT))
        with pytest.raises(SignInError, match="no longer trusted"):
            gate.passkey_challenge(SECRET, "localhost", AT)

    on_loop(script())


def test_passkey_dialog_that_was_open_at_the_strike_lets_nobody_in(watched: Watched) -> None:
    async def script() -> None:
        gate = watched.door.gate
        answer = watched.passkey.answer(gate.passkey_challenge(SECRET, "localhost", AT), "http://localhost:8080")
        watched.keys = ()
        attempt = gate.by_passkey(SECRET, answer, host="localhost", origin="http://localhost:8080", address=AT)

        assert "struck" == await refusal(attempt)

    on_loop(script())


def test_struck_key_puts_nobody_out_who_is_in(watched: Watched) -> None:
    """Somebody may be answering an attack."""

    async def script() -> None:
        cookie = await watched.door.enter()
        watched.keys = ()
        assert watched.door.is_in(cookie)
        watched.start()

        assert watched.door.is_in(cookie)

    on_loop(script())


def test_list_with_a_trusted_key_opens_the_door_again(watched: Watched) -> None:
    async def script() -> None:
        watched.keys = ()
        assert "struck" == await refusal(watched.door.enter())
        watched.keys = (watched.door.office.key.public,)

        assert "let in" == await refusal(watched.door.enter())

    on_loop(script())
