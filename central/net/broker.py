"""Central's end of the links to the broker. Handlers run on paho's threads and decide nothing: they enqueue.

Two connections, each with its own certificate, because a connection is one queue: inside the broker everything that
members send stands before the alerts behind it. One carries alerts both ways and the syncs that tell their age; the
other the rest. Without the second certificate one connection carries everything.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime
from typing import Any, Final

from central.core.events import LaneChanged, LinkDown, LinkUp
from central.net.inbox import Inbox, Published
from runtime.config import ConfigError
from runtime.mqtt_link import LinkHandlers, LinkSettings, PahoLink
from wire.ids import CENTRAL, CENTRAL_ALERTS_CLIENT, node_text
from wire.limits import MESSAGE_BYTES_MAX
from wire.signing import SIGNATURE_TEXT_CHARS
from wire.topics import ALERTS_LANE, ALL_FRAMES, ALL_HEALTH, ALL_UP, Down, DownTopic

logger = logging.getLogger(__name__)

QUEUED_MAX: Final = 100_000
"""QoS 1 messages held for a broker that is away or slow: a few rounds of every incident of a town."""
ECHO_EVERY_S: Final = 2.0
ECHO_LOOKS_MAX: Final = 60
"""Without an echo, a few in a second: looks, not seconds, because a program that was held up has not looked."""
_ECHO: Final = str(DownTopic(CENTRAL, Down.RECEIPT))
"""To nobody but the connection for alerts itself, which the broker's rules let write and read it."""
_EVERYTHING: Final = (ALL_FRAMES, ALL_UP)
_SAID_OF_ALERTS: Final = tuple(f"/down/{channel}" for channel in (Down.RECEIPT, Down.ACK, Down.AIR))


