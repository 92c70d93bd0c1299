"""The form of a member of staff."""

from __future__ import annotations

from django import forms

from office.accounts.forms import PlainForm, clean_person_name


class StaffForm(PlainForm):
    """A name, as it stands on the page where people sign in."""

    name = forms.CharField(
        label="Name",
        required=False,
        help_text="As colleagues know them. It stands on the page where they sign in, and in the record of whom they"
        " have looked at.",
    )

    def clean_name(self) -> str:
        """A name that every screen shows as it is."""
        return clean_person_name(self.cleaned_data["name"])
