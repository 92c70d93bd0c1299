"""F1: the seed leaves the partition that any computer reads, and is never lost on the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from appliance.card import seed as taking
from appliance.card.fat import Fat
from appliance.card.seed import take_seed
from appliance.errors import CardError
from runtime.atomic import write_atomic
from tests.support.fat_card import Card, PowerCutError, fat_image, listed
from wire.claim_code import claim_code
from wire.seed import SEED_BYTES_MAX, SEED_FILE, EnrolmentAddress, Seed, WiFi, encode_seed
from wire.signing import SigningKey

SEED = Seed(
    node="00000007",
    claim=claim_code(bytes(range(14))),
    enrolment=EnrolmentAddress(host="town.example"),
    ca_sha256=("ab" * 32,),
    authority=SigningKey(bytes(32)).public.raw.hex(),
    wifi=WiFi(name="The Crown", password="correct horse"),
)
DATA = encode_seed(SEED)
LONG_DATA = DATA.replace(b"{", b"{" + b"\n" * 1_100, 1)
"""More than three sectors, as an office, more roots and what people add may make it."""
SECRETS = (SEED.claim.encode(), b"correct horse")
AUTOBOOT = b"a" * 512


class Unit:
    """A unit's folders, and its card."""

    def __init__(self, folder: Path, seed: bytes | None = DATA, card: bytes = b"") -> None:
        self.scratch = folder / "scratch"
        self.node, self.own = folder / "node", folder / "own"
        for one in (self.scratch, self.node, self.own):
            one.mkdir(parents=True)
        files = {"autoboot.txt": AUTOBOOT} | ({SEED_FILE: seed} if seed is not None else {})
        self.card = Card(card or fat_image(self.scratch, files))

    def take(self) -> str:
        return take_seed(self.card, self.node, self.own)

    def claim(self, node: str = SEED.node) -> None:
        (self.node / "node.toml").write_text(f'[identity]\nnode = "{node}"\n')
        (self.node / SEED_FILE).unlink(missing_ok=True)

    @property
    def waiting(self) -> bytes | None:
        path = self.node / SEED_FILE
        return path.read_bytes() if path.exists() else None

    @property
    def on_card(self) -> bytes | None:
        fat = Fat(self.card)
        file = fat.find(SEED_FILE)
        return fat.read(file) if file else None


@pytest.fixture
def unit(tmp_path: Path) -> Unit:
    return Unit(tmp_path)


def test_seed_is_put_where_the_unit_claims_and_no_sector_holds_it(unit: Unit) -> None:
    assert "" == unit.take()

    assert DATA == unit.waiting
    assert 0o600 == (unit.node / SEED_FILE).stat().st_mode & 0o777
    assert {"autoboot.txt": AUTOBOOT} == listed(unit.scratch, unit.card.data)
    assert [] == [secret for secret in SECRETS if secret in unit.card.data]


def test_card_without_a_seed_is_left_as_it_is(tmp_path: Path) -> None:
    unit = Unit(tmp_path, seed=None)

    assert "" == unit.take()
    assert [] == unit.card.writes


@pytest.mark.parametrize("data", [DATA, LONG_DATA], ids=["one sector", "several"])
def test_power_cut_at_any_write_leaves_the_seed_in_one_of_the_two_places(tmp_path: Path, data: bytes) -> None:
    folder = tmp_path / "image"
    folder.mkdir()
    files = {"copy.json": data, "autoboot.txt": AUTOBOOT, SEED_FILE: data, "copy.bin": bytes(400_000) + data}
    before = fat_image(folder, files, deleted=("copy.json", "copy.bin"))
    first = Unit(tmp_path / "first", card=before)
    first.take()
    count = len(first.card.writes)

    for writes in range(count):
        unit = Unit(tmp_path / str(writes), card=before)
        unit.card = Card(before, writes)
        with pytest.raises(PowerCutError):
            unit.take()
        assert data == unit.waiting
        unit.card = Card(bytes(unit.card.data))
        assert "" == unit.take()
        assert data == unit.waiting
        assert unit.on_card is None
        assert [] == [secret for secret in SECRETS if secret in unit.card.data]
    assert count > 3


