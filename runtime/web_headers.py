"""What our pages tell every browser: nothing from elsewhere, no script but ours, in no frame."""

from __future__ import annotations

from typing import Final

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action {forms}; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types {policies}"
)
SECURITY_HEADERS: Final = {
    "content-security-policy": _POLICY.format(forms="'none'", policies="'none'"),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), screen-wake-lock=(self)",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
FORM_HEADERS: Final = {
    "content-security-policy": _POLICY.format(forms="'self'", policies="'none'"),
    # Without a referrer a browser would not say that a form comes from our own page.
    "referrer-policy": "same-origin",
}
"""Of a page with a form."""
WORKER_HEADERS: Final = {
    "content-security-policy": _POLICY.format(forms="'none'", policies="watchlink-worker"),
}
"""Of a page that installs a service worker: its script may name one, by a policy of that name."""
TRANSPORT_SECURITY: Final = "max-age=31536000"
