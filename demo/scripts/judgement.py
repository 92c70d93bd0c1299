"""The referee: what was lost, what was shown twice, and who was told something untrue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from demo.central_records import CentralRecords
from demo.chronicle import CENTRAL, Chronicle, Fact
from demo.program import ProgramFailedError
from demo.town import Town
from wire.kinds import MEMBERS_WARNED, AlertKind

_ACTIONS = {"answered": "acknowledged", "on-the-way": "on-the-way", "unanswered": "unacknowledged"}


class Judgement(Struct, frozen=True):
    """The end of a script.

    Attributes:
        alerts: how many were stored at the pressers'.
        lost: alerts that never reached central, a neighbour, or (as a receipt) their presser.
        duplicates: things shown or committed twice.
        untrue: statements that were not true when made.
        missing: things that should have happened but did not.
        air: ``overs`` and ``airtime_s`` of the town's radios; empty in a town without.
    """

    alerts: int
    lost: tuple[str, ...]
    duplicates: tuple[str, ...]
    untrue: tuple[str, ...]
    missing: tuple[str, ...]
    air: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_passed(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.duplicates or self.untrue or self.missing)

    @property
    def complaints(self) -> tuple[str, ...]:
        """All that is wrong, a sentence each."""
        return (*self.missing, *self.lost, *self.duplicates, *self.untrue)


class Referee:
    """Checks every statement when made, against central's disk; judges the rest at the end."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._records = CentralRecords(town.central_toml.parent / "state" / "central.db")
        self._untrue: list[str] = []
        town.chronicle.listen(self._hear)

    @property
    def records(self) -> CentralRecords:
        """Central's disk."""
        return self._records

    def accuse(self, sentence: str) -> None:
        """Record an untrue statement that a script has seen itself."""
        self._untrue.append(sentence)

    def judge(self, missing: tuple[str, ...]) -> Judgement:
        """Judge everything, at the end."""
        chronicle = self._town.chronicle
        alerts = tuple(dict.fromkeys(fact.alert for fact in chronicle.all("stored")))
        return Judgement(
            alerts=len(alerts),
            lost=tuple(sentence for alert in alerts for sentence in self._losses(chronicle, alert)),
            duplicates=tuple(self._duplicates(chronicle)),
            untrue=tuple(self._untrue),
            missing=(*missing, *self._ended()),
            air=self._airtime(chronicle) if self._town.air is not None else {},
        )

    def _ended(self) -> Iterator[str]:
        """Programs that stopped by themselves, after which nothing can be expected of the town."""
        for program in self._town.programs:
            try:
                program.check()
            except ProgramFailedError as e:
                yield str(e)

    def _airtime(self, chronicle: Chronicle) -> Mapping[str, float]:
        """Airtime as measured by the air: a radio's own figures are not evidence."""
        overs = [
            float(fact.detail.get("airtime_ms", 0))
            for fact in chronicle.all("unkeyed")
            if self._town.premises_of(str(fact.detail.get("who", ""))) is not None
        ]
        return {"overs": len(overs), "airtime_s": round(sum(overs) / 1000, 1)}

    def _losses(self, chronicle: Chronicle, alert: str) -> list[str]:
        presser = self._town.premises_of(alert.partition("-")[0])
        if presser is None:
            return [f"{alert} is of no premises of this town"]
        losses = []
        if not self._records.has_frame(alert):
            losses.append(f"{alert} is not on central's disk")
        if not chronicle.find("receipt", node=presser.node, alert=alert):
            losses.append(f"{presser.name} never heard that central has {alert}")
        stored = chronicle.find("stored", alert=alert)
        if stored is not None and AlertKind.by_slug(str(stored.detail.get("kind", "attack"))) not in MEMBERS_WARNED:
            return losses
        losses += [
            f"{other.name} was never shown {alert} of {presser.name}"
            for other in self._town.warned_by(presser)
            if not _is_shown(chronicle, other.node, alert)
        ]
        return losses

    def _duplicates(self, chronicle: Chronicle) -> list[str]:
        found = []
        counted: dict[tuple[str, str, str, int], int] = {}
        starts: dict[str, int] = {}
        restores = 0
        for fact in chronicle:
            if fact.fact == "restored":
                restores += 1  # Frames that an older copy lacks are committed and receipted again.
            if fact.fact == "restarted":
                starts[fact.node] = starts.get(fact.node, 0) + 1
            if fact.fact in ("shown", "committed", "stored", "receipt"):
                # A node killed between central's receipt and its own disk asks again, and is answered again.
                start = starts.get(fact.node, 0) if fact.fact == "receipt" else 0
                start += 1_000 * restores if fact.fact in ("receipt", "committed") else 0
                key = (fact.fact, fact.node, fact.alert, start)
                counted[key] = counted.get(key, 0) + 1
        for (what, node, alert, _), count in counted.items():
            if count > 1:
                found.append(f"{alert} was {what} {count} times by {node}")
            presser = self._town.premises_of(alert.partition("-")[0])
            other = self._town.premises_of(node)
            if what == "shown" and presser and other and not other.is_warned_by(presser):
                found.append(f"{other.name} was shown {alert}, which is of another scheme")
        return found

    def _hear(self, fact: Fact) -> None:
        sentence = ""
        match fact.fact:
            case "receipt" if not self._records.has_frame(fact.alert):
                sentence = f"{fact.node} was told that central has {fact.alert}, and central's disk did not have it"
            case "acknowledged":
                state = str(fact.detail.get("state", ""))
                action = _ACTIONS.get(state, state)
                is_so = self._records.has_action(action, fact.alert)
                if state == "unanswered":  # Taken back, or pressed again.
                    is_so = is_so or self._records.was_pressed_again(fact.alert)
                if not is_so:
                    sentence = f"{fact.node} was told '{state}' of {fact.alert}, and nobody had done that"
            case "closed" if fact.node != CENTRAL and not self._records.has_action("closed", fact.alert):
                sentence = f"{fact.node} was told that {fact.alert} is closed, and nobody had closed it"
        if sentence:
            self._untrue.append(sentence)


def _is_shown(chronicle: Chronicle, node: str, alert: str) -> bool:
    """Whether it, or a later press of the same incident, was on that node's panel."""
    incidents = {fact.alert: fact.detail.get("incident", fact.alert) for fact in chronicle.all("stored")}
    return any(
        incidents.get(shown.alert) == incidents.get(alert) and _number(shown.alert) >= _number(alert)
        for shown in chronicle.all("shown", node=node)
        if shown.alert in incidents
    )


def _number(alert: str) -> int:
    return int(alert.partition("-")[2])