def test_seed_stays_on_the_card_until_the_data_partition_has_it(unit: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, data: bytes, mode: int) -> None:
        if path.name == SEED_FILE:
            raise OSError(28, "No space left on device")
        write_atomic(path, data, mode)

    monkeypatch.setattr(taking, "write_atomic", refuse)
    with pytest.raises(CardError, match="No space left"):
        unit.take()

    assert [] == unit.card.writes
    assert DATA == unit.on_card


def test_seed_that_is_left_after_the_claim_is_erased(unit: Unit) -> None:
    """The card could not be written, or the power went, as it was taken."""
    unit.claim()

    assert "" == unit.take()
    assert unit.on_card is None
    assert unit.waiting is None
    assert [] == [secret for secret in SECRETS if secret in unit.card.data]


def test_seed_for_another_node_changes_nothing_and_is_told(unit: Unit) -> None:
    unit.claim("00000009")
    before = (unit.node / "node.toml").read_bytes()

    said = unit.take()

    assert "This unit is node 00000009, and the seed on its card is for 00000007. Nothing was changed." == said
    assert (before, None, DATA) == ((unit.node / "node.toml").read_bytes(), unit.waiting, unit.on_card)
    assert [] == list(unit.own.iterdir())


def test_unit_that_does_not_know_who_it_is_takes_no_seed(unit: Unit) -> None:
    (unit.node / "node.toml").write_text("damaged")

    with pytest.raises(CardError, match="who this unit is"):
        unit.take()
    assert DATA == unit.on_card


@pytest.mark.parametrize("bad", [DATA.replace(b"claim", b"clam"), b"{", DATA.replace(b"00000007", b"7")])
def test_seed_with_a_mistake_is_told_by_the_unit_and_may_be_mended_on_the_card(tmp_path: Path, bad: bytes) -> None:
    unit = Unit(tmp_path, bad)

    assert unit.take()
    assert (bad, bad) == (unit.waiting, unit.on_card)


def test_seed_that_was_mended_replaces_the_one_that_waits(tmp_path: Path) -> None:
    unit = Unit(tmp_path / "first", b"{")
    unit.take()
    unit.card = Unit(tmp_path / "second").card

    assert "" == unit.take()
    assert DATA == unit.waiting


def test_seed_with_a_mistake_does_not_replace_the_good_one_that_waits(unit: Unit, tmp_path: Path) -> None:
    unit.take()
    unit.card = Unit(tmp_path / "second", b"{").card

    assert "missing quote or comma" in unit.take()
    assert (DATA, b"{") == (unit.waiting, unit.on_card)


def test_far_too_large_a_seed_is_not_read(tmp_path: Path) -> None:
    unit = Unit(tmp_path, b" " * (SEED_BYTES_MAX + 1))

    assert "far too large" in unit.take()
    assert unit.waiting is None


def test_wifi_of_the_seed_is_put_where_only_root_reads_it(unit: Unit) -> None:
    unit.take()

    file = unit.own / "wpa_supplicant.conf"
    assert 0o600 == file.stat().st_mode & 0o777
    assert {
        "country=GB",
        "\tssid=5468652043726f776e",
        '\tpsk="correct horse"',
        "\tkey_mgmt=WPA-PSK WPA-PSK-SHA256 SAE",
    } <= set(file.read_text().splitlines())


def test_new_seed_for_the_same_node_brings_its_new_wifi(tmp_path: Path) -> None:
    wifi = WiFi(name="Crown", password="0f" * 32, country="IE")
    unit = Unit(tmp_path, encode_seed(replace(SEED, wifi=wifi)))
    unit.claim()
    unit.take()

    text = (unit.own / "wpa_supplicant.conf").read_text()
    assert {"country=IE", f"\tpsk={wifi.password}", "\tkey_mgmt=WPA-PSK WPA-PSK-SHA256"} <= set(text.splitlines())
    assert unit.on_card is None
