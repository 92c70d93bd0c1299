"""Forms of premises and members. They hold what was typed; what it means is read by :mod:`office.members.facts`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any, Final

import msgspec
from django import forms
from django.http import QueryDict
from django.utils import timezone
from msgspec import Struct

from office.accounts.forms import PlainForm
from office.accounts.models import Account
from office.members.facts import (
    CHARS_MAX,
    CONTACT_CHARS_MAX,
    CONTACTS_MAX,
    LABELS,
    PremisesFacts,
    TextRefusedError,
    clean_line,
    contact_texts,
    folded,
    read_premises,
    texts_of,
)
from office.members.import_rules import OwnScheme
from office.members.rules import Difference, differences
from wire.limits import NAME_CHARS_MAX

_HELP: Final[Mapping[str, str]] = {
    "name": "As it stands on the unit's screen and on alerts.",
    "latitude": "In degrees, such as 52.2405. You may paste both numbers here, as maps copy them.",
    "staff_contact": "During an alert: a phone behind the bar, a radio call sign.",
    "when_going": "Back door, dog, step. People who answer an alert read this first.",
}
_NEW_CONTACTS: Final = 2
_CONTACTS_READ_MAX: Final = 100
"""More than are kept, so that too many can be told rather than lost."""
_YEAR_FIRST: Final = 1950


class Draft(Struct, frozen=True):
    """A premises as its editor sees it.

    Attributes:
        member: name.
        schemes: numbers, of the editor's own schemes alone.
    """

    member: str
    schemes: tuple[int, ...]
    facts: PremisesFacts


DRAFT_LABELS: Final[Mapping[str, str]] = {
    "member": "Member",
    "schemes": "Schemes",
    **{field: label for field, label in LABELS.items() if field not in {"latitude", "longitude", "contacts"}},
    "position": "Position",
    "contacts": LABELS["contacts"],
}


def encode_draft(draft: Draft) -> str:
    """As JSON, for a hidden field."""
    return msgspec.json.encode(draft).decode()


def decode_draft(text: str) -> Draft | None:
    """What :func:`encode_draft` wrote; ``None`` if it did not."""
    try:
        return msgspec.json.decode(text, type=Draft)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def draft_texts(draft: Draft, schemes: Iterable[OwnScheme]) -> dict[str, str]:
    """As people read it, by the fields of :data:`DRAFT_LABELS`. A position is one thing, so it is chosen as one."""
    texts = texts_of(draft.facts)
    position = (texts.pop("latitude"), texts.pop("longitude"))
    texts["position"] = ", ".join(part for part in position if part)
    texts["member"] = draft.member
    texts["schemes"] = ", ".join(scheme.name for scheme in schemes if scheme.number in draft.schemes)
    return {field: texts[field] for field in DRAFT_LABELS}


def draft_differences(
    base: Draft | None, saved: Draft, mine: Draft, schemes: Iterable[OwnScheme]
) -> tuple[Difference, ...]:
    """Where what is saved meanwhile and what one has typed differ."""
    own = tuple(schemes)
    return differences(
        None if base is None else draft_texts(base, own), draft_texts(saved, own), draft_texts(mine, own)
    )


def put_field(data: QueryDict, field: str, draft: Draft) -> None:
    """Replace what was typed in a field of :data:`DRAFT_LABELS` by what a draft says."""
    texts = texts_of(draft.facts)
    match field:
        case "member":
            data["member"] = draft.member
        case "schemes":
            data.setlist("schemes", [str(number) for number in draft.schemes])
        case "position":
            data["latitude"], data["longitude"] = texts["latitude"], texts["longitude"]
        case "contacts":
            for key in [key for key in data if key.startswith("contacts-")]:
                del data[key]
            data["contacts-TOTAL_FORMS"] = str(len(draft.facts.contacts))
            data["contacts-INITIAL_FORMS"] = "0"
            for index, contact in enumerate(draft.facts.contacts):
                for name, text in contact_texts(contact).items():
                    if text:
                        data[f"contacts-{index}-{name}"] = text
        case _:
            data[field] = texts[field]


def typed_text(label: str, *, help_text: str = "", is_long: bool = False) -> forms.CharField:
    """A field that keeps what was typed as it was; it is judged later, with the others."""
    widget = forms.Textarea(attrs={"rows": 3}) if is_long else forms.TextInput(attrs={"autocomplete": "off"})
    return forms.CharField(label=label, required=False, strip=False, help_text=help_text, widget=widget)


class PremisesForm(forms.Form):
    """A premises, its contacts apart."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)
    base = forms.CharField(widget=forms.HiddenInput, required=False, strip=False)
    name = typed_text(LABELS["name"], help_text=_HELP["name"])
    member = typed_text("Member", help_text="The business that these premises belong to.")
    is_new_member = forms.BooleanField(label="This is a new member: add it", required=False)
    schemes = forms.MultipleChoiceField(label="Schemes", widget=forms.CheckboxSelectMultiple, required=False)
    place = typed_text(LABELS["place"])
    address = typed_text(LABELS["address"], is_long=True)
    latitude = typed_text(LABELS["latitude"], help_text=_HELP["latitude"])
    longitude = typed_text(LABELS["longitude"])
    opening_hours = typed_text(LABELS["opening_hours"], is_long=True)
    staff_contact = typed_text(LABELS["staff_contact"], is_long=True, help_text=_HELP["staff_contact"])
    when_going = typed_text(LABELS["when_going"], is_long=True, help_text=_HELP["when_going"])

    def __init__(
        self, own_schemes: Iterable[OwnScheme], data: QueryDict | None = None, draft: Draft | None = None
    ) -> None:
        self.own_schemes = tuple(own_schemes)
        initial: dict[str, object] = {"schemes": [str(one.number) for one in self.own_schemes[:1]]}
        if len(self.own_schemes) > 1:
            initial = {}
        if draft is not None:
            initial = {**texts_of(draft.facts), "member": draft.member, "schemes": list(map(str, draft.schemes))}
        super().__init__(data, initial=initial)
        choices = self.fields["schemes"]
        assert isinstance(choices, forms.MultipleChoiceField)
        choices.choices = [(str(scheme.number), scheme.name) for scheme in self.own_schemes]
        choices.error_messages["invalid_choice"] = "Choose only schemes that you co-ordinate."


