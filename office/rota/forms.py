"""Forms of patterns, covers, overrides and swaps. What may be stands in :mod:`office.rota.rules.refusals`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django import forms

from office.accounts.forms import PlainForm
from office.accounts.rules import TITLES
from office.exclusions.fields import DayField, LineField
from office.rota.models import REASON_CHARS_MAX, RotaOverride, RotaPattern, WithHours
from office.rota.rules.plan import DAY_MIN, Post
from office.rota.rules.refusals import (
    AWAY_DAYS_MAX,
    PEOPLE_MAX,
    length_min,
    span_of,
    why_not_days,
    why_not_people,
)
from office.rota.rules.spans import Span
from office.rota.rules.wall_time import london
from office.rota.wording import DAYS

_NO_TIME: Final = "Enter a time, such as 22:00."
_TURNS_SHOWN: Final = 6


class ClockField(forms.TimeField):
    """A time by the clock on the wall; needed if ``when_empty`` says what to do without it."""

    def __init__(self, label: str, *, when_empty: str = "", help_text: str = "") -> None:
        super().__init__(
            label=label,
            required=bool(when_empty),
            help_text=help_text,
            error_messages={"invalid": _NO_TIME, "required": when_empty},
            widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            input_formats=["%H:%M", "%H:%M:%S", "%H.%M"],
        )


class HoursForm(PlainForm):
    """Days and times. With ``length_min`` in its data once it is clean."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    weekdays = forms.MultipleChoiceField(
        label="Begins on",
        choices=[(str(number), day) for number, day in enumerate(DAYS)],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    every_weeks = forms.IntegerField(
        label="Every how many weeks",
        initial=1,
        help_text="1 = every week, 2 = every second one. The first day’s is one.",
    )
    begins = ClockField("Begins at", when_empty=_NO_TIME)
    ends = ClockField("Ends at", help_text="If it is not later than the beginning, it is on the next day.")
    hours = forms.FloatField(
        label="Or lasts, in hours", required=False, help_text="Instead of the end. 24 is a whole day."
    )
    first = DayField("First day", when_empty="Enter the first day.")
    last = DayField("Last day", help_text="Empty = until further notice.")

    def clean(self) -> dict[str, Any]:
        """Days and times that can be."""
        typed = self.cleaned_data
        if "begins" in typed and not {"ends", "hours"} & self.errors.keys():
            typed["begins"] = typed["begins"].replace(second=0, microsecond=0)
            length = length_min(typed["begins"], typed.get("ends"), typed.get("hours"))
            if isinstance(length, str):
                self.add_error("ends", length)
            typed["length_min"] = length
        if not {"first", "last", "every_weeks"} & self.errors.keys():
            weekdays = {int(one) for one in typed.get("weekdays", ())}
            why_not = why_not_days(weekdays, typed["first"], typed.get("last"), typed["every_weeks"])
            if why_not is not None:
                self.add_error("weekdays" if not weekdays else "last", why_not)
        return typed

    def put(self, row: WithHours) -> None:
        """What was typed, into a row; not saved."""
        typed = self.cleaned_data
        row.weekdays = "".join(sorted(typed["weekdays"]))
        for field in ("every_weeks", "begins", "length_min", "first", "last"):
            setattr(row, field, typed[field])

    @staticmethod
    def initial_of(row: WithHours) -> dict[str, Any]:
        """As a row is."""
        end = (datetime.combine(row.first, row.begins) + timedelta(minutes=row.length_min)).time()
        is_whole = row.length_min == DAY_MIN
        found = {field: getattr(row, field) for field in ("every_weeks", "begins", "first", "last")}
        return found | {
            "seen": row.mark,
            "weekdays": list(row.weekdays),
            "ends": None if is_whole else end,
            "hours": 24 if is_whole else None,
        }


class PatternForm(HoursForm):
    """With the people, in turn.

    Args:
        post: of the pattern.
        holders: who can be on duty.
        names: of those, and of whoever is in the pattern now.
        now: who is.
    """

    turn = forms.ChoiceField(
        label="The next person comes", choices=[("shift", "after each shift"), ("week", "each Monday")]
    )

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - Django's own
        post: Post,
        holders: Collection[tuple[int, Post]],
        names: Mapping[int, str],
        now: Collection[int] = (),
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(*args, **kwargs)
        self._post, self._holders, self._names = post, holders, names
        options = [(one, name) for one, name in names.items() if (one, post) in holders]
        left = [
            (one, f"{names.get(one, one)} (not {TITLES[post.role]} any more)")
            for one in set(now) - {one for one, _ in options}
        ]
        choices = [("", "–"), *sorted((*options, *left), key=lambda one: one[1].casefold())]
        shown = min(max(_TURNS_SHOWN, len(now) + 2), PEOPLE_MAX)
        for place in range(shown):
            self.fields[f"person_{place}"] = forms.TypedChoiceField(
                label="Who is on" if not place else f"Then, in turn {place + 1}",
                choices=choices,
                coerce=int,
                empty_value=None,
                required=False,
                help_text="" if place else "One person, or several in turn. The same person may come more than once.",
                error_messages={"invalid_choice": f"Choose somebody who is {TITLES[post.role]} in this scheme."},
            )
        self.order_fields([*(f"person_{place}" for place in range(shown)), "turn"])

    def clean(self) -> dict[str, Any]:
        """Also people who can be on."""
        typed = super().clean()
        asked = [typed.get(name) for name in self.fields if name.startswith("person_")]
        typed["people"] = [one for one in asked if one is not None]
        if not any(name.startswith("person_") for name in self.errors):
            why_not = why_not_people(typed["people"], self._post, self._holders, dict(self._names))
            if why_not is not None:
                self.add_error("person_0", why_not)
        return typed

    def put(self, row: WithHours) -> None:
        """What was typed, into a row; not saved."""
        super().put(row)
        assert isinstance(row, RotaPattern)
        row.people, row.turn = self.cleaned_data["people"], self.cleaned_data["turn"]

    @staticmethod
    def initial_of(row: WithHours) -> dict[str, Any]:
        """As a row is."""
        assert isinstance(row, RotaPattern)
        people = {f"person_{place}": one for place, one in enumerate(row.people)}
        return HoursForm.initial_of(row) | people | {"turn": row.turn}


