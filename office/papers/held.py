"""From what is held of a person to the paper that they are given (UK GDPR Art. 15)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from office.exclusions.rules.period import day_of
from office.papers.asking import NoPdfError
from office.papers.orders import HELD_FACTS_MAX, TEXT_CHARS_MAX, HeldFact, HeldPaper, HeldPart
from office.people.intake_process import NotMarkedError, marker
from office.people.models import Individual
from office.people.rights_export import HANDLING, Fact, Held, Part
from office.people.sealing import SealedError, sealing

LEFT_OUT: Final = "What was done before that is in the JSON file."


def held_paper(held: Held, individual: Individual) -> HeldPaper:
    """What is printed: the same as in the export, and the face in each photograph.

    What was done again and again on a day stands in one line; of very much, the newest.

    Raises:
        NoPdfError: a photograph cannot be had now.
    """
    parts = [HeldPart(part.title, tuple(_cut(part.facts))) for part in held.parts if part.title != HANDLING]
    room = max(HELD_FACTS_MAX - sum(len(part.facts) for part in parts), 1)
    parts += [_handling(part, room) for part in held.parts if part.title == HANDLING]
    return HeldPaper(
        scheme=held.scheme,
        reference=held.reference,
        responsible=held.responsible,
        contact=held.contact,
        made_on=day_of(held.made_at),
        about=held.about,
        parts=tuple(parts),
        photographs=tuple(_faces(individual)),
    )


def _cut(facts: tuple[Fact, ...]) -> Iterator[HeldFact]:
    """Texts that are longer than a paper's go on in another row."""
    for fact in facts:
        for start in range(0, max(len(fact.text), 1), TEXT_CHARS_MAX):
            label = f"{fact.label} (continued)" if start else fact.label
            yield HeldFact(label[:TEXT_CHARS_MAX], fact.text[start : start + TEXT_CHARS_MAX])


def _handling(part: Part, room: int) -> HeldPart:
    counted: dict[tuple[str, str], int] = {}
    for fact in part.facts:
        key = fact.label.partition(",")[0], fact.text[:TEXT_CHARS_MAX]
        counted[key] = counted.get(key, 0) + 1
    facts = [HeldFact(day, text if count == 1 else f"{text} ({count} times)") for (day, text), count in counted.items()]
    if len(facts) > room:
        facts = [HeldFact("Earlier", LEFT_OUT), *facts[-room:]]
    return HeldPart(part.title, tuple(facts))


def _faces(individual: Individual) -> Iterator[bytes]:
    """Marked with the reference: nobody of the scheme is named on what may be in the hands of somebody violent."""
    for photograph in individual.photographs.filter(crop_width__gt=0).order_by("pk"):
        try:
            face = sealing().read(photograph.file, bytes(photograph.wrapped_key), "portrait")
            yield marker.mark(face, f"{individual.reference}  ")
        except (SealedError, NotMarkedError) as e:
            raise NoPdfError("A photograph of this person cannot be opened just now.") from e
