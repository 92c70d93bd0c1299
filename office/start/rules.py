"""What waits for a person, in the order in which it matters, and what to do about it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, get_args

from msgspec import Struct

from wire.gallery_lines import ENTRIES_MAX

NAMES_SHOWN: Final = 6
"""In a line; the page behind its button has them all."""


SignIn = Literal["none", "through the office only", "single", "well"]
"""How a person signs in: not at all; at the control room while the office works and no longer; with one passkey or app,
whose loss leaves the recovery codes; or well."""


class Named(Struct, frozen=True):
    """A person, premises, member or invitation.

    Attributes:
        number: of its page.
        name: for people.
        note: what else to know, such as since when.
    """

    number: int
    name: str
    note: str = ""


class Colleague(Struct, frozen=True):
    """A person with a role in a scheme of the co-ordinator's, or the person themselves.

    Attributes:
        number: of the account.
        name: for people.
        passkeys: how many.
        has_app: an authenticator app, which the control room does not take.
        has_printed_codes: which only the control room takes.
        enters_control_room: by one of their roles.
    """

    number: int
    name: str
    passkeys: int
    has_app: bool
    has_printed_codes: bool
    enters_control_room: bool

    @property
    def sign_in(self) -> SignIn:
        """The gravest that is wrong with how the person signs in."""
        methods = self.passkeys + self.has_app
        if not methods:
            return "none"
        if self.enters_control_room and not self.passkeys and not self.has_printed_codes:
            return "through the office only"
        return "single" if methods == 1 else "well"


class Shop(Struct, frozen=True):
    """A premises in a scheme of the co-ordinator's."""

    number: int
    name: str
    has_key_holder: bool
    has_staff_contact: bool


class Facts(Struct, frozen=True, kw_only=True):
    """What the office knows. All of it is of schemes that the person co-ordinates, but for themselves.

    Attributes:
        me: number of the account.
        leads: whether they co-ordinate a scheme; otherwise only ``me``, ``colleagues``, ``votes``, ``breaches``,
            ``swaps`` say anything.
        colleagues: those of their schemes, and themselves.
        alone_in: schemes in which no other co-ordinator can sign in.
        upload: token of a file that they have uploaded and not confirmed; empty = none.
        invitations: open ones.
        shops: all premises.
        fitted: numbers of premises that have a unit; ``None`` = nobody knows.
        members_without_contact: for whom nobody sees the premises.
        cases: those that wait for a step of the co-ordinator's.
        stale: exclusions whose notice does not say what holds now, :data:`NAMES_SHOWN` at most.
        stale_count: how many there are.
        beyond: schemes that have more exclusions than shops can be shown, with how many are not.
        galleries: units of their schemes that may show somebody who must not be shown, or whose view log is broken.
        galleries_late: units whose galleries need somebody for another reason.
        breaches: reports of shops that nobody has dealt with, in schemes in which the person deals with them,
            :data:`NAMES_SHOWN` at most.
        breaches_count: how many there are.
        votes: open ones in which a member for whom the person speaks has not voted.
        requests: of people about themselves, that are not answered.
        backup_faults: what is wrong with the office's backups, in sentences; empty = nothing.
        unasked: schemes without a policy, in which nobody is asked about an alert.
        rota_gaps: posts and when nobody is on the rota in the next seven days.
        swaps: of shifts, that colleagues ask the person for.
        reviews: of documents without which a register stays off, that are due soon or were.
    """

    me: int
    leads: bool = False
    colleagues: Sequence[Colleague] = ()
    alone_in: Sequence[str] = ()
    upload: str = ""
    invitations: Sequence[Named] = ()
    shops: Sequence[Shop] = ()
    fitted: frozenset[int] | None = frozenset()
    members_without_contact: Sequence[Named] = ()
    cases: Sequence[Named] = ()
    stale: Sequence[Named] = ()
    stale_count: int = 0
    beyond: Sequence[Named] = ()
    galleries: Sequence[Named] = ()
    galleries_late: Sequence[Named] = ()
    breaches: Sequence[Named] = ()
    breaches_count: int = 0
    votes: Sequence[Named] = ()
    requests: Sequence[Named] = ()
    reviews: Sequence[Named] = ()
    backup_faults: Sequence[str] = ()
    unasked: Sequence[str] = ()
    rota_gaps: Sequence[Named] = ()
    swaps: Sequence[Named] = ()


