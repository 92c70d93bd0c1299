"""``watchlink demo``: starts a town, says where to look, and stops it all again."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import secrets
import signal
import sys
from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path
from typing import Final

from demo.fitting import TownError
from demo.flood import play as flood
from demo.notice import NeverCameError
from demo.opening import StoppedEarlyError, open_town
from demo.panel.server import FrontPanels
from demo.premises import PREMISES_MAX, PREMISES_MIN, TownPlan, addresses
from demo.program import Life, ProgramFailedError
from demo.scripts.judgement import Judgement
from demo.scripts.registry import SCRIPTS, Play
from demo.scripts.stage import Stage
from demo.telling import Teller
from demo.town import Town
from demo.watch_room import RefusedError

PASSED: Final = 0
FAILED: Final = 1
NOT_UNDERSTOOD: Final = 2
FLOOD: Final = "flood"
"""Played apart: its members live in network namespaces, not at front panels."""
_RADIO_HINTS: Final = (
    "    5. Unplug the corner shop's network cable (Break something here) and hold ATTACK again.",
    "       Within seconds its radio is on the air: a burst for machines, then a sentence for every handset.",
    "       Central shows the alert with path radio, and the answer comes back over the air.",
    "       Play the over and look at its spectrogram in the Air strip; let someone talk, jam it, block a link.",
)
_STOPPED_BY: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(arguments: Sequence[str]) -> int:
    """Run the demo until Ctrl-C, or a script to its end. 0: stopped, or all of it happened; 1: it did not."""
    options = _parser().parse_args(list(arguments))
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    if options.json and options.script is None:
        _parser().error("--json needs --script")
    if options.premises is not None and options.script is not None:
        _parser().error("--premises: not with --script, which has a town of its own")
    if options.script == FLOOD:
        if options.radio or options.keep:
            _parser().error(f"{FLOOD} has a town of its own: leave out --radio and --keep")
        return _play_flood(is_json=options.json)
    if options.radio and options.script is not None and not SCRIPTS[options.script].plan.has_radio:
        _parser().error(f"--radio: {options.script} is played in a town without radios; leave it out")
    try:
        return asyncio.run(_run(options))
    except StoppedEarlyError:
        return PASSED if options.script is None else FAILED
    except TownError as e:
        sys.stderr.write(f"watchlink demo: {e}\n")
        return FAILED
    except BrokenPipeError:
        # The reader is gone; without this Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _play_flood(*, is_json: bool) -> int:
    try:
        return PASSED if asyncio.run(flood.play(sys.stdout, is_json=is_json)) else FAILED
    except TownError as e:
        sys.stderr.write(f"watchlink demo: {e}\n")
        return FAILED


def _parser() -> argparse.ArgumentParser:
    said = {name: script.what for name, script in SCRIPTS.items()} | {FLOOD: flood.WHAT}
    scripts = "\n".join(f"  {name:16} {what}" for name, what in said.items())
    parser = argparse.ArgumentParser(
        prog="watchlink demo",
        description="A whole town on this machine: broker, central, and premises with front panels.",
        epilog=f"scripts:\n{scripts}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--script", choices=[*SCRIPTS, FLOOD], metavar="NAME", help="play this script by itself; see below"
    )
    parser.add_argument("--json", action="store_true", help="with --script: one JSON object per line")
    parser.add_argument(
        "--times",
        type=int,
        default=20,
        metavar="N",
        help="with --script kills-…: number of kills (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, metavar="N", help="with --script kills-…: repeat the same moments")
    parser.add_argument("--radio", action="store_true", help="give every node a radio, on one simulated air")
    parser.add_argument(
        "--premises",
        type=_premises,
        metavar="N",
        help=f"number of premises, {PREMISES_MIN} to {PREMISES_MAX} (default: {PREMISES_MIN})",
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="make the town in this new folder and keep it")
    parser.add_argument(
        "--panel-port", type=int, default=0, metavar="PORT", help="for the front panels (default: any free port)"
    )
    return parser


def _premises(text: str) -> int:
    """``--premises`` as a number.

    Raises:
        argparse.ArgumentTypeError: not a number, or out of range.
    """
    if not text.isdecimal() or not PREMISES_MIN <= int(text) <= PREMISES_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from {PREMISES_MIN} to {PREMISES_MAX}")
    return int(text)


async def _run(options: argparse.Namespace) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _STOPPED_BY:
        loop.add_signal_handler(number, stopped.set)
    # Before the town runs, or its facts would have to wait for it.
    play = SCRIPTS[options.script].load() if options.script is not None else None
    plan = (
        TownPlan(
            addresses(options.premises or PREMISES_MIN),
            has_radio=options.radio,
            has_office=True,
            has_people=True,
            has_papers=True,
            has_galleries=True,
            has_phones=True,
        )
        if options.script is None
        else SCRIPTS[options.script].plan
    )
    if not options.json:
        radios = " with radios" if plan.has_radio else ""
        parts = f"a broker, central, an office, and {len(plan.addresses)} premises{radios}"
        sys.stdout.write(f"Starting a town: {'nothing yet' if plan.is_bare else parts} …\n")
        sys.stdout.flush()
    async with open_town(options.keep, stopped, plan) as town:
        teller = Teller(
            sys.stdout,
            is_json=options.json,
            now_ms=lambda: town.now_ms() - town.chronicle.began_ms,
            name_of=town.name_of,
        )
        town.chronicle.listen(teller.take)
        async with FrontPanels(town, options.panel_port) as panels:
            try:
                if play is not None:
                    stage = Stage(town, options.times, options.seed or secrets.randbelow(10**6))
                    return await _play(options.script, play, stage, teller, stopped)
                return await _show(town, teller, panels.url, stopped)
            finally:
                await teller.end()
                teller.plain("\nStopping …")


async def _show(town: Town, teller: Teller, panels_url: str, stopped: asyncio.Event) -> int:
    teller.plain(_welcome(town, panels_url))
    teller.begin()
    await _until_stopped(_report_deaths(town, teller), stopped)
    return PASSED


async def _report_deaths(town: Town, teller: Teller) -> None:
    """Report programs that stop unexpectedly."""
    told: set[tuple[str, int]] = set()
    while True:
        for program in town.programs:
            if program.life is Life.DIED and (program.name, program.starts) not in told:
                told.add((program.name, program.starts))
                teller.plain(f"{program.name} has stopped unexpectedly:\n{program.log_tail()}")
        await town.notice.next()


async def _play(name: str, play: Play, stage: Stage, teller: Teller, stopped: asyncio.Event) -> int:
    teller.plain(f"\n{name}: {SCRIPTS[name].what}\n")
    teller.begin()
    try:
        if not await _until_stopped(play(stage), stopped):
            stage.check(False, "it ran to its end")  # noqa: FBT003 - reads as a sentence
    except (NeverCameError, RefusedError, ProgramFailedError, TownError, OSError) as e:
        stage.check(False, str(e))  # noqa: FBT003
    await teller.end()
    judgement = stage.judge()
    _tell_verdict(name, judgement, teller, stage.counted)
    return PASSED if judgement.is_passed else FAILED


def _tell_verdict(name: str, judgement: Judgement, teller: Teller, counted: Mapping[str, int]) -> None:
    verdict = "passed" if judgement.is_passed else "failed"
    teller.plain(f"\n{name} {verdict}: {judgement.alerts} alerts, {len(judgement.lost)} lost,")
    teller.plain(f"{len(judgement.duplicates)} shown or counted twice, {len(judgement.untrue)} untrue words.")
    if judgement.air:
        teller.plain(f"On the air: {judgement.air['overs']} overs, {judgement.air['airtime_s']} s of airtime.")
    for what, count in counted.items():
        teller.plain(f"{what.capitalize()}: {count}.")
    for complaint in judgement.complaints:
        teller.plain(f"  ✗ {complaint}")
    teller.summary(
        script=name,
        verdict=verdict,
        alerts=judgement.alerts,
        lost=len(judgement.lost),
        duplicates=len(judgement.duplicates),
        untrue=len(judgement.untrue),
        missing=list(judgement.complaints),
        **judgement.air,
        **counted,
    )


async def _until_stopped(work: Awaitable[None], stopped: asyncio.Event) -> bool:
    """Do the work until done or stopped; returns whether it was done."""
    working = asyncio.ensure_future(work)
    waiting = asyncio.ensure_future(stopped.wait())
    try:
        await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
            return True
        return False
    finally:
        for task in (working, waiting):
            task.cancel()
        await asyncio.gather(working, waiting, return_exceptions=True)


def _galleries(town: Town) -> list[str]:
    """Where each premises' gallery is, and who may look at it."""
    if town.galleries is None or town.office is None:
        return []
    lines = ["  Who is excluded, on a screen of each shop: choose a name, type the start code, choose a PIN"]
    for premises, person in zip(town.premises.values(), town.office.staff, strict=False):
        url = town.galleries.of[premises.node].page
        lines.append(f"    {premises.name:24} {url:30} {person.name}   {person.start_code}")
    return lines


