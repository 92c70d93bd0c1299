from __future__ import annotations

from pathlib import PurePosixPath

from provisioning.broker import BrokerSettings, Member, render_acl, render_configuration
from wire.ids import NodeId


def test_acl_names_every_right_and_takes_all_from_the_revoked() -> None:
    """The whole file, because what it does not say is forbidden."""
    members = [
        Member(NodeId(0x10), ("hart",)),
        Member(NodeId(0x11), ("hart", "pubwatch")),
        Member(NodeId(0x12), ("hart",), is_revoked=True),
    ]

    assert (
        render_acl(members, ["hart", "pubwatch"], 3).splitlines()[1:]
        == """\
user proof
topic write watchlink/1/proof/3

user 00000001
topic read watchlink/1/scheme/+/frame/+
topic read watchlink/1/node/+/up/+
topic write watchlink/1/node/+/down/+
topic write watchlink/1/scheme/hart/incident
topic write watchlink/1/scheme/hart/central
topic write watchlink/1/scheme/pubwatch/incident
topic write watchlink/1/scheme/pubwatch/central

user 00000010
topic write watchlink/1/node/00000010/up/+
topic read watchlink/1/node/00000010/down/+
topic write watchlink/1/scheme/hart/frame/00000010
topic read watchlink/1/scheme/hart/frame/+
topic read watchlink/1/scheme/hart/incident
topic read watchlink/1/scheme/hart/central

user 00000011
topic write watchlink/1/node/00000011/up/+
topic read watchlink/1/node/00000011/down/+
topic write watchlink/1/scheme/hart/frame/00000011
topic read watchlink/1/scheme/hart/frame/+
topic read watchlink/1/scheme/hart/incident
topic read watchlink/1/scheme/hart/central
topic write watchlink/1/scheme/pubwatch/frame/00000011
topic read watchlink/1/scheme/pubwatch/frame/+
topic read watchlink/1/scheme/pubwatch/incident
topic read watchlink/1/scheme/pubwatch/central

user 00000012
topic deny #""".splitlines()
    )


def test_configuration_names_its_files_where_the_broker_will_find_them() -> None:
    settings = BrokerSettings(PurePosixPath("/a town/broker"), PurePosixPath("/state"), "127.0.0.1", 1883, "mosquitto")

    lines = render_configuration(settings).splitlines()

    assert "listener 1883 127.0.0.1" in lines
    assert "user mosquitto" in lines
    assert "crlfile /a town/broker/crl.pem" in lines
    assert "persistence_location /state/" in lines
    assert not [line for line in lines if line.startswith("pid_file")]