class Line(Struct, frozen=True, kw_only=True):
    """One thing that waits.

    Attributes:
        what: what is missing or open, without a full stop.
        to_do: one sentence or two.
        button: its words; empty = there is none.
        view: name of the address that the button opens.
        argument: word in that address; empty = none.
        query: the rest of that address.
        shown: whom or what it concerns, :data:`NAMES_SHOWN` at most.
        left_out: how many more.
        each: name of the address of one of those shown; empty = they have none.
        is_grave: somebody may be locked out by it, or let in.
    """

    what: str
    to_do: str
    button: str = ""
    view: str = ""
    argument: str = ""
    query: str = ""
    shown: tuple[Named, ...] = ()
    left_out: int = 0
    each: str = ""
    is_grave: bool = False


def to_do(facts: Facts) -> tuple[Line, ...]:
    """Everything that waits, the gravest first."""
    lines = [*_of_backups(facts), *_of_alerts(facts), *_of_exclusions(facts), *_of_oneself(facts)]
    if facts.leads:
        lines += [*_of_people(facts), *_of_premises(facts)]
    return tuple(sorted(lines, key=lambda line: not line.is_grave))


def _of_backups(facts: Facts) -> Iterable[Line]:
    for fault in facts.backup_faults:
        what, _, why = fault.partition(": ")
        yield Line(what=what, to_do=f"{why[:1].upper()}{why[1:]}", is_grave=True)


def _of_alerts(facts: Facts) -> Iterable[Line]:
    if facts.unasked:
        yield Line(
            what=f"Nobody is asked when an alert of {_listed(facts.unasked)} goes unanswered",
            to_do="It shows on open pages only. Look through who is proposed, and confirm it.",
            button="Escalation",
            view="escalation",
            is_grave=True,
        )
    yield from _about(
        facts.rota_gaps,
        "time in the next seven days NOBODY is on the rota",
        "times in the next seven days NOBODY is on the rota",
        to_do="Put somebody on, or nobody is asked then.",
        button="Rota",
        view="rota",
        is_grave=True,
    )
    yield from _about(
        facts.swaps,
        "colleague asks you to swap shifts",
        "colleagues ask you to swap shifts",
        to_do="Agree or decline. Until then the rota stays as it is.",
        button="Rota",
        view="rota",
        each="rota-swap",
    )


def _of_exclusions(facts: Facts) -> Iterable[Line]:
    yield from _about(
        facts.beyond,
        "scheme has more people excluded than shops are shown",
        "schemes have more people excluded than shops are shown",
        to_do=f"Shops are shown the newest {ENTRIES_MAX:,}. The register has all: revoke what is no longer needed.",
        button="Register",
        view="register",
        is_grave=True,
    )
    yield from _about(
        facts.galleries,
        "unit may show somebody who must not be shown, or its view log is broken",
        "units may show somebody who must not be shown, or their view logs are broken",
        to_do="The page says of each what to do.",
        button="Galleries",
        view="galleries",
        is_grave=True,
    )
    yield from _about(
        facts.galleries_late,
        "unit needs somebody for its gallery",
        "units need somebody for their galleries",
        to_do="Shops there are shown nobody, or not everybody. The page says of each what to do.",
        button="Galleries",
        view="galleries",
    )
    yield from _about(
        facts.breaches,
        "report of a shop waits: somebody was where they may not be",
        "reports of shops wait: somebody was where they may not be",
        total=facts.breaches_count,
        to_do="Say what was done. The shop is told how it ended.",
        button="Breaches",
        view="breaches",
        each="breach",
    )
    yield from _about(
        facts.votes,
        "vote waits for you",
        "votes wait for you",
        to_do="Read what was done, then vote before it ends.",
        button="Votes",
        view="votes",
        each="vote",
    )
    yield from _about(
        facts.cases,
        "case waits for you",
        "cases wait for you",
        to_do="Each says what its next step is.",
        button="Cases",
        view="cases",
        each="case",
    )
    yield from _about(
        facts.stale,
        "notice is out of date",
        "notices are out of date",
        total=facts.stale_count,
        to_do="The person’s copy does not say what holds now. Issue a new version of each, and have it served.",
        button="Show them",
        view="cases",
        query="?state=stale",
        each="case",
    )
    yield from _about(
        facts.requests,
        "person waits for your answer",
        "people wait for your answer",
        to_do="They have asked about themselves, or complained: the law says by when they are answered.",
        button="Requests",
        view="rights-due",
        each="rights-request",
    )
    yield from _about(
        facts.reviews,
        "document is to be reviewed",
        "documents are to be reviewed",
        to_do="Read it through once a year, then record it again.",
        button="Terms",
        view="terms",
    )


