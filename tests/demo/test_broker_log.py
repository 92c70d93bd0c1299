"""A lie counts as told only when the broker's log shows that the programs it is for have taken it."""

from __future__ import annotations

from pathlib import Path

from demo.broker_log import BrokerLog, Handing

LIAR, SHOP = "CN=liar,O=services", "CN=00000010,O=node"
TOPIC = "watchlink/1/node/00000010/down/ack"
STAMP = "2026-11-26T10:07:10+0000: "
SAID = f"{STAMP}Received PUBLISH from {LIAR} (d0, q1, r0, m2, '{TOPIC}', ... (95 bytes))"
DENIED = f"{STAMP}Denied PUBLISH from {LIAR} (d0, q1, r0, m2, '{TOPIC}', ... (95 bytes))"
SENT = f"{STAMP}Sending PUBLISH to {SHOP} (d0, q1, r0, m7, '{TOPIC}', ... (95 bytes))"
SENT_ELSEWHERE = f"{STAMP}Sending PUBLISH to {SHOP} (d0, q1, r0, m7, 'another/topic', ... (95 bytes))"
CONFIRMED = f"{STAMP}Received PUBACK from {SHOP} (Mid: 7, RC:0)"
CONFIRMED_ANOTHER = f"{STAMP}Received PUBACK from {SHOP} (Mid: 6, RC:0)"


def handing(*lines: str) -> Handing:
    made = Handing(LIAR, TOPIC)
    for line in lines:
        made.take(line)
    return made


def test_handing_knows_who_has_confirmed_it() -> None:
    assert {SHOP} == handing(SAID, SENT, CONFIRMED).has


def test_handing_takes_nothing_for_a_confirmation_of_it() -> None:
    assert not handing(SAID, SENT).has
    assert not handing(SAID, CONFIRMED).has
    assert not handing(SAID, SENT, CONFIRMED_ANOTHER).has
    assert not handing(SAID, SENT_ELSEWHERE, CONFIRMED).has


def test_handing_leaves_out_what_was_sent_before_it_was_said() -> None:
    assert not handing(SENT, SAID, CONFIRMED).has


def test_handing_knows_that_the_broker_did_not_take_it() -> None:
    assert handing(DENIED).is_denied
    assert not handing(SAID).is_denied


def test_broker_log_gives_each_whole_line_once(tmp_path: Path) -> None:
    path = tmp_path / "broker.log"
    path.write_text("before\n")
    log = BrokerLog(path)
    with path.open("a") as out:
        out.write("one\nhal")
        out.flush()

        assert ["one"] == log.lines()

        out.write("f\n")

    assert ["half"] == log.lines()
    assert [] == log.lines()
