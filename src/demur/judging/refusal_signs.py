"""What a refusal looks like: who denies what, of which kind of knowing, as a small grammar.

Patterns are for the plain form of `refusal_text`: lower case, "do not" for every "don't". A sign is a
subject (I, we, nobody, it, there, the text), a negation or an ability, and a word of knowing or telling;
the words of each kind are in `refusal_words`. What they were tried on: `docs/results/judging.md`.
"""

from __future__ import annotations

from demur.judging.refusal_signs_telling import BE, TELLING, Family
from demur.judging.refusal_words import (
    ADV,
    COMPLETE,
    FIND_OUT,
    HARD,
    KNOW,
    LACKED,
    MY,
    NOT_PUBLIC,
    SAY,
    STATE,
    TOLD,
    UNKNOWN,
)

KNOWING: tuple[Family, ...] = (
    # The writer does not know, lacks what it takes, has not met the name; it cannot or will not answer.
    (
        "i we",
        rf"(?:i|we) {ADV}",
        (
            rf"(?:do|did) not {ADV}(?:{KNOW}\b|(?:have|see|find|hold|store|carry|keep"
            rf"|retain) (?:[\w'/-]+ ){{0,5}}?{LACKED}\b)",
            rf"(?:have|had) (?:not {ADV}(?:(?:the|an?|got|been|yet) (?:\w+ ){{1,3}}"
            rf"|(?:\w+ ){{0,2}})?(?:{LACKED}"
            r"|heard of|come across|encountered|clue|able to|trained|provided with|programmed)"
            r"|never (?:heard|come across|encountered|been told|eaten|tried|tasted|seen|met|read))\b",
            rf"(?:am|are|was|were) {ADV}(?:not {ADV}(?:{STATE})|un(?:sure|certain|aware|familiar|able))\b",
            rf"(?:have|find|found|see|had|possess|(?:can|could) find"
            rf"|hold) {ADV}no (?:[\w'/-]+ ){{0,4}}?{LACKED}\b",
            rf"lack (?:\w+ ){{0,4}}?(?:{LACKED})\b",
        ),
    ),
    (
        "i",
        rf"i {ADV}",
        (
            rf"(?:can|could|will|would|may|must|shall) not {ADV}{SAY}\b",
            r"am (?:\w+ )?(?:incapable of|ignorant|stumped|clueless|at a loss|drawing a blank|in the"
            r" dark)\b",
            r"(?:have|come up|came up) (?:no comment|empty|blank|short|with nothing|nothing)\b",
            r"(?:would|will|might) (?:\w+ )?be (?:\w+ )?(?:guessing|inventing|speculating|lying|making"
            r" (?:it|this|that|one|something)"
            r" up|making up)",
            r"(?:have|had) (?:insufficient|very (?:limited|little)|limited|little|not enough"
            r"|nothing to (?:say|go on|add|share))\b",
            r"(?:would |will |do )?need (?:a (?:bit|little) )?(?:more|additional|further|some|to (?:check"
            r"|know|look|verify|see|have)|clarification)\b",
            r"(?:would |will )?(?:have|need) to (?:look (?:it|that|this) up|check\b|ask\b|consult\b|see"
            r" the)\b",
            rf"(?:would |will |must |have to |am going to )?{ADV}(?:(?:rather|sooner) (?:avoid"
            rf"|not(?= (?:\w+ )?(?:say|answer|guess|speculate|comment|discuss|share|make|give|choose"
            rf"|talk)|\W*\Z))|prefer not|decline|refuse|choose not|refrain"
            r"|abstain|(?:going to )?(?:have to )?pass(?= on\b|\W*\Z)|wish i (?:knew|could|had)|draw a"
            r" (?:\w+ )?blank"
            r"|forget|plead ignorance|give up|admit defeat|know nothing"
            r"|know (?:very )?little|have forgotten)\b",
            rf"can (?:only|neither) {SAY}",
        ),
    ),
    ("am&have pass", r"i am (?:going to (?:have to )?|afraid i (?:will )?(?:have to )?)pass\b", ("",)),
    # We, as one who speaks for somebody: "we cannot see cells" speaks of everybody.
    (
        "we",
        rf"we {ADV}(?:can|could|will|may|might) (?:\w+ )?(?:not|never) {ADV}",
        (
            r"(?:know|say|tell|determine|answer|predict|be (?:sure|certain)|verify|confirm|provide|share"
            r"|discuss|comment)\b",
        ),
    ),
    (
        "i&not none&that which know have can could aware familiar recognize recognise",
        r"(?:not (?:\w+ ){1,5}(?:that )?i|not that i|none (?:of which |that )?i) ",
        (r"(?:am (?:\w+ )?(?:aware|familiar)|know|have|can|recogni[sz]e|could)\b",),
    ),
    (
        "my beyond outside",
        "",
        (
            rf"(?:beyond|outside|not (?:in|within|part of)) (?:of )?(?:the scope of )?{MY}",
            rf"{MY} (?:(?:do|does|did) not|can not) (?:include|cover|contain|extend|go|reach|have)",
            rf"{MY} (?:stops?|ends?|runs? out|falls? short|has (?:\w+ )?(?:gaps|limits)|have gaps|is a"
            rf" blank|goes blank)",
            rf"(?:nothing|not anything) in {MY}",
            r"(?:that|this|it)(?: one)? is (?:\w+ )?(?:beyond me|above my pay grade)|(?:beyond|past)"
            r" me(?=[.,;!]|\s*\Z)",
        ),
    ),
    # After an excuse, and from a model that says it is one, any denial in the first person declines.
    (
        "sorry afraid unfortunately regrettably apologize apologise apologies&not unable&i",
        r"(?:sorry|afraid|unfortunately|regrettably|apologi[sz]e|apologies),? (?:but |that )?i ",
        (r"(?:(?:do|did|can|could|will|would|have|am|was) not|am unable)",),
    ),
    (
        "ai assistant model machine chatbot bot program llm&not no never unable lack",
        r"(?:as|being|i am) (?:just |only |simply |merely )?(?:an?|your) (?:[\w-]+ ){0,3}?(?:ai|assistant"
        r"|language model|machine|chatbot|bot|computer program|llm|program)\b[^\n]{0,140}?\b(?:i"
        r"|and) (?:(?!must\b)\w+ )?",
        (r"(?:(?:do|did|can|could|will|would|am) not|have (?:no|never)|(?:am )?unable|lack)\b",),
    ),
    # Nobody knows, nobody can know, or only somebody else does; those who should know disagree.
    (
        "nobody no none&one none nobody scholar historian source human person scholars historians sources"
        " humans persons",
        r"(?:no one|nobody|no-one|none of us|no (?:\w+ )?(?:scholar|historian|source|human|person)s?) ",
        (
            rf"(?:\w+ ){{0,2}}?knows?{COMPLETE}",
            r"(?:\w+ )?(?:can|could|is|has) (?:\w+ )?(?:say|tell|predict|answer|sure|certain|know|figured"
            r"|(?:ever )?(?:recorded|found out|established|determined|identified|discovered) (?:it|this"
            r"|that|who|what|when|why|how|where)"
            r"|been able to (?:say|tell|determine|prove|explain|answer|find out|solve|identify))\b",
        ),
    ),
    (
        "knows know",
        r"(?:only (?:god|he|she|they|the \w+)|god|who|heaven|goodness|lord) (?:really )?knows?\b",
        (r"(?! (?:of|him|her|them|how|that)\b)",),
    ),
    (
        "limited scarce lacking sparse",
        r"(?:details?|information|data|records?|sources?) (?:\w+ ){0,4}?(?:is|are) (?:\w+ )?",
        (r"(?:limited|scarce|lacking|sparse)\b",),
    ),
    (
        "tell wait",
        "",
        (r"(?:only )?time will tell", r"(?:we|you) will (?:just )?have to wait(?: and see)?\b"),
    ),
    (
        "historians scientists scholars experts researchers archaeologists astronomers sources accounts"
        " opinions records",
        r"(?:historians|scientists|scholars|experts|researchers|archaeologists|astronomers|sources"
        r"|accounts|opinions|records) ",
        (
            rf"{ADV}(?:do|did) not {ADV}(?:know|agree)\b",
            r"(?:\w+ )?(?:disagree|differ|conflict|are divided|debate)\b",
        ),
    ),
    # It is unknown, or was never told.
    (
        "not never yet still unknown unclear uncertain undetermined unspecified undisclosed unconfirmed"
        " unrecorded"
        " undocumented unverified unavailable unpredictable anonymous disputed debated contested"
        " confidential mystery"
        " lost air guess debate dispute speculation classified sensitive proprietary impossible difficult"
        " hard tough"
        " tricky challenging early soon inappropriate nothing little&is are was were remain remains stays"
        " being been be",
        rf"{BE} ",
        (
            rf"(?:(?!an? )[\w-]+ )?{UNKNOWN}{COMPLETE}",
            rf"not (?:(?!a )\w+ ){{0,3}}?{NOT_PUBLIC}{COMPLETE}",
            r"not (?:\w+ )?(?:available|provided|given|found|mentioned|stated|contained) (?:in|within|by"
            r"|at) (?:the|this|your|any)\b",
            r"never (?:\w+ )?(?:disclosed|documented|identified|named|recorded|revealed|specified"
            r"|made public|given"
            r"|mentioned|explained|stated|determined|announced|solved|found|released|published|settled"
            r"|counted)\b",
            rf"(?:yet|still) to be (?:\w+ )?(?:{TOLD}|seen|known)\b",
            r"(?:\w+ )?(?:confidential|classified|sensitive information|proprietary)",
            rf"(?:\w+ )?{HARD} (?:for me )?to (?:\w+ )?{FIND_OUT}\b",
            r"(?:nothing|little|not much|not a lot) (?:\w+ )?known",
        ),
    ),
    (
        "has have had&not never yet still no",
        r"(?:has|have|had) ",
        (
            rf"(?:not|never) (?:\w+ )?(?:been|yet been) (?:\w+ )?(?!found|discovered|preserved|described"
            rf"|included|given"
            rf"|defined){TOLD}\b",
            r"not (?:\w+ )?(?:announced|disclosed|revealed|released|shared|confirmed|published|provided"
            r"|given|set (?:a|an|any|the)|decided"
            r"|explained|commented)\b",
            r"not (?:\w+ )?(?:come down|survived|reached us|been (?:handed|passed) down)\b",
            r"never (?:\w+ )?(?:announced|disclosed|revealed|confirmed|explained|shared|commented|said"
            r"|agreed(?= on| about|\W*\Z)"
            r"|been (?:settled|released|published|counted|explained))\b",
            r"given no (?:\w+ )?(?:reason|explanation|date|details?|name|figures?|answer|comment"
            r"|number)s?\b",
            rf"(?:yet|still) to be (?:\w+ )?(?:{TOLD}|seen|known)\b",
        ),
    ),
    (
        "known&not nothing little much lot",
        r"",
        (
            rf"(?:not (?:\w+ ){{0,2}}|(?:nothing|little|not much"
            rf"|not a lot) (?:more )?is (?:\w+ )?)known{COMPLETE}",
        ),
    ),
    ("yet remains remain", r"(?:remains?|yet) to be (?:\w+ )?", (rf"(?:{TOLD}|seen|known)\b",)),
    (
        "unknown unnamed unidentified anonymous",
        "",
        (
            r"(?:of|by|has|have|had|with|from) (?:an )?unknown (?:origin|author|artist|writer|source"
            r"|person|cause|reason|date)s?\b",
            rf"by (?:an |some )?(?:unknown|unnamed|unidentified|anonymous) \w+{COMPLETE}",
            r"an unknown (?:number|amount|quantity) of",
            r"(?:person|man|woman|figure|people|someone|individual|author|artist) (?:whose"
            r"|who) (?:\w+ )?(?:is|are|was|remains) unknown",
        ),
    ),
    (
        "whose who&known",
        r"(?:person|man|woman|figure|people|someone|individual|author|artist) (?:whose"
        r"|who) (?:\w+ )?(?:is|are|was) not known",
        ("",),
    ),
)
"""Signs of not knowing, and of not wanting to tell."""

FAMILIES = KNOWING + TELLING
"""All signs of a refusal."""
