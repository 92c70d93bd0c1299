from __future__ import annotations

from tests.central.signin.conftest import AT, Door, on_loop, refusal
from tests.support.town_office import PRIYA
from wire.printed_codes import code_digest, code_text

CODE = code_text(bytes(range(10)))


def give_code(door: Door, code: str = CODE) -> None:
    digest = code_digest(PRIYA, code)
    assert digest is not None
    door.office.change(PRIYA, printed_codes=(digest,))
    door.publish()


def test_printed_code_lets_in_once_and_is_marked(door: Door) -> None:
    async def script() -> None:
        give_code(door)
        visitor = door.gate.visitor(await door.gate.by_code(" Priya.Shah", CODE.lower(), AT))

        assert visitor is not None
        assert ("printed-code", True) == (visitor.session.way, visitor.session.is_marked)
        assert "code" == await refusal(door.gate.by_code("priya.shah", CODE, AT))
        assert "code" == await refusal(door.opened().by_code("priya.shah", CODE, AT))

    on_loop(script())


def test_printed_code_of_another_person_is_refused(door: Door) -> None:
    async def script() -> None:
        give_code(door)

        assert "code" == await refusal(door.gate.by_code("j.patel", CODE, AT))

    on_loop(script())


def test_reset_at_the_office_ends_a_session_begun_by_a_code(door: Door) -> None:
    async def script() -> None:
        give_code(door)
        cookie = await door.gate.by_code("priya.shah", CODE, AT)
        door.office.change(PRIYA, generation=2)
        door.publish()

        assert not door.is_in(cookie)

    on_loop(script())


def test_unknown_name_and_wrong_code_are_told_alike(door: Door) -> None:
    async def script() -> None:
        give_code(door)

        assert "code" == await refusal(door.gate.by_code("nobody", CODE, AT))
        assert "code" == await refusal(door.gate.by_code("priya.shah", "0" * 16, AT))
        assert "code" == await refusal(door.gate.by_code("priya.shah", "x", AT))

    on_loop(script())


def test_guessing_is_slowed_for_its_address_alone(door: Door) -> None:
    async def script() -> None:
        give_code(door)
        for _ in range(5):
            await refusal(door.gate.by_code("priya.shah", "0" * 16, AT))

        assert "slow-down" == await refusal(door.gate.by_code("priya.shah", CODE, AT))
        assert "let in" == await refusal(door.gate.by_code("priya.shah", CODE, "192.168.1.21"))

    on_loop(script())


def test_slowed_address_may_try_again_after_the_wait(door: Door) -> None:
    async def script() -> None:
        give_code(door)
        for _ in range(5):
            await refusal(door.gate.by_code("priya.shah", "0" * 16, AT))
        door.wait(seconds=6)

        assert "let in" == await refusal(door.gate.by_code("priya.shah", CODE, AT))

    on_loop(script())
