"""``docs/wire.md``: the contract for people, every table made from the code."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from tools.publish import office_lists
from tools.publish.asyncapi import schemas
from tools.publish.channels import CHANNELS, Channel
from tools.publish.examples import DIRECTORY, FRAMES, KEYS, MESSAGES, SETTINGS
from tools.publish.golden import signer
from tools.publish.layout import HEAD, SIGNATURE, Field, bytes_max, fields, taken_apart
from tools.publish.notes import notes
from tools.publish.prose import (
    ADMISSION,
    DELIVERY,
    DIRECTORY_RULES,
    INTRODUCTION,
    MESSAGE_RULES,
    SETTINGS_RULES,
    SIGNATURES,
)
from wire import limits
from wire.directory import (
    DelegateChanges,
    Delegation,
    DirectoryDocument,
    SchemeEntry,
    SealedChanges,
    SealedDirectory,
    SenderEntry,
)
from wire.directory_parts import DirectoryPart
from wire.errors import REASONS
from wire.frames import encode
from wire.kinds import (
    MEMBERS_WARNED,
    PRIORITY,
    AlertKind,
    AnswerState,
    CancelReason,
    Capability,
    CentralCapability,
    FrameKind,
    LeftWhenAsked,
    MemberResponse,
    Numbered,
    RefusalReason,
    Role,
)
from wire.limits import FRAME_BYTES_MAX
from wire.messages import (
    Answer,
    Asked,
    CentralStatus,
    FaultReport,
    Health,
    IncidentState,
    MachineReport,
    MemberAnswer,
    Message,
    PendingFrame,
    RadioReport,
    ReceiptedFrame,
    SettingsReport,
    Sync,
    SyncAnswer,
    UpdateReport,
    encode_message,
)
from wire.node_settings import NodeSettings, PttSetting, SealedSettings, Words

_EXAMPLES: Final = {
    FrameKind.ALERT: "alert, attack",
    FrameKind.CANCEL: "cancel, mistake",
    FrameKind.RECEIPT: "receipt",
    FrameKind.ACKNOWLEDGEMENT: "acknowledgement, answered",
    FrameKind.PATH_TEST: "path test, network",
    FrameKind.RESPONSE: "response, seen",
    FrameKind.RECEIPT_BATCH: "receipt batch, six",
    FrameKind.DIGEST_RECEIPT: "digest receipt",
    FrameKind.DIGEST_RECEIPT_BATCH: "digest receipt batch, two",
    FrameKind.REFUSAL: "refusal",
    FrameKind.AUTOMATIC_ACKNOWLEDGEMENT: "automatic acknowledgement",
    FrameKind.PRESS_ACKNOWLEDGEMENT: "press acknowledgement",
}
_MESSAGES: Final[dict[type[Message], str]] = {
    Health: "health",
    FaultReport: "",
    RadioReport: "",
    MachineReport: "",
    UpdateReport: "",
    SettingsReport: "",
    Sync: "sync, with a nonce",
    PendingFrame: "",
    ReceiptedFrame: "",
    SyncAnswer: "sync answer, with a nonce",
    IncidentState: "incident",
    Answer: "",
    MemberAnswer: "",
    Asked: "",
    CentralStatus: "central, with a sequence",
}
_DIRECTORY: Final = (
    SealedDirectory,
    DirectoryPart,
    DirectoryDocument,
    SchemeEntry,
    SenderEntry,
    Delegation,
    SealedChanges,
    DelegateChanges,
)
_LIMITS: Final = {
    "a frame": (limits.FRAME_BYTES_MAX, "bytes"),
    "a topic": (limits.TOPIC_BYTES_MAX, "bytes"),
    "an MQTT packet": (limits.PACKET_BYTES_MAX, "bytes"),
    "a JSON message": (limits.MESSAGE_BYTES_MAX, "bytes"),
    "a sealed directory, put together": (limits.DIRECTORY_BYTES_MAX, "bytes"),
    "a node's sealed settings": (limits.SETTINGS_BYTES_MAX, "bytes"),
    "schemes of a sender, or of a frame": (limits.SCHEMES_PER_NODE_MAX, ""),
    "a name in JSON": (limits.NAME_CHARS_MAX, "characters"),
    "a text in JSON": (limits.TEXT_CHARS_MAX, "characters"),
    "a name in an acknowledgement frame": (limits.SHORT_NAME_BYTES_MAX, "bytes of UTF-8"),
}

_SECTIONS: Final = (
    "Frames",
    "Signatures",
    "Delivery: receipts, retransmission, dedupe",
    "Admission",
    "Vocabulary",
    "Topics",
    "Messages",
    "The directory",
    "Settings from the fleet",
    "Snapshots of the office",
    "Limits",
    "Reasons for a refusal",
)
_CONTENTS: Final = " · ".join(
    f"[{section}](#{section.lower().translate({ord(','): None, ord(':'): None, ord(' '): '-'})})"
    for section in _SECTIONS
)


def handbook() -> str:
    """The page's Markdown."""
    parts = [
        INTRODUCTION,
        _CONTENTS,
        "## Frames",
        _frame_head(),
        *(_frame_kind(kind) for kind in FrameKind),
        SIGNATURES,
        DELIVERY,
        ADMISSION,
        "## Vocabulary",
        _alert_kinds(),
        _capabilities("Capabilities", Capability),
        _capabilities("Capabilities of central", CentralCapability),
        *(_numbers(title, kind) for title, kind in _NUMBERS.items()),
        "## Topics",
        _topics(),
        "## Messages",
        MESSAGE_RULES,
        *(_message(kind, example) for kind, example in _MESSAGES.items()),
        "## The directory",
        DIRECTORY_RULES,
        *(_message(kind, "") for kind in _DIRECTORY),
        "Before it is sealed, an example of a sender:",
        _fenced("json", json.dumps(msgspec.to_builtins(DIRECTORY.senders[1]), indent=1)),
        "## Settings from the fleet",
        SETTINGS_RULES,
        *(_message(kind, "") for kind in (SealedSettings, NodeSettings, PttSetting, Words)),
        "Before they are sealed, an example:",
        _fenced("json", json.dumps(msgspec.to_builtins(SETTINGS), indent=1)),
        "## Snapshots of the office",
        office_lists.RULES,
        *map(_snapshot, office_lists.KINDS),
        "## Limits",
        table(("what", "at most"), ((what, f"{n:,} {unit}".strip()) for what, (n, unit) in _LIMITS.items())),
        "## Reasons for a refusal",
        "Each is the label of a counter in a node's health message and at central. None contains a byte of the input.",
        table(("reason", "meaning"), ((f"`{reason}`", meaning) for reason, meaning in REASONS.items())),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


_NUMBERS: Final[dict[str, type[Numbered]]] = {
    "Roles": Role,
    "Refusal reasons": RefusalReason,
    "Cancel reasons": CancelReason,
    "Responses of members": MemberResponse,
    "Answer states": AnswerState,
    "Left when asked": LeftWhenAsked,
}


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """In Markdown."""
    lines = [list(head)]
    lines += [["---"] * len(lines[0]), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _fenced(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```"


def _frame_head() -> str:
    sizes = ", ".join(f"{kind.slug} {bytes_max(kind)}" for kind in FrameKind)
    rows = []
    offset = 0
    for field in HEAD:
        rows.append((str(offset), str(field.width), field.type, field.meaning))
        offset += field.width
    rows += [
        (str(offset), f"≤ {FRAME_BYTES_MAX - offset - SIGNATURE.width}", "", "body, by kind"),
        (f"end − {SIGNATURE.width}", str(SIGNATURE.width), SIGNATURE.type, SIGNATURE.meaning),
    ]
    return "\n\n".join(
        (
            (
                f"At most {FRAME_BYTES_MAX} bytes; by kind at most: {sizes}. Integers are big-endian.\n"
                "There is no length field: every carrier delimits its payload. There is exactly one byte string for a "
                "given frame and key."
            ),
            table(("offset", "width", "type", "meaning"), rows),
        )
    )


def _frame_kind(kind: FrameKind) -> str:
    name = _EXAMPLES[kind]
    frame = FRAMES[name]
    data = encode(frame, KEYS[signer(frame)])
    rows = [
        (str(offset), _width(field), field.type, field.meaning)
        for field, offset, _ in taken_apart(kind, data)
        if field in fields(kind)[len(HEAD) : -1]
    ]
    example = "\n".join(
        f"{raw.hex():<20}{_label(field)}" if field is not SIGNATURE else textwrap.fill(raw.hex(), 64)
        for field, _, raw in taken_apart(kind, data)
    )
    return "\n\n".join(
        (
            f"### {kind.slug} ({int(kind)})",
            notes(FrameKind)[kind.name],
            table(("offset", "width", "type", "meaning"), rows),
            _fenced("text", example),
        )
    )


def _label(field: Field) -> str:
    return re.split("[,;:]", field.meaning)[0]


def _width(field: Field) -> str:
    return str(field.width) if field.width else f"≤ {field.width_max}"


def _alert_kinds() -> str:
    said = notes(AlertKind)
    return "### Alert kinds\n\n" + table(
        ("number", "name", "priority", "members warned", "meaning"),
        (
            (
                str(int(kind)),
                f"`{kind.slug}`",
                PRIORITY[kind].name if PRIORITY[kind].name != "TEST" else "test",
                "yes" if kind in MEMBERS_WARNED else "no",
                said[kind.name],
            )
            for kind in AlertKind
        ),
    )


def _capabilities(title: str, kind: type[Capability | CentralCapability]) -> str:
    said = notes(kind)
    rows = ((f"`{capability}`", said[capability.name]) for capability in kind)
    return f"### {title}\n\n{said['']}\n\n" + table(("name", "meaning"), rows)


def _numbers(title: str, kind: type[Numbered]) -> str:
    said = notes(kind)
    rows = ((str(int(member)), f"`{member.slug}`", _said(member, said)) for member in kind)
    return f"### {title}\n\n{said['']}\n\n" + table(("number", "name", "meaning"), rows)


def _said(member: Numbered, said: dict[str, str]) -> str:
    return member.title if isinstance(member, Role) else said[member.name]


def _topics() -> str:
    def payload(channel: Channel) -> str:
        if isinstance(channel.payload, tuple):
            return "frames: " + ", ".join(kind.slug for kind in channel.payload)
        return " or ".join(kind.__name__ for kind in channel.messages)

    rows = (
        (
            f"`{c.address}`",
            c.writer,
            c.readers,
            str(c.qos),
            payload(c),
            "yes" if c.is_signed else "",
            f"{c.payload_bytes_max:,}",
            c.summary,
        )
        for c in CHANNELS
    )
    return (
        "`{scheme}` is a scheme's slug, `{node}` a node's id. The broker's ACL ties `{node}` to the whole "
        "subject of the client certificate, `CN={node},O=node` (ADR 0029). Central is `CN=00000001,O=services`; it has "
        "a second client, `CN=00000001-alerts,O=services`, with the "
        "rights that frames, heard, receipts, acknowledgements and air need (ADR 0014). Nothing is retained. Signed: "
        "with the user property `signature` (see Signatures).\n\n"
        + table(("topic", "who writes", "who reads", "QoS", "payload", "signed", "bytes at most", "meaning"), rows)
    )


def _snapshot(kind: type[Message]) -> str:
    _, found = msgspec.json.schema_components(office_lists.KINDS, ref_template="#/components/schemas/{name}")
    return "\n\n".join(fields_of(kind, found[kind.__name__]))


def fields_of(kind: type[Message], schema: dict[str, Any]) -> list[str]:
    """Heading, note and table of a message's fields."""
    said = notes(kind)
    required = schema.get("required", [])
    rows = (
        (f"`{name}`", _type(part), "" if name in required else _default(part), said.get(name, ""))
        for name, part in schema["properties"].items()
    )
    return [f"### {kind.__name__}", said[""], table(("field", "type", "if absent", "meaning"), rows)]


def _message(kind: type[Message], example: str) -> str:
    parts = fields_of(kind, schemas()[kind])
    if example:
        text = encode_message(MESSAGES[example]).decode()
        parts.append(_fenced("json", json.dumps(json.loads(text), indent=1, ensure_ascii=False)))
    return "\n\n".join(parts)


def _default(schema: dict[str, Any]) -> str:
    return f"`{json.dumps(schema['default'])}`"


def _type(schema: dict[str, Any]) -> str:  # noqa: C901, PLR0911, PLR0912 (a table of cases, one line each)
    """A JSON Schema in a few words."""
    match schema:
        case {"anyOf": [inner, {"type": "null"}]}:
            return f"{_type(inner)}, or null"
        case {"$ref": reference}:
            return f"`{reference.rsplit('/')[-1]}`"
        case {"enum": values}:
            return " · ".join(f"`{value}`" for value in values)
        case {"type": "array", "items": items}:
            most = f" ≤ {schema['maxItems']}" if "maxItems" in schema else ""
            return f"list{most} of {_type(items)}"
        case {"type": "object", "additionalProperties": values}:
            return f"object ≤ {schema['maxProperties']} of {_type(values)}"
        case {"type": "integer", "minimum": low, "maximum": high}:
            return f"integer {low} … {'2⁵³' if high == 1 << 53 else high}"
        case {"type": "number", "minimum": low, "maximum": high}:
            return f"number {low:g} … {high:g}"
        case {"type": "string", "contentEncoding": "base64"}:
            return "base64"
        case {"type": "string", "format": "date-time"}:
            return "time"
        case {"type": "string", "maxLength": most}:
            return f"text ≤ {most}"
        case {"type": "string", "pattern": pattern}:
            return _PATTERNS[pattern]
        case {"type": "boolean"}:
            return "true or false"
        case _ if not schema:
            return "JSON, in its bytes"
    raise KeyError(str(schema))


_PATTERNS: Final = {
    "^[0-9a-f]{16}$": "16 lower-case hexadecimal digits",
    r"^(?!0{8})[0-9a-f]{8}$(?!\n)": "node id",
    r"^(?!0{8})[0-9a-f]{8}-[1-9][0-9]{0,9}$(?!\n)": "frame id",
    r"^[a-z][a-z0-9-]{0,31}$(?!\n)": "slug",
    r"^([0-9a-f]{32})?$(?!\n)": "32 hexadecimal digits, or none",
    r"^((?!0{8})[0-9a-f]{8}-[1-9][0-9]{0,9})?$(?!\n)": "frame id, or none",
    r"^([0-9a-f]{16})?$(?!\n)": "16 hexadecimal digits, or none",
    r"^[0-9a-f]{16}$(?!\n)": "16 hexadecimal digits",
    r"^[0-9a-f]{32}$(?!\n)": "32 hexadecimal digits",
    r"^[0-9a-f]{64}$(?!\n)": "64 hexadecimal digits",
    r"^([0-9a-f]{64})?$(?!\n)": "64 hexadecimal digits, or none",
    r"^[A-Z][A-Z0-9-]{0,31}-[0-9]{4,10}$(?!\n)": "reference",
}
