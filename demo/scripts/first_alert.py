"""A shop holds *attack*; central commits; the neighbours are warned; a person answers, comes, and closes it (N1–N5)."""

from __future__ import annotations

from demo.scripts.stage import Stage
from demo.watch_room import card_of

_BRUSH_MS = 200


async def play(stage: Stage) -> None:
    """Play it."""
    shop, neighbour = stage.premises("corner-shop"), stage.premises("night-stop")
    chronicle = stage.town.chronicle
    await stage.gather()

    # A brush of the attack button is not a hold (N1).
    await shop.board.brush("attack", _BRUSH_MS)
    await stage.until_words(shop, "Hold", "Nothing was sent")

    alert = await stage.press(shop, "attack")
    await stage.until_fact("published", shop.node, alert)
    await stage.until_fact("receipt", shop.node, alert)
    received = await stage.until_face(shop, "received")
    stage.check("No one answered yet" in received.lines, "the screen said that no one had answered yet")
    await stage.until_warned(shop, alert)
    for other in stage.town.warned_by(shop):
        await stage.until_face(other, "neighbour")
    await stage.until_card(
        "central's page showed the attack as unanswered",
        alert,
        lambda board: (
            (card := card_of(board, alert)) is not None
            and (card.kind, card.state, card.is_late) == ("attack", "unanswered", False)
        ),
    )

    # A neighbour comes to help; presser and central see it.
    await neighbour.board.press("responding")
    await stage.until_fact("response", shop.node, alert)
    await stage.until_card(
        "central's page named the neighbour who responds",
        alert,
        lambda board: any(
            member.node == neighbour.node and member.response == "responding"
            for card in board.cards
            if card.incident == alert
            for member in card.members
        ),
    )

    await stage.acknowledge(shop, alert)
    answered = await stage.until_face(shop, "answered")
    stage.check(any("J Patel" in line for line in answered.lines), "the screen named J Patel")
    await stage.town.watch_room.set_on_the_way(alert)
    await stage.until_acknowledged(shop, alert, "on-the-way")
    await stage.until_face(shop, "on-the-way")
    await stage.close(shop, alert, "Attended")
    await stage.until_face(shop, "closed")

    # The pub's alert concerns only Pub Watch.
    pub = stage.premises("red-lion")
    second = await stage.press(pub, "assist")
    await stage.until_fact("receipt", pub.node, second)
    await stage.until_warned(pub, second)
    await stage.acknowledge(pub, second)
    await stage.close(pub, second, "Attended")

    stage.check(len(chronicle.all("pressed")) == 2, "two presses, and none from the brush")  # noqa: PLR2004
    for presser, pressed in ((shop, alert), (pub, second)):
        steps = ("stored", "published", "receipt", "acknowledged", "closed")
        moments = [fact.at_ms for step in steps if (fact := chronicle.find(step, node=presser.node, alert=pressed))]
        # The broker's answer and central's come by different routes: either may be first.
        stage.check(len(moments) == len(steps), f"every step of {pressed} was said")
        stage.check(moments[0] <= min(moments[1:]), f"{pressed} was on disk before anybody else knew")
        stage.check(moments[2:] == sorted(moments[2:]), f"{pressed}: received, then answered, then closed")
