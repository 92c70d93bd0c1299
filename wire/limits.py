"""Size limits. Every decoder checks them before anything else; every text is cut to them.

A broker forwards megabytes and control characters without complaint, so we keep the limits.
"""

from __future__ import annotations

from typing import Final

FRAME_BYTES_MAX: Final = 96
"""Header 13 + body 19 + signature 64: what a 1200 baud burst carries in about one second."""

BODY_BYTES_MAX: Final = 19
"""A frame's bytes less header and signature."""

PACKET_BYTES_MAX: Final = 65_536
"""An MQTT packet, both ways. A larger one ends its sender's connection, before the broker holds it."""

MESSAGE_BYTES_MAX: Final = 64_000
"""Any JSON message: fits a packet with its topic and properties, and holds an incident with 64 answers in
four-byte characters."""

DIRECTORY_BYTES_MAX: Final = 4_194_304
"""The signed directory: about 325 bytes a node, so some 12,900 nodes. It travels in parts if larger than a message."""

SETTINGS_BYTES_MAX: Final = 16_384
"""A node's signed settings: eleven short texts and a few numbers."""

RELEASE_BYTES_MAX: Final = 16_384
"""A signed release: 256 canaries take 3 kB."""

SETTINGS_FILE_BYTES_MAX: Final = 33_554_432
"""Those of all nodes, where central reads them."""

SNAPSHOT_BYTES_MAX: Final = 33_554_432
"""A snapshot of the office: about 2 kB a premises or person at most, for 16,000 of them."""

SYNC_ANSWER_BYTES_MAX: Final = MESSAGE_BYTES_MAX
"""The answer to a sync: the open incidents of the node's schemes."""

DETAIL_CHARS_MAX: Final = 200
"""What an error quotes of a peer's input, for the log."""

TOPIC_BYTES_MAX: Final = 128

NAME_CHARS_MAX: Final = 64
"""Names of people, premises, schemes."""

TEXT_CHARS_MAX: Final = 500
"""Notes and fault descriptions."""

OFFICE_KEYS_MAX: Final = 4
"""The office's key, and the next one while it is being changed."""

SCHEMES_PER_NODE_MAX: Final = 4
"""A premises is in HART, in Pub Watch or in both; four leaves room and keeps an alert within 96 bytes."""

SHORT_NAME_BYTES_MAX: Final = 9
"""A person's name inside an acknowledgement frame, as UTF-8."""
