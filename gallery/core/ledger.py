"""What must be remembered of time and lease across a boot, and what a boot costs.

The lease says until when the gallery may be shown without another word of the office. A boot takes at least ten minutes
from it, on the disk, before anything is shown; and while the gallery runs, the disk learns at least every ten minutes
how late it is. So nobody stretches a lease by switching the unit off and on: 400 boots cost 66 hours at least.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from gallery.core.clock import Clock, Evidence

BOOT_COSTS_S: Final = 600
KEEP_EVERY_S: Final = 600
"""Not more than a boot costs, or boots would pay."""
LEASE_S_MAX: Final = 90 * 86_400
"""However far ahead an office says."""


class Lease(Struct, frozen=True):
    """How long the gallery may be shown without contact.

    Attributes:
        told_at_s: the office's time when it last answered; 0 = it never has.
        until_s: until when, as it said.
        charged_s: what boots have taken since.
        stays: schemes of which the office could not tell what is in force, with the end that they had before.
    """

    told_at_s: int = 0
    until_s: int = 0
    charged_s: int = 0
    stays: tuple[tuple[int, int], ...] = ()

    def ends_s(self, scheme: int, lease_s: int) -> int:
        """When it ends for a gallery that may be shown for ``lease_s`` after contact."""
        for one, until_s in self.stays:
            if one == scheme:
                return until_s - self.charged_s
        return min(self.until_s, self.told_at_s + min(lease_s, LEASE_S_MAX)) - self.charged_s

    def renewed(self, told_at_s: int, until_s: int, unproven: Mapping[int, int]) -> Lease:
        """What an answer of the office makes of it. What boots took is forgiven, where it is renewed.

        Args:
            told_at_s: the office's time.
            until_s: until when, as it says.
            unproven: schemes whose lease stays as it is, with their ``lease_s``.
        """
        stays = tuple((scheme, self.ends_s(scheme, lease_s)) for scheme, lease_s in sorted(unproven.items()))
        return Lease(told_at_s, min(until_s, told_at_s + LEASE_S_MAX), stays=stays)


class Ledger(Struct, frozen=True):
    """The row on the disk.

    Attributes:
        boot_id: of the boot that was charged last.
        evidence, floor_offset_ms, proven_offset_ms: the clock in that boot.
        floor_s, proven_s: the same as Unix seconds, for the next one.
        lease: with what that boot cost.
    """

    boot_id: str = ""
    evidence: Evidence = Evidence.NONE
    floor_offset_ms: int = 0
    proven_offset_ms: int = 0
    floor_s: int = 0
    proven_s: int = 0
    lease: Lease = Lease()

    def begin(self, boot_id: str, now_ms: int) -> tuple[Clock, Lease]:
        """Clock and lease as the program starts. They may be used once they are on the disk.

        The same boot goes on where it was. Another has no evidence, the floor it was left with, and costs.
        """
        if boot_id == self.boot_id:
            return Clock(self.floor_offset_ms, self.proven_offset_ms, self.evidence), self.lease
        clock = Clock(self.floor_s * 1000 - now_ms, self.proven_s * 1000 - now_ms)
        return clock, replace(self.lease, charged_s=self.lease.charged_s + BOOT_COSTS_S)

    @staticmethod
    def of(boot_id: str, clock: Clock, lease: Lease, now_ms: int) -> Ledger:
        """The row that says this."""
        return Ledger(
            boot_id,
            clock.evidence,
            clock.floor_offset_ms,
            clock.proven_offset_ms,
            clock.floor_s(now_ms),
            clock.proven_s(now_ms),
            lease,
        )

    def is_outdated(self, newer: Ledger) -> bool:
        """Whether the disk must be told: otherwise a power cut would lose more than a boot costs."""
        risen_s = newer.floor_s - self.floor_s
        return (
            newer.boot_id != self.boot_id
            or newer.evidence is not self.evidence
            or not 0 <= risen_s < KEEP_EVERY_S
            or not 0 <= newer.proven_s - self.proven_s < KEEP_EVERY_S
            or not 0 <= newer.lease.until_s - self.lease.until_s < KEEP_EVERY_S
            or not 0 <= newer.lease.told_at_s - self.lease.told_at_s < KEEP_EVERY_S
            or newer.lease.charged_s != self.lease.charged_s
            or newer.lease.stays != self.lease.stays
        )