class ContactForm(forms.Form):
    """A contact."""

    name = typed_text("Name")
    phone = typed_text("Phone")
    is_key_holder = forms.BooleanField(label="Key-holder", required=False)
    note = typed_text("Note", help_text="How and when to reach them.")
    is_removed = forms.BooleanField(label="Remove this contact", required=False)

    def texts(self) -> dict[str, str]:
        """As typed; nothing if it is to be removed."""
        typed = self.cleaned_data
        if typed.get("is_removed"):
            return {}
        key = {"is_key_holder": "yes"} if typed.get("is_key_holder") else {}
        return {field: typed.get(field, "") for field in CONTACT_CHARS_MAX} | key


_Contacts = forms.formset_factory(
    ContactForm, extra=_NEW_CONTACTS, max_num=CONTACTS_MAX, absolute_max=_CONTACTS_READ_MAX
)


class PremisesInput:
    """The form of a premises with those of its contacts."""

    def __init__(
        self, own_schemes: Iterable[OwnScheme], data: QueryDict | None = None, draft: Draft | None = None
    ) -> None:
        self.form = PremisesForm(own_schemes, data, draft)
        contacts = () if draft is None else draft.facts.contacts
        self.contacts = _Contacts(data, prefix="contacts", initial=list(map(contact_texts, contacts)))

    def read(self) -> Draft | None:
        """What was typed; ``None`` with every error at its field."""
        form, contacts = self.form, self.contacts
        both = form.is_valid(), contacts.is_valid()
        if not contacts.management_form.is_valid():
            form.add_error(None, "The contacts did not arrive. Reload the page and enter them again.")
            return None
        if contacts.non_form_errors():
            form.add_error(None, f"There are too many contacts; keep {CONTACTS_MAX} at most.")
        texts = {field: form.cleaned_data.get(field, "") for field in (*CHARS_MAX, "latitude", "longitude")}
        facts, problems = read_premises(texts, [contact.texts() for contact in contacts.forms])
        for problem in problems:
            if problem.field.startswith("contacts-"):
                _, index, field = problem.field.split("-", 2)
                contacts.forms[int(index)].add_error(field, problem.sentence)
            elif problem.field == "contacts":
                form.add_error(None, problem.sentence)
            else:
                form.add_error(problem.field, problem.sentence)
        member = clean_name(form, "member", "Enter the member.")
        schemes = tuple(sorted(map(int, form.cleaned_data.get("schemes", ()))))
        if not schemes and "schemes" not in form.errors:
            form.add_error("schemes", "Choose at least one scheme. To end it in all of them, remove the premises.")
        if facts is None or not all(both) or form.errors:
            return None
        return Draft(member, schemes, facts)


