"""The notifier's unit: it speaks to strangers, so it has nothing of ours."""

from __future__ import annotations

from tests.systemd.test_units import NOTIFIER, UNITS, lines_of


def test_notifier_speaks_to_strangers_and_has_nothing_of_ours() -> None:
    hidden = {f"-{path}" for path in ("/var/lib/watchlink-office", "/var/lib/watchlink-central", "/etc/watchlink")}

    assert hidden <= {*lines_of(NOTIFIER, "InaccessiblePaths")}
    assert ["any"] == lines_of(NOTIFIER, "SocketBindDeny")
    assert [] == lines_of(NOTIFIER, "ReadWritePaths") + lines_of(NOTIFIER, "SupplementaryGroups")
    assert ["0700", "0750"] == [*lines_of(NOTIFIER, "StateDirectoryMode"), *lines_of(NOTIFIER, "RuntimeDirectoryMode")]
    users = (UNITS / "sysusers.d/watchlink-notifier.conf").read_text().splitlines()
    assert ["m watchlink-central watchlink-notifier"] == [line for line in users if line.startswith("m ")]
