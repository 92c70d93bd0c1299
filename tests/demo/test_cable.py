"""The cable makes the worst moment last: it must hold back, let go, and lose exactly what it is told to lose."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from demo.cable import Cable, Way
from demo.ports import LOOPBACK

Talk = Callable[[Cable, asyncio.StreamReader, asyncio.StreamWriter, asyncio.Queue[bytes]], Awaitable[None]]
WITHIN_S = 60


async def _with_cable(talk: Talk) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            heard.put_nowait(data)
            writer.write(b"re:" + data)
        writer.close()

    server = await asyncio.start_server(broker, LOOPBACK, 0)
    async with asyncio.timeout(WITHIN_S), server:
        cable = Cable(0, server.sockets[0].getsockname()[1])
        await cable.lay()
        reader, writer = await asyncio.open_connection(LOOPBACK, cable.port)
        try:
            await talk(cable, reader, writer, heard)
        finally:
            writer.transport.abort()
            await cable.take_up()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, text: bytes) -> bytes:
    writer.write(text)
    return await reader.read(100)


def test_cable_carries_both_ways() -> None:
    async def talk(
        _cable: Cable, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _heard: asyncio.Queue[bytes]
    ) -> None:
        assert b"re:press" == await _ask(reader, writer, b"press")

    asyncio.run(_with_cable(talk))


def test_cable_holds_the_way_back_and_loses_it_when_it_breaks() -> None:
    async def talk(
        cable: Cable, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: asyncio.Queue[bytes]
    ) -> None:
        await _ask(reader, writer, b"hello")
        cable.hold(Way.FROM_BROKER)
        writer.write(b"press")
        while b"press" != await heard.get():
            pass
        reading = asyncio.ensure_future(reader.read(100))
        await asyncio.sleep(0)
        assert not reading.done()

        await cable.break_connections()
        cable.release()

        outcome = (await asyncio.gather(reading, return_exceptions=True))[0]
        assert outcome == b"" or isinstance(outcome, ConnectionResetError)

    asyncio.run(_with_cable(talk))


def test_cable_lets_go_of_what_it_held() -> None:
    async def talk(
        cable: Cable, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: asyncio.Queue[bytes]
    ) -> None:
        await _ask(reader, writer, b"hello")
        cable.hold(Way.TO_BROKER)
        writer.write(b"press")
        await asyncio.sleep(0)
        assert [b"hello"] == [heard.get_nowait() for _ in range(heard.qsize())]

        cable.release()

        assert b"re:press" == await reader.read(100)

    asyncio.run(_with_cable(talk))


def test_cable_pulled_out_refuses_until_it_is_back() -> None:
    async def talk(
        cable: Cable, _reader: asyncio.StreamReader, _writer: asyncio.StreamWriter, _heard: asyncio.Queue[bytes]
    ) -> None:
        await cable.pull()
        reader, writer = await asyncio.open_connection(LOOPBACK, cable.port)
        outcome = (await asyncio.gather(_ask(reader, writer, b"press"), return_exceptions=True))[0]
        assert outcome == b"" or isinstance(outcome, ConnectionResetError)
        writer.transport.abort()

        cable.plug_in()
        reader, writer = await asyncio.open_connection(LOOPBACK, cable.port)
        assert b"re:press" == await _ask(reader, writer, b"press")
        writer.transport.abort()

    asyncio.run(_with_cable(talk))
