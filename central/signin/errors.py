"""Why somebody is not let in."""

from __future__ import annotations

from typing import Final, Literal

Refusal = Literal[
    "no-office",
    "no-people",
    "struck",
    "ticket",
    "ticket-old",
    "ticket-clock",
    "ticket-used",
    "ticket-browser",
    "unknown-account",
    "ended",
    "no-role",
    "passkey",
    "passkey-late",
    "code",
    "slow-down",
    "too-fast",
    "disk",
    "not-recorded",
    "step-up",
]

WHAT_TO_DO: Final[dict[Refusal, str]] = {
    "no-office": "This central is not joined to an office yet, so nobody can sign in. Alerts still arrive. Tell the"
    " engineer.",
    "no-people": "Central has no list of people from the office yet, so nobody can sign in. Alerts still arrive. Tell"
    " the engineer.",
    "struck": "The key that signed central’s list of people is no longer trusted, so nobody new can sign in. Those who"
    " are signed in stay, and alerts still arrive. Call the engineer: the office needs a new key.",
    "ticket": "That link is not from this town’s office. Use Sign in at the office below.",
    "ticket-old": "That link was good for one minute only. Use Sign in at the office below to get a new one."
    " If a new one is refused at once, a clock is wrong: use a passkey or a printed code, and tell the engineer.",
    "ticket-clock": "The clocks of the office and of central differ by more than half a minute. Use a passkey or a"
    " printed code, and tell the engineer.",
    "ticket-used": "That link has been used already. If you did not use it, tell your co-ordinator. Use Sign in at the"
    " office below to get a new one.",
    "ticket-browser": "That link was made for another browser. Begin here, in the browser you want to use: press Sign"
    " in at the office below.",
    "unknown-account": "Central does not know your account yet. A new account takes a few seconds: try again. If that"
    " does not help, ask your co-ordinator.",
    "ended": "That sign-in was ended at the office. Sign in at the office again.",
    "no-role": "You have no role in the control room. Ask your co-ordinator for one.",
    "passkey": "That passkey is not known here, or it was refused. Use a passkey that you added at the office, or"
    " another way below.",
    "passkey-late": "That took too long, or the page was opened twice. Press Use a passkey again.",
    "code": "Username and printed code do not match, or the code has been used. Check both, or use the next code on"
    " your sheet.",
    "slow-down": "Too many wrong codes came from this computer.",
    "too-fast": "You have signed in many times within a few seconds. Wait a few seconds, then sign in once more.",
    "disk": "Central’s disk refuses to write, so nobody can sign in. Call the engineer now.",
    "step-up": "Figures are given out within five minutes of your second factor only. Show your second factor again: at"
    " the office, or with a passkey. Then ask for the figures once more.",
    "not-recorded": "You have signed out, but this could not be recorded: central’s disk refuses to write. Tell the"
    " engineer now. If central is restarted first, a copy of your sign-in would open it again.",
}


class SignInError(Exception):
    """Not let in. ``str()`` says what to do, for the person."""

    def __init__(self, refusal: Refusal, detail: str = "") -> None:
        super().__init__(f"{WHAT_TO_DO[refusal]} {detail}".rstrip())
        self.refusal: Refusal = refusal


class UsedError(Exception):
    """A ticket or a printed code was taken before."""


class RecordError(Exception):
    """The disk refuses. The message is a sentence for people."""
