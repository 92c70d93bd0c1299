"""Django's settings, made from ``office.toml``. Without one (tests, type checks) a database in memory and new keys."""

from __future__ import annotations

import contextlib
import os
import secrets
from hashlib import sha256
from pathlib import Path

from office.body_limits import UPLOAD_BYTES_MAX
from office.config import MailTable, configured
from office.database import database_settings
from runtime.config import ConfigError
from runtime.key_file import read_key

OFFICE = configured()
"""The configuration; ``None`` in tests."""
_HERE = Path(__file__).parent

PAGES_KEY = secrets.token_bytes(32)
if OFFICE is not None:
    # The publisher reads the database with these settings and may not read this key; the pages check it at start.
    with contextlib.suppress(ConfigError):
        PAGES_KEY = read_key(OFFICE.pages_key_file, "pages")
SECRET_KEY = sha256(b"watchlink/1/office cookies\n" + PAGES_KEY).hexdigest()

PHOTOGRAPHS_KEY_FILE = OFFICE.photographs_key_file if OFFICE is not None else None
"""Read where it is used: the publisher may not."""
PHOTOGRAPHS_FOLDER = OFFICE.photographs_folder if OFFICE is not None else _HERE / "no-photographs"

ROOT_URLCONF = "office.urls"
WSGI_APPLICATION = "office.wsgi.application"
_TEST_DATABASE = os.environ.get("WATCHLINK_OFFICE_TEST_DATABASE", ":memory:")
DATABASES = {"default": database_settings(OFFICE.database if OFFICE is not None else _TEST_DATABASE)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.Account"
# Large, or somebody with many addresses could push the counts of others out.
_CACHE_SIZE = {"OPTIONS": {"MAX_ENTRIES": 50_000}}
# In the database, so that every worker sees what another has counted.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "office_cache", **_CACHE_SIZE}
}

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "office.audit",
    "office.accounts",
    "office.members",
    "office.people",
    "office.exclusions",
    "office.staff",
    "office.breaches",
    "office.escalation",
    "office.rota",
    "office.publisher",
]
MIDDLEWARE = [
    "office.headers.SecurityHeaders",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "office.accounts.sessions.SessionGuard",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "office.accounts.second_factor.EnrolmentGuard",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [_HERE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "office.accounts.context.office",
                "office.publisher.reaching.banner",
            ],
        },
    },
]
STATIC_URL = "/static/"

USE_TZ = True
TIME_ZONE = "Europe/London"
LANGUAGE_CODE = "en-gb"
USE_I18N = False
DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, H:i"
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008", "security.W021"]

_HAS_TLS = OFFICE is not None and OFFICE.has_tls
OFFICE_URL = OFFICE.url if OFFICE is not None else "http://localhost"
"""Where people reach the pages, for links; without a slash at the end."""
PASSKEY_HOST = OFFICE.web.names[0] if OFFICE is not None else "localhost"
"""To which passkeys are bound."""
PAPERS_SOCKET = OFFICE.papers_socket if OFFICE is not None else Path("/nonexistent/papers.sock")
"""Where PDFs are ordered."""
ALLOWED_HOSTS = list(OFFICE.web.names) if OFFICE is not None else ["localhost", "testserver"]
SESSION_COOKIE_NAME = "__Host-watchlink-office" if _HAS_TLS else "watchlink-office"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HAS_TLS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_NAME = "__Host-watchlink-office-csrf" if _HAS_TLS else "watchlink-office-csrf"
SECURE_HSTS_SECONDS = 31_536_000 if _HAS_TLS else 0
# No other site learns an address, which may hold a secret. "no-referrer" would make browsers send forms with the
# origin "null", which are refused.
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
DATA_UPLOAD_MAX_MEMORY_SIZE = UPLOAD_BYTES_MAX  # office.whole_body keeps ordinary forms far smaller
# A file that somebody hands in never lies on a disk as it is: it may be a photograph.
FILE_UPLOAD_MAX_MEMORY_SIZE = UPLOAD_BYTES_MAX

_MAIL = OFFICE.mail if OFFICE is not None else MailTable()
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if _MAIL.host else 'dummy'}.EmailBackend"
EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER = _MAIL.host, _MAIL.port, _MAIL.user
EMAIL_HOST_PASSWORD = ""
if OFFICE is not None and OFFICE.mail_password_file is not None:
    with contextlib.suppress(OSError):
        EMAIL_HOST_PASSWORD = OFFICE.mail_password_file.read_text(encoding="utf-8").strip()
EMAIL_USE_TLS = True
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = _MAIL.sender

PASSWORD_HASHERS = ["office.accounts.hashing.OfficeHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"

# What anybody can cause fills no disk, and links stay secret.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "tokens": {"()": "office.log_privacy.HideTokens"},
        "database": {"()": "office.faults.BriefWhenDatabaseAway"},
    },
    "loggers": {
        "django.request": {"level": "ERROR", "filters": ["tokens", "database"]},
        "django.security": {"level": "CRITICAL"},
    },
}

ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "office.accounts.adapters.AccountAdapter"
ACCOUNT_REAUTHENTICATION_METHODS = ("mfa",)
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    # Guesses by address; and of one account's password, wherever they come from. Passkeys are not guessed. The same
    # numbers, and those of codes, are in office.accounts.guessing.
    "login_failed": "10/m/ip,5/5m/key",
    "reauthenticate": "30/m/user",
}
MFA_ADAPTER = "office.accounts.adapters.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "office.accounts.code_forms.SignInCodeForm",
    "reauthenticate": "office.accounts.code_forms.StepUpCodeForm",
    "activate_totp": "office.accounts.code_forms.NewAppForm",
    "authenticate_webauthn": "office.accounts.code_forms.SignInPasskeyForm",
    "login_webauthn": "office.accounts.code_forms.PasskeyAloneForm",
    "reauthenticate_webauthn": "office.accounts.code_forms.StepUpPasskeyForm",
    "add_webauthn": "office.accounts.code_forms.NewPasskeyForm",
}
# Nobody guesses a passkey, and one machine must not shut out all who are behind the same address: no limit.
MFA_RATE_LIMITS = {"webauthn_login": ""}
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_RECOVERY_CODE_DIGITS = 10
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_TOTP_TOLERANCE = 1
MFA_TOTP_ISSUER = "Watchlink"