class MemberForm(forms.Form):
    """A member's name, and since when it has been in each of one's schemes."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)
    name = typed_text("Name", help_text="The business, as it signs.")

    def __init__(
        self,
        own_schemes: Iterable[OwnScheme],
        data: QueryDict | None = None,
        *,
        name: str = "",
        joined: Mapping[int, date] | None = None,
        taken: Iterable[str] = (),
    ) -> None:
        self.own_schemes = tuple(own_schemes)
        self._taken = {folded(one) for one in taken}
        self._had = frozenset(joined or ())
        initial: dict[str, object] = {"name": name}
        for number, day in (joined or {}).items():
            initial[f"joined-{number}"] = day
        if joined is None and len(self.own_schemes) == 1:
            initial[f"joined-{self.own_schemes[0].number}"] = timezone.localdate()
        super().__init__(data, initial=initial)
        for scheme in self.own_schemes:
            self.fields[f"joined-{scheme.number}"] = forms.DateField(
                label=f"Joined {scheme.name} on",
                required=False,
                help_text="Leave empty if it is not a member.",
                error_messages={"invalid": "Enter a date, such as 2026-11-27."},
                widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
                input_formats=["%Y-%m-%d", "%d/%m/%Y", "%d %b %Y", "%d %B %Y"],
            )

    def clean(self) -> dict[str, Any]:
        """Everything that no single field can judge."""
        name = clean_name(self, "name", "Enter the member's name.")
        if name and folded(name) in self._taken:
            self.add_error("name", "Another member has this name already. Add the town or street to tell them apart.")
        for scheme in self.own_schemes:
            field = f"joined-{scheme.number}"
            day = self.cleaned_data.get(field)
            if day is not None and not _YEAR_FIRST <= day.year <= timezone.localdate().year + 1:
                self.add_error(field, f"Enter a date from {_YEAR_FIRST} to the end of next year.")
            if day is None and scheme.number in self._had and field not in self.errors:
                self.add_error(field, f"To end its membership of {scheme.name}, use “End membership” on its page.")
        if not self.errors and not self.joined():
            self.add_error(None, "Enter for at least one scheme when it joined.")
        self.cleaned_data["name"] = name
        return self.cleaned_data

    def joined(self) -> dict[int, date]:
        """When it joined, by scheme."""
        days = ((scheme.number, self.cleaned_data.get(f"joined-{scheme.number}")) for scheme in self.own_schemes)
        return {number: day for number, day in days if day is not None}


class ToldForm(PlainForm):
    """Of what a member's contact is told at their own premises."""

    of = forms.MultipleChoiceField(
        label="Tell me of",
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "hands"}),
        choices=[
            ("alerts", "alerts that staff there press"),
            ("faults", "faults: the unit has had one, or no contact, for a quarter of an hour"),
        ],
    )

    def __init__(self, data: QueryDict | None, chosen: Collection[str]) -> None:
        super().__init__(data, initial={"of": sorted(chosen)})


class PeopleForm(forms.Form):
    """Who may see a member's premises, for each scheme.

    Args:
        among: members' contacts of each scheme.
        data: what was sent.
        chosen: (scheme, account) who may now.
    """

    def __init__(
        self,
        among: Mapping[OwnScheme, Iterable[Account]],
        data: QueryDict | None = None,
        *,
        chosen: Iterable[tuple[int, int]] = (),
    ) -> None:
        super().__init__(data)
        now = set(chosen)
        for scheme, accounts in among.items():
            self.fields[f"people-{scheme.number}"] = forms.MultipleChoiceField(
                label=f"Who may see its premises in {scheme.name}",
                widget=forms.CheckboxSelectMultiple,
                required=False,
                choices=[(str(one.pk), f"{one.name} ({one.username})") for one in accounts],
                initial=[str(one.pk) for one in accounts if (scheme.number, one.pk) in now],
            )

    def chosen(self, scheme: int) -> frozenset[int]:
        """Numbers of the accounts that were chosen in a scheme."""
        return frozenset(map(int, self.cleaned_data[f"people-{scheme}"]))


class UploadForm(forms.Form):
    """A CSV file."""

    file = forms.FileField(
        label="CSV file",
        help_text="Up to 10 MB and 5,000 rows. You see what would change before anything is saved.",
        error_messages={
            "required": "Choose a file.",
            "empty": "The file is empty. Choose another.",
            "missing": "Choose a file.",
        },
    )


def clean_name(form: forms.Form, field: str, when_empty: str) -> str:
    """A name that every screen can show; otherwise empty, with an error at its field."""
    try:
        name = clean_line(form.cleaned_data.get(field, ""), NAME_CHARS_MAX)
    except TextRefusedError as e:
        form.add_error(field, str(e))
        return ""
    if not name and field not in form.errors:
        form.add_error(field, when_empty)
    return name
