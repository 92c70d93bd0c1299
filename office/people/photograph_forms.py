"""Forms of photographs."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from office.accounts.forms import PlainForm
from office.members.facts import TextRefusedError, clean_line
from office.people import crops
from office.people.intake_terms import Box
from office.people.models import SOURCE_CHARS_MAX, Photograph
from office.people.photographs import REMOVAL_REASONS, is_cropped

OWN: str = "own"
"""The choice of the numbers below the proposals."""


class PhotographForm(PlainForm):
    """A photograph to add."""

    file = forms.FileField(
        label="Photograph",
        help_text="JPEG or PNG, 8 MB at most. Best: a large, sharp face that looks into the camera.",
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png"}),
        allow_empty_file=True,
        error_messages={"required": "Choose a photograph."},
    )
    source = forms.CharField(
        label="Where it comes from",
        max_length=SOURCE_CHARS_MAX,
        help_text="Such as: camera 4 of the shop; police, with their reference. No names.",
        error_messages={"required": "Say where it comes from."},
    )
    taken_on = forms.DateField(
        label="Taken on",
        required=False,
        help_text="Leave empty if nobody knows.",
        error_messages={"invalid": "Enter a date, such as 2026-11-27."},
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d", "%d/%m/%Y", "%d %b %Y", "%d %B %Y"],
    )

    def clean_source(self) -> str:
        """A text that every screen can show."""
        try:
            line = clean_line(self.cleaned_data["source"], SOURCE_CHARS_MAX)
        except TextRefusedError as e:
            raise ValidationError(str(e)) from e
        if not line:
            raise ValidationError("Say where it comes from.")
        return line

    def clean_taken_on(self) -> object:
        """Not in the future."""
        day = self.cleaned_data["taken_on"]
        if day is not None and day > timezone.localdate():
            raise ValidationError("This day has not come yet.")
        return day


class CropForm(PlainForm):
    """Which part is the face: one of nine proposals, or numbers.

    Args:
        photograph: whose size bounds the numbers; as it is cropped now, or as the first proposal would crop it.
        data: what was typed.
    """

    proposal = forms.ChoiceField(label="Which of these shows the face best?", widget=forms.RadioSelect)
    left = forms.IntegerField(label="From the left", required=False)
    top = forms.IntegerField(label="From the top", required=False)
    width = forms.IntegerField(label="Width", required=False)

    def __init__(self, photograph: Photograph, data: Any = None) -> None:  # noqa: ANN401 - as Django has it
        self.picture = photograph.width, photograph.height
        self.proposals = crops.proposals(*self.picture)
        self.now = now = self._now(photograph)
        chosen = OWN if is_cropped(photograph) else ""
        super().__init__(data, initial={"proposal": chosen, "left": now.left, "top": now.top, "width": now.width})
        choices = [(name, words) for name, (words, _) in self.proposals.items()]
        self.fields["proposal"].choices = [*choices, (OWN, "None: as I set it below")]  # type: ignore[attr-defined]
        self.fields["proposal"].error_messages["required"] = "Choose one."

    def _now(self, photograph: Photograph) -> Box:
        if is_cropped(photograph):
            return Box(photograph.crop_left, photograph.crop_top, photograph.crop_width, photograph.crop_height)
        return next(iter(self.proposals.values()))[1]

    def clean(self) -> dict[str, Any]:
        """Numbers that lie in the picture, if they are what was chosen."""
        typed = self.cleaned_data
        if typed.get("proposal") == OWN and not {"left", "top", "width"} & self.errors.keys():
            missing = [field for field in ("left", "top", "width") if typed.get(field) is None]
            for field in missing:
                self.add_error(field, "Enter a number.")
            if not missing:
                for field, why in crops.problems(typed["left"], typed["top"], typed["width"], self.picture).items():
                    self.add_error(field, why)
        return typed

    @property
    def box(self) -> Box:
        """What was chosen, once the form is valid."""
        typed = self.cleaned_data
        if typed["proposal"] != OWN:
            return self.proposals[typed["proposal"]][1]
        return Box(typed["left"], typed["top"], typed["width"], crops.height_of(typed["width"], self.picture[1]))


class RemovalForm(PlainForm):
    """Why a photograph is removed."""

    reason = forms.ChoiceField(
        label="Why?",
        choices=list(REMOVAL_REASONS.items()),
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a reason."},
    )
