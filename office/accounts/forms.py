"""Forms of people, passwords and links. Only the fields they name are taken from a request."""

from __future__ import annotations

import re
from typing import Any, Final

from django import forms
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError

from office.accounts.models import ROLE_SLUGS, USERNAME_CHARS_MAX, Account, Scheme
from office.accounts.rules import TITLES, why_not_call
from wire.limits import NAME_CHARS_MAX
from wire.own_names import is_own_name
from wire.text import display_text

_USERNAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?")


class PlainForm(forms.Form):
    """Labels without a colon, and no browser bubbles: errors stand beside the field."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(*args, **(kwargs | {"label_suffix": ""}))


def clean_person_name(text: str) -> str:
    """A person's name that every screen can show unchanged.

    Raises:
        ValidationError: nobody can have it.
    """
    why = why_not_call(text)
    if why is not None:
        raise ValidationError(why)
    return display_text(text, NAME_CHARS_MAX)


class PersonForm(PlainForm):
    """How a person is called and reached."""

    name = forms.CharField(label="Name", max_length=NAME_CHARS_MAX, help_text="As colleagues will read it.")
    email = forms.EmailField(
        label="E-mail (may be left empty)",
        required=False,
        help_text="Links and warnings are sent there if there is a mail server.",
    )

    def clean_name(self) -> str:
        """As it will be shown."""
        return clean_person_name(self.cleaned_data["name"])


class InviteForm(PersonForm):
    """Whom a co-ordinator invites, as what, and where."""

    role = forms.ChoiceField(
        label="Role", choices=[("", "Choose a role"), *((slug, TITLES[slug]) for slug in ROLE_SLUGS)]
    )
    schemes = forms.ModelMultipleChoiceField(
        Scheme.objects.none(), label="Schemes", widget=forms.CheckboxSelectMultiple, to_field_name="number"
    )

    def __init__(self, *args: Any, schemes: frozenset[int], **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        field = self.fields["schemes"]
        assert isinstance(field, forms.ModelMultipleChoiceField)
        field.queryset = Scheme.objects.filter(number__in=schemes)
        if len(schemes) == 1:
            field.initial = list(schemes)


class GiveRoleForm(PlainForm):
    """A role in a scheme of the co-ordinator's."""

    role = forms.ChoiceField(label="Role", choices=[(slug, TITLES[slug]) for slug in ROLE_SLUGS])
    scheme = forms.ModelChoiceField(Scheme.objects.none(), label="Scheme", empty_label=None, to_field_name="number")

    def __init__(self, *args: Any, schemes: frozenset[int], **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        field = self.fields["scheme"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Scheme.objects.filter(number__in=schemes)


class RecoveryForm(PlainForm):
    """How a co-ordinator helps with a lost phone."""

    sets_password = forms.BooleanField(
        label="The password is forgotten too: let the person choose a new one",
        required=False,
        help_text="Only if you are sure who asks: whoever has the link then has the account.",
    )


class NewPasswordMixin(forms.Form):
    """Two fields for a new password; ``account`` is whose, for the check that it is not like their name."""

    password = forms.CharField(
        label="New password",
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least twelve characters. A few words are easy to remember.",
    )
    again = forms.CharField(
        label="The same once more",
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def check_password(self, account: Account) -> None:
        """Both fields: alike, and good enough."""
        password = self.cleaned_data.get("password")
        if password is None:
            return
        if "again" in self.cleaned_data and password != self.cleaned_data["again"]:
            self.add_error("again", "The two differ. Type the same password twice.")
        try:
            password_validation.validate_password(password, account)
        except ValidationError as e:
            self.add_error("password", e)


class JoinForm(NewPasswordMixin, PlainForm):
    """What an invited person chooses."""

    username = forms.CharField(
        label="Username",
        max_length=USERNAME_CHARS_MAX,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
        help_text="For signing in. Small letters, digits, dots and dashes.",
    )
    field_order = ("username", "password", "again")

    def clean_username(self) -> str:
        """In small letters, and nobody else's."""
        username: str = self.cleaned_data["username"].strip().lower()
        if not _USERNAME.fullmatch(username):
            raise ValidationError("Use small letters, digits, dots and dashes, such as j.patel.")
        if is_own_name(username):
            raise ValidationError("Watchlink itself goes by this name. Choose another username.")
        if Account.objects.filter(username=username).exists():
            raise ValidationError("This username is taken. Choose another one.")
        return username

    def clean(self) -> None:
        """The password too."""
        self.check_password(Account(username=self.cleaned_data.get("username", "")))


class KnownPasswordForm(PlainForm):
    """The person's password, which they still know."""

    old = forms.CharField(
        label="Your password",
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:  # noqa: ANN401
        self.account = account
        super().__init__(*args, **kwargs)

    def clean_old(self) -> str:
        """Right, or an error."""
        old: str = self.cleaned_data["old"]
        if not self.account.check_password(old):
            raise ValidationError("The password is wrong. Try again.")
        return old


class ForgottenPasswordForm(NewPasswordMixin, PlainForm):
    """A new password instead of one that is forgotten."""

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:  # noqa: ANN401
        self.account = account
        super().__init__(*args, **kwargs)

    def clean(self) -> None:
        """Good enough."""
        self.check_password(self.account)


class ChangePasswordForm(NewPasswordMixin, KnownPasswordForm):
    """The old password and a new one."""

    field_order = ("old", "password", "again")

    def clean(self) -> None:
        """Good enough."""
        self.check_password(self.account)
