"""The skeleton: pages want a sign-in, and every answer bears the strict headers."""

from __future__ import annotations

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_the_first_page_sends_a_stranger_to_the_sign_in(client: Client) -> None:
    answer = client.get("/")

    assert answer.status_code == 302
    assert answer["Location"] == "/sign-in/?next=/"


def test_every_answer_allows_only_our_own_files(client: Client) -> None:
    assert client.get("/")["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
