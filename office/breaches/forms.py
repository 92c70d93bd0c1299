"""The form by which further action is written down."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from office.accounts.forms import PlainForm
from office.accounts.rules import Rights
from office.breaches.models import CRIME_REFERENCE_CHARS_MAX, Breach
from office.breaches.rules import ACTION_TITLES, missing
from office.breaches.scope import cases_to_choose
from office.exclusions.fields import LineField
from office.exclusions.models import Case


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
        field = self.fields["extended"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = cases_to_choose(mine, breach)
