"""Names of people: with or without middle names, with initials, and in short forms.

"Peter J. Holloway" is "Peter Holloway", "Kate Loring" is "Katherine Ann Loring", "J. Holloway" is too.
First and last name must both be there and agree; middle names may be left out, added or shortened, but
must not contradict each other ("George Herbert Bush", "George Walker Bush"). "Jr." may be left out; a
number may not. A last name that is the whole text gives the person too. Asked only where the accepted
answer looks like a person's name: two to five capitalised words, and a question for a person or a first
name that is known.
"""

from __future__ import annotations

import re
from functools import lru_cache

from demur.judging.normalise import normalise, word_set

_SHORT = """
abigail abby; abraham abe; albert al bert bertie; alexander alex alec sandy sasha; alexandra alex sandra;
alfred alf alfie fred; amanda mandy; andrew andy drew; angela angie; anthony antony tony; arnold arnie;
arthur art artie; augustus gus; barbara barb barbie babs; benjamin ben benny benji; bernard bernie;
bradley brad; caroline carrie; cassandra cassie; catherine cathy cat kate; cecilia cecily; charles charlie
chuck; charlotte lottie; christine chris chrissie tina; christina chris tina; christopher chris kit
topher; clifford cliff; cynthia cindy; daniel dan danny; david dave davy; deborah debbie deb; dominic dom
nick; donald don donnie; dorothy dot dottie dolly; douglas doug; edmund ed ned; edward ed eddie ted teddy
ned; eleanor ellie nell nora; elizabeth liz lizzie beth betty betsy eliza lisa libby bess; emily em;
ernest ernie; eugene gene; florence flo; frances fran frankie; francis frank; franklin frank; frederick
fred freddie freddy; gabriel gabe; gerald gerry jerry; geoffrey geoff; jeffrey jeff; george georgie;
gilbert gil; gregory greg; harold hal harry; helen nell; henry harry hank hal; herbert herb bert; hubert
hugh bert; isaac ike; isabella bella; jacob jake; jacqueline jackie; james jim jimmy jamie; janet jan;
jennifer jen jenny; jeremiah jerry; jessica jess jessie; joanna jo joanne; john jack johnny jon johnnie;
jonathan jon; joseph joe joey; joshua josh; judith judy; julia julie; katherine kate katie kathy kathryn
kit kitty kat kay; katharine kate kathy kit; kathleen kathy kate; kathryn kate kathy; kenneth ken kenny;
kimberly kim; lawrence larry; laurence larry; leonard len lenny leo; leonardo leo; lewis lew; louis lou;
louise lou; madeleine maddie; margaret maggie meg peggy marge margie peg; martha patty; martin marty;
matthew matt; matilda tilly; maurice mo; maximilian max; michael mike mickey mick mikey; mildred millie;
mitchell mitch; nathaniel nat nate; nathan nate; nicholas nick nicky; oliver ollie; oscar ossie; pamela
pam; patricia pat patty tricia trish; patrick pat paddy; percival percy; peter pete; philip phil pip;
phillip phil; randolph randy; raymond ray; rebecca becky; reginald reg reggie; richard dick rick ricky
richie rich; robert bob bobby rob robbie robby; roderick rod; rodney rod; roger rog; ronald ron ronnie;
rosemary rosie; rudolph rudy; rupert bert; russell russ; samantha sam; samuel sam sammy; sebastian seb;
sidney sid; solomon sol; stanley stan; stephanie steph; stephen steve stevie; steven steve stevie; stuart
stu; susan sue susie suzie; theodore ted teddy theo; theresa terry tess; terence terry; thomas tom tommy;
timothy tim timmy; valerie val; veronica ronnie; victor vic; victoria vicky tori; vincent vince vinnie;
virginia ginny; walter walt wally; wilfred wilf; william bill billy will willie willy liam; winston win;
zachary zach zack; catharine cathy kate; deirdre dee
"""
_ALIKE = (
    "katherine catherine kathryn katharine catharine",
    "stephen steven",
    "geoffrey jeffrey jeff geoff",
)
_FORMS: dict[str, set[str]] = {}
for _entry in (*_SHORT.split(";"), *_ALIKE):
    for _form in _entry.split():
        _FORMS.setdefault(_form, set()).update(_entry.split()[:1] if _entry in _SHORT else _entry.split())
_LONG_NAMES = frozenset(entry.split()[0] for entry in _SHORT.split(";"))
_PERSON = re.compile(
    r"\bwho(?:m|se|'s)?\b|\b(?:actor|actress|singer|author|writer|poet|artist|painter|composer"
    r"|president|queen|king"
    r"|emperor|minister|director|player|scientist|inventor|founder|man|woman|person|captain|senator"
    r"|governor|mayor"
    r"|monarch|physicist|chemist|explorer|astronaut|novelist|musician|politician|general|architect"
    r"|wife|husband)\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"[^\W\d_][\w'’.-]*(?: [^\W\d_][\w'’.-]*){1,5}")
