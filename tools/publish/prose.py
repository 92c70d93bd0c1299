"""What the handbook says between its tables: rules that are kept by code in several places."""

from __future__ import annotations

from typing import Final

from wire.messages import INCIDENTS_MAX
from wire.signing import DIRECTORY_DOMAIN, FRAME_DOMAIN, MESSAGE_DOMAIN

INTRODUCTION: Final = """
# The contract

<!-- Made by `python -m tools.publish`; change the code, not this page. -->

What nodes and central say to each other. An alert and what answers it travel as **frames**: short, binary, signed by
their sender, the same bytes over MQTT as over radio. Everything else is **JSON**, for people and other tools.
[asyncapi.json](asyncapi.json) says the same for machines, and [wire/vectors](../wire/vectors) holds bytes to test
another reader or writer with.

A **node id** is a number from 1 to 2³² − 1, as text eight lower-case hexadecimal digits: `00000010`. Central is
`00000001`. A **frame id** is its sender and the sender's counter: `00000010-7`. An alert's id is its frame's id; an
incident's id is the id of the alert that opened it. A **slug** is a lower-case letter and up to 31 letters, digits or
dashes.
"""

SIGNATURES: Final = f"""
## Signatures

Ed25519 (RFC 8032). What is signed begins with a domain, so that a signature made for one thing passes for no other:

| domain | signed by | over |
|---|---|---|
| `{FRAME_DOMAIN[:-1].decode()}` and a zero byte | the frame's sender | every byte of the frame before the signature |
| `{DIRECTORY_DOMAIN[:-1].decode()}` and a zero byte | the authority | the bytes of the directory document |
| `{MESSAGE_DOMAIN[:-1].decode()}` and a zero byte | the sender, with its frames' key | topic, a zero byte, payload |

The signature of a JSON message is over its topic in full and its payload, both as published. It travels beside the
payload, as base64 of 88 characters in the MQTT 5 user property `signature`: the JSON stays readable for tools, and the
property outlives a restart of the broker. The table of topics says which messages are signed; a node's last will is
signed beforehand. Once the directory says that a sender `signs`, an unsigned message in its name is refused. Until
then it is taken, and moves nothing that a panel says of an alert. A message with a wrong signature is always refused.
The signature says who said it, and to whom; what must not be told twice has a sequence or a nonce.

A public key that is not 32 bytes, or is a point of small order (for which anybody can sign), is refused.
"""

DELIVERY: Final = """
## Delivery: receipts, retransmission, dedupe

- The sender stores a frame, with its counter, before it sends it. A counter is used once: not after a crash, not after
  a restore from an old card (central's `counter_floor` raises it).
- **Receipt**: central has committed that frame to its database. It is a machine's word. Only a receipt takes a frame
  out of the sender's outbox; the broker's PUBACK does not.
- **Acknowledgement**: a named person on duty has said something of the incident: answered, on the way, closed, or
  (taken back within its ten seconds) unanswered. An **automatic acknowledgement** is Watchlink's own answer to a test:
  no person has read it.
- A **digest receipt** names the bytes that were committed, by a digest. A sender whose counter was used twice (an old
  card put back) sees by it that central has the other frame. A **refusal** says that central will never commit these
  bytes: the sender stores what they say anew, under a new counter. Both go only to nodes whose signed health names the
  capability.
- Until the receipt the sender repeats the frame, for ever, at growing intervals, in **identical bytes**.
- A receiver dedupes by frame id. The same id with the same bytes is a repeat: it is shown and counted once, and central
  answers it with a receipt again. The same id with other bytes is a fault of the sender's (a copied card, a reused
  counter): it is counted, and never shown beside the first.
- A frame for several schemes is published to each scheme's topic, in the same bytes.
- An alert whose `incident` is its own counter opens an incident. With an earlier counter it is an upgrade or a repeat
  within that incident. A cancel is a second fact: it deletes nothing, and a person still closes the incident.
- A frame of unknown time (0) is as old as the sender's next sync says (`pending`), by the sender's own clock.
- A **status** counts only forwards: of one boot id only a higher `sequence`. A boot id that the node does not know is a
  hint and makes it send a sync; the signed answer that bears that sync's `nonce`, within 5 s, establishes the new boot
  id, proves the path, and alone may raise the counter (`counter_floor`).
- After a restore central lacks frames that it once receipted. A sync's `receipted` names those of 48 hours; the
  answer's `missing` asks for them again, in the same bytes.
- An `IncidentState` with a lower `revision` than one already seen is ignored. After `expires_at` it says nothing any
  more; the node asks with a sync.
"""

ADMISSION: Final = """
## Admission

Every frame passes one gate, at every node and at central, whatever path it came by, in this order: it decodes; its
sender is in the directory and not struck off; it has the right (alert, cancel and response: a member of *every* scheme
they name; receipt, refusal and acknowledgement: central only); it came on its own sender's topic, of a scheme that it
names (or, for a path test, that its sender is in); its signature is good. Radio and `down` topics carry no scheme, and
the topic check is left out there. What is refused is counted by reason, and dropped.
"""

MESSAGE_RULES: Final = f"""
UTF-8 JSON. Fields that a reader does not know are ignored; a field that is missing where it is needed, of another type
or out of bounds refuses the whole message. A time is RFC 3339 with a zone, 1970 … 9998. A text is kept as it came and
cleaned before it is shown: control, format and direction characters vanish, and it is cut to the space there is. A
writer cuts a list that is too long from its end (a sync answer, {INCIDENTS_MAX} incidents and then to its size), so
that a long night never makes a message that is refused whole.
"""

DIRECTORY_RULES: Final = """
Who is a sender, with which key, in which schemes. It is signed by the authority, whose key stays with whoever runs the
fleet; central passes it on and cannot change it. A receiver takes it only with a higher serial than the one it holds.
A sender that is struck off is refused from then on, whatever the clock says.

One that fits into a message travels whole. A larger one travels in parts, which a reader from before them refuses: it
keeps the directory that it has, and gets the next one by hand or with its update.
"""
