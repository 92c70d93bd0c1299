"""Forms of a scheme's terms and of its documents."""

from __future__ import annotations

from typing import Any, Final

from django import forms

from office.accounts.forms import PlainForm
from office.exclusions.models import NOTICE_CHARS_MAX, VERSION_CHARS_MAX, SchemeTerms
from office.exclusions.rules.law import DOCUMENT_TITLES
from office.members.facts import TextRefusedError, clean_line, clean_lines

QUORUM_MAX: Final = 100
_LINES: Final = {"responsible": 500, "contact": 300, "privacy_notice": NOTICE_CHARS_MAX}


class TermsForm(PlainForm):
    """What a scheme settles for its exclusions."""

    paper_title = forms.CharField(
        label="What the paper is called", max_length=60, help_text="Exclusion notice, or exclusion order."
    )
    quorum = forms.IntegerField(
        label="Quorum", min_value=1, max_value=QUORUM_MAX, help_text="Members that must vote, abstentions included."
    )
    majority_percent = forms.IntegerField(
        label="Majority in per cent",
        min_value=50,
        max_value=99,
        help_text="More than this must vote for exclusion. 50 = more than half.",
    )
    shows_identity_at_meetings = forms.BooleanField(
        label="Show who it is before the vote at meetings",
        required=False,
        help_text="Better not: members then judge the conduct alone. Each decision says which way it was.",
    )
    dpia_allows_minors = forms.BooleanField(
        label="The impact assessment allows showing under-18s in shops",
        required=False,
        help_text="Each one still needs a second approver.",
    )
    shows_without_proof = forms.BooleanField(
        label="Show the gallery on units that do not know what day it is",
        required=False,
        help_text="Better not. A unit that was switched off, and has no network since, then shows what it held: people"
        " whose ban is over, and people whose ban was lifted, for hours or days. Better fit a clock with a battery.",
    )
    responsible = forms.CharField(
        label="Who is responsible",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="The controller or controllers, with address. Printed on every notice and on the public page.",
    )
    contact = forms.CharField(
        label="How to ask, appeal and complain",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Address, e-mail or telephone. Printed on every notice and on the public page.",
    )
    privacy_notice = forms.CharField(
        label="Long privacy notice",
        required=False,
        widget=forms.Textarea(attrs={"rows": 12}),
        help_text="For the public page, as your adviser approved it. Empty = Watchlink’s own. “## ” begins a heading.",
    )

    @classmethod
    def of(cls, terms: SchemeTerms) -> TermsForm:
        """Filled in with what holds now."""
        return cls(initial={field: getattr(terms, field) for field in cls.base_fields})

    def clean(self) -> dict[str, Any]:
        """Texts that every screen and paper can show."""
        typed = self.cleaned_data
        for field, chars_max in _LINES.items():
            try:
                typed[field] = clean_lines(typed.get(field, ""), chars_max)
            except TextRefusedError as e:
                self.add_error(field, str(e))
        _clean_line(self, "paper_title", 60)
        return typed


class DocumentForm(PlainForm):
    """A document that is in force from today, or was reviewed today."""

    kind = forms.ChoiceField(label="Document", choices=list(DOCUMENT_TITLES.items()))
    version = forms.CharField(
        label="Version, and where it is kept",
        max_length=VERSION_CHARS_MAX,
        help_text="Such as “2.1, signed 3 March 2027, folder 4”. If the scheme needs none, say why.",
    )

    def clean(self) -> dict[str, Any]:
        """A text that every screen can show."""
        _clean_line(self, "version", VERSION_CHARS_MAX)
        return self.cleaned_data


def _clean_line(form: forms.Form, field: str, chars_max: int) -> None:
    try:
        form.cleaned_data[field] = clean_line(form.cleaned_data.get(field, ""), chars_max)
    except TextRefusedError as e:
        form.add_error(field, str(e))
