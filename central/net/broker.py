"""Central's end of the link to the broker. Its handlers run on paho's thread and do nothing but enqueue."""

from __future__ import annotations

import logging
from typing import Any, Final

from central.core.events import LinkDown, LinkUp
from central.net.inbox import Inbox, Published
from runtime.mqtt_link import LinkHandlers, LinkSettings, PahoLink
from wire.ids import CENTRAL, node_text
from wire.limits import MESSAGE_BYTES_MAX
from wire.topics import ALL_FRAMES, ALL_UP

logger = logging.getLogger(__name__)

QUEUED_MAX: Final = 100_000
"""QoS 1 messages held for a broker that is away or slow: some rounds of every incident of a town."""


def link_to_broker(settings: LinkSettings, inbox: Inbox[Any]) -> PahoLink:
    """The link, not started: everything that nodes say lands in ``inbox``, as do :class:`LinkUp` and :class:`LinkDown`.

    Raises:
        ConfigError: see :class:`runtime.mqtt_link.PahoLink`.
    """

    def on_message(topic: str, payload: bytes) -> None:
        is_oversized = len(payload) > MESSAGE_BYTES_MAX
        inbox.put_message(Published(topic, b"" if is_oversized else payload, is_oversized))

    def on_up() -> None:
        logger.info("linked to the broker")
        inbox.put(LinkUp())

    def on_down(detail: str, is_permanent: bool) -> None:  # noqa: FBT001 - the link's contract
        logger.warning("no link to the broker: %s%s", detail, "; somebody must see to it" if is_permanent else "")
        inbox.put(LinkDown(detail))

    handlers = LinkHandlers(
        on_up=on_up,
        on_down=on_down,
        on_message=on_message,
        on_published=lambda _token: None,
    )
    return PahoLink(settings, node_text(CENTRAL), handlers, subscriptions=(ALL_FRAMES, ALL_UP), max_queued=QUEUED_MAX)
