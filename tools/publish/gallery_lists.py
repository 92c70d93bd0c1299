"""The gallery in the documents: an example of each form, and golden bytes."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from msgspec.structs import replace

from tools.publish.examples import HART, KEYS, PRESSED_AT, PUBWATCH, SHOP
from wire import hpke
from wire.errors import DecodeError
from wire.gallery_contact import DICTIONARY, GalleryAnswer, GalleryChange, GalleryQuestion, Held
from wire.gallery_head import GalleryHead, head_name, merge, open_head, seal_head
from wire.gallery_keys import Holder, KeyRow, LineKeys
from wire.gallery_lines import NO_LINES, EntryText, GalleryLine, Lines, PhotographEntry
from wire.gallery_proof import GalleryProof, ProvenGallery, seal_proof
from wire.gallery_reports import BreachReport, Outcomes, ReportOutcome, ReportsTaken, encode_reports
from wire.gallery_staff import StaffEntry, staff_digest, start_code_check
from wire.gallery_views import ViewRecord, head_of, no_views, write_view
from wire.printed_codes import code_text
from wire.snapshots import Town

Json = dict[str, Any]

TOWN: Final = Town(KEYS["authority"].public)
TEXT: Final = EntryText(reference="HART-0042", category="theft", name="Nobody Atall")
KEYS_OF_LINE: Final = LineKeys(text=b"t" * 32, photograph=b"p" * 32, here=True)
NODE_KEY: Final = X25519PrivateKey.from_private_bytes(b"n" * 32)
HOLDER: Final = Holder(TOWN, HART, SHOP)


def _text(text: EntryText, case: int, since: int) -> bytes:
    """As ``seal_text`` does it, with a nonce that is always the same: for golden bytes only."""
    plaintext, nonce = msgspec.json.encode(text), b"nonce of %03d" % case
    about = f"watchlink/1/gallery text\n{HART}\n{case}\n{since}".encode()
    return nonce + ChaCha20Poly1305(KEYS_OF_LINE.text).encrypt(nonce, plaintext.ljust(128), about)


def _row(line: GalleryLine, keys: LineKeys) -> KeyRow:
    """As ``seal_row`` does it, with a key that is always the same: for golden bytes only."""
    plaintext = bytes([keys.here]) + keys.text + (keys.photograph or b"")
    ephemeral = X25519PrivateKey.from_private_bytes(b"e" * 32)
    recipient = NODE_KEY.public_key().public_bytes_raw()
    sealed = hpke._seal(ephemeral, recipient, HOLDER.info(line), plaintext)  # noqa: SLF001 - not random, as said above
    return KeyRow(case=line.case, since=line.since, sealed=sealed)


LINE: Final = GalleryLine(
    case=17,
    since=42,
    not_before_s=1_772_841_600,
    not_after_s=1_788_735_600,
    text=_text(TEXT, 17, 42),
    photograph="0f" * 16,
    photographs=(
        PhotographEntry(size="small", sha256="cd" * 32, file_bytes=6_000),
        PhotographEntry(size="portrait", sha256="ef" * 32, file_bytes=60_000),
    ),
)
_LISTED: Final = GalleryLine(
    case=18,
    since=40,
    not_before_s=1_772_841_600,
    not_after_s=1_788_735_600,
    text=_text(EntryText(reference="HART-0043", category="abuse-of-staff"), 18, 40),
)
_BEFORE: Final = Lines.of((replace(_LISTED, case=9, since=3), _LISTED))
LINES: Final = Lines.of((LINE, _LISTED))


def _head(number: int, lines: Lines) -> GalleryHead:
    return GalleryHead(
        scheme=HART, number=number, made_at=PRESSED_AT, lines=len(lines), digest=lines.digest, lease_s=7 * 86_400
    )


HEAD: Final = _head(42, LINES)
PROOF: Final = GalleryProof(
    made_at=PRESSED_AT,
    galleries=(ProvenGallery(scheme=HART, number=42), ProvenGallery(scheme=PUBWATCH, number=1)),
)
ROW: Final = _row(LINE, KEYS_OF_LINE)
_FIRST: Final = write_view(
    ViewRecord(n=1, at_s=1_772_926_805, is_proven=True, staff=4, kind="list", before=no_views(TOWN, SHOP).digest)
)
VIEW: Final = ViewRecord(
    n=2, at_s=1_772_926_811, is_proven=True, staff=4, scheme=HART, case=17, kind="person", before=_FIRST.digest
)
REPORT: Final = BreachReport(
    id="5a" * 16,
    kind="breach",
    scheme=HART,
    case=17,
    person=42,
    staff=4,
    at_s=1_772_926_811,
    is_proven=True,
    left="no",
    incident="00000010-7",
)
TAKEN: Final = ReportsTaken(committed=(REPORT.id,))
OUTCOMES: Final = Outcomes(
    version="0123456789abcdef",
    reports=(ReportOutcome(report=REPORT.id, state="closed", words="Police informed.", at_s=1_772_930_000),),
)
START_CODE: Final = code_text(b"start code")
STAFF: Final = (
    StaffEntry(person=4, name="Ann Example", code=1_772_926_000, code_check=start_code_check(START_CODE) or ""),
    StaffEntry(person=5, name="Zoë", code=1_772_000_000),
    StaffEntry(person=2**53, name="Bo"),
)
QUESTION: Final = GalleryQuestion(
    holds=(Held(scheme=HART, number=41, is_complete=True),),
    views=head_of(write_view(VIEW)),
    staff=staff_digest(STAFF[1:]),
    outcomes="",
)
ANSWER: Final = GalleryAnswer(
    now_s=1_772_926_812,
    lease_until_s=1_773_531_612,
    schemes=(HART,),
    changes=(
        GalleryChange(
            scheme=HART,
            head=msgspec.Raw(seal_head(HEAD, TOWN, KEYS["office"])),
            after=41,
            lines=LINES.after(41).decode(),
            gone=(9,),
            keys=(ROW,),
        ),
    ),
    outcomes=OUTCOMES,
    open_schemes=(HART,),
    staff=STAFF,
)


QUIET: Final = GalleryAnswer(
    now_s=1_772_926_812,
    lease_until_s=1_773_531_612,
    schemes=(HART, PUBWATCH),
    unproven=(PUBWATCH,),
    views_received=head_of(write_view(VIEW)),
)


def vectors() -> Json:
    """Golden bytes, and some that every reader refuses."""
    office = KEYS["office"]
    empty = replace(HEAD, scheme=PUBWATCH, number=1, lines=0, digest=NO_LINES.digest)
    sealed = seal_head(HEAD, TOWN, office)
    heads: list[tuple[str, int, bytes]] = [
        ("another scheme", PUBWATCH, sealed),
        ("another town", HART, seal_head(HEAD, Town(KEYS["shop"].public), office)),
        ("another signer", HART, seal_head(HEAD, TOWN, KEYS["next office"])),
        ("a lease made longer", HART, sealed.replace(b"604800", b"604801", 1)),
        ("cut short", HART, sealed[:-1]),
    ]
    changes: list[tuple[str, int, bytes, tuple[int, ...]]] = [
        ("nothing gone", 41, LINES.after(41), ()),
        ("a line altered", 41, LINES.after(41).replace(b"1788735600", b"1788735601"), (9,)),
        ("a line that was there before", 41, LINES.data, (9,)),
        ("from the same number", 42, LINES.after(41), (9,)),
        ("cut short", 41, LINES.after(41)[:-1], (9,)),
    ]
    return {
        "town": TOWN.text,
        "office": office.public.raw.hex(),
        "heads": [
            {
                "name": head_name(one.scheme),
                "scheme": one.scheme,
                "sealed": seal_head(one, TOWN, office).decode(),
                "head": msgspec.to_builtins(one),
            }
            for one in (HEAD, empty)
        ],
        "invalid heads": [
            {"name": name, "scheme": scheme, "sealed": data.decode(), "reason": _why_no_head(data, scheme)}
            for name, scheme, data in heads
        ],
        "proof": {"sealed": seal_proof(PROOF, TOWN, office).decode(), "proof": msgspec.to_builtins(PROOF)},
        "lines": LINES.data.decode(),
        "lines before": _BEFORE.data.decode(),
        "change": {"number": 41, "lines": LINES.after(41).decode(), "gone": [9]},
        "invalid changes": [
            {"name": name, "number": held, "lines": lines.decode(), "gone": gone, "reason": _why(held, lines, gone)}
            for name, held, lines, gone in changes
        ],
        "row": {
            "node": "00000010",
            "sealing_key": NODE_KEY.private_bytes_raw().hex(),
            "sealed": ROW.sealed.hex(),
            "text_key": KEYS_OF_LINE.text.hex(),
            "photograph_key": (KEYS_OF_LINE.photograph or b"").hex(),
            "here": KEYS_OF_LINE.here,
            "text": msgspec.to_builtins(TEXT),
        },
        "staff": {
            "entries": msgspec.to_builtins(STAFF),
            "digest": staff_digest(STAFF),
            "digest of nobody": staff_digest(()),
            "start code": START_CODE,
        },
        "quiet answer": {"json": msgspec.json.encode(QUIET).decode(), "answer": msgspec.to_builtins(QUIET)},
        "dictionary": DICTIONARY.decode(),
        "views": {
            "start": no_views(TOWN, SHOP).digest,
            "data": (_FIRST.data + b"\n" + write_view(VIEW).data + b"\n").decode(),
            "digests": [_FIRST.digest, write_view(VIEW).digest],
        },
        "reports": {"data": encode_reports((REPORT,)).decode(), "reports": [msgspec.to_builtins(REPORT)]},
    }


def _why_no_head(data: bytes, scheme: int) -> str:
    try:
        open_head(data, scheme, TOWN, (KEYS["office"].public,))
    except DecodeError as e:
        return e.reason
    raise AssertionError("a head that should be refused is taken")


def _why(held: int, lines: bytes, gone: tuple[int, ...]) -> str:
    try:
        merge(_BEFORE, held, HEAD, lines, gone)
    except DecodeError as e:
        return e.reason
    raise AssertionError("a change that should be refused is taken")