class OverrideForm(PlainForm):
    """What is otherwise, for once.

    Args:
        post: of which.
        holders: who can be on duty.
        names: of those.
    """

    what = forms.ChoiceField(
        label="What is otherwise",
        widget=forms.RadioSelect,
        choices=[
            ("stands-in", "Somebody stands in for somebody"),
            ("besides", "Somebody is on besides"),
            ("off", "Somebody is not on"),
            ("nobody", "Nobody is on"),
        ],
        error_messages={"required": "Choose what is otherwise."},
    )
    account = forms.TypedChoiceField(label="Who is on", coerce=int, empty_value=None, required=False)
    instead_of = forms.TypedChoiceField(label="Who is not on", coerce=int, empty_value=None, required=False)
    begins_day = DayField("From, day", when_empty="Enter the day.")
    begins = ClockField("From, time", when_empty=_NO_TIME)
    ends_day = DayField("Until, day", when_empty="Enter the day.")
    ends = ClockField("Until, time", when_empty=_NO_TIME)
    reason = LineField(
        "Why (may be left empty)", REASON_CHARS_MAX, help_text="Co-ordinators see it. Nothing about health."
    )

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - Django's own
        post: Post,
        holders: Collection[tuple[int, Post]],
        names: Mapping[int, str],
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(*args, **kwargs)
        self._post, self._holders, self._names = post, holders, names
        everybody = sorted(names.items(), key=lambda one: one[1].casefold())
        able = [(one, name) for one, name in everybody if (one, post) in holders]
        for field, choices in (("account", able), ("instead_of", everybody)):
            one = self.fields[field]
            assert isinstance(one, forms.TypedChoiceField)
            one.choices = [("", "–"), *choices]
            one.error_messages["invalid_choice"] = f"Choose somebody who is {TITLES[post.role]} in this scheme."

    def clean(self) -> dict[str, Any]:
        """With ``span``."""
        typed = self.cleaned_data
        what = typed.get("what")
        needs = {"stands-in": ("account", "instead_of"), "besides": ("account",), "off": ("instead_of",)}.get(
            what or "", ()
        )
        for field in ("account", "instead_of"):
            if field not in needs:
                typed[field] = None
            elif typed.get(field) is None and field not in self.errors:
                self.add_error(field, "Choose the person.")
        if typed.get("account") is not None:
            if typed["account"] == typed.get("instead_of"):
                self.add_error("instead_of", "Both are the same person. Choose another one.")
            why_not = why_not_people((typed["account"],), self._post, self._holders, dict(self._names))
            if why_not is not None:
                self.add_error("account", why_not)
        if what and not {"begins_day", "begins", "ends_day", "ends"} & self.errors.keys():
            begins, ends = (
                (typed[f"{word}_day"], typed[word].replace(second=0, microsecond=0)) for word in ("begins", "ends")
            )
            span = span_of(begins, ends, days_max=0 if what == "besides" else AWAY_DAYS_MAX)
            if isinstance(span, str):
                self.add_error("ends_day", span)
            typed["span"] = span
        return typed

    def put(self, row: RotaOverride) -> None:
        """What was typed, into a row; not saved."""
        typed = self.cleaned_data
        row.begins_at, row.ends_at = typed["span"].begins_at, typed["span"].ends_at
        row.account_id, row.instead_of_id, row.reason = typed["account"], typed["instead_of"], typed["reason"]

    @staticmethod
    def initial_of(span: Span, instead_of: int | None, what: str) -> dict[str, Any]:
        """For a shift or a gap."""
        begins, ends = london(span.begins_at), london(span.ends_at)
        return {
            "what": what,
            "instead_of": instead_of,
            "begins_day": begins.date(),
            "begins": begins.time(),
            "ends_day": ends.date(),
            "ends": ends.time(),
        }


class SwapForm(PlainForm):
    """Which of one's shifts for which of somebody else's.

    Args:
        mine: words by key.
        theirs: likewise.
    """

    given = forms.ChoiceField(label="Your shift")
    taken = forms.ChoiceField(label="For the shift of")

    def __init__(self, *args: Any, mine: Mapping[str, str], theirs: Mapping[str, str], **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        for field, choices in (("given", mine), ("taken", theirs)):
            one = self.fields[field]
            assert isinstance(one, forms.ChoiceField)
            one.choices = [("", "Choose a shift"), *choices.items()]
            one.error_messages |= {
                "required": "Choose a shift.",
                "invalid_choice": "This shift is not as it was. Choose again.",
            }
