"""The forms by which an incident is written down, and further action."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone

from office.accounts.forms import PlainForm
from office.accounts.models import Scheme
from office.accounts.rules import Rights
from office.breaches.models import CRIME_REFERENCE_CHARS_MAX, Breach
from office.breaches.rules import ACTION_TITLES, HAPPENED_TITLES, ROLES, missing
from office.breaches.scope import cases_to_choose
from office.exclusions.fields import DayField, LineField
from office.exclusions.models import Case
from office.exclusions.rules.period import TOWN_ZONE
from office.members.models import Premises
from office.members.scope import premises_of


class ActionForm(PlainForm):
    """What was done."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    kind = forms.ChoiceField(
        label="What was done",
        choices=list(ACTION_TITLES.items()),
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what was done."},
    )
    crime_reference = LineField(
        "Crime or incident reference",
        CRIME_REFERENCE_CHARS_MAX,
        help_text="The police’s. Needed if they were informed.",
    )
    extended = forms.ModelChoiceField(
        Case.objects.none(),
        label="Case by which it was extended",
        required=False,
        empty_label="None",
        help_text="Needed if the exclusion was extended. Nominate the person first.",
    )
    closes = forms.BooleanField(
        label="This closes it: the shop is told the outcome",
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        """What is missing stands beside its field."""
        typed = super().clean() or self.cleaned_data
        if typed.get("kind"):
            has_case = typed.get("extended") is not None
            lacking = missing(typed["kind"], typed.get("crime_reference", ""), has_case=has_case)
            if lacking is not None and lacking[0] not in self.errors:
                self.add_error(*lacking)
        return typed

    def __init__(self, mine: Rights, breach: Breach, data: QueryDict | None = None) -> None:
        super().__init__(data, initial={"version": breach.version})
        if breach.kind == "incident":
            # No unit has reported it, and nobody's exclusion is extended by it.
            kinds, closes = self.fields["kind"], self.fields["closes"]
            assert isinstance(kinds, forms.ChoiceField)
            kinds.choices = [one for one in ACTION_TITLES.items() if one[0] != "extended"]
            closes.label = "This closes it"
            del self.fields["extended"]
            return
        field = self.fields["extended"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = cases_to_choose(mine, breach)


class IncidentForm(PlainForm):
    """Where, when and what: no story, and nobody's name."""

    premises = forms.ModelChoiceField(
        Premises.objects.none(), label="Where", error_messages={"required": "Choose the premises."}
    )
    scheme = forms.ModelChoiceField(Scheme.objects.none(), label="Scheme", error_messages={"required": "Choose one."})
    happened = forms.ChoiceField(
        label="What it was",
        choices=list(HAPPENED_TITLES.items()),
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what it was."},
    )
    on = DayField("Day", when_empty="Enter the day.")
    at = forms.TimeField(
        label="Time",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"required": "Enter the time.", "invalid": "Enter a time, such as 14:30."},
    )

    def __init__(self, mine: Rights, data: QueryDict | None = None, initial: dict[str, object] | None = None) -> None:
        super().__init__(data, initial=initial)
        own = mine.schemes(*ROLES)
        for name, found in (
            ("premises", premises_of(own).order_by("name", "place")),
            ("scheme", Scheme.objects.filter(pk__in=own)),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = found
            field.empty_label = None if name == "scheme" and len(own) == 1 else "Choose"

    def clean(self) -> dict[str, Any]:
        """The premises is in the scheme, and it has happened."""
        typed = super().clean() or self.cleaned_data
        premises, scheme = typed.get("premises"), typed.get("scheme")
        if premises is not None and scheme is not None and not premises.schemes.filter(pk=scheme.pk).exists():
            self.add_error("scheme", "This premises is not in that scheme.")
        if not self.errors and self.moment() > timezone.now():
            self.add_error("at", "This time has not come yet.")
        return typed

    def moment(self) -> datetime:
        """Day and time as typed; they are the town's."""
        return datetime.combine(self.cleaned_data["on"], self.cleaned_data["at"], TOWN_ZONE)
