"""Codes of a person's authenticator app, as their phone would show them."""

from __future__ import annotations

import time

import pyotp
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt

from office.accounts.models import Account


def code_of(account: Account, *, steps_later: int = 0) -> str:
    """The code of now, or of ``steps_later`` times 30 seconds."""
    secret = decrypt(Authenticator.objects.get(user=account, type=Authenticator.Type.TOTP).data["secret"])
    code: str = pyotp.TOTP(secret).generate_otp(int(time.time()) // 30 + steps_later)
    return code
