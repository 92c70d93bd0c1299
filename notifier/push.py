"""Web Push: one message to one browser (RFC 8030, 8188, 8291, 8292).

Each attempt is bounded in time and bytes. Names are resolved here, and the connection goes to the address that was
judged, so that a name cannot point elsewhere a moment later. Redirects are not followed.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack, suppress
from email.utils import parsedate_to_datetime
from math import ceil
from typing import Final

import h11
from pywebpush import WebPusher, WebPushException

from notifier.endpoints import Endpoint, Network, may_reach, parse_endpoint
from notifier.outcome import NotSent, Outcome, Sent, not_sent
from notifier.texts import payload
from notifier.threads import Threads
from notifier.vapid import VapidKey
from wire.notices import Notice, Reason, Subscription

logger = logging.getLogger(__name__)

ATTEMPT_S: Final = 10.0
"""Of one attempt, from the question for the name to the answer."""
CONNECT_S: Final = 3.0
"""To one address of several: where IPv6 leads nowhere, IPv4 is tried in time."""
AT_ONCE_MAX: Final = 64
AT_ONE_HOST_MAX: Final = 16
"""A host that hangs does not take all of them."""
ANSWER_BYTES_MAX: Final = 16_384
HOSTS_MAX: Final = 256
_TOPIC_CHARS: Final = 32
_READ_BYTES: Final = 4_096


class PushSender:
    """Sends pushes. Used on one loop.

    Args:
        key: ours.
        tls: whom to believe.
        allowed: networks beside the public internet where endpoints may be.
    """

    def __init__(self, key: VapidKey, tls: ssl.SSLContext, allowed: Iterable[Network] = ()) -> None:
        self._key = key
        self._tls = tls
        self._allowed = tuple(allowed)
        self._places = asyncio.Semaphore(AT_ONCE_MAX)
        self._hosts: dict[str, asyncio.Semaphore] = {}
        # A name server that hangs holds up those who ask it, and nothing else: each name is asked for once at a time.
        self._resolvers = Threads("resolver", AT_ONE_HOST_MAX)
        self._lookups: dict[tuple[str, int], asyncio.Task[list[str]]] = {}

    async def send(self, notice: Notice, left_s: Callable[[], float]) -> Outcome:  # noqa: PLR0911 - each end has its words
        """One attempt. Never raises but for cancellation.

        Args:
            notice: what to send.
            left_s: for how long it is still worth sending; 0 or less = no longer.
        """
        if notice.subscription is None:
            return NotSent(Reason.BAD_ADDRESS)
        try:
            endpoint = parse_endpoint(notice.subscription.endpoint)
            body = _encrypted(notice.subscription, payload(notice))
        except (ValueError, WebPushException) as e:
            return not_sent(Reason.BAD_ADDRESS, f"This phone's subscription cannot be used: {e}.")
        async with AsyncExitStack() as places:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, left_s())):
                    await places.enter_async_context(self._host(endpoint.host))
                    await places.enter_async_context(self._places)
            ttl_s = ceil(left_s())
            if ttl_s <= 0:
                return not_sent(Reason.EXPIRED, f"The push service {endpoint.host} is kept busy by others.")
            try:
                async with asyncio.timeout(ATTEMPT_S):
                    return await self._post(endpoint, self._request(endpoint, notice, ttl_s, len(body)), body)
            except TimeoutError:
                return not_sent(Reason.NO_ANSWER, f"The push service {endpoint.host} did not answer in time.")
            except ssl.SSLError as e:
                return not_sent(Reason.UNREACHED, f"The push service {endpoint.host} is not itself: {e.reason}.")
            except OSError as e:
                why = e.strerror or e
                return not_sent(Reason.UNREACHED, f"The push service {endpoint.host} cannot be reached: {why}.")
            except h11.RemoteProtocolError as e:
                return not_sent(Reason.TOO_MANY, f"The push service {endpoint.host} does not speak HTTP: {e}.")

    def _host(self, host: str) -> asyncio.Semaphore:
        if host not in self._hosts and len(self._hosts) >= HOSTS_MAX:
            self._hosts = {name: one for name, one in self._hosts.items() if one.locked()}
        return self._hosts.setdefault(host, asyncio.Semaphore(AT_ONE_HOST_MAX))

    def _request(self, endpoint: Endpoint, notice: Notice, ttl_s: int, length: int) -> h11.Request:
        # One phone shows one: a later message takes the place of one that the phone has not fetched yet.
        topic = hashlib.sha256(f"{notice.account} {notice.occasion}".encode()).hexdigest()[:_TOPIC_CHARS]
        fields = {
            "Host": endpoint.authority,
            "Authorization": self._key.authorization(f"https://{endpoint.authority}"),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "Content-Length": str(length),
            "TTL": str(ttl_s),
            "Topic": topic,
            "Urgency": "normal" if notice.occasion == "shift" else "high",
            "Connection": "close",
        }
        return h11.Request(method="POST", target=endpoint.target, headers=[*fields.items()])

    async def _post(self, endpoint: Endpoint, request: h11.Request, body: bytes) -> Outcome:
        addresses = await self._resolve(endpoint)
        if not all(may_reach(address, self._allowed) for address in addresses):
            return not_sent(Reason.BAD_ADDRESS, f"{endpoint.host} is in a private network: nothing is sent there.")
        reader, writer = await self._connect(endpoint, addresses)
        try:
            http = h11.Connection(h11.CLIENT, max_incomplete_event_size=ANSWER_BYTES_MAX)
            for event in (request, h11.Data(data=body), h11.EndOfMessage()):
                writer.write(http.send(event) or b"")
            await writer.drain()
            taken = 0
            while True:
                answer = http.next_event()
                if isinstance(answer, h11.Response):
                    return _judged(endpoint.host, answer)
                if answer is h11.NEED_DATA:
                    data = await reader.read(_READ_BYTES)
                    taken += len(data)
                    if taken > ANSWER_BYTES_MAX:
                        return not_sent(Reason.TOO_MANY, f"The push service {endpoint.host} answers without end.")
                    http.receive_data(data)
                elif not isinstance(answer, h11.InformationalResponse):
                    return not_sent(Reason.UNREACHED, f"The push service {endpoint.host} hung up.")
        finally:
            # Nothing of the rest is wanted, and no farewell is waited for.
            writer.transport.abort()

    async def _connect(
        self, endpoint: Endpoint, addresses: list[str]
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for address in addresses[:-1]:
            # A machine without IPv6 finds that out at once, one whose network has half of it never does.
            with suppress(OSError):
                async with asyncio.timeout(CONNECT_S):
                    return await self._open(endpoint, address)
        return await self._open(endpoint, addresses[-1])

    async def _open(self, endpoint: Endpoint, address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(
            address, endpoint.port, ssl=self._tls, server_hostname=endpoint.host, limit=ANSWER_BYTES_MAX
        )

    async def _resolve(self, endpoint: Endpoint) -> list[str]:
        name = endpoint.host, endpoint.port
        lookup = self._lookups.get(name)
        if lookup is None:
            lookup = self._lookups[name] = asyncio.ensure_future(self._looked_up(endpoint))
            lookup.add_done_callback(lambda done: (self._lookups.pop(name), done.cancelled() or done.exception()))
        # Whoever loses patience ends it for nobody else.
        return await asyncio.shield(lookup)

    async def _looked_up(self, endpoint: Endpoint) -> list[str]:
        def look_up() -> list[str]:
            found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
            return [str(address[0]) for *_, address in found]

        await self._resolvers.place()
        return await self._resolvers.run(look_up)


def _encrypted(subscription: Subscription, data: bytes) -> bytes:
    keys = {"p256dh": subscription.p256dh, "auth": subscription.auth}
    body: bytes = WebPusher({"endpoint": subscription.endpoint, "keys": keys}).encode(data)["body"]
    return body


def _judged(host: str, answer: h11.Response) -> Outcome:
    status = answer.status_code
    match status:
        case 200 | 201 | 202 | 204:
            return Sent()
        case 404 | 410:
            return not_sent(Reason.GONE, "This phone has given its subscription up.")
        case 429:
            return not_sent(Reason.TOO_MANY, f"The push service {host} is sent too much.", _pause_s(answer))
        case _ if 300 <= status < 400:  # noqa: PLR2004 - redirection (RFC 9110, section 15.4)
            return not_sent(Reason.REDIRECTED, f"The push service {host} points elsewhere.")
        case _ if status >= 500:  # noqa: PLR2004 - server error (RFC 9110, section 15.6)
            return not_sent(Reason.TOO_MANY, f"The push service {host} is out of order ({status}).", _pause_s(answer))
        case _:
            return not_sent(Reason.REFUSED, f"The push service {host} refuses it ({status}).")


def _pause_s(answer: h11.Response) -> float | None:
    for name, value in answer.headers:
        if name == b"retry-after":
            with suppress(ValueError, OverflowError):
                return max(0.0, float(int(value)))
            with suppress(ValueError, TypeError):
                # A date: by whose clock? Its being far off is what counts.
                return float("inf") if parsedate_to_datetime(value.decode("latin-1")) else None
    return None
