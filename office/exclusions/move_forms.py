"""The small forms of a case's moves, and what each does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from django import forms
from django.http import QueryDict
from django.utils import timezone
from msgspec import Struct

from office.accounts.forms import PlainForm
from office.exclusions import acts
from office.exclusions.acts import Serving, Turn
from office.exclusions.fields import DayField, LineField, LinesField
from office.exclusions.forms import GroupedForm
from office.exclusions.hiding import hide_person
from office.exclusions.models import CONDUCT_CHARS_MAX, PLACE_CHARS_MAX, REASON_CHARS_MAX, Case
from office.exclusions.rules.correction import FIELDS, Said, categories_like
from office.exclusions.rules.life import MoveName
from office.exclusions.rules.period import CATEGORY_TITLES, TOWN_ZONE, last_day_allowed

_ON_NOTICE: Final = "In these words on the notice, and for members: no name, nothing by which the person is known."
_KEPT: Final = "Kept with the case, where it can be erased. The audit says that you did it, not why."


class MoveForm(PlainForm):
    """Every move: the version of the case that the person has seen."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, case: Case, data: QueryDict | None = None) -> None:
        self.case = case
        super().__init__(data, initial={"version": case.version, **self.first(case)})

    def first(self, _case: Case) -> dict[str, object]:
        """What stands in its fields before anybody types."""
        return {}


class ReasonForm(MoveForm):
    """With a reason."""

    reason = LinesField("Why", REASON_CHARS_MAX, when_empty="Say why, in a sentence.", help_text=_KEPT)


class OpenVoteForm(MoveForm):
    """How members vote."""

    way = forms.ChoiceField(
        label="How members vote",
        choices=[
            ("between-meetings", "Between meetings: each for themselves, for seven days"),
            ("meeting", "At today’s meeting: you write down their hands"),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how members vote."},
    )


class ApproveMinorForm(ReasonForm):
    """The second approver's."""

    may_show = forms.BooleanField(
        label="Shops may be shown this person, if the recorded impact assessment allows it", required=False
    )


class IssueForm(MoveForm):
    """From when on."""

    first_on = DayField("First day", when_empty="Enter the first day.")

    def first(self, _case: Case) -> dict[str, object]:
        """Today."""
        return {"first_on": timezone.localdate()}


class ServeForm(MoveForm):
    """Who, when, where, how."""

    served_on = DayField("Day", when_empty="Enter the day on which it was served.")
    served_at = forms.TimeField(
        label="Time",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"required": "Enter the time.", "invalid": "Enter a time, such as 14:30."},
    )
    by = LineField(
        "Who served it",
        PLACE_CHARS_MAX,
        when_empty="Say who served it.",
        help_text="Name, and number or role: PC 1234 Reed.",
    )
    where = LineField("Where", PLACE_CHARS_MAX, when_empty="Say where it was served.")
    how = LineField(
        "How", PLACE_CHARS_MAX, when_empty="Say how it was served.", help_text="Handed over, sent by post, read out."
    )
    gave_privacy_information = forms.BooleanField(
        label="The privacy information was given with it, or before",
        error_messages={"required": "The privacy information must be given with the notice, or before."},
    )

    def first(self, _case: Case) -> dict[str, object]:
        """Now."""
        now = timezone.localtime()
        return {"served_on": now.date(), "served_at": now.time()}

    def serving(self) -> Serving:
        """As typed; times are the town's."""
        typed = self.cleaned_data
        return Serving(
            at=datetime.combine(typed["served_on"], typed["served_at"], TOWN_ZONE),
            by=typed["by"],
            where=typed["where"],
            how=typed["how"],
            gave_privacy_information=typed["gave_privacy_information"],
        )


class ShortenForm(ReasonForm):
    """Until when."""

    last_on = DayField("New last day", when_empty="Enter the new last day.")
    field_order = ("last_on", "reason")


class CorrectForm(ReasonForm, GroupedForm):
    """What the case is to say."""

    category = forms.ChoiceField(
        label="What it was", help_text="Only what has the same tariff: members decided on that, too."
    )
    conduct = LinesField(
        "What happened", CONDUCT_CHARS_MAX, rows=6, when_empty="Say what happened.", help_text=_ON_NOTICE
    )
    happened_on = DayField("When", when_empty="Enter the day on which it happened.")
    happened_at = LineField("Where it happened", PLACE_CHARS_MAX, when_empty="Say where it happened.")
    evidence = LinesField("Evidence", CONDUCT_CHARS_MAX, when_empty="Say what evidence there is, and who holds it.")
    reason = LinesField(
        "Why",
        REASON_CHARS_MAX,
        when_empty="Say why, in a sentence.",
        help_text=f"Do not repeat what was wrong. {_KEPT}",
    )
    field_order = (*FIELDS, "reason")

    def __init__(self, case: Case, data: QueryDict | None = None) -> None:
        super().__init__(case, data)
        field = self.fields["category"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(one, CATEGORY_TITLES[one]) for one in categories_like(case.category)]

    def first(self, case: Case) -> dict[str, object]:
        """What it says now."""
        return {field: getattr(case, field) for field in FIELDS}

    def clean(self) -> dict[str, Any]:
        """A name in it is pointed out, as at the check."""
        typed, one = self.cleaned_data, self.case.individual
        if typed.get("happened_on") and typed["happened_on"] > timezone.localdate():
            self.add_error("happened_on", acts.FUTURE)
        self.check_wording([one.name, one.also_known_as], one.references)
        return typed

    def said(self) -> Said:
        """As typed."""
        return Said(**{field: self.cleaned_data[field] for field in FIELDS})


