"""A phone that is let wake its owner: central, notifier and push service as programs (C8)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from central.net.notifier import SILENT
from demo.stand_in_phones import StandInPush
from provisioning.fleet import Fleet
from tests.support.central_program import office_of, running_central
from tests.support.fleet_broker import DEADLINE_S, free_port, wait_until
from tests.support.notifier_program import NotifierProgram, write_notifier
from tests.support.town_office import COOKIE

pytestmark = pytest.mark.integration


def test_test_push_that_is_tapped_proves_a_phone_and_a_dead_notifier_is_told(tmp_path: Path) -> None:
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=1, web_port=free_port())
    fleet.add("Corner Shop", "High St", ["hart"])
    config = fleet.layout.central / "central.toml"
    with config.open("a") as file:
        file.write(f'[notifier]\nsocket = "{tmp_path / "notifier.socket"}"\n')
    office = office_of(config)
    account = office.add("Priya Shah", "cctv", 1).account
    office.publish()
    service = StandInPush(tmp_path)
    phone = service.phone()
    notifier = NotifierProgram(write_notifier(tmp_path, service))
    notifier.central.close()
    try:
        with running_central(config) as central:
            cookie = office.sign_in(central.url, account)

            def ask(path: str, body: object = None) -> httpx.Response:
                headers = {"x-watchlink": "1"}
                given: dict[str, Any] = {"cookies": {COOKIE: cookie}, "headers": headers, "timeout": DEADLINE_S}
                if body is None:
                    return httpx.get(central.url + path, **given)
                return httpx.post(central.url + path, json=body, **given)

            def warnings() -> list[str]:
                said: list[str] = ask("me.json").json()["warnings"]
                return said

            wait_until(lambda: "data-key" in ask("phones").text, "the notifier's key")
            assert 200 == ask("phones/add", msgspec.to_builtins(phone.subscription)).status_code
            wait_until(lambda: bool(phone.shown), "a test on the phone")
            told = phone.shown[0].told
            assert ("test", []) == (told["occasion"], service.refused)
            assert "It reached you" in ask(f"wake/{told['reference']}").text
            assert "a test reached you" in ask("phones").text
            assert SILENT not in warnings()

            notifier.kill()
            wait_until(lambda: SILENT in warnings(), "the operator is told")
            before_s = time.monotonic()
            assert 200 == ask("board.json").status_code
            assert time.monotonic() - before_s < 5

            notifier = NotifierProgram(notifier.config)
            notifier.central.close()
            wait_until(lambda: SILENT not in warnings(), "the fault is over")
    finally:
        notifier.kill()
        service.close()
