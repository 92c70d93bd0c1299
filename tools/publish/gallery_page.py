"""``docs/gallery-protocol.md``: the gallery's forms for people, their tables made from the code."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

from tools.publish import gallery_lists
from tools.publish.examples import SHOP
from tools.publish.handbook import fields_of, table
from wire.gallery_contact import (
    ANSWER_BYTES_MAX,
    GONE_MAX,
    QUESTION_BYTES_MAX,
    ROWS_BYTES_MAX,
    GalleryAnswer,
    GalleryChange,
    GalleryQuestion,
    Held,
)
from wire.gallery_head import HEAD_BYTES_MAX, GalleryHead, head_file
from wire.gallery_keys import TEXT_BLOCK_BYTES, KeyRow
from wire.gallery_lines import (
    ENTRIES_MAX,
    LINE_BYTES_MAX,
    PHOTOGRAPH_BYTES_MAX,
    TEXT_BYTES_MAX,
    EntryText,
    GalleryLine,
    PhotographEntry,
)
from wire.gallery_paths import (
    CONTACT_PATH,
    DIRECTORY_PATH,
    LINES_PATH,
    PAGE_CERTIFICATE_PATH,
    PHOTOGRAPH_PATH,
    REPORTS_PATH,
    ROWS_PATH,
    VIEWS_PATH,
)
from wire.gallery_proof import PROOF_BYTES_MAX, PROOF_FILE, GalleryProof, ProvenGallery
from wire.gallery_reports import (
    OUTCOMES_MAX,
    REPORT_BYTES_MAX,
    REPORTS_MAX,
    BreachReport,
    Outcomes,
    ReportOutcome,
    ReportsTaken,
)
from wire.gallery_staff import STAFF_MAX, StaffEntry
from wire.gallery_views import VIEW_BYTES_MAX, VIEWS_MAX, ViewHead, ViewRecord
from wire.messages import Message
from wire.page_certificate import LIFE, NAMES_MAX, REQUEST_BYTES_MAX, PageCertificate, page_name

INTRODUCTION: Final = """
# The gallery's protocol

Made from the code by `python -m tools.publish`: do not edit. Golden bytes are in `wire/vectors/gallery.json`. Why it is
so: [ADR 0034](adr/0034-the-gallery-is-kept-as-signed-lines.md).

Who is excluded in a scheme, and may be shown in its shops. The office's publisher writes into its folder of snapshots:

