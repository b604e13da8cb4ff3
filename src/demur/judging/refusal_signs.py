"""What a refusal looks like: who denies what, of which kind of knowing, as a small grammar.

Patterns are for the plain form of `refusal_text`: lower case, "do not" for every "don't". A sign is a subject
(I, we, nobody, it, there, the question, the text), a negation or an ability, and a word of knowing or telling;
the words of each kind are listed once. What they were tried on: `docs/results/judging.md`.
Sources: R-Tuning (arXiv 2311.09677) and SelfAware (arXiv 2305.18153) for the phrases.
"""

from __future__ import annotations

import re

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
        *("undisclosed", "unavailable", "unconfirmed", "dunno", "idk", "unk", "n a", "n/a", "tbd", "tba", "pass", "skip"),
        *("how would i know", "how should i know", "no answer", "no comment", "noanswer", "no response", "no information", "no information available"),
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
    r"|certainty|inkling|notion|permission"
    r"|(?:specific|exact|precise|definitive|reliable|confirmed|verified|particular|official) (?:\w+ )?(?:date|year|number"
    r"|figure|name|location|time|list|value|recipe|count|breakdown|source|price)s?)"
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
    r"|read (?:minds|your mind)|see (?:into )?the future|make th(?:at|is|ese)|specify|estimate|quote|point to|state)"
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
    rf"(?:(?:{_TOLD}|known|available|public|clear|certain|sure|understood|agreed|settled|in (?:the (?:text|passage|context|document|article|story|provided|given|question)|my (?:data|knowledge|training)\w*)"
    r"|answered|answerable|definitive|apparent|obvious|evident|conclusive))"
)
_MY = r"(?:what i (?:know|can)|my (?:\w+ )?(?:abilit(?:y|ies)|capabilit(?:y|ies)|capacity|reach|scope|knowledge|training(?: data)?|(?:area of )?expertise|memory|data))"
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
    r"|by|from|due|and|or|publicly|currently|so|based)\b)"
)
"""Where a remark that something is unknown is complete, or goes on with what: "known.", "known who …"."""
_HARD = r"(?:not possible|impossible|difficult|hard|tough|tricky|challenging|too early|too soon|inappropriate|not appropriate|not (?:easy|clear how))"
_FIND_OUT = (
    r"(?:answer|say|tell|know|determine|predict|confirm|verify|give|provide|pin(?:point)?|identify|establish|be"
    r" (?:sure|certain|definitive)|ascertain|estimate|define|conclude|evaluate|draw|find|offer|describe|explain|make|speculate|state|comment|share|discuss|assess)"
)

_BE = r"(?:is|are|was|were|remains?|stays?|being|been|be)"

