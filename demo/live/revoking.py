"""A unit is stolen: within a minute its certificate, its open session and its TLS ticket are worth nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import msgspec

from demo.live.opening import until_state
from demo.live.site import Site
from demo.live.thief import NOT_AUTHORISED, Thief, show
from demo.ports import LOOPBACK
from demo.scripts.stage import Stage
from provisioning.broker import PROOF_USER
from provisioning.certificates import IssuedCertificate, issue_client_certificate
from provisioning.records import remember
from runtime.broker_probe import BrokerProbe, Verdict
from wire.ids import parse_node
from wire.topics import FrameTopic

CUT_OFF_WITHIN_MS: Final = 60_000
"""From the command (F2)."""
_CANARIES_LIVE: Final = timedelta(hours=1)
_TAKEN: Final = frozenset({0x00, 0x10})
"""Success, and success without anybody who listens."""
_LET_IN: Final = frozenset({Verdict.ACCEPTED, Verdict.FORBIDDEN})


async def revoked(stage: Stage, site: Site, key: str, presser: str) -> None:
    """Somebody has the card of ``key``, and listens. ``presser`` presses before and after."""
    town, stolen = stage.town, stage.premises(key)
    await town.kill(stolen.program)
    town.gone.add(stolen.node)
    port = site.fleet.record.broker.port
    thief = await asyncio.to_thread(Thief, stolen.database.parents[1], port)
    try:
        shown = await asyncio.to_thread(thief.resume)
        stage.check(shown.is_resumed and shown.is_in, "before, the stolen unit's TLS ticket opens the broker")
        own, all_frames = str(FrameTopic("hart", parse_node(stolen.node))), "watchlink/1/scheme/hart/frame/+"
        await asyncio.to_thread(thief.open_session, all_frames)
        await press(stage, presser)
        # Its answer comes down the same connection, behind what the broker had sent before.
        stage.check(await asyncio.to_thread(thief.say, own) in _TAKEN, "before, the thief can say what the unit could")
        heard = any(topic.endswith(stage.premises(presser).node) for topic in thief.heard)
        stage.check(heard, "before, the thief hears the neighbours' alerts")
        canaries = await asyncio.to_thread(lay_canaries, site)
        seen = await asyncio.to_thread(look, site, canaries)
        stage.check(set(seen.values()) <= _LET_IN, f"before, the broker lets the canaries in: {seen}")

        began_s = time.monotonic()
        await site.manage_and_apply("revoke", stolen.node)
        answer = await asyncio.to_thread(thief.say, own)
        silenced_ms = (time.monotonic() - began_s) * 1000
        stage.check(thief.is_connected, "the thief's session stays open, so silence is not a broken line")
        stage.check(answer == NOT_AUTHORISED, f"the thief's open session may say nothing more: answer {answer:#x}")
        thief.heard.clear()
        await press(stage, presser)
        await asyncio.to_thread(thief.say, own)
        stage.check(not thief.heard, f"the thief's open session hears nothing more: {thief.heard}")

        seen = await asyncio.to_thread(look, site, canaries)
        stage.check(set(seen.values()) == {Verdict.REVOKED}, f"each issuer's canary is refused as revoked: {seen}")
        shown = await asyncio.to_thread(thief.resume)
        stage.check(not shown.is_resumed and not shown.is_in, "the TLS ticket opens nothing any more")
        verdict = await asyncio.to_thread(show, stolen.database.parents[1], site, own)
        stage.check(verdict is Verdict.REVOKED, f"the certificate is refused as revoked: it was {verdict}")
        cut_off_ms = (time.monotonic() - began_s) * 1000
    finally:
        thief.close()
    stage.measure("revoked → the open session is silenced", silenced_ms, CUT_OFF_WITHIN_MS, stolen)
    stage.measure("revoked → cut off: session, ticket, certificate, canaries", cut_off_ms, CUT_OFF_WITHIN_MS, stolen)
    stage.check(cut_off_ms <= CUT_OFF_WITHIN_MS, f"cut off within {CUT_OFF_WITHIN_MS // 1000} s")
    await until_state(stage, stolen, "revoked")
    stage.say("revoked", stolen)


async def press(stage: Stage, key: str) -> None:
    """A press that central has and the neighbours see; whether others hear it is the caller's question."""
    shop = stage.premises(key)
    pressed = await stage.press(shop, "assist")
    await stage.until_fact("receipt", shop.node, pressed)
    await stage.until_warned(shop, pressed)


def lay_canaries(site: Site) -> Mapping[str, IssuedCertificate]:
    """A good certificate of each issuer in force, that the next revocation list is to name."""
    folder = site.fleet.folder
    with folder.changing():
        made = {
            name: issue_client_certificate(folder.authority(name), PROOF_USER, now=folder.now(), life=_CANARIES_LIVE)
            for name in folder.issuers_in_force()
        }
        known = (*folder.record.canaries, *map(remember, made.values()))
        folder.commit(msgspec.structs.replace(folder.record, canaries=known))
    return made


def look(site: Site, canaries: Mapping[str, IssuedCertificate]) -> dict[str, Verdict]:
    """How the broker takes each."""
    probe = BrokerProbe(LOOPBACK, site.fleet.record.broker.port, site.fleet.layout.trusted)
    return {name: probe.observe(one, "watchlink/canary").verdict for name, one in canaries.items()}
