from __future__ import annotations

from tools.case_life import DOCUMENT, page


def test_document_draws_the_table_as_it_is() -> None:
    assert page() in DOCUMENT.read_text(encoding="utf-8"), "python -m tools.case_life"
