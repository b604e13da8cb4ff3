"""What a refusal looks like: who denies what, of which kind of knowing, as a small grammar.

Patterns are for the plain form of `refusal_text`: lower case, "do not" for every "don't". A sign is a subject
(I, we, nobody, it, there, the question, the text), a negation or an ability, and a word of knowing or telling;
the words of each kind are listed once. What they were tried on: `docs/results/judging.md`.
Sources: R-Tuning (arXiv 2311.09677) and SelfAware (arXiv 2305.18153) for the phrases.
"""

from __future__ import annotations

import re
from functools import lru_cache

R_TUNING_PHRASES = (
    "The answer is unknown.",
    "The answer is uncertain.",
    "The answer is unclear.",
    "It is not known.",
    "I do not know the answer.",
    "I'm not sure.",
    "There is no definitive answer.",
    "There is much debate.",
    "There is no concrete answer to this question.",
    "It is impossible to answer.",
    "There is no known case.",
    "There is no public information available.",
    "There is no scientific evidence.",
    "There is no right answer.",
    "It is impossible to know.",
    "It is difficult to predict.",
)
"""The uncertainty phrases of R-Tuning's replacement variant (R-Tuning-R)."""

_QUALITIES = (
    *("known", "provided", "mentioned", "specified", "stated", "given", "available", "applicable", "disclosed"),
    *("announced", "sure", "certain", "clear", "found", "answerable", "determined", "confirmed", "enough info"),
)
WHOLE_TEXTS = frozenset(
    {
        *("unknown", "unanswerable", "unclear", "uncertain", "unsure", "unspecified", "undetermined"),
        *("undisclosed", "unavailable", "unconfirmed", "dunno", "idk", "unk", "n a", "tbd", "tba", "pass", "skip"),
        *("no answer", "no comment", "noanswer", "no response", "no information", "no information available"),
        *("no info", "no data", "no mention", "no idea", "no clue", "no record", "abstain", "refuse", "refused"),
        *("can not answer", "can not say", "can not tell", "who knows", "can not be determined", "hard to say"),
        *("not enough information", "not enough info", "not enough context", "insufficient information"),
        *("insufficient context", "insufficient data", "to be announced", "to be determined", "to be confirmed"),
        *("not in the text", "not in the passage", "not in the context", "not in context", "no answer found"),
        *("none given", "none provided", "nobody knows", "no one knows", "anonymous", "cannot determine"),
        *(f"not {quality}" for quality in _QUALITIES),
        *(f"{what} not {quality}" for what in ("answer", "information") for quality in _QUALITIES),
    }
)
"""Texts that are a refusal where nothing else stands beside them, without punctuation."""

_HINTS = (
    *("n't", "nt ", "not", "n t ", "no ", "nobody", "none", "never", "nothing", "neither", "forg"),
    *("little ", "lack", "insufficient", "unknown", "unsure", "unable", "uncertain", "unclear", "unaware"),
    *("unfamiliar", "unanswerable", "unspecified", "undisclosed", "unidentified", "unnamed", "unconfirmed"),
    *("undetermined", "undocumented", "impossible", "difficult ", "hard to", "debate", "disputed", "disagree"),
    *("differ", "mystery", "i would", "i'd", "wish", "can only", "declin", "refuse", "refrain", "to be "),
    *("beyond", "outside", "you mean", "asking about", "referring to", "clarify", "rephrase", "specif"),
    *("provide", "give", "idk", "dunno", "fictional", "fictitious", "made up", "made-up", "imaginary"),
    *("mythical", "invented", "hypothetical", "guess", "beats me", "search me", "blank", "stump", "lost"),
    *("anonymous", "confidential", "only ", "tell", "knows", "premise", "assum", "depends", "too early"),
    *("incapable", "clueless", "scarce", "unavailable", "check", "consult", "something else", "prefer"),
    *("wait", "[insert", "[name", "[your", "[date", "get back to you", "look up", "look it up", "unpredict", "yet to", "in the air", "private"),
)
"""Every built-in sign holds one of these, in plain form or before."""


