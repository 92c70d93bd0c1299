"""The handbook's text between its tables: rules kept by several parts of the code."""

from __future__ import annotations

from typing import Final

from wire.messages import INCIDENTS_MAX
from wire.signing import DELEGATE_DOMAIN, DIRECTORY_DOMAIN, FRAME_DOMAIN, MESSAGE_DOMAIN

INTRODUCTION: Final = """
# The contract

<!-- Made by `python -m tools.publish`; change the code, not this page. -->

What nodes and central say to each other. Alerts and their answers travel as **frames**: short, binary, signed by
their sender, the same bytes over MQTT as over radio. Everything else is **JSON**, for people and other tools.
[asyncapi.json](asyncapi.json) says the same for machines; [wire/vectors](../wire/vectors) holds bytes for testing
other readers and writers.

A **node id** is a number from 1 to 2³² − 1, as text eight lower-case hexadecimal digits: `00000010`. Central is
`00000001`. A **frame id** is its sender and the sender's counter: `00000010-7`. An alert's id is its frame's id; an
incident's id is the id of the alert that opened it. A **slug** is a lower-case letter and up to 31 letters, digits or
dashes.
"""

SIGNATURES: Final = f"""
## Signatures

Ed25519 (RFC 8032). Signed data begins with a domain, so that a signature made for one purpose is valid for no other:

| domain | signed by | over |
|---|---|---|
| `{FRAME_DOMAIN[:-1].decode()}` and a zero byte | the frame's sender | every byte of the frame before the signature |
| `{DIRECTORY_DOMAIN[:-1].decode()}` and a zero byte | the authority | the bytes of the directory document |
| `{DELEGATE_DOMAIN[:-1].decode()}` and a zero byte | its delegate | the authority's signature, bytes of the changes |
| `{MESSAGE_DOMAIN[:-1].decode()}` and a zero byte | the sender, with its frames' key | topic, a zero byte, payload |

A JSON message's signature covers its full topic and its payload, both as published. It travels beside the payload, as
88 characters of base64 in the MQTT 5 user property `signature`: the JSON stays readable for tools, and the property
survives a restart of the broker. The table of topics says which messages are signed; a node's last will is signed
beforehand. Once the directory says that a sender `signs`, an unsigned message in its name is refused. Until then it
is accepted, but changes nothing that a panel says about an alert. A message with a wrong signature is always refused.
The signature says who sent it, and to whom; a message that must not count twice has a sequence or a nonce.

A public key that is not 32 bytes, or is a point of small order (for which anyone can sign), is refused.
"""

DELIVERY: Final = """
## Delivery: receipts, retransmission, dedupe

- The sender stores a frame, with its counter, before it sends it. A counter is never reused, not after a crash and
  not after a restore from an old card (central's `counter_floor` raises it).
- **Receipt**: central has committed that frame to its database. A machine said so, not a person. Only a receipt takes
  a frame out of the sender's outbox; the broker's PUBACK does not.
- **Acknowledgement**: a named person on duty has acted on the incident: answered, on the way, closed, or (taken back
  within ten seconds) unanswered. An **automatic acknowledgement** is Watchlink's own answer to a test: no person has
  read it.
- A **digest receipt** names the bytes that were committed, by a digest. If a sender's counter was used twice (an old
  card put back), this shows that central has the other frame. A **refusal** says that central will never commit these
  bytes: the sender stores their content again, under a new counter. Both go only to nodes whose signed health names
  the capability.
- Until the receipt the sender repeats the frame for ever, at growing intervals, in **identical bytes**.
- A receiver dedupes by frame id. The same id with the same bytes is a repeat: it is shown and counted once, and
  central sends the receipt again. The same id with other bytes is the sender's fault (a copied card, a reused
  counter): it is counted, and never shown beside the first.
- A frame for several schemes is published to each scheme's topic, in the same bytes.
- An alert whose `incident` is its own counter opens an incident. With an earlier counter it is an upgrade or a repeat
  within that incident. A cancel is a further fact: it deletes nothing, and a person still closes the incident.
- A frame of unknown time (0) is as old as the sender's next sync says (`pending`), by the sender's own clock.
- A **status** counts only forwards: within one boot id only a higher `sequence`. An unknown boot id is a hint, which
  makes the node send a sync. The signed answer with that sync's `nonce`, within 5 s, establishes the new boot id and
  proves the path; only it may raise the counter (`counter_floor`).
- After a restore central may lack frames that it once receipted. A sync's `receipted` names those of 48 hours; the
  answer's `missing` asks for them again, in the same bytes.
- An `IncidentState` with a lower `revision` than one already seen is ignored. After `expires_at` it is void; the node
  asks with a sync.
"""

