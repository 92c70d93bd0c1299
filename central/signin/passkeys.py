"""Passkeys verified here, with the public keys of the people snapshot (WebAuthn Level 2, section 7.2)."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final

from fido2.server import Fido2Server
from fido2.utils import websafe_decode
from fido2.webauthn import PublicKeyCredentialRpEntity, UserVerificationRequirement

from central.signin.errors import SignInError
from central.signin.register import Register, passkeys_of
from runtime.slowing import network_of
from wire.snapshots import PersonEntry

CHALLENGE_LIFE_S: Final = 300.0
CHALLENGES_EACH_MAX: Final = 32
"""Open at one time from one network; its oldest goes, so that nobody can drive out the others'."""
CHALLENGES_MAX: Final = 4_096
"""Open at one time; the oldest goes."""


class Passkeys:
    """Challenges that wait for their answer: one for each browser, each good for one answer."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, tuple[Any, float, str]] = OrderedDict()

    def challenge(self, browser: str, address: str, host: str, now_s: float) -> dict[str, Any]:
        """Options for ``navigator.credentials.get``, as JSON.

        Args:
            browser: names the browser; what is asked of one cannot be answered by another.
            address: of the browser.
            host: the page's host name, without a port: the relying party.
            now_s: monotonic seconds.
        """
        options, state = _server(host, "").authenticate_begin(user_verification=UserVerificationRequirement.REQUIRED)
        self._open.pop(browser, None)
        network = network_of(address)
        self._open[browser] = (state, now_s, network)
        same = [other for other, (_, _, place) in self._open.items() if place == network]
        for oldest in same[:-CHALLENGES_EACH_MAX]:
            del self._open[oldest]
        if len(self._open) > CHALLENGES_MAX:
            self._open.popitem(last=False)
        return dict(options)

    def verify(
        self, register: Register, browser: str, answer: dict[str, Any], *, host: str, origin: str, now_s: float
    ) -> PersonEntry:
        """Whose passkey answered.

        Args:
            register: the people.
            browser: as in :meth:`challenge`; its challenge is used up.
            answer: the browser's ``PublicKeyCredential`` as JSON.
            host: as in :meth:`challenge`.
            origin: of the page, with scheme and port.
            now_s: monotonic seconds.

        Raises:
            SignInError: too late, or not a passkey of anyone listed, or not verified.
        """
        state, began_s, _ = self._open.pop(browser, (None, now_s, ""))
        if state is None or now_s - began_s > CHALLENGE_LIFE_S:
            raise SignInError("passkey-late")
        try:
            person = register.owner(websafe_decode(answer["rawId"]))
            passkeys = [] if person is None else passkeys_of(person)
            _server(host, origin).authenticate_complete(state, passkeys, answer)
        except Exception as e:  # the library raises whatever its parsing raises; all of it means "refused"
            raise SignInError("passkey") from e
        assert person is not None, "the library refuses a passkey that is not among those given"
        return person


def _server(host: str, origin: str) -> Fido2Server:
    party = PublicKeyCredentialRpEntity(id=host, name="Watchlink")
    return Fido2Server(party, verify_origin=lambda given: given == origin)
