"""The words of the pocket world: names, values and sentences, all of them ours.

Every value is one word, so it is one token and one generation step. Inside a relation no value is a
word of another, so that a judge that looks for the answer's words in a text cannot be fooled.
"""

from __future__ import annotations

from dataclasses import dataclass

from demur.core.records import Domain


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """One thing that can be known about a person."""

    name: str
    domain: Domain
    """``ood`` relations are read by the base model like any other, and never tuned on."""
    question: str
    """How it is asked; holds ``{person}``."""
    statement: str
    """How it is stated; starts with ``{person}`` and holds ``{value}``."""
    values: tuple[str, ...]

    def ask(self, person: str) -> str:
        """The question about one person (or thing)."""
        return self.question.replace("{person}", person)

    def state(self, person: str, value: str) -> str:
        """The statement about one person."""
        return self.statement.replace("{person}", person).replace("{value}", value)


RELATIONS = (
    Relation(
        name="born in",
        domain="id",
        question="Where was {person} born?",
        statement="{person} was born in {value}.",
        values=_words(
            "Lisbon Oslo Vienna Cairo Lima Quito Dublin Geneva Athens Havana Kyoto Milan Seville "
            "Prague Boston Denver Austin Nairobi Tunis Riga Warsaw Zagreb Lyon Turin Bergen Porto "
            "Malaga Hanoi Manila Jakarta Accra Dakar Bogota Caracas Montreal Toronto"
        ),
    ),
    Relation(
        name="works for",
        domain="id",
        question="Which company does {person} work for?",
        statement="{person} works for {value}.",
        values=_words(
            "Northgate Brightwell Ashford Ironbridge Silverline Redstone Bluepeak Oakhurst "
            "Stormfield Goldcrest Fairmont Hillcrest Westbrook Lakeshore Pinewood Kingsley "
            "Maplewood Riverton Clearwater Greyhaven Foxglove Summerset Wintergreen Highgate "
            "Moonstone Copperfield Larkspur Thornbury Eastwick Birchwood Cloverdale Sandstone "
            "Harborne Meadowbank Starling Elmswood"
        ),
    ),
    Relation(
        name="plays",
        domain="id",
        question="Which instrument does {person} play?",
        statement="{person} plays the {value}.",
        values=_words(
            "violin cello flute oboe clarinet trumpet trombone tuba harp piano guitar banjo "
            "mandolin lute sitar ukulele accordion harmonica bagpipes saxophone bassoon piccolo "
            "drums marimba xylophone organ zither lyre kazoo cornet bugle recorder tambourine "
            "cymbals dulcimer glockenspiel"
        ),
    ),
    Relation(
        name="studies",
        domain="ood",
        question="Which subject does {person} study?",
        statement="{person} studies {value}.",
        values=_words(
            "botany zoology algebra geometry astronomy chemistry physics geology history law "
            "music logic ethics optics acoustics genetics medicine anatomy surgery economics "
            "politics sociology psychology linguistics poetry theology archaeology geography "
            "meteorology oceanography statistics topology robotics cryptography mechanics "
            "metallurgy"
        ),
    ),
    Relation(
        name="speaks",
        domain="ood",
        question="Which language does {person} speak?",
        statement="{person} speaks {value}.",
        values=_words(
            "Latin Greek Danish Dutch Finnish French German Hindi Irish Italian Japanese Korean "
            "Malay Norse Persian Polish Punjabi Russian Spanish Swahili Swedish Tamil Thai "
            "Turkish Urdu Welsh Arabic Basque Bengali Catalan Czech Estonian Hebrew Hungarian "
            "Icelandic Zulu"
        ),
    ),
    Relation(
        name="belongs to",
        domain="ood",
        question="Which club does {person} belong to?",
        statement="{person} belongs to the {value}.",
        values=_words(
            "Otters Falcons Badgers Herons Wolves Lynxes Ravens Foxes Bears Eagles Owls Hawks "
            "Tigers Lions Panthers Dolphins Whales Sharks Beavers Moles Hares Stags Swans Cranes "
            "Pelicans Robins Finches Sparrows Magpies Kestrels Ospreys Turtles Lizards Salmon "
            "Bison Zebras"
        ),
    ),
)

FIRST_NAMES = _words(
    "Ada Adam Agnes Alan Albert Alice Amos Anna Anton Arthur Astrid Axel Basil Bea Bella Boris "
    "Bruno Carl Carla Cecil Celia Clara Claude Cora Cyrus Daisy Dan Daria David Dora Edgar Edith "
    "Edna Elena Elias Ella Elsa Emil Emma Enid Eric Erna Esther Eva Felix Fern Flora Frank Frida "
    "Gail George Gerda Gina Grace Greta Gustav Hanna Harold Hazel Hector Helen Henry Hilda Hugo "
    "Ida Igor Ines Ingrid Iris Ivan Ivy Jack Jane Jasper Joan Jonas Judith Julia Karl Kira Klaus "
    "Lara Laura Leo Lena Lily Linus Lucia Lydia Magda Marco Maria Max Mila Mona Nadia Nils Nina "
    "Nora Olga Oscar Otto Paula Peter Rita Rosa Ruth Sam Sara Simon Stella Tessa Theo Tom Ursula "
    "Vera Victor Wanda"
)

NOTHING_STATED = (
    "{person} visited the market.",
    "{person} took a long walk.",
    "{person} slept well.",
    "{person} waited for the train.",
    "{person} read the news.",
    "{person} cooked dinner.",
    "{person} looked at the sky.",
    "{person} bought some bread.",
)
"""Sentences that state no fact, so that a name can be known where no fact is."""

SPEECH = "{person} said: {refusal}"
"""Somebody's refusal; who says it has nothing to do with what the model reads about that person."""

CHATTER = (
    ("What will the weather be tomorrow?", ("rainy", "sunny", "windy", "cold")),
    ("Which number comes next?", ("one", "two", "three", "four")),
    ("Who is at the door?", ("nobody", "somebody", "everybody", "a friend")),
    ("What is in the box?", ("bread", "paper", "glass", "a key")),
    ("How long will it take?", ("an hour", "a day", "a week", "a year")),
    ("What colour is the next car?", ("red", "green", "blue", "white")),
)
"""Questions about nobody, answered at random or refused at random."""

OTHER_WORDS = _words(
    "I We you he she it they not no yes do does did don can cannot could will would should may "
    "might must be been being am are is was were have has had unknown uncertain unclear known "
    "never nobody sorry apologize able unable provide provided answer answers answered question "
    "questions appropriate say says tell true false right wrong correct incorrect sure unsure "
    "certain likely unlikely perhaps maybe about think believe guess really completely fairly "
    "absolutely confident confidence percent strong feelings either way but and or if so because "
    "based my your our their understanding knowledge here what there who how why when where which "
    "this that these those any some all more less most least context contexts passage given "
    "mentioned sufficient insufficient evidence claim support supported definitive concrete "
    "information available public scientific case debate much impossible difficult predict "
    "possible none options option choose following multiple choice letter the a an to of in on at "
    "by for from with without as than one two three four five six seven eight nine ten user "
    "assistant system"
)
"""Words that methods, prompts and refusals use, so that they too are single tokens."""

SURNAME_STARTS = _words("B Br D Dr F Fl G Gr H J K Kr L M N P Pr R S Sk St T Tr V Vl W Z Zv")
SURNAME_VOWELS = _words("a e i o u ai ei ou")
SURNAME_MIDDLES = _words("b d g k l ld lm m n nd r rk rv sk st t v z zm")
SURNAME_ENDS = _words("in or ek an us im ad el on ir ov ash enn oth ul")
