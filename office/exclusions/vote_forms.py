"""Forms of votes: a member's own, and the hands at a meeting."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from django import forms
from django.http import QueryDict

from office.accounts.forms import PlainForm
from office.exclusions.rules.votes import Choice
from office.members.models import Member

CHOICES: Final = (("exclude", "Exclude"), ("do-not-exclude", "Do not exclude"), ("abstain", "Abstain"))
NO_HAND: Final = ""
_FIELD: Final = re.compile(r"member-([0-9]{1,15})")


def members_named(data: QueryDict) -> dict[int, str]:
    """What was sent, by member, whoever it came from."""
    found = ((_FIELD.fullmatch(field), str(data[field])) for field in data)
    return {int(match[1]): choice for match, choice in found if match is not None and choice}


class VoteForm(PlainForm):
    """A choice for each member that the person speaks for; a member may be left out.

    Args:
        members: that have a vote.
        choices: what each has voted until now, by number.
        data: what was sent.
    """

    def __init__(self, members: Iterable[Member], choices: Mapping[int, str], data: QueryDict | None = None) -> None:
        super().__init__(data)
        self._members = list(members)
        for one in self._members:
            self.fields[f"member-{one.pk}"] = forms.ChoiceField(
                label=f"{one.name} votes",
                choices=CHOICES,
                required=False,
                initial=choices.get(one.pk, ""),
                widget=forms.RadioSelect,
                error_messages={"invalid_choice": "Choose exclude, do not exclude, or abstain."},
            )

    def clean(self) -> None:
        """At least one."""
        if not self.errors and not any(self.cleaned_data.values()):
            self.add_error(f"member-{self._members[0].pk}", "Choose exclude, do not exclude, or abstain.")


class HandsForm(PlainForm):
    """A choice for each member with a vote, or no hand.

    Args:
        members: that have a vote.
        choices: what was written down until now, by number.
        data: what was sent.
    """

    def __init__(self, members: Iterable[Member], choices: Mapping[int, str], data: QueryDict | None = None) -> None:
        super().__init__(data)
        for one in members:
            self.fields[f"member-{one.pk}"] = forms.ChoiceField(
                label=one.name,
                choices=(*CHOICES, (NO_HAND, "No hand")),
                required=False,
                initial=choices.get(one.pk, NO_HAND),
                # Sent along, so that somebody else's writing is not undone by a page loaded before it.
                show_hidden_initial=True,
                widget=forms.RadioSelect(attrs={"class": "hands"}),
            )

    def changes(self) -> Iterator[tuple[int, Choice | None]]:
        """Members whose choice was changed on the page; ``None`` = no hand."""
        for field in self.changed_data:
            yield int(field.removeprefix("member-")), self.cleaned_data[field] or None