class BrokerLinks:
    """Both connections as one. Call :meth:`publish` from any thread, the rest from one.

    The connection for the rest carries alerts too until the other is proven, and again while the other is down; an
    alert that arrives by both is one alert. So this connection alone decides whether there is a link.

    The one for alerts is proven for as long as what it sends itself comes back. Mosquitto 2.0.21 drops whatever it has
    for a client for whom 6,000 packets wait, and keeps what had QoS 1 as "in flight": a hundred of those, and no alert
    reaches us any more until we connect anew.
    """

    def __init__(self, settings: LinkSettings, alerts: LinkSettings | None, inbox: Inbox[Any]) -> None:
        """Not started. ``inbox`` gets nodes' messages, :class:`LinkUp`, :class:`LinkDown` and :class:`LaneChanged`.

        Raises:
            ConfigError: see :class:`runtime.mqtt_link.PahoLink`; never because of ``alerts``.
        """
        self._inbox = inbox
        self._is_alerts_proven = False
        self._has_echo = False
        self._echo_sent_s = 0.0
        self._looks_without_echo = 0
        self._rest = PahoLink(
            settings,
            node_text(CENTRAL),
            LinkHandlers(self._on_up, self._on_down, self._on_message, on_published=lambda _token: None),
            subscriptions=_EVERYTHING,
            max_queued=QUEUED_MAX,
        )
        self._alerts: PahoLink | None = None
        if alerts is None:
            logger.warning(
                "alerts have no connection of their own, so one member's flood can hold up all others' alerts:"
                " 'watchlink fleet renew alerts' makes its certificate, see docs/runbook.md"
            )
            return
        handlers = LinkHandlers(
            self._on_alerts_up, self._on_alerts_down, self._on_message, self._on_proven, self._on_not_proven
        )
        try:
            self._alerts = PahoLink(
                alerts,
                CENTRAL_ALERTS_CLIENT,
                handlers,
                subscriptions=(*ALERTS_LANE, _ECHO),
                max_queued=QUEUED_MAX,
            )
        except ConfigError as e:
            # Better one connection for everything than no central.
            logger.error("alerts share the other connection, for theirs cannot be made: %s", e)  # noqa: TRY400

    def start(self) -> None:
        """Connect, and stay connected."""
        for link in self._links():
            link.start()

    def stop(self) -> None:
        """Disconnect without a last will, within a second each."""
        for link in self._links():
            link.stop()

    @property
    def broker_ends_at(self) -> datetime | None:
        """When the broker's certificate ends; ``None`` = there is no connection now."""
        return self._rest.broker_ends_at

    def look(self) -> None:
        """Connect anew for alerts if nothing that this connection sends itself comes back. Call it every 0.2 s."""
        # Rules from before this was asked for let it write, not read.
        if self._alerts is None or not self._has_echo:
            return
        now_s = time.monotonic()
        self._looks_without_echo += 1
        if self._looks_without_echo > ECHO_LOOKS_MAX:
            self._has_echo = False
            logger.warning("the connection for alerts brings nothing any more: connecting anew")
            self._alerts.break_off()
        elif now_s - self._echo_sent_s > ECHO_EVERY_S:
            self._echo_sent_s = now_s
            self._alerts.publish(_ECHO, b"", qos=1)

    def publish(self, topic: str, payload: bytes, qos: int = 0, *, signature: str | None = None) -> bool:
        """As :meth:`runtime.mqtt_link.PahoLink.publish`; answers to alerts take the alerts' connection once proven."""
        if self._alerts and self._is_alerts_proven and topic.endswith(_SAID_OF_ALERTS):
            return self._alerts.publish(topic, payload, qos, signature=signature)
        if self._alerts:
            # It only carries answers to what it brings, so nothing else would notice that its thread has ended.
            self._alerts.revive()
        return self._rest.publish(topic, payload, qos, signature=signature)

    def _links(self) -> list[PahoLink]:
        return [self._rest] if self._alerts is None else [self._alerts, self._rest]

    # Everything below runs on paho's threads.

    def _on_message(self, topic: str, payload: bytes, signature: str | None) -> None:
        if topic == _ECHO:
            self._looks_without_echo, self._has_echo = 0, True
            return
        is_oversized = len(payload) > MESSAGE_BYTES_MAX
        if signature is not None and len(signature) != SIGNATURE_TEXT_CHARS:
            signature = ""  # Invalid by its length, which may be great: not kept.
        self._inbox.put_message(Published(topic, b"" if is_oversized else payload, is_oversized, signature))

    def _on_up(self) -> None:
        logger.info("linked to the broker")
        self._inbox.put(LinkUp())

    def _on_down(self, detail: str, is_permanent: bool) -> None:  # noqa: FBT001 - the link's contract
        logger.warning("no link to the broker: %s%s", detail, "; this needs attention" if is_permanent else "")
        self._inbox.put(LinkDown(detail))

    def _on_alerts_up(self) -> None:
        # A broker whose rules do not name this connection lets it subscribe but sends it nothing. Publishing a message
        # to nobody else, which needs those rules, shows whether they name it.
        if self._alerts:
            self._alerts.publish(_ECHO, b"", qos=1, token="proof")  # noqa: S106

    def _on_proven(self, token: str | None) -> None:
        if token is not None:
            logger.info("alerts have a connection of their own")
            self._is_alerts_proven = True
            # Before LaneChanged: whatever the other connection sends from then on comes after this.
            self._rest.subscribe_to((ALL_HEALTH,))
            self._inbox.put(LaneChanged(is_proven=True))

    def _on_not_proven(self, token: str | None, reason: str) -> None:
        if token is not None:
            logger.error(
                "the broker's rules do not name the connection for alerts (%s), which so share one with the rest:"
                " 'watchlink fleet renew-crl' tells it",
                reason,
            )

    def _on_alerts_down(self, detail: str, is_permanent: bool) -> None:  # noqa: FBT001 - the link's contract
        must_be_seen_to = "; this needs attention" if is_permanent else ""
        logger.warning("alerts share the other connection: %s%s", detail, must_be_seen_to)
        self._is_alerts_proven = self._has_echo = False
        self._inbox.put(LaneChanged(is_proven=False))
        self._rest.subscribe_to(_EVERYTHING)
