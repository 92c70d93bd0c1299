"""The cases of the demo's office, as data: a person of nobody's, what was done, and when each step was taken.

People and deeds are invented, and so are the shops. Nothing here is said of ethnicity, religion, orientation or health.
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from office.exclusions.rules.period import Category

Move = Literal[
    "nominate",
    "check",
    "open-vote",
    "open-meeting",
    "meet",
    "issue",
    "serve",
    "appeal",
    "restrict",
    "revoke",
    "withdraw",
    "expire",
    "lapse",
]
"""``meet`` = a vote at a meeting from its opening to its count."""


class Step(Struct, frozen=True):
    """A step of a case.

    Attributes:
        days_ago: when; a day or more ago it was in office hours.
        move: which.
        words: the reason, if it wants one.
    """

    days_ago: float
    move: Move
    words: str = ""


class Story(Struct, frozen=True, kw_only=True):
    """A case with its person.

    Attributes:
        scheme: slug.
        name: empty = not known.
        born_years_ago: 0 = not known.
        face: number of the photograph in ``demo/faces``; 0 = none.
        member: in whose name it is nominated; empty = the co-ordinator's.
        against: of the members that vote at the meeting, how many raise their hand against.
        listed: places at which alone it holds; none = all premises.
    """

    scheme: Literal["hart", "pub-watch"]
    name: str
    description: str
    category: Category
    conduct: str
    evidence: str
    happened_at: str
    steps: tuple[Step, ...]
    also_known_as: str = ""
    born_years_ago: int = 0
    address: str = ""
    face: int = 0
    member: str = ""
    against: int = 0
    regional_source: str = ""
    listed: tuple[str, ...] = ()


def _decided(days_ago: float) -> tuple[Step, ...]:
    """Nominated, checked, and excluded at a meeting on that day."""
    return (Step(days_ago + 6, "nominate"), Step(days_ago + 4, "check"), Step(days_ago, "meet"))


def _served(days_ago: float) -> tuple[Step, ...]:
    """Served on that day."""
    return (*_decided(days_ago + 2), Step(days_ago + 1, "issue"), Step(days_ago, "serve"))


STORIES: Final = (
    Story(
        scheme="hart",
        name="Dale Hawthorn",
        description="About 175 cm, short fair hair, glasses.",
        born_years_ago=44,
        category="theft",
        conduct="Left with a boxed coffee machine and did not pay. Brought it back when asked in the street.",
        evidence="Film of the door camera, seen by two members of staff.",
        happened_at="Corner Shop, High St",
        member="Corner Shop",
        steps=(*_served(220), Step(36, "expire")),
    ),
    Story(
        scheme="hart",
        name="Alder Finch",
        also_known_as="Al",
        description="About 180 cm, slim, blue jumper, walks with long steps.",
        born_years_ago=31,
        address="Flat 2, 40 Mill Ln, LE1 4AB",
        face=1,
        category="abuse-of-staff",
        conduct="Shouted at a cashier who would not sell without proof of age, and threw the basket on the counter.",
        evidence="Film with sound of the till camera. A statement of the cashier.",
        happened_at="Penny Books, Mill Ln",
        member="Penny Books",
        steps=_served(40),
    ),
    Story(
        scheme="hart",
        name="Bryony Marsh",
        description="About 165 cm, short dark hair, red rucksack.",
        born_years_ago=27,
        address="8 Cank St, LE1 5GW",
        face=3,
        category="theft",
        conduct="Put four jars of coffee into a bag and went out past the till. Three were found outside.",
        evidence="Film of cameras 2 and 5. The till roll of that hour.",
        happened_at="Corner Shop, High St",
        member="Corner Shop",
        steps=(*_served(30), Step(3, "appeal", "I had paid for one of them, and I am sorry about the others.")),
    ),
    Story(
        scheme="hart",
        name="Corin Wells",
        description="About 190 cm, beard, green coat.",
        born_years_ago=38,
        face=4,
        category="violence",
        conduct="Pushed a member of staff against the shelves at the door and ran off. She was bruised and shaken.",
        evidence="Film of camera 1. Police have it under a crime number.",
        happened_at="Night Stop, Park St",
        steps=(
            *_served(75),
            Step(8, "restrict", "He says it was his brother; the film is being looked at again."),
        ),
    ),
    Story(
        scheme="hart",
        name="Esme Rook",
        description="About 170 cm, shaved head, grey jumper, often with a blue umbrella.",
        born_years_ago=52,
        address="17 King St, LE1 6RN",
        face=9,
        category="fraud",
        conduct="Brought back goods with receipts from the bin three times in one week, and was given money twice.",
        evidence="Receipts and film of three days, held by the shop.",
        happened_at="Penny Books, Mill Ln",
        member="Penny Books",
        listed=("Corner Shop", "Penny Books"),
        steps=(*_decided(2), Step(1, "issue")),
    ),
    Story(
        scheme="hart",
        name="Ivo Crane",
        description="Slim, school bag, white trainers.",
        born_years_ago=16,
        face=11,
        category="criminal-damage",
        conduct="Kicked the glass of a display until it broke. Stayed until staff came, and gave his name.",
        evidence="Film of camera 3. A bill of the glazier.",
        happened_at="Night Stop, Park St",
        steps=_decided(1),
    ),
    Story(
        scheme="hart",
        name="Fenn Lark",
        description="About 172 cm, short brown hair, headphones.",
        born_years_ago=24,
        face=5,
        category="theft",
        conduct="Took two bottles of spirits on three evenings, each time while the shop was full.",
        evidence="Film of three evenings. The stock list of that week.",
        happened_at="Night Stop, Park St",
        steps=(Step(6, "nominate"), Step(3, "check"), Step(2, "open-vote")),
    ),
    Story(
        scheme="hart",
        name="Juno Birch",
        description="About 160 cm, short black hair, yellow coat.",
        born_years_ago=35,
        face=6,
        category="abuse-of-staff",
        conduct="Called a trainee names across the shop until she cried, and came back the next day to go on.",
        evidence="Statements of two members of staff.",
        happened_at="Penny Books, Mill Ln",
        member="Penny Books",
        steps=(Step(4, "nominate"), Step(1, "check")),
    ),
    Story(
        scheme="hart",
        name="",
        description="About 30, 185 cm, shaved head, burgundy jumper, a scar on the left hand.",
        face=14,
        category="theft",
        conduct="Filled a trolley with meat and coffee and pushed it out by the fire door.",
        evidence="Film of the back door. Nobody knows the name.",
        happened_at="Corner Shop, High St",
        member="Corner Shop",
        steps=(Step(1, "nominate"),),
    ),
    Story(
        scheme="hart",
        name="Glen Sorrel",
        description="About 178 cm, grey beard, flat cap.",
        born_years_ago=66,
        category="disorder",
        conduct="Argued loudly about a parking space in front of the shop, and left when asked.",
        evidence="Staff saw it.",
        happened_at="Corner Shop, High St",
        member="Corner Shop",
        against=4,
        steps=_decided(12),
    ),
    Story(
        scheme="hart",
        name="Tansy Holme",
        description="About 172 cm, long grey coat, red scarf.",
        born_years_ago=47,
        category="criminal-damage",
        conduct="Pulled down a shelf of plates after a quarrel about a refund.",
        evidence="Film of camera 1, held by the shop.",
        happened_at="Corner Shop, High St",
        member="Corner Shop",
        steps=(*_decided(40), Step(11, "lapse")),
    ),
    Story(
        scheme="hart",
        name="Marlow Pike",
        description="About 168 cm, blue anorak.",
        category="theft",
        conduct="Was thought to have left with a book under the coat.",
        evidence="One member of staff saw it from afar.",
        happened_at="Penny Books, Mill Ln",
        member="Penny Books",
        steps=(
            Step(7, "nominate"),
            Step(5, "withdraw", "The book was found on another shelf. The shop has said sorry to the person."),
        ),
    ),
    Story(
        scheme="pub-watch",
        name="Hollis Teal",
        description="About 183 cm, broad, short beard, tattoo of a swallow on the neck.",
        born_years_ago=29,
        face=15,
        category="drugs",
        conduct="Sold small bags at a table in the garden. Two guests told the landlord.",
        evidence="Police found six bags. Crime number with the police.",
        happened_at="Red Lion, Church St",
        member="Red Lion",
        against=1,
        steps=_served(150),
    ),
    Story(
        scheme="pub-watch",
        name="Perrin Moss",
        description="About 176 cm, red hair.",
        born_years_ago=33,
        category="violence",
        conduct="A fight at the bar; a glass was broken, and a guest was hurt at the hand.",
        evidence="Film of the bar camera.",
        happened_at="Red Lion, Church St",
        member="Red Lion",
        steps=(
            *_served(60),
            Step(25, "appeal", "I only came between the two who fought. My friend can say so."),
            Step(20, "revoke", "The film shows it: Perrin Moss held them apart. The members have said sorry."),
        ),
    ),
    Story(
        scheme="pub-watch",
        name="Tam Larkspur",
        description="About 170 cm, short beard, green jumper, loud laugh.",
        born_years_ago=41,
        face=8,
        category="disorder",
        conduct="Stood on the tables at closing time and would not leave until the police came.",
        evidence="The landlord and two guests saw it.",
        happened_at="Night Stop, Park St",
        steps=_served(83),
    ),
    Story(
        scheme="pub-watch",
        name="Linden Grey",
        description="About 187 cm, short grey hair, long coat.",
        born_years_ago=58,
        face=16,
        category="fraud",
        conduct="Paid with copied vouchers in four towns, and was known by the same words each time.",
        evidence="A list of the vouchers, held by the neighbouring scheme.",
        happened_at="Red Lion, Church St",
        regional_source="The pub watch of the next town",
        steps=_decided(0.6),
    ),
    Story(
        scheme="pub-watch",
        name="Wren Fallow",
        description="About 163 cm, short black hair, denim jacket.",
        born_years_ago=22,
        face=10,
        category="abuse-of-staff",
        conduct="Threatened the door staff with what would happen to them on their way home.",
        evidence="Film with sound of a body-worn camera, held by the door staff.",
        happened_at="Red Lion, Church St",
        member="Red Lion",
        steps=(Step(5, "nominate"), Step(2, "check"), Step(0, "open-meeting")),
    ),
    Story(
        scheme="pub-watch",
        name="Ash Merrow",
        description="About 174 cm, woollen hat, usually with a small dog.",
        category="disorder",
        conduct="Let off fireworks in the yard. Nobody was hurt, but a hedge burnt.",
        evidence="Photographs of the hedge. Two guests saw it.",
        happened_at="Red Lion, Church St",
        member="Red Lion",
        steps=(Step(0.3, "nominate"),),
    ),
)
