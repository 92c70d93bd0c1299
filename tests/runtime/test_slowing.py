from __future__ import annotations

from runtime.slowing import ADDRESSES_MAX, FREE_FAILURES, LONGEST_WAIT_S, Slowing


def failing(times: int, address: str = "192.168.1.20") -> Slowing:
    slowing = Slowing()
    for _ in range(times):
        slowing.note_failure(address, 0.0)
    return slowing


def test_first_failures_cost_nothing() -> None:
    assert 0.0 == failing(FREE_FAILURES - 1).wait_s("192.168.1.20", 0.0)


def test_each_further_failure_doubles_the_wait_up_to_a_limit() -> None:
    waits = [failing(FREE_FAILURES + more).wait_s("192.168.1.20", 0.0) for more in (0, 1, 2, 50)]

    assert [5.0, 10.0, 20.0, LONGEST_WAIT_S] == waits


def test_failures_are_forgotten() -> None:
    slowing = failing(50)

    assert 0.0 == slowing.wait_s("192.168.1.20", 901.0)


def test_one_network_of_version_6_is_one_address() -> None:
    slowing = failing(FREE_FAILURES, "fd00:1:2:3::1")

    assert 0.0 < slowing.wait_s("fd00:1:2:3:ffff::9", 0.0)
    assert 0.0 == slowing.wait_s("fd00:1:2:4::1", 0.0)


def test_addresses_of_version_4_are_apart_on_a_socket_for_both() -> None:
    slowing = failing(FREE_FAILURES, "::ffff:192.168.1.66")

    assert 0.0 == slowing.wait_s("::ffff:192.168.1.20", 0.0)
    assert 0.0 < slowing.wait_s("192.168.1.66", 0.0)


def test_addresses_are_bounded() -> None:
    slowing = Slowing()
    for number in range(ADDRESSES_MAX + 10):
        slowing.note_failure(f"host{number}", 0.0)

    assert ADDRESSES_MAX == len(slowing._failures)
