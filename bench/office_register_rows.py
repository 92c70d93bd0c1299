"""Fills a measured office with a register: ``python -m bench.office_register_rows OFFICE.TOML CO-ORDINATOR PEOPLE``.

Then it searches the register as its pages do, and prints one JSON object: addresses to measure, and milliseconds of
searches, and of the processor, beside a plain reading of the same rows. A real office has no such command: there
members decide.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

DUE: Final = 600
"""People whose nominations go by the schedule within four weeks."""
OPEN_REQUESTS: Final = 50
SEARCHES: Final = 15
_SYLLABLES: Final = ("ka", "ro", "mi", "te", "lo", "sa", "ven", "dor", "hal", "wick", "ton", "ber", "ley", "man", "son")
_VOCABULARY: Final = 4_000
_ADDRESS: Final = "1 Low Street, Anytown, Northamptonshire NN1 1AA"


def main(username: str, count: int) -> None:
    """Fill, search, and say what to measure. Django is set up, or its tables could not be imported."""
    from django.db import connection  # noqa: PLC0415

    from office.accounts.models import Account, Scheme  # noqa: PLC0415

    scheme, account = Scheme.objects.get(), Account.objects.get(username=username)
    words = random.Random(1)  # noqa: S311 - the same people each time
    vocabulary = [_word(words) for _ in range(_VOCABULARY)]
    found = _fill(scheme, account, count, words, vocabulary)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as its autovacuum does after a while
    sys.stdout.write(json.dumps({"pages": found, "searches": _search(account, vocabulary[0])}) + "\n")


def _word(words: random.Random) -> str:
    return "".join(words.choice(_SYLLABLES) for _ in range(words.randint(2, 4)))


def _fill(scheme: Any, account: Any, count: int, words: random.Random, vocabulary: list[str]) -> dict[str, str]:  # noqa: ANN401 - Django's are not imported yet
    from django.utils import timezone  # noqa: PLC0415

    from office.exclusions.models import Case, SchemeTerms, Step  # noqa: PLC0415
    from office.exclusions.rules.law import DOCUMENT_KINDS  # noqa: PLC0415
    from office.exclusions.terms import record_document  # noqa: PLC0415
    from office.members.facts import folded  # noqa: PLC0415
    from office.members.models import Member, Membership, Premises  # noqa: PLC0415
    from office.people.models import Individual, RightsRequest  # noqa: PLC0415

    now, today = timezone.now(), timezone.localdate()
    SchemeTerms.objects.create(scheme=scheme, responsible="HART\n1 Castle Street", contact="office@example.org")
    for kind in DOCUMENT_KINDS:
        record_document(account, scheme, kind, "1")
    member = Member.objects.create(name="Shop")
    Membership.objects.create(member=member, scheme=scheme, joined_on=today - timedelta(days=400))
    premises = Premises.objects.bulk_create(Premises(member=member, name=f"Shop {one}") for one in range(1, 51))
    for one in premises:
        one.schemes.add(scheme)
    people = []
    for number in range(1, count + DUE + 1):
        name = f"{words.choice(vocabulary)} {words.choice(vocabulary)}".title()
        description = f"Tall, {words.choice(vocabulary)} coat, walks with a {words.choice(vocabulary)} stick"
        people.append(
            Individual(
                scheme=scheme, number=number, name=name, search_text=folded(name), description=description,
                born_on=today - timedelta(days=words.randint(7_000, 20_000)), address=_ADDRESS,
            )
        )  # fmt: skip
    Individual.objects.bulk_create(people, batch_size=500)
    cases = [_case(one, account, words, is_over=one.number > count) for one in people]
    cases[0].state = "nominated"
    Case.objects.bulk_create(cases, batch_size=500)
    Case.objects.update(checked_at=now)
    Step.objects.bulk_create(
        (
            Step(case=case, at=now, move=move, account=account, by=f"{account.name}, Co-ordinator", reason="Because.")
            for case in cases
            for move in ("nominate", "check", "accept", "issue", "serve")
        ),
        batch_size=1_000,
    )
    listed = Case.listed.through
    listed.objects.bulk_create(
        (
            listed(case_id=case.pk, premises_id=one.pk)
            for case in cases
            if case.scope == "listed"
            for one in premises[:3]
        ),
        batch_size=1_000,
    )
    asked = [
        RightsRequest(
            scheme=scheme, kind="access", asked_by="Nobody Atall", received_on=today, due_on=today,
            individual=one, recorded_by=account, done_on=None if one.number < OPEN_REQUESTS else today,
        )
        for one in people[:300]
    ]  # fmt: skip
    RightsRequest.objects.bulk_create(asked)
    name = people[count // 2].name.split()[0]
    return {
        "register": "/register/",
        "its page 150": "/register/?page=150",
        "a search in it": f"/register/?q={name}",
        "a search amiss": f"/register/?q={name[:-1]}",
        "a word of descriptions": "/register/?q=coat",
        "what is new": "/register/?show=new",
        "what ends": "/register/?show=ending",
        "of one premises": f"/register/?premises={premises[1].pk}",
        "one person": f"/register/{people[77].pk}/",
        "200 to print": "/register/print/",
        "cases": "/cases/",
        "their page 150": "/cases/?page=150",
        "notices out of date": "/cases/?state=stale",
        "one case": f"/cases/{cases[77].pk}/",
        "a check, with who is alike": f"/cases/{cases[0].pk}/check/",
        "a nomination": "/cases/nominate/",
        "votes": "/votes/",
        "a meeting": "/votes/meeting/",
        "requests": "/rights/",
        "one request": f"/rights/{asked[0].pk}/",
        "what is held of one": f"/rights/{asked[0].pk}/export/",
        "what goes, and when": "/rights/retention/",
        "photographs of one": f"/individuals/{people[77].pk}/photographs/",
        "terms": "/terms/",
        "the first page": "/",
    }


def _case(one: Any, account: Any, words: random.Random, *, is_over: bool) -> Any:  # noqa: ANN401 - of Django
    from django.utils import timezone  # noqa: PLC0415

    from office.exclusions.models import Case  # noqa: PLC0415

    now, today = timezone.now(), timezone.localdate()
    return Case(
        scheme_id=one.scheme_id, number=one.number, individual=one, category="theft", conduct="Took it. " * 60,
        evidence="Film. " * 40, happened_at=f"{_word(words)} Street", nominated_by=account, months=6,
        happened_on=today - timedelta(days=words.randint(30, 300)), scope="all" if one.number % 3 else "listed",
        state="withdrawn" if is_over else "served", over_at=now - timedelta(days=20) if is_over else None,
        decided_at=None if is_over else now, first_on=today - timedelta(days=words.randint(0, 200)),
        last_on=today + timedelta(days=words.randint(0, 300)),
    )  # fmt: skip


def _search(account: Any, word: str) -> dict[str, tuple[float, float, float]]:  # noqa: ANN401 - of Django
    from django.db import connection  # noqa: PLC0415

    from office.accounts.access import rights_of  # noqa: PLC0415
    from office.exclusions import reading  # noqa: PLC0415
    from office.exclusions.rules.search import words_of  # noqa: PLC0415

    registers = reading.open_to(rights_of(account))

    def searched(text: str) -> Callable[[], object]:
        return lambda: reading.numbers_of(reading.cases_shown(registers), words_of(text), registers)

    def plain() -> None:
        """The reference: the texts of all, read and no more."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT c.id, i.number, i.search_text, i.description, c.happened_at FROM exclusions_case c"
                " JOIN people_individual i ON i.id = c.individual_id"
            )
            cursor.fetchall()

    asked = {"of a name": word, "amiss": word[:-1], "of a reference": "hart-0042", "of descriptions": "coat"}
    return {"reference": _median_ms(plain)} | {what: _median_ms(searched(text)) for what, text in asked.items()}


def _median_ms(do: Callable[[], object]) -> tuple[float, float, float]:
    """Of several times; the fastest; and of the processor of this process."""
    taken, used = [], []
    for _ in range(SEARCHES):
        began_s, used_s = time.perf_counter(), time.process_time()
        do()
        taken.append((time.perf_counter() - began_s) * 1_000)
        used.append((time.process_time() - used_s) * 1_000)
    return statistics.median(taken), min(taken), statistics.median(used)


if __name__ == "__main__":
    os.environ |= {"WATCHLINK_OFFICE_CONFIG": sys.argv[1], "DJANGO_SETTINGS_MODULE": "office.settings"}
    import django

    django.setup()
    main(sys.argv[2], int(sys.argv[3]))
