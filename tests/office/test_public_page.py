"""The page for everybody: it answers from the terms it was handed, and cannot reach anything else."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import httpx
import pytest

from office.accounts.models import Account, Scheme
from office.exclusions.terms import TERMS_FIELDS, public_texts, set_terms, terms_of
from office.public_page import PublicPage
from office.public_texts import PublicTexts
from tests.office.conftest import HART, PUB_WATCH
from tests.support.office_program import clean_environment

HART_TEXTS = PublicTexts(
    slug="hart",
    name="HART <b>",
    paper_title="Exclusion notice",
    responsible="HART & Co\n1 High Street",
    contact="office@example.org",
    notice="## <script>\n- one\nplain <i>",
)
PUB_TEXTS = PublicTexts("pubwatch", "Pub Watch", "Exclusion order", "The pubs", "By post")


def ask(page: PublicPage, address: str, method: str = "GET") -> httpx.Response:
    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app=page)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://x", cookies={"watchlink-office": "x"}
        ) as browser:
            return await browser.request(method, address)

    return asyncio.run(asked())


@pytest.fixture
def page() -> PublicPage:
    page = PublicPage()
    page.schemes = (HART_TEXTS, PUB_TEXTS)
    return page


def test_page_says_who_is_responsible_and_how_to_ask_appeal_and_complain(page: PublicPage) -> None:
    """G13."""
    said = ask(page, "/pubwatch/").text

    for words in (
        "Who is responsible",
        "The pubs",
        "How to ask",
        "How to appeal",
        "Exclusion order",
        "How to complain",
    ):
        assert words in said
    for words in ("By post", "within 30 days", "ico.org.uk", "no face recognition", "Article 6(1)(f)", "12 months"):
        assert words in said
    assert "crime and disorder, and to protect staff" in said


def test_whatever_stands_in_the_terms_is_text(page: PublicPage) -> None:
    said = ask(page, "/hart/").text

    assert "HART &lt;b&gt;" in said
    assert "<p>HART &amp; Co</p><p>1 High Street</p>" in said
    assert "<h2>&lt;script&gt;</h2><p>• one</p><p>plain &lt;i&gt;</p>" in said


def test_answers_bear_no_cookie_whatever_is_asked(page: PublicPage) -> None:
    for address in ("/", "/hart/", "/hart/?q=Nobody", "/nowhere/", "/static/css/office.css", "/static/css/../../x"):
        answer = ask(page, address)
        assert "set-cookie" not in answer.headers
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
        assert "Nobody" not in answer.text

    assert ask(page, "/nowhere/").status_code == 404
    assert ask(page, "/hart/", "POST").status_code == 405


def test_one_scheme_is_the_first_page_and_none_says_so(page: PublicPage) -> None:
    assert 'href="/hart/"' in ask(page, "/").text
    page.schemes = (PUB_TEXTS,)
    assert "The pubs" in ask(page, "/").text
    page.schemes = ()
    assert "Nothing is published yet." in ask(page, "/").text


def test_page_is_made_without_the_register_or_any_database() -> None:
    """What is not there cannot be asked: an import of it in a process of its own."""
    code = (
        "import sys, office.public_page\n"
        "found = [name for name in sys.modules if name.split('.')[0] in {'django', 'sqlite3', 'psycopg', 'allauth'}"
        " or name.startswith(('office.people', 'office.exclusions', 'office.members', 'office.accounts'))]\n"
        "print(found)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=clean_environment()
    ).stdout

    assert said == "[]\n"


def test_texts_come_from_the_terms_of_schemes_that_have_settled_them(
    schemes: dict[int, Scheme], co_ordinator: Account
) -> None:
    values = {field: getattr(terms_of(schemes[HART]), field) for field in TERMS_FIELDS}
    set_terms(co_ordinator, schemes[PUB_WATCH], values | {"quorum": 4})
    set_terms(
        co_ordinator, schemes[HART], values | {"responsible": "HART", "contact": "By post", "privacy_notice": "N"}
    )

    assert public_texts() == (PublicTexts("hart", "HART", "Exclusion notice", "HART", "By post", "N"),)