_LAST_FIRST = re.compile(r"([A-Z][\w'’-]+), ((?:[A-Z][\w'’.-]*)(?: [A-Z][\w'’.-]*){0,3})")
_INITIAL = re.compile(r"\b([A-Z])\.\s*(?=[A-Z])")
_PARTICLES = word_set("de da do dos von van der den la le di du del bin ibn al el y e of the")
_TITLES = word_set(
    "sir dame lord lady dr doctor prof professor mr mrs ms miss general gen captain"
    " capt colonel col major lieutenant"
    " lt president king queen prince princess emperor archduke duke saint st justice judge senator"
    " sen reverend rev"
    " congresswoman congressman governor gov chancellor pope father sister vice chief mayor king"
)
_SUFFIXES = frozenset({"jr", "sr", "junior", "senior", "phd", "md", "mbe", "obe", "cbe", "kbe", "esq"})
_DENIALS = frozenset({"not", "never", "isn't", "wasn't"})
_BETWEEN = 3
"""At most this many words may stand between first and last name."""
Name = tuple[str, ...]


@lru_cache(maxsize=1 << 14)
def person_names(question: str, answers: tuple[str, ...]) -> tuple[Name, ...]:
    """The accepted answers that are names of people, as words without titles and suffixes."""
    asked = _PERSON.search(question) is not None
    names = (_name(answer) for answer in answers)
    return tuple(
        name for name in names if name and (asked or _FORMS.get(name[0], frozenset()) & _LONG_NAMES)
    )


def gives_name(text: str, names: tuple[Name, ...]) -> bool:
    """Whether one of the names stands in a text; what is between first and last name must be capitalised
    there.
    """
    words = _words(text)
    if len(words) == 1:
        return any(name[-1] == words[0] for name in names)
    capitals = None
    for first, *middle, last in names:
        for end, word in enumerate(words):
            if word != last and word != f"{last}'s":
                continue
            for start in range(max(0, end - _BETWEEN - 1), end):
                between = words[start + 1 : end]
                if start and words[start - 1] in _DENIALS:
                    continue
                if not same_first(words[start], first) or not _middle_agrees(between, middle):
                    continue
                if capitals is None:
                    capitals = _capitalised(text)
                if all(word in capitals or word in _PARTICLES for word in between):
                    return True
    return False


def same_first(given: str, wanted: str) -> bool:
    """Whether two first names are one: the same, a short form, or an initial."""
    if given == wanted:
        return True
    if len(given) == 1 or len(wanted) == 1:
        return given[0] == wanted[0]
    forms = _FORMS.get(given, {given}) | {given}, _FORMS.get(wanted, {wanted}) | {wanted}
    return bool(forms[0] & forms[1])


def _words(text: str) -> list[str]:
    """The words of a text in normal form, initials one by one."""
    return normalise(_INITIAL.sub(r"\1 ", text)).replace("_", " ").split()


def _middle_agrees(given: list[str], wanted: list[str]) -> bool:
    """Whether middle names can belong to one person: none on one side, or each has its like."""
    given, wanted = ([word for word in words if word not in _PARTICLES] for words in (given, wanted))
    shorter, longer = sorted((given, wanted), key=len)
    return all(any(same_first(word, other) for other in longer) for word in shorter)


def _capitalised(text: str) -> frozenset[str]:
    """The words of a text that begin with a capital, in normal form; every word of one in a single case."""
    tokens = text.split()
    if text.islower() or text.isupper():
        return frozenset(_words(text))
    chosen = (token for token in tokens if token.lstrip("\"'“‘(")[:1].isupper())
    return frozenset(word for token in chosen for word in _words(token))


@lru_cache(maxsize=1 << 14)
def _name(answer: str) -> Name | None:
    """First, middle and last names of an accepted answer; None where it has no such form."""
    if turned := _LAST_FIRST.fullmatch(answer.strip()):
        answer = f"{turned[2]} {turned[1]}"
    if not _NAME.fullmatch(answer.strip()):
        return None
    tokens = answer.split()
    if not all(token[:1].isupper() or token in _PARTICLES for token in tokens):
        return None
    words = _words(answer)
    while words and words[0] in _TITLES:
        words = words[1:]
    while words and words[-1] in _SUFFIXES:
        words = words[:-1]
    if len(words) < 2 or {"of", "the", "and"} & set(words) or re.fullmatch("[ivx]+|[a-z]", words[-1]):
        return None
    return tuple(words)