| file | what |
|---|---|
| `gallery-SCHEME-NUMBER.json` | the signed head of a scheme's gallery, by the scheme's number in the directory |
| `gallery-SCHEME-NUMBER.lines` | its lines, one for each entry; of both only the newest is kept |
| `gallery-proof.json` | the signed [proof](#the-proof) that they are in force |
| `HEX.bin` | ciphertext of one size of a photograph, named by its SHA-256; removed once no newest line names it |

There is no face recognition anywhere in this: no file or field holds anything measured of a face.
"""
HEAD: Final = """
## The head

An object with `name` (`gallery-SCHEME`), `town` (the authority's public key in hexadecimal), `snapshot` (below) and
`signature`, as of the [snapshots of the office](wire.md#snapshots-of-the-office): Ed25519 by the office over the domain
`watchlink/1/snapshot` and a zero byte, name, line feed, town, line feed, and the very bytes of `snapshot`.

A reader verifies with the keys that the signed directory lists (`office_keys`), and refuses a head of another scheme or
town, and a number lower than the one it holds: numbers never go back. **A case that has no line under the newest head
is not shown any more**, and its keys and photographs are destroyed. A reader shows nothing from lines that no head of
its own names.

- An entry has a line on the days on which the case is in force and may be shown: not before its first day; not while
  its accuracy is contested; not once it is revoked, ended or erased; no under-18 unless the scheme's impact assessment
  and a second approver both allow it.
- While the scheme's register is off the gallery has no lines. Nor has that of a scheme which the office no longer
  knows: its head is replaced by an empty one, not removed, because whoever holds the last one would go on showing it.
- The office publishes when anything changes, and at the begin of each day in Europe/London.
"""
PROOF: Final = f"""
## The proof

`{PROOF_FILE}` has the same form, under the name `gallery-proof`. The publisher replaces it every half minute while it
can read its database and the audit is in order: at that moment these galleries said what the database said. It is for
the machine port; nodes never get it. **A node's lease is counted from it**, not from the answer: where the publisher is
dead, an answer gives nobody another week. Of a scheme that it does not name, or names with another number, the lease
stays as it was (`unproven` in the answer).
"""
LINES: Final = f"""
## The lines

A file of JSON objects, each with a line feed, by ascending `case`. Readers keep the bytes of each line as they came,
so that a field which they do not know counts in the digest. `not_before_s` and `not_after_s` hold with or without
contact, by proven time alone.

**What names a person is ciphertext.** `text` is a nonce of 12 bytes, then ciphertext and tag of ChaCha20-Poly1305
(RFC 8439) under the text key of this line. Authenticated beside it, as UTF-8: `watchlink/1/gallery text`, line feed,
scheme, line feed, case, line feed, `since`, in decimal. Inside is an `EntryText` as JSON, filled up with spaces to a
multiple of {TEXT_BLOCK_BYTES} bytes. Whom only listed premises may be shown is in everybody's lines, and opens in
theirs only.

A line gets a new `since`, and with it a new text key, whenever anything of it changes, whom it may be shown included.

### The change after a number

Who holds number N needs the newest head, the lines whose `since` is above N, and the cases that are gone since. Put
together they must have the head's digest. If not, or if a line is not from after N, the whole file is fetched, and
until then the reader goes on with what it held, as long as it may.
"""
PHOTOGRAPHS: Final = """
## Photographs

A file is a nonce of 12 bytes, then ciphertext and tag of ChaCha20-Poly1305 (RFC 8439) under the content key of the
photograph. Authenticated beside it, as UTF-8: `watchlink/1/photograph`, line feed, the photograph's number as in
`photograph`, line feed, the size (`small` or `portrait`). Inside is a JPEG. It is the same for all nodes. Its name is
the SHA-256 of the file's bytes, so that a cut or altered file is found before it is opened.
"""
KEYS: Final = """
## Keys

A row holds the keys of one line for one node, sealed to the node's X25519 key of the signed directory: HPKE (RFC 9180)
in base mode, single-shot, with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305 (`0x0020`, `0x0001`,
`0x0003`), without additional data. `info`, as UTF-8, with line feeds between: `watchlink/1/gallery key`, the town
(the authority's public key in hexadecimal), the scheme in decimal, the node (eight hexadecimal digits), and the line's
case, `since` and `not_after_s` in decimal. So a row opens for no other node, line or length of a ban.

All rows of a node in a scheme, as a file: a list of them as JSON, compressed like an answer.
"""
CONTACT: Final = f"""
## The question and the answer

It is asked at the office's [machine port](office.md#galleries-for-nodes), over TLS 1.3 with the certificate
`CN=gallery-NODE,O=node`:

| request | what |
|---|---|
| `POST {CONTACT_PATH}` | the question below |
| `GET {DIRECTORY_PATH}` | the newest signed directory; empty if `?held=SERIAL` is as new |
| `GET {LINES_PATH}` | all lines of a scheme's newest gallery; of another number there are none (404) |
| `GET {ROWS_PATH}` | all rows of it that are the asking node's |
| `GET {PHOTOGRAPH_PATH}` | the ciphertext of a photograph, if a line that the node may show names it |
| `POST {VIEWS_PATH}` | records of the [view log](#the-view-log) |
| `POST {PAGE_CERTIFICATE_PATH}` | a [certificate](#the-pages-certificate) for the unit's own page |
| `POST {REPORTS_PATH}` | [breaches and sightings](#breaches-and-sightings) |

Lines and photographs may be fetched in part (`Range`). A refusal is JSON with `problem`, and `retry_s` if that helps.
`struck` means that the node may hold no gallery any more. Every other refusal is like no contact, and destroys nothing:
for some seconds a directory of the fleet's may not know a shop that has just claimed its place.

A node's gallery asks its office one question, as JSON, for ever. It is answered as soon as something is newer than what
it holds, or after 25 seconds that nothing is. The answer is JSON, compressed with zlib (RFC 1950) and a preset
dictionary (`dictionary` in the golden vectors). A reader expands no more than the limit.

A change that the office no longer knows, or that does not fit into an answer, has no `after`: the node fetches lines
and rows as files. Photographs it always fetches so, each when a row opens whose line names it.
"""
STAFF: Final = """
### The list of staff

It is told to a node whose question names another digest, and only to one that names any. The digest is SHA-256 over
`watchlink/1/staff`, a line feed, and JSON without spaces: a list of `[person, name, code, code_check]`, by number.
A node names the digest of what is on its disk, so that it is a receipt, too.

A start code has 80 random bits, as sixteen letters and digits of Crockford's Base32. `code_check` is SHA-256 over
`watchlink/1/start code`, a line feed, and those sixteen. The code lets its person choose a PIN, once. The PIN and what
it is compared with never leave the node.
"""
PAGE: Final = f"""
## The page's certificate

The unit makes a P-256 key and sends a request (PKCS #10, RFC 2986, DER, {REQUEST_BYTES_MAX:,} bytes at most). Its
subject alternative name has nothing but `{page_name(SHOP)}`, with its own number, and its private addresses (RFC 1918,
RFC 4193), {NAMES_MAX} in all. With any other name it is refused: `other name`, `public address`, `too many names`,
`no name`, `malformed`; with an address that is central's or the office's, `other address`. `no issuer` means that the
fleet has given none to the office ([ADR 0038](adr/0038-the-port-signs-for-pages-in-shops.md)). The certificate lasts
{LIFE.days} days.
"""
VIEWS: Final = """
## The view log

Records are JSON objects, each with a line feed, and are kept and sent in their bytes. The digest of a record is SHA-256
over `watchlink/1/views`, a line feed, and its bytes without the line feed at its end. The first record of a node holds,
in the place of the digest before, that of the town (hexadecimal), a line feed, and the node (eight hexadecimal digits).

A node that goes on from a record otherwise than it did before is two machines with one identity: its keys are
withdrawn, and its records refused (409). Records that are missing raise an alarm too. The answer to records is where
the chain has come to at the office, a `ViewHead`: what is up to there need not be sent again.
"""
REPORTS: Final = """
## Breaches and sightings

The alert goes out by the node. What the office works with goes this way: a list of `BreachReport` as JSON. The office
takes one that is sent twice once, by its `id`, and answers `ReportsTaken`. Where a report came from is the asking
node's premises in the directory; a report of a scheme that the node is not in is refused. The node keeps a report until
the office says that it is committed or refused. An office that does not know this request answers 404: the report
stays at the node.

What becomes of a report comes with the answer to the question, whenever it is not what the node says that it holds.
"""
LIMITS: Final = {
    "lines of a gallery": f"{ENTRIES_MAX:,}",
    "a head's file": f"{HEAD_BYTES_MAX:,} bytes",
    "the proof's file": f"{PROOF_BYTES_MAX:,} bytes",
    "a line": f"{LINE_BYTES_MAX:,} bytes",
    "a line's `text`": f"{TEXT_BYTES_MAX:,} bytes",
    "the ciphertext of a photograph": f"{PHOTOGRAPH_BYTES_MAX:,} bytes",
    "a question": f"{QUESTION_BYTES_MAX:,} bytes",
    "an answer, before it is compressed": f"{ANSWER_BYTES_MAX:,} bytes",
    "cases gone in an answer": f"{GONE_MAX:,}",
    "members of staff in an answer": f"{STAFF_MAX:,}",
    "a file of rows, before it is compressed": f"{ROWS_BYTES_MAX:,} bytes",
    "a view's record": f"{VIEW_BYTES_MAX:,} bytes",
    "records sent at once": f"{VIEWS_MAX:,}",
    "a report": f"{REPORT_BYTES_MAX:,} bytes",
    "reports sent at once": f"{REPORTS_MAX:,}",
    "outcomes told to a node": f"{OUTCOMES_MAX:,}",
}
_HEADS: Final[tuple[type[Message], ...]] = (GalleryHead,)
_PROOF: Final[tuple[type[Message], ...]] = (GalleryProof, ProvenGallery)
_LINES: Final[tuple[type[Message], ...]] = (GalleryLine, PhotographEntry, EntryText)
_KEYS: Final[tuple[type[Message], ...]] = (KeyRow,)
_CONTACT: Final[tuple[type[Message], ...]] = (GalleryQuestion, Held, GalleryAnswer, GalleryChange)
_STAFF: Final[tuple[type[Message], ...]] = (StaffEntry,)
_PAGE: Final[tuple[type[Message], ...]] = (PageCertificate,)
_VIEWS: Final[tuple[type[Message], ...]] = (ViewRecord, ViewHead)
_REPORTS: Final[tuple[type[Message], ...]] = (BreachReport, ReportsTaken, Outcomes, ReportOutcome)


def gallery_page() -> str:
    """``docs/gallery-protocol.md``."""
    kinds = (*_HEADS, *_PROOF, *_LINES, *_KEYS, *_CONTACT, *_STAFF, *_PAGE, *_VIEWS, *_REPORTS)
    _, found = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")

    def fields(some: tuple[type[Message], ...]) -> list[str]:
        return [part for kind in some for part in fields_of(kind, found[kind.__name__])]

    name = head_file(gallery_lists.HEAD.scheme, gallery_lists.HEAD.number)
    parts = [
        INTRODUCTION,
        HEAD,
        *fields(_HEADS),
        f"An example, `{name}` before it is sealed:",
        _fenced(gallery_lists.HEAD),
        PROOF,
        *fields(_PROOF),
        LINES,
        *fields(_LINES),
        "A line, and its text:",
        _fenced(gallery_lists.LINE),
        _fenced(gallery_lists.TEXT),
        PHOTOGRAPHS,
        KEYS,
        *fields(_KEYS),
        CONTACT,
        *fields(_CONTACT),
        STAFF,
        *fields(_STAFF),
        "A question, and an answer to it:",
        _fenced(gallery_lists.QUESTION),
        _fenced(gallery_lists.ANSWER),
        PAGE,
        *fields(_PAGE),
        VIEWS,
        *fields(_VIEWS),
        _fenced(gallery_lists.VIEW),
        REPORTS,
        *fields(_REPORTS),
        "A report, and the answer to it:",
        _fenced(gallery_lists.REPORT),
        _fenced(gallery_lists.TAKEN),
        "## Limits",
        table(("what", "at most"), LIMITS.items()),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _fenced(example: Message) -> str:
    read: Any = json.loads(msgspec.json.encode(example))
    return f"```json\n{json.dumps(read, indent=1, ensure_ascii=False)}\n```"
