"""What a refusal looks like where something cannot be said, no source tells it, or the text asks back.

The second half of the grammar of `refusal_signs`, in the same form.
"""

from __future__ import annotations

from demur.judging.refusal_words import (
    CONTAIN,
    FIND_OUT,
    GIVEN,
    HARD,
    INFORMATION,
)

BE = r"(?:is|are|was|were|remains?|stays?|being|been|be)"
"""Forms of "to be", and "to remain"."""

Family = tuple[str, str, tuple[str, ...]]
"""Words that a text holds ("a b&c": a or b, and c), the beginning of a sign, and its ends."""

TELLING: tuple[Family, ...] = (
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
        "silent&sources source records record text texts passage passages article document context"
        " account accounts"
        " author it chronicles chronicle history story histories biographers documents",
        rf"(?:{GIVEN}|chronicles?|accounts?|author|biographers|it) (?:\w+ ){{0,2}}?(?:is|are|remains?"
        rf"|stays?|was|were)"
        r" (?:\w+ )?silent\b",
        ("",),
    ),
    (
        "leaves leave left",
        "",
        (
            rf"{GIVEN} (?:\w+ )?leaves? (?:\w+ ){{0,3}}?(?:open|unsaid|unanswered|unnamed|unspecified"
            rf"|unstated|out)\b",
            rf"{BE} left (?:\w+ )?(?:open|unsaid|unanswered|unnamed|unspecified|unstated|blank)\b",
            r"leaves? (?:that|this|it|the (?:question|matter|answer)) (?:\w+ )?(?:open|unsaid|unanswered"
            r"|unstated)\b",
        ),
    ),
    (
        "no&record records trace account accounts chronicle chronicles name names document documents"
        " source sources"
        " mention documentation register&survives survive survived has have remains remain was were come"
        " came kept"
        " names name gives give preserves preserve",
        r"no (?:\w+ )?(?:records?|traces?|accounts?|chronicles?|names?|documents?|documentation|sources?"
        r"|mention"
        r"|registers?) ",
        (
            r"(?:[\w'-]+ ){0,6}?(?:survives?|survived|(?:has|have) (?:survived|come down|reached us|been"
            r" (?:kept|found|made))"
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
            r"(?:drawing|draw|drew|coming up) (?:an? )?(?:\w+ )?(?:blanks?|empty)\b|blanking on\b|mind"
            r" (?:is|has gone|went|goes) (?:a )?blank",
        ),
    ),
    # It would take somebody who sees the future, or it is left to the one who asks.
    (
        "tongue crystal told&tip ball me",
        "",
        (
            r"on the tip of my tongue",
            r"(?:if only i had|wish i had|i do not have|i have no|without) (?:a |my )?crystal ball",
            r"my crystal ball is",
            r"(?:nobody|no one) (?:has |ever |has ever )?told me\b",
        ),
    ),
    (
        "love like happy glad&but&i tell help say answer know",
        r"i would (?:really )?(?:love|like|be (?:happy|glad)) to (?:be able to )?",
        (r"(?:tell|help|say|answer|know)\b(?: you| that)?(?: \w+){0,3},? but\b",),
    ),
    (
        "up your yours&that it&is",
        r"(?:\A\W*(?:(?:oh|well|ah|ha|hmm+)\W+)?)(?:that|it|this)(?: one)? is (?:all |entirely "
        r"|really |totally |completely )?",
        (
            r"(?:up to you|yours(?: to (?:decide|choose|make))?|your (?:own )?(?:call|choice"
            r"|decision))(?=[.,;!]|\s*\Z)",
        ),
    ),
    (
        "too&to&far early soon long",
        r"too (?:far|early|soon|long|distant) (?:(?:out|off|away|ahead|in the future|ago) )?to ",
        (r"(?:say|call|tell|know|predict|forecast|guess)\b",),
    ),
    (
        "answer&not impossible&possible impossible",
        r"the answer is (?:not possible|impossible)(?=[.,;!]|\s*\Z)",
        ("",),
    ),
    ("beat stumped&me", r"(?:has|have|got) (?:got )?me (?:beat|beaten|stumped|there)\b", ("",)),
    ("got&me", r"you(?: have)? got me\b(?: there| on)?", (r"(?=[.,!]|\s*\Z| there\b| on\b)",)),
    (
        "would be&anything whatever answer name number figure guess",
        r"(?:anything|whatever|any (?:answer|name|number|figure|date)) (?:[\w']+ ){0,4}?would (?:\w+ )?be ",
        (
            r"(?:an? )?(?:\w+ )?(?:guess\w*|speculation|speculative|inventi?o?n?|invented|made up"
            r"|fiction)\b",
        ),
    ),
    (
        "neither&nor&commented said explained disclosed confirmed",
        r"neither [^.;]{1,60}? nor [^.;]{1,60}? (?:has|have) ",
        (r"(?:\w+ )?(?:commented|said|explained|disclosed|confirmed)\b",),
    ),
    (
        "history tradition&not",
        r"(?:history|tradition) (?:has|did|does) not (?:kept?|record\w*|preserved?|say|tell)",
        ("",),
    ),
    (
        "it&not never",
        r"it (?:(?:do|does|did) not|never) (?:\w+ly |actually |even )?",
        (
            r"(?:say|mention|specify|state|indicate|clarify|tell us|disclose)s?"
            r"(?=[.,;!]|\s*\Z| (?:how|what|who|whom|when|where|which|why|whether|if|any|anything"
            r"|this|\w+ing"
            r"|that\b|the (?:name"
            r"|names|exact|number|date|year|reason|author|cause|specific|actual|cost|location))\b)",
        ),
    ),
    (
        "exact precise specific actual&number amount figure count total price cost frequency&vary varies"
        " depend depends",
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
        " report reports records sources information data results history&say mention provide contain"
        " include"
        " indicate specify state tell give record answer reveal name identify clarify explain describe"
        " list cover address"
        " offer note disclose show",
        rf"{GIVEN} (?:you )?(?:provided |given |above |itself |i have )?(?:do|does"
        rf"|did) not (?:\w+ ){{0,2}}?",
        (rf"{CONTAIN}\b",),
    ),
    (
        "goes go went&not into",
        rf"{GIVEN} (?:just |simply |really )?(?:do|does|did) not (?:go into|get into|touch on|elaborate)",
        ("",),
    ),
    ("not&appear", r"(?:does|do|did) not appear in (?:the|any|my|available|this)\b", ("",)),
    ("never", rf"{GIVEN} never (?:\w+ )?{CONTAIN}s?\b", ("",)),
    (
        "nothing makes make gives give provides contains offers includes",
        "",
        (
            r"(?:says?|states?|tells?|reveals?) nothing (?:about|of|on)|makes? no (?:mention|reference)",
            r"(?:gives?|provides?|contains?|offers?|includes?|states?) no (?:\w+ )?(?:information|details?"
            r"|indication|answer|name|date|reason|clue|numbers?|figures?|order|years?|author|place"
            r"|amount|count"
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
"""Signs that something cannot be said or is not told, and questions back."""
