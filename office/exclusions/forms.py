"""Forms by which a person is nominated and a nomination is checked.

No field is for ethnicity, religion or orientation, and none will be. A name in the text that members read is pointed
out once; whoever means it may leave it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.forms import BoundField
from django.http import QueryDict
from django.utils import timezone
from django.utils.datastructures import MultiValueDict

from office.accounts.forms import PlainForm
from office.accounts.models import Scheme
from office.exclusions.acts import FUTURE, Nomination, Proposal
from office.exclusions.fields import DayField, LineField, LinesField
from office.exclusions.models import CONDUCT_CHARS_MAX, PLACE_CHARS_MAX, REASON_CHARS_MAX, Case
from office.exclusions.nominating import Likely, PersonFacts
from office.exclusions.rules.period import CATEGORY_TITLES, MONTHS_MAX, tariff, why_not_months
from office.exclusions.rules.reach import why_not_scope
from office.exclusions.rules.wording import names_in, references_in, why_blind
from office.members.models import Member, Premises
from office.people.models import (
    ADDRESS_CHARS_MAX,
    DESCRIPTION_CHARS_MAX,
    PERSON_NAME_CHARS_MAX,
    SOURCE_CHARS_MAX,
    Individual,
)

SOMEBODY_ELSE: Final = "somebody-else"
_GONE: Final = "Whom you chose is not in the register any more: erased, or put together with somebody. Choose again."
_CATEGORY_CHOICES: Final = [("", "Choose what it was"), *CATEGORY_TITLES.items()]
_REFERENCE_CHARS_MAX: Final = 24
_TO_MEMBERS: Final = "Members read this and vote on it: no name, nothing by which the person is known."
_READ_BY_MEMBERS: Final = ("conduct", "evidence", "happened_at", "months_reason", "necessity")


class GroupedForm(PlainForm):
    """Fields under headings, in the order in which people think.

    Attributes:
        headings: heading, help, names of fields.
    """

    headings: tuple[tuple[str, str, tuple[str, ...]], ...] = ()

    def groups(self) -> Iterator[tuple[str, str, list[BoundField]]]:
        """For the page; a heading without fields is left out."""
        for heading, help_text, names in self.headings:
            fields = [self[name] for name in names if name in self.fields]
            if fields:
                yield heading, help_text, fields

    def ask_who(self, likely: Iterable[Likely], nobody: str) -> None:
        """Let them choose whether it is somebody of the register.

        Asked again, too, of whoever has chosen somebody who is not there any more: nobody becomes new by that.
        """
        choices = [(str(one.individual.pk), one.label) for one in likely]
        if choices or self.data.get("same_as", SOMEBODY_ELSE) != SOMEBODY_ELSE:
            self.fields["same_as"] = forms.ChoiceField(
                label="Is it one of these?",
                choices=[*choices, (SOMEBODY_ELSE, nobody)],
                widget=forms.RadioSelect,
                help_text="Found by name and date of birth alone. Faces are never compared.",
                error_messages={
                    "required": "Say whether it is one of these, or somebody else.",
                    "invalid_choice": _GONE,
                },
            )

    def same_as(self) -> int:
        """Number of the individual chosen; 0 = somebody else, or not asked."""
        chosen = self.cleaned_data.get("same_as", "")
        return int(chosen) if chosen.isdigit() else 0

    def check_wording(self, names: Iterable[str], references: Iterable[str]) -> None:
        """Point out a name or reference in what members read, unless it was said that it stays."""
        names, references = list(names), list(references)
        for field in _READ_BY_MEMBERS:
            found = names_in(self.cleaned_data.get(field, ""), names)
            found += references_in(self.cleaned_data.get(field, ""), references)
            if found:
                self.fields["keeps_name"] = forms.BooleanField(
                    label="It is not the person’s name: leave the text as it is", required=False
                )
                if not self.data.get("keeps_name"):
                    where = "above" if field in {"months_reason", "necessity"} else "below"
                    self.add_error(field, f"{why_blind(found)} If it is not their name, say so {where}.")


class NominationForm(GroupedForm):
    """Whom somebody nominates, and what happened."""

    behalf = forms.ChoiceField(label="Who nominates")
    reference = LineField(
        "Reference, if the person is in the register",
        _REFERENCE_CHARS_MAX,
        help_text="Such as HART-0042. Leave the other fields about the person empty then.",
    )
    name = LineField("Name", PERSON_NAME_CHARS_MAX, help_text="Leave empty if you do not know it. Do not guess.")
    also_known_as = LineField(
        "Also known as", PERSON_NAME_CHARS_MAX, help_text="Put a semicolon between several names."
    )
    born_on = DayField("Date of birth, if you know it")
    is_believed_minor = forms.BooleanField(label="I believe that the person is under 18", required=False)
    description = LinesField(
        "Description",
        DESCRIPTION_CHARS_MAX,
        help_text="Height, build, hair, clothes, marks: by what staff would know the person. Nothing about ethnicity,"
        " religion, sexual orientation or health.",
    )
    address = LinesField("Address", ADDRESS_CHARS_MAX, help_text="Where papers reach the person. Co-ordinators only.")
    category = forms.ChoiceField(
        label="What it was", choices=_CATEGORY_CHOICES, error_messages={"required": "Choose what it was."}
    )
    conduct = LinesField(
        "What happened",
        CONDUCT_CHARS_MAX,
        rows=6,
        when_empty="Say what happened.",
        help_text=f"{_TO_MEMBERS} What was seen and done, not what is thought of the person. Nothing about ethnicity,"
        " religion, sexual orientation, health, or people who were with them.",
    )
    happened_on = DayField("When", when_empty="Enter the day on which it happened.")
    happened_at = LineField("Where", PLACE_CHARS_MAX, when_empty="Say where it happened.", help_text=_TO_MEMBERS)
    evidence = LinesField(
        "Evidence",
        CONDUCT_CHARS_MAX,
        when_empty="Say what evidence there is, and who holds it.",
        help_text=f"Film, till roll, statements, crime number: what there is and who holds it. {_TO_MEMBERS}",
    )
    photograph = forms.FileField(
        label="Photograph, if you have one",
        required=False,
        allow_empty_file=True,
        help_text="JPEG or PNG, 8 MB at most. Choose it last: browsers forget it if something must be corrected.",
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png"}),
    )
    photograph_source = LineField(
        "Where the photograph comes from", SOURCE_CHARS_MAX, help_text="Such as: camera 4 of the shop. No names."
    )
    photograph_taken_on = DayField("Taken on, if you know it")

    headings = (
        ("Who nominates", "", ("behalf",)),
        (
            "The person",
            "",
            ("reference", "same_as", "name", "also_known_as", "born_on", "is_believed_minor", "description", "address"),
        ),
        ("What happened", "", ("category", "conduct", "happened_on", "happened_at", "evidence", "keeps_name")),
        ("Photograph", "", ("photograph", "photograph_source", "photograph_taken_on")),
    )

    def __init__(
        self,
        behalf: Iterable[tuple[Scheme, Member | None]],
        data: QueryDict | None = None,
        files: MultiValueDict[str, UploadedFile] | None = None,
    ) -> None:
        self._behalf = {f"{scheme.number}-{member.pk if member else 0}": (scheme, member) for scheme, member in behalf}
        super().__init__(data, files)
        field = self.fields["behalf"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (key, f"{member.name}, in {scheme.name}" if member else f"The co-ordinator of {scheme.name}")
            for key, (scheme, member) in self._behalf.items()
        ]
        field.initial = next(iter(self._behalf))
        if all(member is not None for _, member in self._behalf.values()):
            del self.fields["reference"], self.fields["address"]

    def clean(self) -> dict[str, Any]:
        """Everything that no single field can judge."""
        typed, today = self.cleaned_data, timezone.localdate()
        if typed.get("born_on") and typed["born_on"] > today:
            self.add_error("born_on", "The date of birth is in the future.")
        if typed.get("happened_on") and typed["happened_on"] > today:
            self.add_error("happened_on", FUTURE)
        names = (typed.get("name", ""), typed.get("also_known_as", ""))
        photograph = typed.get("photograph")
        is_said = typed.get("reference") or any(names) or typed.get("description") or photograph
        if not is_said and self.errors.keys().isdisjoint({"reference", "name", "also_known_as", "description"}):
            self.add_error("name", "Say who it is: give a name, a description or a photograph.")
        if typed.get("reference") and any(names):
            self.add_error("reference", "Give either the reference or a name, not both.")
        if photograph and not typed.get("photograph_source") and "photograph_source" not in self.errors:
            self.add_error("photograph_source", "Say where the photograph comes from.")
        if typed.get("photograph_taken_on") and typed["photograph_taken_on"] > today:
            self.add_error("photograph_taken_on", "This day has not come yet.")
        self.check_wording(names, [typed.get("reference", "")])
        return typed

    def say_what_browsers_forget(self) -> None:
        """A chosen file does not come back with a form that must be corrected."""
        if self.errors and "photograph" not in self.errors and self.files.get("photograph"):
            self.add_error("photograph", "Choose the photograph again: browsers do not keep it.")

    def behalf_of(self) -> tuple[Scheme, Member | None]:
        """The scheme, and the member for whom it is; ``None`` = as co-ordinator."""
        return self._behalf[self.cleaned_data["behalf"]]

    def person(self) -> PersonFacts:
        """Who it is, if they are not in the register."""
        fields = ("name", "also_known_as", "born_on", "is_believed_minor", "description")
        return PersonFacts(
            **{field: self.cleaned_data[field] for field in fields}, address=self.cleaned_data.get("address", "")
        )

    def nomination(self) -> Nomination:
        """What happened."""
        fields = ("category", "conduct", "evidence", "happened_on", "happened_at")
        return Nomination(**{field: self.cleaned_data[field] for field in fields})


class CheckForm(GroupedForm):
    """What the co-ordinator has checked, and puts before the members."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    conduct = LinesField(
        "What happened", CONDUCT_CHARS_MAX, rows=6, when_empty="Say what happened.", help_text=_TO_MEMBERS
    )
    happened_on = DayField("When", when_empty="Enter the day on which it happened.")
    happened_at = LineField("Where it happened", PLACE_CHARS_MAX, when_empty="Say where it happened.")
    evidence = LinesField("Evidence", CONDUCT_CHARS_MAX, when_empty="Say what evidence there is, and who holds it.")
    category = forms.ChoiceField(label="What it was", choices=list(CATEGORY_TITLES.items()))
    is_repeat = forms.BooleanField(label="The person was excluded before", required=False)
    months = forms.IntegerField(
        label="Calendar months",
        required=False,
        help_text="Leave empty for the tariff.",
        error_messages={"invalid": f"Enter a number between 1 and {MONTHS_MAX}."},
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "min": 1, "max": MONTHS_MAX}),
    )
    months_reason = LinesField("Why another length than the tariff", REASON_CHARS_MAX, rows=2, help_text=_TO_MEMBERS)
    source = forms.ChoiceField(
        label="Where the information comes from",
        choices=[("local", "Local: from a member of the scheme"), ("regional", "Regional: from outside the scheme")],
        widget=forms.RadioSelect,
    )
    regional_source = LineField("From whom, if regional", PLACE_CHARS_MAX)
    source_expires_on = DayField("Until when they let us use it, if regional")
    scope = forms.ChoiceField(
        label="Which premises",
        choices=[("all", "All premises of the scheme, later joiners included"), ("listed", "Only these:")],
        widget=forms.RadioSelect,
    )
    listed = forms.MultipleChoiceField(
        label="These premises", required=False, widget=forms.CheckboxSelectMultiple(attrs={"class": "many"})
    )
    necessity = LinesField(
        "Why all these premises are needed",
        REASON_CHARS_MAX,
        rows=2,
        when_empty="Say why all these premises are needed, in a sentence.",
        help_text=_TO_MEMBERS,
    )
    note = LinesField(
        "What you checked, and how",
        REASON_CHARS_MAX,
        when_empty="Say what you checked, and how.",
        help_text="Film seen, till roll compared, staff asked. Is it the right person, and is it accurate?",
    )

    headings = (
        ("The person", "", ("same_as",)),
        ("What members will read", "", ("conduct", "happened_on", "happened_at", "evidence", "keeps_name")),
        ("How long", "", ("category", "is_repeat", "months", "months_reason")),
        ("Source", "", ("source", "regional_source", "source_expires_on")),
        ("Where", "", ("scope", "listed", "necessity")),
        ("Your check", "", ("note",)),
    )

    def __init__(
        self, case: Case, premises: Iterable[Premises], likely: Iterable[Likely], data: QueryDict | None = None
    ) -> None:
        self._likely: Mapping[int, Likely] = {one.individual.pk: one for one in likely}
        self._case, self._premises = case, list(premises)
        fields = ("version", "conduct", "evidence", "happened_on", "happened_at", "category", "is_repeat", "source")
        initial = {field: getattr(case, field) for field in (*fields, "regional_source", "source_expires_on", "scope")}
        # An erased case has none: its page only says that nothing can be checked.
        if case.category:
            initial["months"] = tariff(case.category, is_repeat=case.is_repeat)  # type: ignore[arg-type]
        # Checked before and not decided: what was proposed then is what they begin with.
        if case.months:
            initial["months"], initial["months_reason"] = case.months, case.months_reason
            initial["necessity"], initial["listed"] = case.necessity, [str(one.pk) for one in case.listed.all()]
        super().__init__(data, initial=initial)
        listed = self.fields["listed"]
        assert isinstance(listed, forms.MultipleChoiceField)
        listed.choices = [
            (str(one.pk), f"{one.name}, {one.place}" if one.place else one.name) for one in self._premises
        ]
        self.ask_who(self._likely.values(), "Somebody else: keep as a new person")

    def clean(self) -> dict[str, Any]:
        """Everything that no single field can judge."""
        typed = self.cleaned_data
        if typed.get("happened_on") and typed["happened_on"] > timezone.localdate():
            self.add_error("happened_on", FUTURE)
        people = [self._case.individual]
        if self.errors:
            self._check_wording_of(people)
            return typed
        known, is_repeat = self._likely.get(self.same_as()), typed["is_repeat"]
        if known is not None and known.was_excluded and not is_repeat:
            self.add_error("is_repeat", f"{known.individual.reference} was excluded before. Tick this, too.")
        if typed.get("months") is None:
            typed["months"] = tariff(typed["category"], is_repeat=is_repeat)
        why_not = why_not_months(typed["months"], typed["category"], is_repeat=is_repeat, reason=typed["months_reason"])
        if why_not:
            self.add_error("months", why_not)
        if typed["source"] == "regional":
            self._check_regional()
        in_scheme = frozenset(one.pk for one in self._premises)
        why_not = why_not_scope(typed["scope"], frozenset(map(int, typed["listed"])), in_scheme, typed["necessity"])
        if why_not:
            self.add_error("listed" if typed["scope"] == "listed" else "scope", why_not)
        self._check_wording_of([*people, known.individual] if known is not None else people)
        return typed

    def proposal(self) -> Proposal:
        """What members are asked to decide on."""
        typed = self.cleaned_data
        return Proposal(
            note=typed["note"],
            category=typed["category"],
            is_repeat=typed["is_repeat"],
            months=typed["months"],
            months_reason=typed["months_reason"],
            scope=typed["scope"],
            listed=frozenset(map(int, typed["listed"])),
            necessity=typed["necessity"],
        )

    def nomination(self) -> Nomination:
        """What happened, as it was checked."""
        fields = ["category", "conduct", "evidence", "happened_on", "happened_at"]
        if self.cleaned_data["source"] == "regional":
            fields += ["regional_source", "source_expires_on"]
        return Nomination(**{field: self.cleaned_data[field] for field in fields})

    def _check_wording_of(self, people: Sequence[Individual]) -> None:
        names = [name for one in people for name in (one.name, one.also_known_as)]
        self.check_wording(names, [reference for one in people for reference in one.references])

    def _check_regional(self) -> None:
        if not self.cleaned_data["regional_source"]:
            self.add_error("regional_source", "Say from whom it comes.")
        expires_on = self.cleaned_data["source_expires_on"]
        if expires_on is None:
            self.add_error("source_expires_on", "Enter the day on which they take it back, or when you ask anew.")
        elif expires_on < timezone.localdate():
            self.add_error("source_expires_on", "That day is over. Ask them anew first.")
