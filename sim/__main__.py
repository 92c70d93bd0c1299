"""``make sim``: a campaign of seeds, the planted faults (each must be caught), storms on the air, and galleries.

Exit status 0 only if no invariant broke, the same seed gave the same trace, every planted fault was found, and every
storm delivered every alert in time.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Final

from sim import gallery_lives
from sim.campaign import Result, can_show, run
from sim.gallery_campaign import live
from sim.plants import BREAKS, Plant
from sim.storm import is_good, peers, storm, tell, tell_peer
from wire.kinds import AlertKind

PLANT_SEEDS: Final = 60
PLANT_BATCH: Final = 8
PLANT_STORM: Final = 12
STORMS: Final = (200, 50, 12, 5)
BOTH_KINDS_MAX: Final = 100


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; print what happened."""
    parser = argparse.ArgumentParser(prog="python -m sim", description=__doc__)
    parser.add_argument("--seed", type=int, help="replay this seed; prints its trace if an invariant breaks")
    parser.add_argument("--first", type=int, default=1, help="first seed of the campaign (default %(default)s)")
    parser.add_argument("--seeds", type=int, default=240, help="number of seeds (default %(default)s)")
    parser.add_argument("--nodes", type=int, default=5, help="premises in the town (default %(default)s)")
    parser.add_argument("--plant", choices=[plant.value for plant in Plant], help="plant this fault")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default %(default)s)")
    parser.add_argument(
        "--storm", type=int, help="only a storm on the air: this many premises press at once, without network"
    )
    parser.add_argument("--galleries", type=int, help="only this many galleries (make sim: 10,000)")
    parser.add_argument("--gallery", type=int, help="replay the gallery of this seed")
    options = parser.parse_args(arguments)
    if options.gallery is not None:
        life = live(options.gallery)
        print("\n".join(gallery_lives.tell(life)))
        return 1 if life.broken else 0
    if options.galleries is not None:
        with ProcessPoolExecutor(options.jobs) as pool:
            return 0 if _galleries(pool, options.first, options.galleries) else 1
    plant = Plant(options.plant) if options.plant else None
    if options.storm is not None:
        is_storm_good, text = _storm(options.storm, options.seed or options.first)
        print(text)
        return 0 if is_storm_good else 1
    if options.seed is not None:
        return _replay(options.seed, options.nodes, plant)
    start_s = time.monotonic()
    with ProcessPoolExecutor(options.jobs) as pool:
        # Start the longest first, alongside everything else.
        played = pool.map(_storm, STORMS if plant is None else ())
        play = partial(run, node_count=options.nodes, plant=plant)
        results = list(pool.map(play, range(options.first, options.first + options.seeds), chunksize=4))
        broken = [result for result in results if result.broken]
        _sum_up(results, time.monotonic() - start_s)
        for result in broken[:5]:
            _tell(result)
        if plant is not None:
            return 1 if broken else 0
        uncaught = [found for found in Plant if not _is_caught(pool, found, options)]
        storms = list(played)
        for _, text in storms:
            print(text)
        are_storms_good = all(is_storm_good for is_storm_good, _ in storms)
        are_galleries_good = _galleries(pool, options.first, gallery_lives.LIVES)
    again = run(options.first, node_count=options.nodes)
    is_same = again.trace_hash == results[0].trace_hash
    print(f"seed {options.first} again: trace {again.trace_hash}, {'the same' if is_same else 'NOT THE SAME'}")
    return 0 if not broken and not uncaught and is_same and are_storms_good and are_galleries_good else 1


def _replay(seed: int, nodes: int, plant: Plant | None) -> int:
    result = run(seed, node_count=nodes, plant=plant)
    _tell(result)
    return 1 if result.broken else 0


def _is_caught(pool: ProcessPoolExecutor, plant: Plant, options: argparse.Namespace) -> bool:
    """Look for it a few seeds at a time, until it breaks an invariant that it should break."""
    if not BREAKS[plant]:
        storm_result = storm(PLANT_STORM, plant=plant)
        is_caught = not is_good(storm_result)
        print(
            f"planted {plant}: {'caught' if is_caught else 'NOT CAUGHT'} by a {tell(storm_result, AlertKind.ATTACK)}",
            flush=True,
        )
        return is_caught
    first = options.first
    seeds = [s for s in range(first, first + 8 * PLANT_SEEDS) if can_show(s, plant)][:PLANT_SEEDS]
    play = partial(run, node_count=options.nodes, plant=plant)
    for at in range(0, len(seeds), PLANT_BATCH):
        for result in pool.map(play, seeds[at : at + PLANT_BATCH]):
            if result.broken.split(":")[0] in BREAKS[plant]:
                tried = seeds.index(result.seed) + 1
                print(f"planted {plant}: caught in town {tried}, seed {result.seed}: {result.broken}", flush=True)
                return True
    print(f"planted {plant}: NOT CAUGHT in {len(seeds)} seeds")
    return False


def _galleries(pool: ProcessPoolExecutor, first: int, count: int) -> bool:
    are_good, lines = gallery_lives.play(pool, first, count)
    print("\n".join(lines), flush=True)
    are_caught, lines = gallery_lives.catch(pool, first)
    print("\n".join(lines), flush=True)
    return are_good and are_caught


def _storm(nodes: int, seed: int = 1) -> tuple[bool, str]:
    """Play a storm of each kind and its peers; returns whether ours is good enough, and lines for people."""
    lines, is_all_good = [], True
    # Two hundred premises take a minute of computing; one kind shows enough.
    kinds = (AlertKind.ATTACK, AlertKind.ASSIST) if nodes <= BOTH_KINDS_MAX else (AlertKind.ATTACK,)
    for kind in kinds:
        result = storm(nodes, seed=seed, kind=kind)
        is_all_good &= is_good(result)
        lines.append(tell(result, kind))
    lines += [tell_peer(nodes, window_ms, result) for window_ms, result in peers(nodes, seed)]
    return is_all_good, "\n".join(lines)


def _sum_up(results: list[Result], seconds: float) -> None:
    broken = sum(bool(result.broken) for result in results)
    hours = sum(result.virtual_ms for result in results) / 3_600_000
    print(
        f"{len(results)} towns, {hours:.1f} virtual hours, {sum(r.steps for r in results)} steps,"
        f" {sum(r.alerts for r in results)} frames stored, {sum(r.shown for r in results)} warnings shown,"
        f" {sum(r.late for r in results)} late, in {seconds:.0f} s: {broken} broken"
    )


def _tell(result: Result) -> None:
    print(f"seed {result.seed}: trace {result.trace_hash}, {result.steps} steps, {result.broken or 'nothing broke'}")
    for line in result.trace_tail[-60:]:
        print(f"    {line[:220]}")


if __name__ == "__main__":
    sys.exit(main())