class Doing(Struct, frozen=True):
    """What is asked and done at a move.

    Attributes:
        form: what is asked.
        do: does it, with what was asked.
        said: what follows from it, said before it is done.
        done: said after.
    """

    form: type[MoveForm]
    do: Callable[[Turn, Any], object]
    said: str
    done: str


def _with_reason(act: Callable[[Turn, str], object]) -> Callable[[Turn, Any], object]:
    return lambda turn, form: act(turn, form.cleaned_data["reason"])


DOINGS: Final[Mapping[MoveName, Doing]] = {
    "withdraw": Doing(
        ReasonForm,
        _with_reason(acts.withdraw),
        "The nomination is taken back. Nobody votes on it, and nothing follows.",
        "The nomination is withdrawn.",
    ),
    "open-vote": Doing(
        OpenVoteForm,
        lambda turn, form: acts.open_vote(turn, form.cleaned_data["way"]),
        "Members see what happened, the evidence and the tariff, not who it is. Police and co-ordinators advise and do"
        " not vote.",
        "The vote is open.",
    ),
    "stop-vote": Doing(
        ReasonForm,
        _with_reason(acts.stop_vote),
        "What was voted until now is void. The case can be put to another vote.",
        "The vote is stopped.",
    ),
    "approve-minor": Doing(
        ApproveMinorForm,
        lambda turn, form: acts.approve_minor(
            turn, form.cleaned_data["reason"], may_show=form.cleaned_data["may_show"]
        ),
        "The person is under 18. You are the second to look at this: is it needed, and is it fair?",
        "It is approved by a second person.",
    ),
    "issue": Doing(
        IssueForm,
        lambda turn, form: acts.issue(turn, form.cleaned_data["first_on"]),
        "The person is excluded from the first day on, and the notice can be printed and served.",
        "It is issued. Print the notice, then have it served.",
    ),
    "reissue": Doing(
        ReasonForm,
        _with_reason(acts.reissue),
        "A new version of the notice names the premises covered today, and the last day. It must be served again.",
        "A new version is issued. Print it, then have it served.",
    ),
    "serve": Doing(
        ServeForm,
        lambda turn, form: acts.serve(turn, form.serving()),
        "How the notice reached the person.",
        "It is recorded as served.",
    ),
    "correct": Doing(
        CorrectForm,
        lambda turn, form: acts.correct(turn, form.said(), form.cleaned_data["reason"]),
        "For what turned out to be wrong. The old words are not kept. What members decided stands, and who voted is not"
        " asked again. If the person’s notice says it otherwise, it wants a new version.",
        "It is corrected. If the person’s notice says it otherwise, issue a new version next.",
    ),
    "appeal": Doing(
        ReasonForm,
        _with_reason(acts.appeal),
        "The exclusion goes on while the appeal is open. If its accuracy is contested, hide it from shops as well.",
        "The appeal is recorded. Decide on it next.",
    ),
    "dismiss-appeal": Doing(
        ReasonForm, _with_reason(acts.dismiss_appeal), "The exclusion stands as it is.", "The appeal is dismissed."
    ),
    "shorten": Doing(
        ShortenForm,
        lambda turn, form: acts.shorten(turn, form.cleaned_data["last_on"], form.cleaned_data["reason"]),
        "It ends earlier. It cannot be made longer: that would be a new decision of the members.",
        "It is shortened.",
    ),
    "restrict": Doing(
        ReasonForm,
        _with_reason(hide_person),
        "Shops are not shown the person until it is looked into. The exclusion itself goes on. If it is not issued yet,"
        " it will be issued hidden. Other cases of the person that are in force are hidden with it.",
        "It is hidden from shops.",
    ),
    "lift-restriction": Doing(
        ReasonForm,
        _with_reason(acts.lift_restriction),
        "Shops are shown the person again; if it is not issued yet, once it is.",
        "It is not hidden any more.",
    ),
    "revoke": Doing(
        ReasonForm,
        _with_reason(acts.revoke),
        "The exclusion ends now, and shops are not shown the person any more. It cannot be brought back.",
        "It is revoked.",
    ),
}
"""By name of the move. The check has its own page."""


def until(case: Case) -> str:
    """``12 months, until 26 Nov 2027 if it begins today``, or until when a regional source lets the scheme use it."""
    ends = case.source_expires_on
    last = last_day_allowed(timezone.localdate(), case.months, ends)
    if last == ends:
        return f"Until {last.day} {last:%b %Y}: the source allows no use after that. Decided: {case.months} months"
    return f"{case.months} months, until {last.day} {last:%b %Y} if it begins today"