def _welcome(town: Town, panels_url: str) -> str:
    lines = [
        "",
        f"  Central, the control room    {town.watch_room.url}",
    ]
    if town.office is not None:
        lines.append(f"  The office                   {town.office.url}")
        lines += [
            f"    {one.title:24} {one.username:10} {one.password}   {' and '.join(map(town.scheme_name, one.schemes))}"
            for one in town.office.accounts
        ]
        lines.append(f"    Their codes: {panels_url}authenticator")
        lines.append(f"  The rota                     {town.office.url}rota/")
        lines.append(f"  Who is asked, and when       {town.office.url}escalation/")
    if town.phones is not None:
        owners = " and ".join(one.owner for one in town.phones.handsets)
        lines.append(f"  Phones                       {panels_url}phones   of {owners}")
    lines.append(f"  Front panels of all          {panels_url}")
    for premises in town.premises.values():
        schemes = " and ".join(town.scheme_name(slug) for slug in premises.address.schemes)
        lines.append(f"    {premises.name:24} {panels_url}premises/{premises.node}   {schemes}")
    lines += _galleries(town)
    last = 6 if town.plan.has_radio else 5
    lines += [
        "",
        "  Try this:",
        "    1. Open central, sign in by the office as patel (J Patel, a PCSO), and press Start duty.",
        "    2. Open the front panels and hold ATTACK at the corner shop for a second.",
        "       Its screen says RECEIVED: central's system has it. No one has answered yet.",
        "       Penny Books and Night Stop are warned. The Red Lion is in another scheme, and is not.",
        "    3. Acknowledge it at central: the shop's screen says ANSWERED, and by whom.",
        "    4. Hold ATTACK at Penny Books and let nobody answer: its screen says who is asked, and phones ring.",
        "       Tap a notice on the page of phones, sign in as the phone's owner, and answer.",
        *(_RADIO_HINTS if town.plan.has_radio else ()),
        f"    {last}. Sign in to the office as grant, the co-ordinator, for whom cases wait; as mistry, vote on one.",
        f"    {last + 1}. In the middle of an alert kill central, the broker or a node on the panels' page,",
        "       and start it again: nothing is lost and no screen says anything untrue.",
        "",
        "  Not a certified alarm-receiving path: in danger, call 999.",
        f"  Everything is in {town.folder}. Ctrl-C stops it all.",
        "",
    ]
    return "\n".join(lines)