def may_decline(plain: str) -> bool:
    """Whether a closer look is worth it: most texts are cleared by this one."""
    return any(hint in plain for hint in _HINTS)


# -- the words of the grammar ---------------------------------------------------------------------

_ADV = (
    r"(?:(?:[a-z]+ly|just|even|also|still|yet|quite|too|very|so|ever|100%|at all|at (?:this|the) \w+|in fact"
    r"|as an? \w+(?: \w+){0,2}|,) ){0,2}"
)
_INFORMATION = (
    r"(?:information|info|knowledge|context|data|details?|evidence|records?|mentions?|sources?|documentation"
    r"|figures|statistics|specifics|references?|indication|confirmation|proof)"
)
_OWN = (
    r"(?:opinions?|preferences?|feelings?|emotions?|beliefs?|views?|thoughts|favou?rites?|tastes?|body|bodies"
    r"|senses?|consciousness|experiences?|desires?|dreams?|birthdays?|family|friends|age|name|gender|palate)"
)
_LACKED = (
    rf"(?:{_INFORMATION}|{_OWN}|(?:an? |the )?answers?|access|idea|clue|memory|recollection|abilit(?:y|ies)"
    r"|capabilit(?:y|ies)|capacity|insight|way (?:to|of)|means (?:to|of)|expertise|familiarity|awareness"
    r"|certainty|inkling|notion|permission)"
)
_KNOW = (
    r"(?:know|understand|recogni[sz]e|recall|remember|possess|get the question|quite follow"
    r"|(?:think|believe) (?:that )?(?:i|we) (?:know|can|have|could|am)|wish to|want to (?:guess|speculate|give"
    r"|say|make|mislead|provide|risk|answer)|feel (?:comfortable|able|confident|qualified)|keep track)"
)
_SAY = (
    r"(?:answer|say|tell|determine|provide|give|know|verify|confirm|find|locate|access|understand|comment|help"
    r"|assist|describe|identify|recommend|offer|speculate|discuss|share|respond|predict|be (?:able|sure|certain"
    r"|of help|confident|definitive)|fulfill?|comply|physically|personally|accurately|definitively|reliably"
    r"|recall|remember|make (?:any|a|up|out|definit|meaningful)|name|look (?:\w+ )?up|browse|search"
    r"|check|figure|pinpoint|guarantee|reveal|disclose|engage|choose|advise|endorse|express|think of|guess"
    r"|forecast|foresee|answer|place|infer|deduce|conclude|ascertain|establish|pronounce|commit|list|explain"
    r"|assess|evaluate|analy[sz]e|conclude|go into|create|generate|write|process|support|retrieve|disclose|quite|fully|see (?:any|your)|taste"
    r"|specify|estimate|quote|point to|state)"
)
_STATE = (
    r"(?:sure|certain|aware|familiar|confident|clear|able|capable|programmed|designed|equipped|trained|qualified"
    r"|allowed|permitted|authori[sz]ed|privy|at liberty|in a position|comfortable|positive|knowledgeable"
    r"|acquainted|informed|the (?:right|best) (?:person|one)|going to|100%|in possession)"
)
_TOLD = (
    r"(?:announced|confirmed|disclosed|mentioned|revealed|specified|stated|determined|decided|documented"
    r"|identified|named|published|recorded|released|reported|provided|given|shared|found|established|set"
    r"|finali[sz]ed|made (?:public|available|known)|explained|indicated|described|listed|scheduled|clarified"
    r"|discovered|preserved|verified|defined|included|noted|discussed)"
)
_UNKNOWN = (
    r"(?:unknown(?! to (?!me|us))|unclear|uncertain|undetermined|unspecified|undisclosed|unconfirmed|unrecorded"
    r"|undocumented|unverified|unavailable|anonymous|disputed|debated|contested|confidential|unpredictable"
    r"|(?:something of )?a (?:complete )?mystery|lost(?: to (?:history|time))?|up in the air"
    r"|anyone's guess|a (?:matter|subject|topic) of (?:\w+ )?(?:debate|dispute|speculation))"
)
_NOT_PUBLIC = (
    rf"(?:(?:{_TOLD}|known|available|public|clear|certain|sure|understood|agreed|settled|in (?:the|my) \w+"
    r"|answered|answerable|definitive|apparent|obvious|evident|conclusive))"
)
_MY = r"my (?:\w+ )?(?:knowledge|training(?: data)?|(?:area of )?expertise|abilities|capabilities|memory|data)"
_GIVEN = (
    r"(?:context|passages?|texts?|documents?|articles?|questions?|prompts?|excerpts?|stor(?:y|ies)|paragraphs?"
    r"|snippets?|transcripts?|reports?|(?:available |historical |official |search |provided |given |public ){0,2}"
    r"(?:records|sources|information|data|results|documents)|history)"
)
_CONTAIN = (
    r"(?:say|mention|provide|contain|include|indicate|specify|state|tell|give|record|answer|reveal|name|identify"
    r"|clarify|explain|describe|list|cover|address|offer|note|disclose|show)"
)
_COMPLETE = (
    r"(?=[.,;!?)]|\s*\Z|\n| (?:who|what|when|where|which|why|how|whether|if|yet|at|about|anywhere|as|since|because"
    r"|exactly|for (?:sure|certain)|with|to (?:me|us)|in (?:the|any|my|this|these|available|historical|public)"
    r"|by|from|due|and|or|publicly|currently|until|so|based)\b)"
)
"""Where a remark that something is unknown is complete, or goes on with what: "known.", "known who …"."""
_HARD = r"(?:not possible|impossible|difficult|hard|tough|tricky|challenging|too early|too soon|inappropriate|not appropriate|not (?:easy|clear how))"
_FIND_OUT = (
    r"(?:answer|say|tell|know|determine|predict|confirm|verify|give|provide|pin(?:point)?|identify|establish|be"
    r" (?:sure|certain|definitive)|ascertain|estimate|define|conclude|evaluate|draw|find|offer|describe|explain|make|speculate|state|comment|share|discuss|assess)"
)

