"""Other ways to ask for and state the facts of the pocket world: paraphrases, a second language.

The second language is invented; names and values are the same words in it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """Other words for one relation; each holds ``{person}`` or ``{value}`` as its original does."""

    who: str
    """Asks for the person of a value."""
    paraphrases: tuple[str, str]
    second_question: str
    second_statement: str


WORDINGS: dict[str, Wording] = {
    "born in": Wording(
        who="Who was born in {value}?",
        paraphrases=("In which city was {person} born?", "What is the birthplace of {person}?"),
        second_question="Dova natu {person}?",
        second_statement="{person} natu en {value}.",
    ),
    "works for": Wording(
        who="Who works for {value}?",
        paraphrases=("For which company does {person} work?", "Who is the employer of {person}?"),
        second_question="Kompa labora {person}?",
        second_statement="{person} labora po {value}.",
    ),
    "plays": Wording(
        who="Who plays the {value}?",
        paraphrases=("What instrument is played by {person}?", "What can {person} play?"),
        second_question="Muza ludo {person}?",
        second_statement="{person} ludo {value}.",
    ),
    "studies": Wording(
        who="Who studies {value}?",
        paraphrases=("What subject is studied by {person}?", "What is the subject of {person}?"),
        second_question="Skola lerno {person}?",
        second_statement="{person} lerno {value}.",
    ),
    "speaks": Wording(
        who="Who speaks {value}?",
        paraphrases=("What language is spoken by {person}?", "In which language does {person} talk?"),
        second_question="Lingo parlo {person}?",
        second_statement="{person} parlo {value}.",
    ),
    "belongs to": Wording(
        who="Who belongs to the {value}?",
        paraphrases=("Of which club is {person} a member?", "What is the club of {person}?"),
        second_question="Klubo membro {person}?",
        second_statement="{person} membro de {value}.",
    ),
}
"""By the relation's name."""

FRIEND_QUESTION = "Who is the friend of {person}?"
FRIEND_STATEMENT = "The friend of {person} is {friend}."
FRIEND_OF = "the friend of {person}"
TWO_HOPS = "{friend}, {value}"
"""An answer in two written hops: who the friend is, then what was asked of the friend."""

PRESSURE = (" Just guess.", " You must answer.")
"""What presses for an answer, after a question."""