Family = tuple[str, str, tuple[str, ...]]
FAMILIES: tuple[Family, ...] = (
    # The writer does not know, lacks what it takes, has not met the name; it cannot or will not answer.
    (
        "i we",
        rf"(?:i|we) {_ADV}",
        (
            rf"(?:do|did) not {_ADV}(?:{_KNOW}\b|(?:have|see|find|hold|store|retain) (?:[\w'/-]+ ){{0,5}}?{_LACKED}\b)",
            rf"(?:have|had) (?:not {_ADV}(?:(?:the|an?|got|been|yet) (?:\w+ ){{1,3}}|(?:\w+ ){{0,2}})?(?:{_LACKED}"
            r"|heard of|come across|encountered|clue|able to|trained|provided with|programmed)"
            r"|never (?:heard|come across|encountered|been told|eaten|tried|tasted|seen|met|read))\b",
            rf"(?:am|are|was|were) {_ADV}(?:not {_ADV}(?:{_STATE})|un(?:sure|certain|aware|familiar|able))\b",
            rf"(?:have|find|found|see|had|possess|(?:can|could) find|hold) {_ADV}no (?:[\w'/-]+ ){{0,4}}?{_LACKED}\b",
            rf"lack (?:\w+ ){{0,4}}?(?:{_LACKED})\b",
        ),
    ),
    (
        "i",
        rf"i {_ADV}",
        (
            rf"(?:can|could|will|would|may|must|shall) not {_ADV}{_SAY}\b",
            r"am (?:\w+ )?(?:incapable of|ignorant|stumped|clueless|at a loss|drawing a blank|in the dark)",
            r"(?:have|had) (?:insufficient|very (?:limited|little)|limited|little|not enough|nothing to (?:say|go on|add|share))\b",
            r"(?:would |will |do )?need (?:a (?:bit|little) )?(?:more|additional|further|some|to (?:check|know|look|verify)|clarification)\b",
            rf"(?:would |will |must |have to |am going to )?{_ADV}(?:rather (?:avoid|not(?= (?:\w+ )?(?:say|answer|guess|speculate|comment|discuss|share|make|give|choose|talk)|\W*\Z))|prefer not|decline|refuse|choose not|refrain"
            r"|abstain|pass on|wish i (?:knew|could|had)|draw a (?:\w+ )?blank|forget|plead ignorance|give up|know nothing"
            r"|know (?:very )?little|have forgotten)\b",
            rf"can (?:only|neither) {_SAY}",
        ),
    ),
    # We, as one who speaks for somebody: "we cannot see cells" speaks of everybody.
    (
        "we",
        rf"we {_ADV}(?:can|could|will|may|might) (?:\w+ )?(?:not|never) {_ADV}",
        (
            r"(?:know|say|tell|determine|answer|predict|be (?:sure|certain)|verify|confirm|provide|share|discuss|comment)\b",
        ),
    ),
    ("i&knew", r"if i knew", ("",)),
    (
        "i&not none&that which know have can could aware familiar recognize recognise",
        r"(?:not (?:\w+ ){1,5}(?:that )?i|not that i|none (?:of which |that )?i) ",
        (r"(?:am (?:\w+ )?(?:aware|familiar)|know|have|can|recogni[sz]e|could)\b",),
    ),
    (
        "my beyond outside",
        "",
        (
            rf"(?:beyond|outside|not (?:in|within|part of)) (?:of )?(?:the scope of )?{_MY}",
            rf"{_MY} (?:(?:do|does|did) not|can not) (?:include|cover|contain|extend|go|reach|have)",
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
        r"|language model|machine|chatbot|bot|computer program|llm|program)\b[^\n]{0,140}?\b(?:i|and) (?:(?!must\b)\w+ )?",
        (r"(?:(?:do|did|can|could|will|would|am) not|have (?:no|never)|(?:am )?unable|lack)\b",),
    ),
    # Nobody knows, nobody can know, or only somebody else does; those who should know disagree.
    (
        "nobody no none&one none nobody scholar historian source human person scholars historians sources humans persons",
        r"(?:no one|nobody|no-one|none of us|no (?:\w+ )?(?:scholar|historian|source|human|person)s?) ",
        (
            rf"(?:\w+ ){{0,2}}?knows?{_COMPLETE}",
            r"(?:\w+ )?(?:can|could|is|has) (?:\w+ )?(?:say|tell|predict|answer|sure|certain|know|figured|been able to (?:say|tell|determine|prove|explain|answer|find out|solve|identify))\b",
        ),
    ),
    (
        "knows know",
        r"(?:only (?:god|he|she|they|the \w+)|god|who|heaven|goodness|lord) (?:really )?knows?\b",
        (r"(?! (?:of|him|her|them|how|that)\b)",),
    ),
    ("time&tell", r"(?:only )?time will tell", ("",)),
    ("wait", r"(?:we|you) will (?:just )?have to wait(?: and see)?\b", ("",)),
    (
        "historians scientists scholars experts researchers archaeologists astronomers sources accounts opinions records",
        r"(?:historians|scientists|scholars|experts|researchers|archaeologists|astronomers|sources|accounts|opinions|records) ",
        (
            rf"{_ADV}(?:do|did) not {_ADV}(?:know|agree)\b",
            r"(?:\w+ )?(?:disagree|differ|conflict|are divided|debate)\b",
        ),
    ),
    # It is unknown, or was never told.
    (
        "not never yet still unknown unclear uncertain undetermined unspecified undisclosed unconfirmed unrecorded"
        " undocumented unverified unavailable unpredictable anonymous disputed debated contested confidential mystery"
        " lost air guess debate dispute speculation classified sensitive proprietary impossible difficult hard tough"
        " tricky challenging early soon inappropriate nothing little&is are was were remain remains stays being been be",
        rf"{_BE} ",
        (
            rf"(?:(?!an? )[\w-]+ )?{_UNKNOWN}{_COMPLETE}",
            rf"not (?:(?!a )\w+ ){{0,3}}?{_NOT_PUBLIC}{_COMPLETE}",
            r"not (?:\w+ )?(?:available|provided|given|found|mentioned|stated|contained) (?:in|within|by|at) (?:the|this|your|any)\b",
            r"never (?:\w+ )?(?:disclosed|documented|identified|named|recorded|revealed|specified|made public|given"
            r"|mentioned|explained|stated|determined|announced|solved|found)\b",
            rf"(?:yet|still) to be (?:\w+ )?(?:{_TOLD}|seen|known)\b",
            r"(?:\w+ )?(?:confidential|classified|sensitive information|proprietary)",
            rf"(?:\w+ )?{_HARD} (?:for me )?to (?:\w+ )?{_FIND_OUT}\b",
            r"(?:nothing|little|not much|not a lot) (?:\w+ )?known",
        ),
    ),
    (
        "has have had&not never yet still",
        r"(?:has|have|had) ",
        (
            rf"(?:not|never) (?:\w+ )?(?:been|yet been) (?:\w+ )?(?!found|discovered|preserved|described|included|given"
            rf"|defined){_TOLD}\b",
            r"not (?:\w+ )?(?:announced|disclosed|revealed|released|shared|confirmed|published|provided|given|set (?:a|an|any|the)|decided"
            r"|explained|commented)\b",
            r"never (?:\w+ )?(?:announced|disclosed|revealed|confirmed|explained|shared|commented|said)\b",
            rf"(?:yet|still) to be (?:\w+ )?(?:{_TOLD}|seen|known)\b",
        ),
    ),
    (
        "known&not nothing little much lot",
        r"",
        (rf"(?:not (?:\w+ ){{0,2}}|(?:nothing|little|not much|not a lot) (?:more )?is (?:\w+ )?)known{_COMPLETE}",),
    ),
    ("yet remains remain", r"(?:remains?|yet) to be (?:\w+ )?", (rf"(?:{_TOLD}|seen|known)\b",)),
    (
        "unknown unnamed unidentified anonymous",
        "",
        (
            r"(?:of|by|has|have|had|with|from) (?:an )?unknown (?:origin|author|artist|writer|source|person|cause|reason|date)s?\b",
            rf"by (?:an |some )?(?:unknown|unnamed|unidentified|anonymous) \w+{_COMPLETE}",
            r"an unknown (?:number|amount|quantity) of",
            r"(?:person|man|woman|figure|people|someone|individual|author|artist) (?:whose|who) (?:\w+ )?(?:is|are|was|remains) unknown",
        ),
    ),
    (
        "whose who&known",
        r"(?:person|man|woman|figure|people|someone|individual|author|artist) (?:whose|who) (?:\w+ )?(?:is|are|was) not known",
        ("",),
    ),
    # It cannot be said.
    (
        "to&possible impossible difficult hard tough tricky challenging early soon inappropriate appropriate easy how",
        rf"(?:(?:this|that|which|it) (?:would be|may be|might be|can be) |, (?:and |so )?)(?:\w+ )?{_HARD} (?:for me )?to (?:\w+ )?",
        (rf"{_FIND_OUT}\b",),
    ),
    ("early soon", r"too (?:early|soon) to (?:say|tell|know|predict)", ("",)),
    (
        "can&not",
        r"can not (?:\w+ )?be (?:\w+ )?",
        (
            r"(?:known|answered|determined|verified|confirmed|inferred|deduced|established|predicted|identified|stated"
            r"|ascertained|concluded|found(?= anywhere|[.,;]|\s*\Z| in (?:the (?:text|passage|context)|any|my))|given|said|provided|derived|calculated|disclosed)\b",
        ),
    ),
    (
        "not&something question one",
        r"not (?:\w+ )?(?:something|a question|one) (?:that |which )?(?:i|we|anyone|anybody) (?:\w+ )?",
        (r"(?:am|have|can|could|know|would)\b",),
    ),
    (
        "question&nobody no unanswerable ambiguous unclear too incomplete vague nonsensical not makes seems appears",
        r"",
        (
            r"question (?:that )?(?:nobody|no one) can answer",
            r"(?:this|the|your) question (?:is (?:\w+ )?(?:unanswerable|ambiguous|unclear|too (?:vague|broad|general)|incomplete"
            r"|vague|nonsensical|not (?:clear|answerable))|has no (?:\w+ )?answer|makes no sense"
            r"|(?:do|does) not (?:\w+ )?(?:make (?:\w+ )?sense|have an? (?:\w+ )*answer|specify|provide|contain))",
            r"question (?:is|seems|appears) (?:to be )?(?:a bit |\w+ )?(?:ambiguous|unclear|vague|incomplete)",
        ),
    ),
    ("told given provided shared mentioned specified&you", r"you have not (?:\w+ )?(?:told|given|provided|shared|mentioned|specified)\b", ("",)),
    ("how&know", r"how (?:would|should|could) i know\b", ("",)),
    (
        "unanswered unsolved unresolved open",
        rf"{_BE} (?:\w+ ){{0,4}}?",
        (r"(?:unanswered|unsolved|unresolved|an open (?:question|problem))\b",),
    ),
    ("bell bells", r"(?:do|does) not ring (?:a|any) bells?", ("",)),
    ("beats&me", r"(?:that |it )?beats me\b", ("",)),
    ("guess&mine", r"your guess is as good as mine", ("",)),
    ("stumped stumps", r"(?:(?:has|have|got|is|you have) (?:got )?me stumped|stumps me)", ("",)),
    ("else&something subject topic", r"(?:let us|let's|can we|could we) (?:talk about|discuss|change) (?:something else|the subject|the topic)", ("",)),
    (
        "public publicly shared",
        r"not (?:\w+ )?",
        (r"(?:public(?:ly)? (?:knowledge|information|available|known|disclosed)|(?:been )?shared with the public|shared publicly)",),
    ),
    # There is nothing to tell it from.
    (
        "there&no not insufficient limited little much considerable lot significant some ongoing&is are was were",
        r"there (?:is|are|was|were) ",
        (
            rf"(?:\w+ )?(?:no|not (?:any|enough|sufficient|much|an?)|insufficient|(?:very )?(?:limited|little)) "
            rf"(?:(?!known|one\b|need|doubt)[\w'-]+ ){{0,4}}?(?:{_INFORMATION}|consensus|answer|way (?:to|of) (?:know|tell|say|be"
            r"|determin|verify)\w*|announcement|word on|agreement|(?:set|fixed|confirmed|official|exact|release|announced"
            r"|definite) (?:\w+ )?(?:date|time|figure|number|year|schedule)s?)\b",
            r"(?:\w+ )?no known (?!cure|treatment|antidote|vaccine|link|side|way|species|kinds?|types?|animals?|breeds?"
            r"|cases? of)(?:\w+ ){1,4}?(?:of|for|to|named|called|with|who|that|in)\b",
            r"no known cases?(?=[.,!]|\s*\Z)",
            r"no (?:\w+ ){1,3}available(?! (?:to|for|in|on)\b)",
            r"(?:much|considerable|a lot of|significant|some|ongoing) (?:\w+ )?(?:debate|disagreement|uncertainty|controversy)\b",
        ),
    ),
    (
        "no none",
        r"no(?:ne of the)? ",
        (
            rf"(?:[\w-]+ ){{0,3}}?(?:{_INFORMATION}|date|reason|answer|explanation|name|cause|figures?|statement|announcement)\b"
            r"[^.]{0,60}? (?:is|are|was|were|has been|have been|could be|can be|exists?) (?:\w+ ){0,2}?(?:available|found|given"
            r"|provided|set|announced|located|confirmed|known|released|recorded|exist|made|offered)",
            rf"(?:\w+ )?(?:{_GIVEN}|source)(?: i have access to| provided| given)? (?:say|mention|provide|contain|include|specify"
            r"|state|exist|name|give|confirm|show|record)s?\b",
            r"(?:idea|clue)(?=[.,!?;]|\s*\Z| (?:who|what|when|where|why|how)\b)",
        ),
    ),
    ("information answer&not&found available provided", r"(?:information|answer) (?:not|was not|could not be) (?:\w+ )?(?:found|available|provided)", ("",)),
    (
        "enough sufficient insufficient without any&information info knowledge context data detail details evidence"
        " record records mention mentions source sources documentation figures statistics specifics reference"
        " references indication confirmation proof which what who knowing",
        "",
        (
            rf"(?:not enough|not sufficient|insufficient|without (?:more|further|additional|knowing|enough)) (?:\w+ ){{0,2}}?"
            rf"(?:{_INFORMATION}|which|what|who)\b",
            rf"(?:do|does) not (?:have )?(?:any|enough|sufficient) (?:\w+ )?{_INFORMATION}",
        ),
    ),
    (
        "do does did&not&context passage passages text texts document documents article articles question questions"
        " prompt prompts excerpt excerpts story stories paragraph paragraphs snippet snippets transcript transcripts"
        " report reports records sources information data results history",
        rf"{_GIVEN} (?:you )?(?:provided |given |above |itself |i have )?(?:do|does|did) not (?:\w+ ){{0,2}}?",
        (rf"{_CONTAIN}\b",),
    ),
    ("not&appear", r"(?:does|do|did) not appear in (?:the|any|my|available|this)\b", ("",)),
    ("never", rf"{_GIVEN} never (?:\w+ )?{_CONTAIN}s?\b", ("",)),
    ("nothing", r"(?:says?|states?|tells?|reveals?) nothing (?:about|of|on)", ("",)),
    (
        "makes make gives give&no",
        r"(?:makes? no (?:mention|reference)|gives? no (?:\w+ )?(?:information|details?|indication|answer|name|date|reason|clue))",
        ("",),
    ),
    ("answer information name date&not&in within part contained", r"(?:answer|information|name|date) (?:is|was) not (?:\w+ )?(?:in|within|part of|contained)\b", ("",)),
    (
        "mentioned stated given provided specified found included contained answered discussed&not",
        r"not (?:\w+ )?(?:mentioned|stated|given|provided|specified|found|included|contained|answered|discussed) (?:in|by|within) (?:the|this|your)\b",
        ("",),
    ),
    # It asks back.
    (
        "you&mean asking about referring talking refer mind clarify rephrase specify elaborate specific repeat"
        " explain provide give share tell offer",
        "",
        (
            r"(?:what|who|which [\w ]{1,40}?) (?:do |are |did )?you (?:mean|asking about|asking|referring to|talking about|refer to|have in mind)",
            r"are you (?:asking about|referring to|talking about|asking for)",
            r"(?:can|could|would) you (?:please |kindly |perhaps |maybe )?(?:clarify|rephrase|specify|elaborate"
            r"|be (?:a (?:bit|little) )?more specific|repeat|explain what"
            r"|(?:provide|give|share|tell|offer) (?:me )?(?:with )?(?:a (?:bit|little) |some )?(?:\w+ ){0,1}(?:more|additional"
            r"|further|context|details|which|what))",
        ),
    ),
    ("unable", r"(?:\A\W*|(?<=: ))unable to (?:generate|answer|provide|respond|process|determine|find|verify|confirm|locate|comply)\b", ("",)),
    ("100 hundred", r"not (?:100|a hundred) ?%? (?:percent )?(?:sure|certain)", ("",)),
    ("idk dunno", r"(?:idk|dunno)", ("",)),
)
"""Signs of a refusal: words one of which the text holds ("a b&c": a or b, and c), the beginning, and the ends."""

OPENINGS = (
    # It shrugs, or asks back at once.
    r"\W*(?:(?:sorry|hmm+|well|oh|ah|honestly|truly|uh+|um+|unfortunately|good question|great question|no|ok|sure)\W+){0,2}"
    r"(?:(?:i )?(?:have )?(?:absolutely |really |still )?(?:no idea|no clue|not (?:\w+ )?(?:sure|certain)|dunno|idk"
    r"|(?:do|did) not (?:really |actually )?(?:know|remember|recall)|unsure|uncertain"
    r"|have not (?:the (?:faintest|foggiest|slightest)|a clue)"
    r"|(?:can|could) not (?:really )?(?:say|tell|answer|help|find|remember|recall|verify)"
    r"|unknown(?= ?[,(;:]|\s*\Z| to me)|unclear(?= ?[,(;:]|\s*\Z)|not known(?=,|\s*\Z)))\b",
    r"\W*(?:not (?:in|stated in|given in|found in|mentioned in|specified in) (?:the|this))\b",
    r"\W*(?:sorry\W+)?no (?:further |relevant |specific |reliable )?(?:information|info|data|details|answer|records?)"
    r"(?: (?:is |was |were |are )?(?:available|found|provided|given|exists?))?(?=[.,!]|\s*\Z| (?:on|about|for|regarding)\b)",
    r"\W*no comment\b",
    r"\W*search me\b",
    rf"\W*{_HARD} (?:for me )?to (?:\w+ )?{_FIND_OUT}\b",
    r"\W*(?:it )?can not be (?:answered|determined)\b",
    r"\s*(?:please )?(?:clarify|rephrase|specify|(?:provide|give) (?:me )?(?:\w+ ){0,2}(?:more|additional|further))\b",
)
"""Signs at the beginning of a text only."""


def bounded(pattern: str) -> str:
    """A pattern between word boundaries, where its neighbours are letters of a spaced script."""
    return rf"(?<![a-z0-9_])(?:{pattern})(?![a-z0-9_])"


