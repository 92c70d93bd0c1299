from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from central.signin.passkeys import CHALLENGES_EACH_MAX
from tests.central.signin.conftest import AT, SECRET, Door, on_loop, refusal
from tests.support.software_passkey import SoftwarePasskey
from tests.support.town_office import PATEL, PRIYA

ORIGIN = "http://localhost:8080"


def give_passkey(door: Door, account: int = PRIYA) -> SoftwarePasskey:
    passkey = SoftwarePasskey()
    door.office.change(account, passkeys=(passkey.entry,))
    door.publish()
    return passkey


async def use(door: Door, answer: dict[str, Any], secret: str = SECRET) -> str:
    return await door.gate.by_passkey(secret, answer, host="localhost", origin=ORIGIN, address=AT)


def test_passkey_lets_in_without_the_office_and_is_marked(door: Door) -> None:
    async def script() -> None:
        passkey = give_passkey(door)
        options = door.gate.passkey_challenge(SECRET, "localhost", AT)
        visitor = door.gate.visitor(await use(door, passkey.answer(options, ORIGIN)))

        assert visitor is not None
        assert (PRIYA, "passkey", True) == (visitor.person.account, visitor.session.way, visitor.session.is_marked)
        assert door.now_at == visitor.session.second_factor_at

    on_loop(script())


def test_challenge_asks_for_the_person_and_not_only_the_key(door: Door) -> None:
    options = door.gate.passkey_challenge(SECRET, "localhost", AT)["publicKey"]

    assert ("localhost", "required") == (options["rpId"], options["userVerification"])


def test_challenge_is_good_for_one_answer(door: Door) -> None:
    async def script() -> None:
        passkey = give_passkey(door)
        answer = passkey.answer(door.gate.passkey_challenge(SECRET, "localhost", AT), ORIGIN)
        await use(door, answer)

        assert "passkey-late" == await refusal(use(door, answer))

    on_loop(script())


def test_challenge_is_used_up_by_a_wrong_answer(door: Door) -> None:
    async def script() -> None:
        passkey = give_passkey(door)
        options = door.gate.passkey_challenge(SECRET, "localhost", AT)
        await refusal(use(door, SoftwarePasskey().answer(options, ORIGIN)))

        assert "passkey-late" == await refusal(use(door, passkey.answer(options, ORIGIN)))

    on_loop(script())


def test_challenge_of_another_browser_is_not_answered(door: Door) -> None:
    async def script() -> None:
        passkey = give_passkey(door)
        options = door.gate.passkey_challenge(SECRET, "localhost", AT)
        door.gate.passkey_challenge("t" * 43, "localhost", AT)

        assert "passkey" == await refusal(use(door, passkey.answer(options, ORIGIN), "t" * 43))

    on_loop(script())


def test_late_answer_is_refused(door: Door) -> None:
    async def script() -> None:
        passkey = give_passkey(door)
        options = door.gate.passkey_challenge(SECRET, "localhost", AT)
        door.wait(minutes=6)

        assert "passkey-late" == await refusal(use(door, passkey.answer(options, ORIGIN)))

    on_loop(script())


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "http://localhost:9999"},
        {"origin": "https://localhost:8080"},
        {"origin": "http://evil.example"},
        {"rp_id": "evil.example"},
        {"kind": "webauthn.create"},
        {"is_verified": False},
    ],
    ids=str,
)
def test_answer_from_elsewhere_or_without_the_person_is_refused(door: Door, wrong: dict[str, Any]) -> None:
    async def script() -> None:
        passkey = give_passkey(door)
        options = door.gate.passkey_challenge(SECRET, "localhost", AT)

        assert "passkey" == await refusal(use(door, passkey.answer(options, **{"origin": ORIGIN, **wrong})))

    on_loop(script())


def test_passkey_that_nobody_has_is_refused(door: Door) -> None:
    async def script() -> None:
        give_passkey(door)
        options = door.gate.passkey_challenge(SECRET, "localhost", AT)

        assert "passkey" == await refusal(use(door, SoftwarePasskey().answer(options, ORIGIN)))

    on_loop(script())


def test_passkey_that_two_people_list_is_nobodys(door: Door) -> None:
    async def script() -> None:
        passkey = give_passkey(door)
        door.office.change(PATEL, passkeys=(passkey.entry,))
        door.publish()
        options = door.gate.passkey_challenge(SECRET, "localhost", AT)

        assert "passkey" == await refusal(use(door, passkey.answer(options, ORIGIN)))

    on_loop(script())


def test_passkey_with_another_ones_signature_is_refused(door: Door) -> None:
    async def script() -> None:
        passkey, other = give_passkey(door), SoftwarePasskey()
        other.credential = passkey.credential
        options = door.gate.passkey_challenge(SECRET, "localhost", AT)

        assert "passkey" == await refusal(use(door, other.answer(options, ORIGIN)))

    on_loop(script())


def test_passkey_with_an_unreadable_key_leaves_the_persons_others(door: Door) -> None:
    async def script() -> None:
        passkey = give_passkey(door)
        broken = replace(SoftwarePasskey().entry, public_key=b"\xff")
        door.office.change(PRIYA, passkeys=(broken, passkey.entry))
        door.publish()
        options = door.gate.passkey_challenge(SECRET, "localhost", AT)

        assert "let in" == await refusal(use(door, passkey.answer(options, ORIGIN)))

    on_loop(script())


@pytest.mark.parametrize("answer", [{}, {"rawId": 7}, {"rawId": "AA", "response": None}, {"rawId": "é"}], ids=str)
def test_nonsense_is_no_answer(door: Door, answer: dict[str, Any]) -> None:
    async def script() -> None:
        door.gate.passkey_challenge(SECRET, "localhost", AT)

        assert "passkey" == await refusal(use(door, answer))

    on_loop(script())


def test_reset_at_the_office_ends_a_session_begun_by_a_passkey(door: Door) -> None:
    async def script() -> None:
        passkey = give_passkey(door)
        cookie = await use(door, passkey.answer(door.gate.passkey_challenge(SECRET, "localhost", AT), ORIGIN))
        door.office.change(PRIYA, generation=2)
        door.publish()

        assert not door.is_in(cookie)

    on_loop(script())


@pytest.mark.parametrize("network", ["192.168.1.66", "::ffff:192.168.1.66", "fd00:1:2:3::{:x}"])
def test_challenges_of_one_network_are_bounded_and_drive_out_no_others(door: Door, network: str) -> None:
    """Whoever has one address of version 6 has a whole network of them."""

    async def script() -> None:
        passkey = give_passkey(door)
        options = door.gate.passkey_challenge(SECRET, "localhost", AT)
        for number in range(3 * CHALLENGES_EACH_MAX):
            door.gate.passkey_challenge(f"{number}", "localhost", network.format(number))

        assert CHALLENGES_EACH_MAX + 1 == len(door.gate._passkeys._open)
        assert "let in" == await refusal(use(door, passkey.answer(options, ORIGIN)))

    on_loop(script())