ADMISSION: Final = """
## Admission

Every frame, by whatever path, passes one gate at every node and at central, in this order: it decodes; its sender is
in the directory and not struck off; it has the right (alert, cancel and response: a member of *every* scheme they
name; receipt, refusal and acknowledgement: central only); it came on its own sender's topic, of a scheme that it
names (or, for a path test, that its sender is in); its signature is good. Radio and `down` topics carry no scheme,
and the topic check is left out there. Refused frames are counted by reason and dropped.
"""

MESSAGE_RULES: Final = f"""
UTF-8 JSON. Fields that a reader does not know are ignored; if a required field is missing, or a field has another
type or is out of bounds, the whole message is refused. A time is RFC 3339 with a zone, 1970 … 9998. A text is kept as
it came and cleaned before it is shown: control, format and direction characters vanish, and it is cut to the space
there is. A writer cuts a list that is too long at its end (a sync answer, {INCIDENTS_MAX} incidents and then to its
size), so that a long night never produces a message that is refused whole.
"""

DIRECTORY_RULES: Final = """
Names every sender, with its key and schemes. It is signed by the authority, whose key stays with the fleet's
engineer; central passes it on and cannot change it. A receiver accepts it only with a higher serial than its own. A
sender that is struck off is refused from then on, whatever the clock says.

If it fits into a message it travels whole, otherwise in parts. A reader too old for parts refuses them: it keeps its
directory, and gets the next one by hand or with its update.

It also lists the keys of the town's office, and which of the office's premises each node stands in. An office is no
sender: its keys sign snapshots and nothing else. A reader older than that skips both fields.

The authority may name a **delegate**, which adds and strikes premises' nodes without the authority's key. The delegate
signs no directory, but `changes` beside the authority's, which is untouched; its signature covers the authority's, so
that changes fit no other directory. Each list of changes takes the place of the one before. A reader applies them, or
refuses the whole. It refuses them if

- the authority's document names no delegate, or another;
- they strike what is not a premises' node of the authority's, or add a gateway, a central, a number below `00000010`
  or a node that the authority lists; or their serial is not between the authority's and its next whole million;
- the reader holds a directory with a higher `epoch` (it then refuses the authority's own as well, so that the highest
  epoch seen is that of the directory on its disk);
- the delegation is over by every clock that the reader has reason to believe, or the authority signed later than that
  (a reader that knows no time, or holds no directory yet, accepts them);
- the reader holds earlier changes to the same document of the authority's, and these lack or change a node of those
  other than by striking it.

Changes that were accepted in time stay when the delegation ends by time. The authority's next directory replaces them.
In a town that has or had a delegate, the authority's serials are whole millions.

A reader older than that skips `changes`: it holds the authority's part alone, with its serial.
"""

SETTINGS_RULES: Final = """\
A node's licence, transmit key, profile and words can come from the fleet (ADR 0032). The authority signs them, with a
domain of their own (`watchlink/1/settings` and a zero byte); central passes on what it cannot change. They stand
above the node's own file, and each document holds all that is set.

A node drops what is not signed by its authority, is another node's, or has a serial that is not above the newest that
it has judged. What it does not understand, or cannot be (an unknown profile, a device that is not there), it refuses,
and says why in its health. The rest is tried when no alert is open there: it is written to the disk beside the last
good ones, and the node starts again with it. Once it has been connected, and every part works that worked before, it
is taken. If not, or if the node is restarted or loses power meanwhile, the last good ones count again, and its health
says why.

Central sends them to a node whose health lists the capability `settings` and names an older serial, or none.
"""
