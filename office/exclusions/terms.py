"""A scheme's terms and the documents of the law, as the database has them now. Changes run inside ``acting``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils import timezone

from office.accounts.models import Account, Scheme
from office.audit.journal import Entry, record, record_many
from office.exclusions.models import LawDocument, SchemeTerms
from office.exclusions.rules import law
from office.exclusions.rules.law import DOCUMENT_KINDS, DocumentKind
from office.public_texts import PublicTexts

TERMS_FIELDS: Final = (
    "paper_title",
    "quorum",
    "majority_percent",
    "shows_identity_at_meetings",
    "dpia_allows_minors",
    "shows_without_proof",
    "responsible",
    "contact",
    "privacy_notice",
)


def terms_of(scheme: Scheme) -> SchemeTerms:
    """What the scheme has settled, or the defaults."""
    return SchemeTerms.objects.filter(scheme=scheme).first() or SchemeTerms(scheme=scheme)


def newest_documents(scheme: Scheme) -> dict[DocumentKind, LawDocument]:
    """The newest recorded of each kind, in the order of :data:`DOCUMENT_KINDS`."""
    newest = {document.kind: document for document in LawDocument.objects.filter(scheme=scheme).order_by("pk")}
    return {kind: newest[kind] for kind in DOCUMENT_KINDS if kind in newest}


def why_off(scheme: Scheme) -> str | None:
    """Why the scheme's register is off now; ``None`` = it is on. Who issues, shows or publishes asks first."""
    recorded = {kind: document.recorded_on for kind, document in newest_documents(scheme).items()}
    terms = terms_of(scheme)
    return law.why_off(recorded, timezone.localdate(), names_responsible=bool(terms.responsible and terms.contact))


def reviews_to_remind(scheme: Scheme) -> list[LawDocument]:
    """Documents whose yearly review is due soon, or was."""
    documents = newest_documents(scheme)
    due = {kind: document.review_due for kind, document in documents.items()}
    return [documents[kind] for kind in law.reviews_to_remind(due, timezone.localdate())]


def public_texts() -> tuple[PublicTexts, ...]:
    """What the public page says: of every scheme that has settled its terms. From the terms alone."""
    settled = SchemeTerms.objects.exclude(responsible="").select_related("scheme").order_by("scheme")
    return tuple(
        PublicTexts(
            slug=terms.scheme.slug,
            name=terms.scheme.name,
            paper_title=terms.paper_title,
            responsible=terms.responsible,
            contact=terms.contact,
            notice=terms.privacy_notice,
        )
        for terms in settled
    )


def set_terms(actor: Account, scheme: Scheme, values: Mapping[str, object]) -> None:
    """Settle a scheme's terms: ``values`` for each of :data:`TERMS_FIELDS`. The audit names what has changed."""
    terms = terms_of(scheme)
    changed = {field: values[field] for field in TERMS_FIELDS if getattr(terms, field) != values[field]}
    if not changed:
        return
    for field, value in changed.items():
        setattr(terms, field, value)
    terms.save()
    told = {field: "changed" if field == "privacy_notice" else value for field, value in changed.items()}
    record_many(actor, [Entry("terms.changed", terms, told)])


def record_document(actor: Account, scheme: Scheme, kind: DocumentKind, version: str) -> LawDocument:
    """A document is in force from today, or was reviewed today."""
    today = timezone.localdate()
    document = LawDocument.objects.create(
        scheme=scheme,
        kind=kind,
        version=version,
        recorded_on=today,
        recorded_by=actor,
        review_due=law.review_due(today),
    )
    record(actor, "document.recorded", document, version=version)
    return document
