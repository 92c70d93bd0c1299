"""Forms of a policy (kinds of alert, and a step in each row), of a dry run, and of a person's ways."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.http import QueryDict
from django.utils import timezone
from django.utils.html import format_html
from msgspec import Struct

from office.accounts.forms import PlainForm
from office.accounts.rules import TITLES
from office.escalation.addresses import TWICE, WayRefusedError, read_way, shown
from office.escalation.rules import (
    KIND_TITLES,
    NO_KINDS,
    NO_ROLE,
    NO_STEPS,
    ROLES,
    WAIT_OUT_OF_RANGE,
    WAY_TITLES,
    Policy,
    sorted_kinds,
)
from office.rota.rules.wall_time import moment
from wire.snapshots import STEP_S_MAX, STEP_S_MIN, STEPS_MAX, WAYS_MAX, StepEntry, WayEntry

SPARE_STEPS: Final = 2
"""Empty rows after those that are filled in."""
DAYS_AWAY_MAX: Final = 366
NO_TIME: Final = "Enter day and time, such as 28 November 2026, 14:30."
TOO_FAR: Final = "Enter a time within a year from now."
_MINUTE: Final = "%Y-%m-%dT%H:%M"
_ORDER: Final = ("First", "Second", "Third", "Fourth")[:WAYS_MAX]


class StepFields(Struct, frozen=True):
    """The fields of one step, for the page."""

    number: int
    role: BoundField
    wait: BoundField
    ways: BoundField


class PolicyForm(PlainForm):
    """What a policy is to say.

    Args:
        data: what was sent; ``None`` = nothing yet.
        says: what it says now, or what is proposed.
        seen: number of the version that says so; 0 = there is none.
    """

    version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)
    kinds = forms.MultipleChoiceField(
        label="Kinds of alert",
        choices=list(KIND_TITLES.items()),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": NO_KINDS},
    )

    def __init__(self, data: QueryDict | None, says: Policy, seen: int) -> None:
        steps = says.steps
        initial: dict[str, object] = {"version": seen, "kinds": list(says.kinds)}
        for number, step in enumerate(steps, 1):
            initial |= {f"role-{number}": step.role, f"wait-{number}": step.wait_s, f"ways-{number}": list(step.ways)}
        super().__init__(data, initial=initial)
        sent = sum(name.startswith("role-") for name in data or ())
        self._rows = min(max(len(steps) + SPARE_STEPS, sent), STEPS_MAX)
        for number in range(1, self._rows + 1):
            self.fields |= _fields_of(number)

    def steps(self) -> Iterator[StepFields]:
        """Each row."""
        for number in range(1, self._rows + 1):
            yield StepFields(number, self[f"role-{number}"], self[f"wait-{number}"], self[f"ways-{number}"])

    def clean(self) -> dict[str, Any]:
        """Steps without a gap between role and seconds; at least one."""
        typed, steps = self.cleaned_data, []
        for number in range(1, self._rows + 1):
            role, wait_s = typed.get(f"role-{number}"), typed.get(f"wait-{number}")
            ways: list[str] = typed.get(f"ways-{number}", [])
            has_error = any(f"{field}-{number}" in self.errors for field in ("role", "wait", "ways"))
            if has_error or not (role or wait_s or ways):
                continue
            if not role:
                self.add_error(f"role-{number}", NO_ROLE)
            elif not wait_s:
                self.add_error(f"wait-{number}", WAIT_OUT_OF_RANGE)
            else:
                steps.append(StepEntry(role=role, wait_s=wait_s, ways=tuple(way for way in WAY_TITLES if way in ways)))
        if not steps and not self.errors:
            self.add_error("role-1", NO_STEPS)
        typed["policy"] = Policy(sorted_kinds(typed.get("kinds", ())), tuple(steps))
        return typed


class _WallTimeField(forms.Field):
    """A moment by the clock on the wall, by the rota's rule also in the hour that it skips or that comes twice."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"})

    def to_python(self, value: Any) -> datetime | None:  # noqa: ANN401 - what was sent
        """In UTC; ``None`` = nothing was sent."""
        if not value:
            return None
        try:
            wall = datetime.strptime(value, _MINUTE)  # noqa: DTZ007 - by the clock on the wall
        except ValueError as e:
            raise ValidationError(NO_TIME) from e
        return moment(wall.date(), wall.time())


class TryForm(PlainForm):
    """What a dry run plays: an alert of a kind, at a time by the clock on the wall."""

    kind = forms.ChoiceField(label="Kind of alert", choices=list(KIND_TITLES.items()))
    at = _WallTimeField(label="Pressed at", error_messages={"required": NO_TIME})

    def clean_at(self) -> datetime:
        """Near enough for what holds now to say anything about it."""
        at: datetime = self.cleaned_data["at"]
        if abs(at - timezone.now()) > timedelta(days=DAYS_AWAY_MAX):
            raise ValidationError(TOO_FAR)
        return at


class WaysForm(PlainForm):
    """A person's own ways; an empty line is none."""

    def __init__(self, data: QueryDict | None, ways: Sequence[WayEntry] = ()) -> None:
        super().__init__(data, initial={f"way-{number}": shown(one.to) for number, one in enumerate(ways, 1)})
        for number, word in enumerate(_ORDER, 1):
            self.fields[f"way-{number}"] = forms.CharField(label=word, required=False, strip=True)

    def clean(self) -> dict[str, Any]:
        """Each a number or an address, and none twice."""
        ways: list[WayEntry] = []
        for field in self.fields:
            typed = self.cleaned_data.get(field, "")
            try:
                way = read_way(typed) if typed else None
            except WayRefusedError as e:
                self.add_error(field, str(e))
                continue
            if way in ways:
                self.add_error(field, TWICE)
            elif way is not None:
                ways.append(way)
        self.cleaned_data["ways"] = tuple(ways)
        return self.cleaned_data


def _fields_of(number: int) -> dict[str, forms.Field]:
    """A row. Each label names its step: a screen reader reads them out one by one."""
    of_step = format_html('<span class="said"> in step {}</span>', number)
    bounds = {"min_value": WAIT_OUT_OF_RANGE, "max_value": WAIT_OUT_OF_RANGE, "invalid": WAIT_OUT_OF_RANGE}
    return {
        f"role-{number}": forms.ChoiceField(
            label=f"Who is asked in step {number}",
            required=False,
            choices=[("", "No step"), *((role, TITLES[role]) for role in ROLES)],
        ),
        f"wait-{number}": forms.IntegerField(
            label=f"Seconds for step {number}",
            required=False,
            min_value=STEP_S_MIN,
            max_value=STEP_S_MAX,
            error_messages=bounds,
        ),
        f"ways-{number}": forms.MultipleChoiceField(
            label=f"Ways of step {number}, beside open pages",
            required=False,
            widget=forms.CheckboxSelectMultiple(attrs={"class": "hands"}),
            choices=[(way, format_html("{}{}", title.capitalize(), of_step)) for way, title in WAY_TITLES.items()],
        ),
    }