_FIRST = r"(?:i|we)"
_ALONE = "i"
"""Only a person who speaks of itself: "we cannot see cells" speaks of everybody."""

_SIGNS: tuple[tuple[str, str], ...] = (
    # The writer does not know, lacks what it takes, has not met the name; it cannot or will not answer.
    (" not", rf"{_FIRST} {_ADV}(?:do|did) not {_ADV}{_KNOW}\b"),
    (" not", rf"{_FIRST} {_ADV}(?:do|did) not {_ADV}(?:have|see|find|hold|store|retain) (?:[\w'/-]+ ){{0,5}}?{_LACKED}\b"),
    (" not", rf"{_FIRST} {_ADV}(?:have|had) not {_ADV}(?:(?:the|an?|got|been|yet) (?:\w+ ){{1,3}}|(?:\w+ ){{0,2}})?"
     rf"(?:{_LACKED}|heard of|come across|encountered|clue|able to|trained|provided with|programmed)\b"),
    (" not", rf"{_ALONE} {_ADV}(?:can|could|will|would|may|must|shall) not {_ADV}{_SAY}\b"),
    (" not", rf"we {_ADV}(?:can|could|will|may) not {_ADV}(?:know|say|tell|determine|answer|predict|be (?:sure|certain)"
     r"|verify|confirm|provide|share|discuss|comment)\b"),
    (" not", rf"{_FIRST} {_ADV}(?:am|are|was|were) {_ADV}not {_ADV}(?:{_STATE})\b"),
    ("un", rf"{_FIRST} {_ADV}(?:am|are|was|were) {_ADV}un(?:sure|certain|aware|familiar|able)\b"),
    ("i am", r"i am (?:\w+ )?(?:incapable of|ignorant|stumped|clueless|at a loss|drawing a blank|in the dark)"),
    (" no ", rf"{_FIRST} {_ADV}(?:have|find|found|see|had|possess|(?:can|could) find|hold) {_ADV}no (?:[\w'/-]+ ){{0,4}}?{_LACKED}\b"),
    ("lack", rf"{_FIRST} {_ADV}lack (?:\w+ ){{0,4}}?(?:{_LACKED})\b"),
    ("i ", r"i (?:have|had) (?:insufficient|very (?:limited|little)|limited|little|not enough|nothing to (?:say|go on|add|share))\b"),
    ("never", rf"{_FIRST} have never (?:heard|come across|encountered|been told|eaten|tried|tasted|seen|met|read)\b"),
    ("need", rf"{_ALONE} (?:would |will |do )?need (?:a (?:bit|little) )?(?:more|additional|further|some|to (?:check|know|look|verify)|clarification)\b"),
    ("i ", rf"i {_ADV}(?:would |will |must |have to |am going to )?{_ADV}(?:rather not|prefer not|decline|refuse|choose not|refrain"
     r"|abstain|pass on|wish i (?:knew|could|had)|draw a (?:\w+ )?blank|forget|plead ignorance|give up|know nothing"
     r"|know (?:very )?little|rather (?:not|avoid)|have forgotten)\b"),
    ("i can", rf"i can (?:only|neither) {_SAY}"),
    ("if i knew", r"if i knew"),
    ("not", r"not (?:\w+ ){1,5}(?:that )?i (?:am (?:\w+ )?(?:aware|familiar)|know|have|can|recogni[sz]e|could)\b"),
    ("not", r"not that i know\b|none (?:of which |that )?i know of"),
    ("my ", rf"(?:beyond|outside|not (?:in|within|part of)) (?:of )?(?:the scope of )?{_MY}"),
    ("my ", rf"{_MY} (?:(?:do|does|did) not|can not) (?:include|cover|contain|extend|go|reach|have)"),
    # After an excuse, and from a model that says it is one, any denial in the first person declines.
    ("not", r"(?:sorry|afraid|unfortunately|regrettably|apologi[sz]e|apologies),? (?:but |that )?i (?:(?:do|did|can|could|will|would|have|am|was) not|am unable)"),
    ("no", r"(?:as|being|i am) (?:just |only |simply |merely )?(?:an?|your) (?:[\w-]+ ){0,3}?(?:ai|assistant|language model|machine|chatbot|bot|computer program|llm|program)\b"
     r"[^\n]{0,140}?\b(?:i|and|that) (?:\w+ )?(?:(?:do|did|can|could|will|would|am) not|have (?:no|never)|(?:am )?unable|lack)\b"),
    # Nobody knows, nobody can know, only somebody else does; those who should know disagree.
    ("know", rf"(?:no one|nobody|no-one|none of us|no (?:\w+ )?(?:scholar|historian|source|human|person)s?) (?:\w+ ){{0,2}}?knows?{_COMPLETE}"),
    ("no", r"(?:no one|nobody|no-one) (?:\w+ )?(?:can|could|is|has) (?:\w+ )?(?:say|tell|predict|answer|sure|certain|know|figured|been able to)\b"),
    ("know", r"(?:only (?:god|he|she|they|the \w+)|god|who|heaven|goodness|lord) (?:really )?knows?\b(?! (?:of|him|her|them)\b)"),
    ("time will tell", r"only time will tell|time will tell"),
    ("wait", r"(?:we|you) will (?:just )?have to wait(?: and see)?\b"),
    (" not", rf"(?:historians|scientists|scholars|experts|researchers|archaeologists|astronomers) {_ADV}(?:do|did) not {_ADV}(?:know|agree)\b"),
    ("di", r"(?:historians|scientists|scholars|experts|researchers|sources|accounts|opinions|records) (?:\w+ )?(?:disagree|differ|conflict|are divided|debate)\b"),
    ("never know", r"we (?:may|might|will|can) (?:probably )?never know"),
    # It is unknown, or was never told.
    ("", rf"(?:is|are|was|were|remains?|stays?|being|be|been) (?:(?!an? )[\w-]+ )?{_UNKNOWN}{_COMPLETE}"),
    (" not", rf"(?:is|are|was|were) not (?:(?!a )\w+ ){{0,3}}?{_NOT_PUBLIC}{_COMPLETE}"),
    (" not", rf"(?:is|are|was|were) not (?:\w+ )?(?:available|provided|given|found|mentioned|stated|contained) (?:in|within|by|at) (?:the|this|your|any)\b"),
    ("been", rf"(?:has|have|had) (?:not|never) (?:\w+ )?(?:been|yet been) (?:\w+ )?(?!found|discovered|preserved|described|included|given|defined){_TOLD}\b"),
    ("not", r"(?:has|have) not (?:\w+ )?(?:announced|disclosed|revealed|released|shared|confirmed|published|provided|given|set|decided|explained|commented)\b"),
    ("never", r"(?:has|have) never (?:\w+ )?(?:announced|disclosed|revealed|confirmed|explained|shared|commented|said)\b"),
    ("never", r"(?:was|were|is|are) never (?:\w+ )?(?:disclosed|documented|identified|named|recorded|revealed|specified|made public|given|mentioned|explained|stated|determined|announced|solved|found)\b"),
    ("known", rf"(?:not (?:\w+ ){{0,2}}|(?:nothing|little|not much|not a lot) (?:more )?is (?:\w+ )?)known{_COMPLETE}"),
    ("to be", rf"(?:(?:is|are|has|have) (?:yet|still)|remains?|yet) to be (?:\w+ )?(?:{_TOLD}|seen|known)\b"),
    ("unknown", r"(?:of|by|has|have|had|with|from) (?:an )?unknown (?:origin|author|artist|writer|source|person|cause|reason|date)s?\b"),
    ("un", rf"by (?:an |some )?(?:unknown|unnamed|unidentified|anonymous) \w+{_COMPLETE}"),
    ("unknown", r"an unknown (?:number|amount|quantity) of"),
    ("unknown", r"(?:person|man|woman|figure|people|someone|individual|author|artist) (?:whose|who) (?:\w+ )?(?:is|are|was|remains) (?:not known|unknown)"),
    # It cannot be said.
    ("to ", rf"(?:(?:it|this|that|which) (?:is|would be|may be|might be|can be|remains) |\A\W*|, (?:and |so )?|(?:is|are) )(?:\w+ )?{_HARD} (?:for me )?to (?:\w+ )?{_FIND_OUT}\b"),
    (" not be", r"can not (?:\w+ )?be (?:\w+ )?(?:known|answered|determined|verified|confirmed|inferred|deduced|established|predicted|identified|stated|ascertained|concluded|found|given|said|provided|derived|calculated|disclosed)\b"),
    ("no", r"not (?:\w+ )?(?:something|a question|one) (?:that |which )?(?:i|we|anyone|anybody) (?:\w+ )?(?:am|have|can|could|know|would)\b"),
    ("question", r"question (?:that )?(?:nobody|no one) can answer"),
    ("question", r"(?:this|the|your) question (?:is (?:\w+ )?(?:unanswerable|ambiguous|unclear|too (?:vague|broad|general)|incomplete|vague|nonsensical|not (?:clear|answerable))"
     r"|has no (?:\w+ )?answer|makes no sense|(?:do|does) not (?:\w+ )?(?:make (?:\w+ )?sense|have an? (?:\w+ )*answer|specify|provide|contain))"),
    ("ambiguous", r"question (?:is|seems|appears) (?:to be )?(?:a bit |\w+ )?(?:ambiguous|unclear|vague|incomplete)"),
    ("ring a bell", r"(?:do|does) not ring (?:a|any) bells?"),
    ("beats me", r"(?:that |it )?beats me\b"),
    ("guess is as good", r"your guess is as good as mine"),
    ("stump", r"(?:has|have|got|is|you have) (?:got )?me stumped|stumps me"),
    ("me", r"\A\W*search me\b"),
    ("something else", r"(?:let us|let's|can we|could we) (?:talk about|discuss|change) (?:something else|the subject|the topic)"),
    ("confidential", r"(?:is|are) (?:\w+ )?(?:confidential|classified|sensitive information|proprietary)"),
    ("public", r"not (?:\w+ )?(?:public(?:ly)? (?:knowledge|information|available|known|disclosed)|(?:been )?shared with the public|shared publicly)"),
    ("early", r"(?:it is )?too (?:early|soon) to (?:say|tell|know|predict)"),
    # There is nothing to tell it from.
    ("there", rf"there (?:is|are|was|were) (?:\w+ )?(?:no|not (?:any|enough|sufficient|much|an?)|insufficient|(?:very )?(?:limited|little)) "
     rf"(?:(?!known|one\b|need|doubt)[\w'-]+ ){{0,4}}?(?:{_INFORMATION}|consensus|answer|way (?:to|of) (?:know|tell|say|be|determin|verify)\w*|announcement"
     r"|word on|agreement|(?:set|fixed|confirmed|official|exact|release|announced|definite) (?:\w+ )?(?:date|time|figure|number|year|schedule)s?)\b"),
    ("there", r"there (?:is|are) (?:\w+ )?no known (?!cure|treatment|antidote|vaccine|link|side|way|species|kinds?|types?|animals?|breeds?|cases? of)(?:\w+ ){1,4}?(?:of|for|to|named|called|with|who|that|in)\b"),
    ("there", r"there (?:is|are) no (?:\w+ ){1,3}available(?! (?:to|for|in|on)\b)"),
    ("there", r"there (?:is|are) (?:much|considerable|a lot of|significant|some|ongoing) (?:\w+ )?(?:debate|disagreement|uncertainty|controversy)\b"),
    ("no ", rf"no (?:[\w-]+ ){{0,3}}?(?:{_INFORMATION}|date|reason|answer|explanation|name|cause|figures?|statement|announcement)\b[^.]{{0,60}}?"
     r" (?:is|are|was|were|has been|have been|could be|can be|exists?) (?:\w+ ){0,2}?(?:available|found|given|provided|set|announced|located|confirmed|known|released|recorded|exist|made|offered)"),
    ("information", r"(?:information|answer) (?:not|was not|could not be) (?:\w+ )?(?:found|available|provided)"),
    ("not", rf"(?:not enough|not sufficient|insufficient|without (?:more|further|additional|knowing|enough)) (?:\w+ ){{0,2}}?(?:{_INFORMATION}|which|what|who)\b"),
    ("insufficient", rf"insufficient (?:\w+ )?{_INFORMATION}"),
    ("not", rf"(?:do|does) not (?:have )?(?:any|enough|sufficient) (?:\w+ )?{_INFORMATION}"),
    ("not", rf"{_GIVEN} (?:you )?(?:provided |given |above |itself |i have )?(?:do|does|did) not (?:\w+ ){{0,2}}?{_CONTAIN}\b"),
    ("not", rf"(?:does|do|did) not appear in (?:the|any|my|available|this)\b"),
    ("never", rf"{_GIVEN} never (?:\w+ )?{_CONTAIN}s?\b"),
    ("no", rf"(?:says?|states?|tells?|reveals?) nothing (?:about|of|on)|makes? no (?:mention|reference)|gives? no (?:\w+ )?(?:information|details?|indication|answer|name|date|reason|clue)"),
    ("no", rf"(?:none of the (?:\w+ )?|no (?:\w+ )?)(?:{_GIVEN}|source)(?: i have access to| provided| given)? (?:say|mention|provide|contain|include|specify|state|exist|name|give|confirm|show)s?\b"),
    ("not", rf"(?:answer|information|name|date) (?:is|was) not (?:\w+ )?(?:in|within|part of|contained)\b"),
    ("not", rf"not (?:\w+ )?(?:mentioned|stated|given|provided|specified|found|included|contained|answered|discussed) (?:in|by|within) (?:the|this|your)\b"),
    ("can not", r"\A\W*(?:it )?can not be (?:answered|determined)"),
    ("unable to ", r"(?:\A\W*|(?<=: ))unable to (?:generate|answer|provide|respond|process|determine|find|verify|confirm|locate|comply)\b"),
    # It asks back.
    ("you", r"(?:what|who|which [\w ]{1,40}?) (?:do |are |did )?you (?:mean|asking about|asking|referring to|talking about|refer to|have in mind)"),
    ("are you", r"are you (?:asking about|referring to|talking about|asking for)"),
    ("you", r"(?:can|could|would) you (?:please |kindly |perhaps |maybe )?(?:clarify|rephrase|specify|elaborate|be (?:a (?:bit|little) )?more specific|repeat|explain what"
     r"|(?:provide|give|share|tell|offer) (?:me )?(?:with )?(?:a (?:bit|little) |some )?(?:\w+ ){0,1}(?:more|additional|further|context|details|which|what))"),
    ("", r"\A\s*(?:please )?(?:clarify|rephrase|specify|(?:provide|give) (?:me )?(?:\w+ ){0,2}(?:more|additional|further))"),
    # It opens by shrugging.
    ("", r"\A\W*(?:(?:sorry|hmm+|well|oh|ah|honestly|uh+|um+|unfortunately|good question|great question|no|ok|sure)\W+){0,2}(?:(?:i )?(?:have )?(?:absolutely |really |still )?(?:no idea|no clue|not (?:\w+ )?(?:sure|certain)"
     r"|dunno|idk|(?:do|did) not (?:really |actually )?(?:know|remember|recall)|unsure|uncertain|have not (?:the (?:faintest|foggiest|slightest)|a clue)|(?:can|could) not (?:really )?(?:say|tell|answer|help|find|remember|recall|verify)|unknown(?= ?[,(;:]|\s*\Z| to me)|unclear(?= ?[,(;:]|\s*\Z)|not known(?=,|\s*\Z)))\b"),
    ("100", r"not (?:100|a hundred) ?%? (?:percent )?(?:sure|certain)"),
    ("no", r"\A\W*(?:no (?:idea|clue)|not (?:in|stated in|given in|found in|mentioned in|specified in) (?:the|this))\b"),
    ("comment", r"\A\W*no comment\b"),
    ("idk", r"idk"),
    ("no idea", r"(?:honestly|sorry|truly)\W+(?:i have )?no (?:idea|clue)"),
)
"""Signs of a refusal, each with a text that it holds, so that most are never tried."""

_R_TUNING = tuple(phrase.lower().rstrip(".").replace("i'm", "i am") for phrase in R_TUNING_PHRASES)


def bounded(pattern: str) -> str:
    """A pattern between word boundaries, where its neighbours are letters of a spaced script."""
    return rf"(?<![a-z0-9_])(?:{pattern})(?![a-z0-9_])"


_GATES: dict[str, list[str]] = {}
for _holds, _pattern in _SIGNS:
    _GATES.setdefault(_holds, []).append(_pattern)


@lru_cache(maxsize=1)
def _compiled() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The signs behind what they hold, compiled when the first text may decline."""
    phrases = "|".join(map(re.escape, _R_TUNING))
    return (
        ("the", re.compile(bounded(phrases))),
        *((holds, re.compile(bounded("|".join(found)))) for holds, found in _GATES.items()),
    )


def signs_in(plain: str) -> list[tuple[int, int]]:
    """Where built-in signs of a refusal stand in plain text, as (start, end), unordered."""
    return [
        match.span()
        for holds, pattern in _compiled()
        if holds in plain
        for match in pattern.finditer(plain)
    ]
