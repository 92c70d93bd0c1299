"""What has become of the reports of each node: the publisher's file for the machine port. It names nobody.

``outcomes.json`` also says which of the port's reports the office has taken in, so that the port may forget what they
say. It replaces the one before.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Final

import msgspec
from msgspec import Struct

from wire.gallery_reports import OUTCOMES_MAX, Outcomes, ReportOutcome
from wire.ids import NodeId, node_text
from wire.messages import Count, NodeText

FILE_NAME: Final = "outcomes.json"
FILE_BYTES_MAX: Final = 67_108_864
NO_OUTCOMES: Final = Outcomes(version="")


class OutcomesFile(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The file.

    Attributes:
        taken: number of the newest of the port's reports that the office has taken in, and all before it.
        nodes: what each node is told, by its eight digits.
    """

    taken: Count = 0
    nodes: Mapping[NodeText, Annotated[tuple[ReportOutcome, ...], msgspec.Meta(max_length=OUTCOMES_MAX)]] = {}

    def of(self, node: NodeId) -> Outcomes:
        """What a node is told; of nothing the version is empty, as before it was ever told anything."""
        reports = self.nodes.get(node_text(node), ())
        if not reports:
            return NO_OUTCOMES
        return Outcomes(version=sha256(msgspec.json.encode(reports)).hexdigest()[:16], reports=reports)


_read: Final = msgspec.json.Decoder(OutcomesFile).decode


def encode_outcomes(file: OutcomesFile) -> bytes:
    """The bytes of the file."""
    return msgspec.json.encode(file)


def decode_outcomes(data: bytes) -> OutcomesFile:
    """Read the file.

    Raises:
        ValueError: malformed.
    """
    try:
        return _read(data)
    except (msgspec.MsgspecError, RecursionError) as e:
        raise ValueError("not a file of outcomes") from e
