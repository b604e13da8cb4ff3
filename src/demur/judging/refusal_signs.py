"""What a refusal looks like: who denies what, of which kind of knowing, as a small grammar.

Patterns are for the plain form of `refusal_text`: lower case, "do not" for every "don't". A sign is a
subject (I, we, nobody, it, there, the text), a negation or an ability, and a word of knowing or telling;
the words of each kind are in `refusal_words`. What they were tried on: `docs/results/judging.md`.
"""

from __future__ import annotations

from demur.judging.refusal_words import (
    ADV,
    COMPLETE,
    CONTAIN,
    FIND_OUT,
    GIVEN,
    HARD,
    INFORMATION,
    KNOW,
    LACKED,
    MY,
    NOT_PUBLIC,
    SAY,
    STATE,
    TOLD,
    UNKNOWN,
)

BE = r"(?:is|are|was|were|remains?|stays?|being|been|be)"

Family = tuple[str, str, tuple[str, ...]]
FAMILIES: tuple[Family, ...] = (
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
            r"am (?:\w+ )?(?:incapable of|ignorant|stumped|clueless|at a loss|drawing a blank|in the dark)\b",
            r"(?:have|come up|came up) (?:no comment|empty|blank|short|with nothing|nothing)\b",
            r"(?:would|will|might) (?:\w+ )?be (?:\w+ )?(?:guessing|inventing|speculating|lying|making (?:it|this|that|one|something)"
            r" up|making up)",
            r"(?:have|had) (?:insufficient|very (?:limited|little)|limited|little|not enough"
            r"|nothing to (?:say|go on|add|share))\b",
            r"(?:would |will |do )?need (?:a (?:bit|little) )?(?:more|additional|further|some|to (?:check"
            r"|know|look|verify|see|have)|clarification)\b",
            r"(?:would |will )?(?:have|need) to (?:look (?:it|that|this) up|check\b|ask\b|consult\b|see the)\b",
            rf"(?:would |will |must |have to |am going to )?{ADV}(?:(?:rather|sooner) (?:avoid"
            rf"|not(?= (?:\w+ )?(?:say|answer|guess|speculate|comment|discuss|share|make|give|choose"
            rf"|talk)|\W*\Z))|prefer not|decline|refuse|choose not|refrain"
            r"|abstain|(?:going to )?(?:have to )?pass(?= on\b|\W*\Z)|wish i (?:knew|could|had)|draw a (?:\w+ )?blank"
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
            rf"{MY} (?:stops?|ends?|runs? out|falls? short|has (?:\w+ )?(?:gaps|limits)|have gaps|is a blank|goes blank)",
            rf"(?:nothing|not anything) in {MY}",
            r"(?:that|this|it)(?: one)? is (?:\w+ )?(?:beyond me|above my pay grade)|(?:beyond|past) me(?=[.,;!]|\s*\Z)",
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
            r"|(?:ever )?(?:recorded|found out|established|determined|identified|discovered) (?:it|this|that|who|what|when|why|how|where)"
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
            r"|mentioned|explained|stated|determined|announced|solved|found|released|published|settled|counted)\b",
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
            r"never (?:\w+ )?(?:announced|disclosed|revealed|confirmed|explained|shared|commented|said|agreed(?= on| about|\W*\Z)"
            r"|been (?:settled|released|published|counted|explained))\b",
            r"given no (?:\w+ )?(?:reason|explanation|date|details?|name|figures?|answer|comment|number)s?\b",
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
    # It cannot be said.
    (
        "to&possible impossible difficult hard tough tricky challenging early soon inappropriate"
        " appropriate easy how",
        rf"(?:(?:this|that|which|it) (?:would be|may be|might be|can be) |, (?:and "
        rf"|so )?)(?:\w+ )?{HARD} (?:for me )?to (?:\w+ )?",
        (rf"{FIND_OUT}\b",),
    ),
    (
        "can&not",
        r"can not (?:\w+ )?be (?:\w+ )?",
        (
            r"(?:known|answered|determined|verified|confirmed|inferred|deduced|established|predicted"
            r"|identified|stated"
            r"|ascertained|concluded|found(?= anywhere|[.,;]|\s*\Z| in (?:the (?:text|passage|context)"
            r"|any|my))|given|said|provided|derived|calculated|disclosed)\b",
        ),
    ),
    (
        "not&something question one",
        r"not (?:\w+ )?(?:something|a question|one) (?:that |which )?",
        (
            r"(?:i|we|anyone|anybody) (?:\w+ )?(?:am|have|can|could|know|would|will|should|wish|want)\b",
            r"(?:is|was|has been|can be) (?:\w+ )?(?:known|public|shared|disclosed|recorded|documented"
            r"|answered|available)\b",
        ),
    ),
    (
        "question&nobody no unanswerable ambiguous unclear too incomplete vague nonsensical not makes"
        " seems appears",
        r"",
        (
            r"question (?:that )?(?:nobody|no one) can answer",
            r"(?:this|the|your) question (?:is (?:\w+ )?(?:unanswerable|ambiguous|unclear|too (?:vague"
            r"|broad|general)|incomplete"
            r"|vague|nonsensical|not (?:clear|answerable))|has no (?:\w+ )?answer|makes no sense"
            r"|(?:do|does) not (?:\w+ )?(?:make (?:\w+ )?sense|have an? (?:\w+ )*answer|specify|provide"
            r"|contain))",
            r"question (?:is|seems|appears) (?:to be )?(?:a bit |\w+ )?(?:ambiguous|unclear|vague"
            r"|incomplete)",
        ),
    ),
    (
        "told given provided shared mentioned specified&you",
        r"you have not (?:\w+ )?(?:told|given|provided|shared|mentioned|specified)\b",
        ("",),
    ),
    ("how&know", r"how (?:would|should|could) i know\b", ("",)),
    (
        "unanswered unsolved unresolved open",
        rf"{BE} (?:\w+ ){{0,4}}?",
        (r"(?:unanswered|unsolved|unresolved|an open (?:question|problem))\b",),
    ),
    (
        "bell bells beats guess stumped stumps knew",
        "",
        (
            r"(?:do|does) not ring (?:a|any) bells?|(?:that |it )?beats me\b|your guess is as good as mine",
            r"(?:has|have|got|is|you have) (?:got )?me stumped|stumps me|if i knew",
        ),
    ),
    (
        "else&something subject topic",
        r"(?:let us|let's|can we|could we) (?:talk about|discuss|change) (?:something else"
        r"|the subject|the topic)",
        ("",),
    ),
    (
        "public publicly shared",
        r"not (?:\w+ )?",
        (
            r"(?:public(?:ly)? (?:knowledge|information|available|known|disclosed)"
            r"|(?:been )?shared with the public|shared publicly)",
        ),
    ),
    # There is nothing to tell it from.
    (
        "there&no not insufficient limited little much considerable lot significant some ongoing&is are"
        " was were seems seem appears appear",
        r"there (?:is|are|was|were|(?:seems?|appears?) to be) ",
        (
            rf"(?:\w+ )?(?:no|not (?:any|enough|sufficient|much|an?)|insufficient|(?:very )?(?:limited"
            rf"|little)) "
            rf"(?:(?!known|one\b|need|doubt)[\w'-]+ ){{0,4}}?(?:{INFORMATION}|consensus|answer|way (?:to"
            rf"|of) (?:know|tell|say|be"
            r"|determin|verify)\w*|announcement|word on|agreement|(?:set|fixed|confirmed|official|exact"
            r"|release|announced"
            r"|definite) (?:\w+ )?(?:date|time|figure|number|year|schedule)s?)\b",
            r"(?:\w+ )?no known (?!cure|treatment|antidote|vaccine|link|side|way|species|kinds?|types?"
            r"|animals?|breeds?"
            r"|cases? of)(?:\w+ ){1,4}?(?:of|for|to|named|called|with|who|that|in)\b",
            r"no known cases?(?=[.,!]|\s*\Z)",
            r"nothing (?:there|here|i can (?:add|say|offer))\b",
            r"not enough (?:here|there|to go on|in (?:the|this))\b",
            r"no (?:\w+ ){1,3}available(?! (?:to|for|in|on)\b)",
            r"(?:much|considerable|a lot of|significant|some|ongoing) (?:\w+ )?(?:debate|disagreement"
            r"|uncertainty|controversy)\b",
        ),
    ),
    (
        "no none",
        r"no(?:ne of the)? ",
        (
            rf"(?:[\w-]+ ){{0,3}}?(?:{INFORMATION}|date|reason|answer|explanation|name|cause|figures?"
            rf"|numbers?|author|statement|announcement)\b"
            r"[^.]{0,60}? (?:is|are|was|were|has been|have been|could be|can be"
            r"|exists?) (?:\w+ ){0,2}?(?:available|found|given"
            r"|provided|set|announced|located|confirmed|known|released|recorded|exist|made|offered)",
            rf"(?:\w+ )?(?:{GIVEN}|source)(?: i have access to| provided| given)? (?:say|mention|provide"
            rf"|contain|include|specify"
            r"|state|exist|name|give|confirm|show|record)s?\b",
            r"(?:idea|clue)(?=[.,!?;]|\s*\Z| (?:who|what|when|where|why|how)\b)",
        ),
    ),
    # The records are silent, or leave it open; nothing came down, nothing comes to mind.
    (
        "after past beyond since postdates predates&cutoff cut-off training",
        r"(?:after|past|beyond|since|postdates|predates) my (?:\w+ )?(?:cutoff|cut-off|training)",
        ("",),
    ),
    (
        "silent&sources source records record text texts passage passages article document context account accounts"
        " author it chronicles chronicle history story histories biographers documents",
        rf"(?:{GIVEN}|chronicles?|accounts?|author|biographers|it) (?:\w+ ){{0,2}}?(?:is|are|remains?|stays?|was|were)"
        r" (?:\w+ )?silent\b",
        ("",),
    ),
    (
        "leaves leave left",
        "",
        (
            rf"{GIVEN} (?:\w+ )?leaves? (?:\w+ ){{0,3}}?(?:open|unsaid|unanswered|unnamed|unspecified|unstated|out)\b",
            rf"{BE} left (?:\w+ )?(?:open|unsaid|unanswered|unnamed|unspecified|unstated|blank)\b",
            r"leaves? (?:that|this|it|the (?:question|matter|answer)) (?:\w+ )?(?:open|unsaid|unanswered|unstated)\b",
        ),
    ),
    (
        "no&record records trace account accounts chronicle chronicles name names document documents source sources"
        " mention documentation register&survives survive survived has have remains remain was were come came kept"
        " names name gives give preserves preserve",
        r"no (?:\w+ )?(?:records?|traces?|accounts?|chronicles?|names?|documents?|documentation|sources?|mention"
        r"|registers?) ",
        (
            r"(?:[\w'-]+ ){0,6}?(?:survives?|survived|(?:has|have) (?:survived|come down|reached us|been (?:kept|found|made))"
            r"|remains?|was (?:ever )?(?:kept|made|left)|came down)\b",
            r"(?:\w+ ){0,3}?(?:names?|gives?|preserves?) (?:it|him|her|them|the|an?)\b",
        ),
    ),
    (
        "mind blank blanks empty blanking escapes eludes slips",
        "",
        (
            r"(?:escapes|eludes) me\b|slips my mind",
            r"nothing (?:\w+ )?(?:comes|springs|came) to mind|not (?:\w+ )?(?:coming|come) to mind",
            r"(?:drawing|draw|drew|coming up) (?:an? )?(?:\w+ )?(?:blanks?|empty)\b|blanking on\b|mind (?:is|has gone|went|goes) (?:a )?blank",
        ),
    ),
    ("beat stumped&me", r"(?:has|have|got) (?:got )?me (?:beat|beaten|stumped|there)\b", ("",)),
    ("got&me", r"you(?: have)? got me\b(?: there| on)?", (r"(?=[.,!]|\s*\Z| there\b| on\b)",)),
    (
        "would be&anything whatever answer name number figure guess",
        r"(?:anything|whatever|any (?:answer|name|number|figure|date)) (?:[\w']+ ){0,4}?would (?:\w+ )?be ",
        (r"(?:an? )?(?:\w+ )?(?:guess\w*|speculation|speculative|inventi?o?n?|invented|made up|fiction)\b",),
    ),
    (
        "neither&nor&commented said explained disclosed confirmed",
        r"neither [^.;]{1,60}? nor [^.;]{1,60}? (?:has|have) ",
        (r"(?:\w+ )?(?:commented|said|explained|disclosed|confirmed)\b",),
    ),
    ("history tradition&not", r"(?:history|tradition) (?:has|did|does) not (?:kept?|record\w*|preserved?|say|tell)", ("",)),
    (
        "it&not never",
        r"it (?:(?:do|does|did) not|never) (?:\w+ly |actually |even )?",
        (
            r"(?:say|mention|specify|state|indicate|clarify|tell us|disclose)s?"
            r"(?=[.,;!]|\s*\Z| (?:how|what|who|whom|when|where|which|why|whether|if|any|anything|this|that\b|the (?:name"
            r"|names|exact|number|date|year|reason|author|cause|specific|actual|cost|location))\b)",
        ),
    ),
    (
        "exact precise specific actual&number amount figure count total price cost frequency&vary varies depend depends",
        r"(?:exact|precise|specific|actual) (?:number|amount|figure|count|total|price|cost|frequency) ",
        (r"(?:[\w'-]+ ){0,4}?(?:can |may |will |would )?(?:\w+ )?(?:vary|varies|depends?)\b",),
    ),
    (
        "enough sufficient insufficient without any&information info knowledge context data detail"
        " details evidence"
        " record records mention mentions source sources documentation figures statistics specifics"
        " reference"
        " references indication confirmation proof which what who knowing",
        "",
        (
            rf"(?:not enough|not sufficient|insufficient|without (?:more|further|additional|knowing"
            rf"|enough)) (?:\w+ ){{0,2}}?"
            rf"(?:{INFORMATION}|which|what|who)\b",
            rf"(?:do|does) not (?:have )?(?:any|enough|sufficient) (?:\w+ )?{INFORMATION}",
        ),
    ),
    (
        "do does did&not&context passage passages text texts document documents article articles question"
        " questions"
        " prompt prompts excerpt excerpts story stories paragraph paragraphs snippet snippets transcript"
        " transcripts"
        " report reports records sources information data results history&say mention provide contain include"
        " indicate specify state tell give record answer reveal name identify clarify explain describe list cover address"
        " offer note disclose show",
        rf"{GIVEN} (?:you )?(?:provided |given |above |itself |i have )?(?:do|does"
        rf"|did) not (?:\w+ ){{0,2}}?",
        (rf"{CONTAIN}\b",),
    ),
    ("goes go went&not into", rf"{GIVEN} (?:do|does|did) not (?:go into|get into|touch on|elaborate)", ("",)),
    ("not&appear", r"(?:does|do|did) not appear in (?:the|any|my|available|this)\b", ("",)),
    ("never", rf"{GIVEN} never (?:\w+ )?{CONTAIN}s?\b", ("",)),
    (
        "nothing makes make gives give provides contains offers includes",
        "",
        (
            r"(?:says?|states?|tells?|reveals?) nothing (?:about|of|on)|makes? no (?:mention|reference)",
            r"(?:gives?|provides?|contains?|offers?|includes?|states?) no (?:\w+ )?(?:information|details?"
            r"|indication|answer|name|date|reason|clue|numbers?|figures?|order|years?|author|place|amount|count"
            r"|price|total|value|source|location|title|age|cause|explanation)\b",
            r"nothing in (?:the|this|these) \w+",
        ),
    ),
    (
        "answer information name date&not",
        r"(?:answer|information|name|date) ",
        (
            r"(?:not|was not|could not be) (?:\w+ )?(?:found|available|provided)",
            r"(?:is|was) not (?:\w+ )?(?:in|within|part of|contained)\b",
        ),
    ),
    (
        "mentioned stated given provided specified found included contained answered discussed&not",
        r"not (?:\w+ )?(?:mentioned|stated|given|provided|specified|found|included|contained|answered"
        r"|discussed) (?:in|by|within) (?:the|this|your)\b",
        ("",),
    ),
    # It asks back.
    (
        "you&mean asking about referring talking refer mind clarify rephrase specify elaborate specific"
        " repeat"
        " explain provide give share tell offer",
        "",
        (
            r"(?:what|who|which [\w ]{1,40}?) (?:do |are |did )?you (?:mean|asking about|asking"
            r"|referring to|talking about|refer to|have in mind)",
            r"are you (?:asking about|referring to|talking about|asking for)",
            r"(?:can|could|would) you (?:please |kindly |perhaps |maybe )?(?:clarify|rephrase|specify"
            r"|elaborate"
            r"|be (?:a (?:bit|little) )?more specific|repeat|explain what"
            r"|(?:provide|give|share|tell|offer) (?:me )?(?:with )?(?:a (?:bit|little) "
            r"|some )?(?:\w+ ){0,1}(?:more|additional"
            r"|further|context|details|which|what))",
        ),
    ),
    (
        "unable",
        r"(?:\A\W*|(?<=: ))unable to (?:generate|answer|provide|respond|process|determine|find"
        r"|verify|confirm|locate|comply)\b",
        ("",),
    ),
    ("idk dunno", r"(?:idk|dunno)", ("",)),
)
"""Signs of a refusal: words that the text holds ("a b&c": a or b, and c), the beginning, and the ends."""