def _of_oneself(facts: Facts) -> Iterable[Line]:
    if facts.alone_in:
        yield Line(
            what=f"Nobody else can sign in as co-ordinator of {_listed(facts.alone_in)}",
            to_do="If you lose your phone, nobody there can help you. Make somebody else co-ordinator too.",
            button="People",
            view="people",
            is_grave=True,
        )
    mine = {one.sign_in for one in facts.colleagues if one.number == facts.me}
    if "through the office only" in mine:
        yield Line(
            what="You cannot enter the control room without the office",
            to_do="If it fails, you are locked out. Add a passkey, or print codes.",
            button="Your account",
            view="mfa_index",
            is_grave=True,
        )
    if "single" in mine:
        yield Line(
            what="You have a single passkey or app",
            to_do="If you lose it, only your recovery codes are left. Add another one.",
            button="Your account",
            view="mfa_index",
        )
    if facts.upload:
        yield Line(
            what="You uploaded a list of premises and did not import it",
            to_do="Look at what it would change, then import it. After an hour it is forgotten.",
            button="Look at it",
            view="premises-import-preview",
            argument=facts.upload,
        )


def _of_people(facts: Facts) -> Iterable[Line]:
    others = {
        how: _named(one for one in facts.colleagues if one.number != facts.me and one.sign_in == how)
        for how in get_args(SignIn)
    }
    none, through_office, single = others["none"], others["through the office only"], others["single"]
    yield from _about(
        none,
        "person cannot sign in",
        "people cannot sign in",
        to_do="They have no passkey or app. If their link has run out, make one: “Help with a lost phone or key”.",
        each="person",
        is_grave=True,
    )
    yield from _about(
        facts.invitations,
        "invitation has not been used",
        "invitations have not been used",
        to_do="Remind them, or cancel the invitation.",
        button="People",
        view="people",
    )
    yield from _about(
        through_office,
        "person cannot enter the control room without the office",
        "people cannot enter the control room without the office",
        to_do="If it fails, they are locked out. Ask them to add a passkey, or to print codes.",
        each="person",
    )
    yield from _about(
        single,
        "person has a single passkey or app",
        "people have a single passkey or app",
        to_do="If it is lost, only their recovery codes are left. Ask them to add another one.",
        each="person",
    )


def _of_premises(facts: Facts) -> Iterable[Line]:
    shops = facts.shops
    if not shops:
        yield Line(
            what="There are no premises yet",
            to_do="Import a list, or add the first under “Premises”.",
            button="Import CSV",
            view="premises-import",
        )
        return
    no_key_holder = _named(one for one in shops if not one.has_key_holder)
    yield from _about(
        no_key_holder,
        "premises has no key-holder",
        "premises have no key-holder",
        to_do="Nobody can be called there at night. Add one.",
        button="Show them",
        view="premises-list",
        query="?missing=key-holder",
        each="premises",
    )
    no_staff = _named(one for one in shops if not one.has_staff_contact)
    yield from _about(
        no_staff,
        "premises does not say how to reach staff",
        "premises do not say how to reach staff",
        to_do="The control room cannot call back during an alert. Add a telephone number.",
        button="Show them",
        view="premises-list",
        query="?missing=staff",
        each="premises",
    )
    yield from _of_units(facts)
    members = facts.members_without_contact
    yield from _about(
        members,
        "member has no contact",
        "members have no contact",
        to_do="None of their people sees their premises here. Invite a member’s contact, then choose them there.",
        button="Show them",
        view="members-list",
        query="?missing=contact",
        each="member",
    )


def _of_units(facts: Facts) -> Iterable[Line]:
    if facts.fitted is None:
        yield Line(
            what="Nobody knows which premises have a unit",
            to_do="The fleet’s directory cannot be read at the office. Tell the fleet engineer.",
        )
        return
    without = _named(one for one in facts.shops if one.number not in facts.fitted)
    yield from _about(
        without,
        "premises has no unit yet",
        "premises have no unit yet",
        to_do="No alert can come from there. Ask the fleet engineer to fit one.",
        button="Show them",
        view="premises-list",
        query="?unit=none",
        each="premises",
    )


def _named(ones: Iterable[Colleague | Shop]) -> list[Named]:
    return [Named(one.number, one.name) for one in ones]


def _listed(names: Sequence[str]) -> str:
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]


def _about(ones: Sequence[Named], word: str, words: str, total: int = 0, **rest: object) -> Iterable[Line]:
    """A line that counts and shows them, if there are any; ``total``: how many, if not all are in ``ones``."""
    if ones:
        count, shown = total or len(ones), tuple(ones[:NAMES_SHOWN])
        what = f"{count:,} {word if count == 1 else words}"
        yield Line(what=what, shown=shown, left_out=count - len(shown), **rest)  # type: ignore[arg-type]
