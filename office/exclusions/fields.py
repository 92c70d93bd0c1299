"""Fields of the forms of cases: text that every screen shows as it was meant, and days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from office.members.facts import TextRefusedError, clean_line, clean_lines

_DAY_FORMATS: Final = ("%Y-%m-%d", "%d/%m/%Y", "%d %b %Y", "%d %B %Y")
_YEAR_FIRST: Final = 1900
_YEAR_LAST: Final = 2199
"""After 9999 there are no days to reckon with."""


class _CleanField(forms.CharField):
    read: Callable[[str, int], str]

    def __init__(self, label: str, chars_max: int, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        self._chars_max = chars_max
        when_empty = kwargs.pop("when_empty", "")
        if when_empty:
            kwargs["error_messages"] = {"required": when_empty}
        super().__init__(label=label, strip=False, required=bool(when_empty), **kwargs)

    def clean(self, value: Any) -> str:  # noqa: ANN401 - what was sent
        """As it will be shown."""
        try:
            text = type(self).read(super().clean(value), self._chars_max)
        except TextRefusedError as e:
            raise ValidationError(str(e)) from e
        if self.required and not text:
            raise ValidationError(self.error_messages["required"], code="required")
        return text


class LineField(_CleanField):
    """One line; needed if ``when_empty`` says what to do without it."""

    read = staticmethod(clean_line)

    def __init__(self, label: str, chars_max: int, **kwargs: Any) -> None:  # noqa: ANN401
        kwargs.setdefault("widget", forms.TextInput(attrs={"autocomplete": "off"}))
        super().__init__(label, chars_max, **kwargs)


class LinesField(_CleanField):
    """Several lines; needed if ``when_empty`` says what to do without them."""

    read = staticmethod(clean_lines)

    def __init__(self, label: str, chars_max: int, *, rows: int = 3, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(label, chars_max, widget=forms.Textarea(attrs={"rows": rows}), **kwargs)


class DayField(forms.DateField):
    """A day, chosen or typed; needed if ``when_empty`` says what to do without it."""

    def __init__(self, label: str, *, when_empty: str = "", help_text: str = "") -> None:
        messages = {"invalid": "Enter a day, such as 27/11/2026.", "required": when_empty}
        super().__init__(
            label=label,
            required=bool(when_empty),
            help_text=help_text,
            error_messages=messages,
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            input_formats=_DAY_FORMATS,
        )

    def to_python(self, value: Any) -> date | None:  # noqa: ANN401 - what was sent
        """The day; its year has four digits that somebody meant."""
        day = super().to_python(value)
        if day is not None and day.year < _YEAR_FIRST:
            raise ValidationError(f"Enter a year from {_YEAR_FIRST} on.")
        if day is not None and day.year > _YEAR_LAST:
            raise ValidationError(f"Enter a year until {_YEAR_LAST}.")
        return day
