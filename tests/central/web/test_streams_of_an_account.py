"""How many streams one person may have open, whatever they signed in with."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from central.core.rights import WHOLE_TOWN
from central.web.feed import Feed, FeedFullError, FeedTiming
from central.web.session_streams import STREAMS_EACH_MAX, STREAMS_OF_ACCOUNT_MAX, SessionStreams
from tests.central.web.scripted_board import ScriptedBoard
from tests.support.town_office import PATEL, PRIYA, TownOffice, open_session


def test_one_account_cannot_take_every_stream_by_many_sessions() -> None:
    async def script() -> None:
        gate = TownOffice().gate()
        feed = Feed(ScriptedBoard(), timing=FeedTiming(), page="", now=lambda: datetime.now(UTC))
        feed.open()
        streams = SessionStreams(feed)
        cookies = [await open_session(gate) for _ in range(STREAMS_OF_ACCOUNT_MAX // STREAMS_EACH_MAX + 1)]
        sessions = [gate.sessions.find(cookie) for cookie in cookies]
        joined = [
            streams.join(session, None, WHOLE_TOWN)
            for session in sessions[:-1]
            if session is not None
            for _ in range(STREAMS_EACH_MAX)
        ]
        (last,) = (session for session in sessions[-1:] if session is not None)
        other = gate.sessions.find(await open_session(gate, PATEL))
        assert other is not None

        assert (STREAMS_OF_ACCOUNT_MAX, PRIYA) == (len(joined), last.account)
        with pytest.raises(FeedFullError):
            streams.join(last, None, WHOLE_TOWN)
        streams.join(other, None, WHOLE_TOWN)
        streams.leave(joined[0])
        streams.join(last, None, WHOLE_TOWN)

    asyncio.run(script())
