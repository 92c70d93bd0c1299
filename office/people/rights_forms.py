"""Forms of requests of people about themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final

from django import forms

from office.accounts.forms import PlainForm
from office.accounts.models import Scheme
from office.members.facts import TextRefusedError, clean_line, clean_lines
from office.people import models
from office.people.models import Individual
from office.people.rights import CORRECTED_FIELDS, Correction, Search
from office.people.rules import REQUEST_TITLES, WAY_TITLES

_DAY_FORMATS: Final = ["%Y-%m-%d", "%d/%m/%Y", "%d %b %Y", "%d %B %Y"]
_BAD_DAY: Final = {"invalid": "Enter a day, such as 27/11/2026.", "required": "Enter a day, such as 27/11/2026."}


class _CleanForm(PlainForm):
    """Every text is one that all screens and papers can show. ``line_chars`` and ``text_chars``: bounds by field."""

    line_chars: ClassVar[Mapping[str, int]] = {}
    text_chars: ClassVar[Mapping[str, int]] = {}

    def clean(self) -> dict[str, Any]:
        """As it will be shown."""
        for bounds, clean in ((self.line_chars, clean_line), (self.text_chars, clean_lines)):
            for field, chars_max in bounds.items():
                self._clean_text(field, chars_max, clean)
        return self.cleaned_data

    def _clean_text(self, field: str, chars_max: int, clean: Callable[[str, int], str]) -> None:
        try:
            self.cleaned_data[field] = clean(self.cleaned_data.get(field, ""), chars_max)
        except TextRefusedError as e:
            self.add_error(field, str(e))


def _day(label: str, *, required: bool = True, help_text: str = "") -> forms.DateField:
    return forms.DateField(
        label=label,
        required=required,
        help_text=help_text,
        error_messages=_BAD_DAY,
        input_formats=_DAY_FORMATS,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


def _lines(label: str, *, when_empty: str = "", help_text: str = "") -> forms.CharField:
    """Several lines; needed if ``when_empty`` says what to do without them."""
    return forms.CharField(
        label=label,
        required=bool(when_empty),
        help_text=help_text,
        error_messages={"required": when_empty},
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class RequestForm(_CleanForm):
    """What somebody asks."""

    line_chars: ClassVar[Mapping[str, int]] = {"asked_by": models.ASKER_CHARS_MAX}
    text_chars: ClassVar[Mapping[str, int]] = {"asked": models.ASKED_CHARS_MAX}

    scheme = forms.ChoiceField(label="Scheme")
    kind = forms.ChoiceField(label="What they want", choices=list(REQUEST_TITLES.items()))
    received_on = _day("Arrived on", help_text="In whatever way: letter, e-mail, telephone, across a counter.")
    asked_by = forms.CharField(
        label="Who asks, and how to reach them",
        help_text="Only what you need to answer.",
        error_messages={"required": "Say who asks, and how to reach them."},
    )
    asked = _lines("In their words", help_text="What is contested, if anything is.")

    def __init__(self, schemes: Iterable[Scheme], *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(*args, **kwargs)
        field = self.fields["scheme"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(str(one.pk), one.name) for one in schemes]


class FindForm(_CleanForm):
    """Whom of the register a request is about."""

    line_chars: ClassVar[Mapping[str, int]] = {
        "reference": 40,
        "name": models.PERSON_NAME_CHARS_MAX,
        "compared_by": models.PROOF_CHARS_MAX,
        "proof": models.PROOF_CHARS_MAX,
    }

    way = forms.ChoiceField(
        label="How they are found",
        choices=list(WAY_TITLES.items()),
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how they are found."},
    )
    reference = forms.CharField(
        label="Reference",
        required=False,
        help_text="Such as HART-0042: from the notice, or of the person in the photograph.",
    )
    name = forms.CharField(label="Name", required=False)
    born_on = _day("Born on", required=False)
    compared_by = forms.CharField(
        label="Who compared the photographs",
        required=False,
        help_text="A person, never a machine. Say who looked, and at what: the person, or a picture they sent.",
    )
    proof = forms.CharField(
        label="How they proved who they are",
        help_text="Such as: passport seen, no copy kept. Ask for no more than you need.",
        error_messages={"required": "Say how they proved who they are."},
    )

    def search(self) -> Search:
        """What was asked for."""
        return Search(**{field: self.cleaned_data[field] for field in Search.__struct_fields__})


class OutcomeForm(_CleanForm):
    """What the person was answered."""

    text_chars: ClassVar[Mapping[str, int]] = {"outcome": models.ASKED_CHARS_MAX}

    outcome = _lines(
        "What they were answered",
        when_empty="Say what they were answered.",
        help_text="What was done, or why not, and when it was sent.",
    )


class CorrectionForm(_CleanForm):
    """What is right of a person."""

    line_chars: ClassVar[Mapping[str, int]] = {
        "name": models.PERSON_NAME_CHARS_MAX,
        "also_known_as": models.PERSON_NAME_CHARS_MAX,
    }
    text_chars: ClassVar[Mapping[str, int]] = {
        "description": models.DESCRIPTION_CHARS_MAX,
        "address": models.ADDRESS_CHARS_MAX,
        "reason": models.PROOF_CHARS_MAX,
    }

    individual = forms.IntegerField(widget=forms.HiddenInput)
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)
    name = forms.CharField(label="Name", required=False, help_text="Empty = not known.")
    also_known_as = forms.CharField(
        label="Also known as", required=False, help_text="Put a semicolon between several names."
    )
    born_on = _day("Born on", required=False)
    is_believed_minor = forms.BooleanField(label="Believed to be under 18", required=False)
    description = _lines("Description", help_text="Nothing about ethnicity, religion, health or orientation.")
    address = _lines("Address")
    reason = _lines(
        "Why",
        when_empty="Say why it is right.",
        help_text="What shows that it is right. Kept with the request.",
    )

    @classmethod
    def of(cls, individual: Individual) -> CorrectionForm:
        """Filled in with what is held now."""
        held = {field: getattr(individual, field) for field in ("version", *CORRECTED_FIELDS)}
        return cls(initial=held | {"individual": individual.pk})

    def correction(self) -> Correction:
        """What was typed."""
        return Correction(**{field: self.cleaned_data[field] for field in CORRECTED_FIELDS})


class ReasonForm(_CleanForm):
    """Why; and about whom the page was, which may be somebody else by now."""

    text_chars: ClassVar[Mapping[str, int]] = {"reason": models.PROOF_CHARS_MAX}

    individual = forms.IntegerField(widget=forms.HiddenInput)
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)
    reason = _lines("Why")
