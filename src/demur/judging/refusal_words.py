"""The words that refusals are made of, each kind listed once: of knowing, lacking, telling and withholding.

They are patterns for the plain form of `refusal_text`; `refusal_signs` puts them together.
Sources: R-Tuning (arXiv 2311.09677) and SelfAware (arXiv 2305.18153) for the phrases.
"""

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
    *(
        "known",
        "provided",
        "mentioned",
        "specified",
        "stated",
        "given",
        "available",
        "applicable",
        "disclosed",
    ),
    *(
        "announced",
        "sure",
        "certain",
        "clear",
        "found",
        "answerable",
        "determined",
        "confirmed",
        "enough info",
    ),
)
WHOLE_TEXTS = frozenset(
    {
        *(
            "null",
            "unknown",
            "unanswerable",
            "unclear",
            "uncertain",
            "unsure",
            "unspecified",
            "undetermined",
        ),
        *(
            "undisclosed",
            "unavailable",
            "unconfirmed",
            "dunno",
            "idk",
            "unk",
            "n a",
            "n/a",
            "tbd",
            "tba",
            "pass",
            "skip",
        ),
        *(
            "how would i know",
            "how should i know",
            "no answer",
            "no comment",
            "noanswer",
            "no response",
            "no information",
            "no information available",
        ),
        *(
            "no info",
            "no data",
            "no mention",
            "no idea",
            "no clue",
            "no record",
            "abstain",
            "refuse",
            "refused",
        ),
        *(
            "can not answer",
            "can not say",
            "can not tell",
            "who knows",
            "can not be determined",
            "hard to say",
        ),
        *("not enough information", "not enough info", "not enough context", "insufficient information"),
        *(
            "insufficient context",
            "insufficient evidence",
            "insufficient data",
            "to be announced",
            "to be determined",
            "to be confirmed",
        ),
        *(
            "not in the text",
            "not in the passage",
            "not in the context",
            "not in context",
            "no answer found",
        ),
        *(
            "none found",
            "none given",
            "none provided",
            "nobody knows",
            "no one knows",
            "anonymous",
            "cannot determine",
        ),
        *(f"not {quality}" for quality in _QUALITIES),
        *(f"{what} not {quality}" for what in ("answer", "information") for quality in _QUALITIES),
    }
)
"""Texts that are a refusal where nothing else stands beside them, without punctuation."""

ADV = (
    r"(?:(?:[a-z]+ly|just|even|also|still|yet|quite|too|very|so|ever|100%|at all|at (?:this|the) \w+"
    r"|in fact"
    r"|as an? \w+(?: \w+){0,2}|,) ){0,2}"
)
INFORMATION = (
    r"(?:information|info|knowledge|context|data|details?|evidence|records?|mentions?|sources?"
    r"|documentation"
    r"|figures|statistics|specifics|references?|indication|confirmation|proof)"
)
OWN = (
    r"(?:opinions?|preferences?|feelings?|emotions?|beliefs?|views?|thoughts|favou?rites?|tastes?|body"
    r"|bodies"
    r"|senses?|consciousness|experiences?|desires?|dreams?|birthdays?|family|friends|age|name|gender"
    r"|palate)"
)
LACKED = (
    rf"(?:{INFORMATION}|{OWN}|(?:an? |the )?answers?|access|idea|clue|memory|recollection|abilit(?:y|ies)"
    r"|capabilit(?:y|ies)|capacity|insight|way (?:to|of)|means (?:to|of)|expertise|familiarity|awareness"
    r"|certainty|inkling|notion|permission"
    r"|(?:specific|exact|precise|definitive|reliable|confirmed|verified|particular"
    r"|official) (?:\w+ )?(?:date|year|number"
    r"|figure|name|location|time|list|value|recipe|count|breakdown|source|price)s?"
    r"|(?:live|real[- ]time|up-to-date|current|today's|latest) [\w-]+(?: [\w-]+)?|(?:an? |the )(?:count"
    r"|figure|number|date|name|list|record|price|total|year)\b(?! of\b)|that kind of \w+|such (?:data"
    r"|details?|information))"
)
KNOW = (
    r"(?:know|understand|recogni[sz]e|recall|remember|possess|get the question|quite follow"
    r"|(?:think|believe) (?:that )?(?:(?:i|we) (?:know|can|have|could|am)|(?:anyone"
    r"|anybody) (?:\w+ )?knows?)|wish to|want to (?:guess|speculate"
    r"|give"
    r"|say|make|mislead|provide|risk|answer)|feel (?:comfortable|able|confident|qualified)|keep track)"
)
SAY = (
    r"(?:answer|say|tell|determine|provide|give|know|verify|confirm|find|locate|access|understand|comment"
    r"|help"
    r"|assist|describe|identify|recommend|offer|speculate|discuss|share|respond|predict|be (?:able|sure"
    r"|certain"
    r"|of help|confident|definitive)|fulfill?|comply|physically|personally|accurately|definitively|reliably"
    r"|recall|remember|make (?:any|a|up|out|definit|meaningful)|name|look (?:\w+ )?up|browse|search"
    r"|check|figure|pinpoint|guarantee|reveal|disclose|engage|choose|advise|endorse|express|think of|guess"
    r"|forecast|foresee|answer|place|infer|deduce|conclude|ascertain|establish|pronounce|commit|list"
    r"|explain"
    r"|assess|evaluate|analy[sz]e|conclude|go into|go there|walk|teach|carry|place|put|facilitate"
    r"|promote|create|generate|write|process|support|retrieve"
    r"|disclose|quite|fully|see (?:any|your)|taste"
    r"|read (?:minds|your mind)|see (?:into )?the future|make th(?:at|is|ese)|settle|resolve|rule on"
    r"|specify|estimate|quote"
    r"|point to|state)"
)
STATE = (
    r"(?:sure|certain|aware|familiar|confident|clear|able|capable|programmed|designed|equipped|trained"
    r"|qualified"
    r"|allowed|permitted|authori[sz]ed|privy|at liberty|in a position|comfortable|positive|knowledgeable"
    r"|acquainted|informed|the (?:right|best) (?:person|one|source|tool|place)|going to|100%|in possession)"
)
TOLD = (
    r"(?:announced|confirmed|disclosed|mentioned|revealed|specified|stated|determined|decided|documented"
    r"|identified|named|published|recorded|released|reported|provided|given|shared|found|established|set"
    r"|finali[sz]ed|made (?:public|available|known)|explained|indicated|described|listed|scheduled"
    r"|clarified"
    r"|discovered|preserved|verified|defined|included|noted|discussed)"
)
UNKNOWN = (
    r"(?:unknown(?! to (?!me|us))|unclear|uncertain|undetermined|unspecified|undisclosed|unconfirmed"
    r"|unrecorded"
    r"|undocumented|unverified|unavailable|obscure|murky|anonymous|disputed|debated|contested"
    r"|confidential|unpredictable"
    r"|(?:something of )?a (?:complete )?mystery|lost(?: to (?:history|time))?|up in the air"
    r"|anyone's guess|a (?:matter|subject|topic) of (?:\w+ )?(?:debate|dispute|speculation))"
)
NOT_PUBLIC = (
    rf"(?:(?:{TOLD}|known|available|public|clear|certain|sure|understood|agreed|settled|in (?:the (?:text"
    rf"|passage|context|document|article|story|provided|given|question)|my (?:data|knowledge|training)\w*)"
    r"|answered|answerable|definitive|apparent|obvious|evident|conclusive))"
)
MY = (
    r"(?:what i (?:know|can|was (?:trained|taught|given)|have)|my (?:\w+ )?(?:abilit(?:y|ies)"
    r"|capabilit(?:y|ies)|capacity|reach|scope"
    r"|knowledge|training(?: data)?|(?:area of )?expertise|memory|data|records?|notes|sources|mind))"
)
GIVEN = (
    r"(?:context|passages?|texts?|documents?|articles?|questions?|prompts?|excerpts?|stor(?:y|ies)"
    r"|paragraphs?"
    r"|snippets?|transcripts?|reports?|(?:available |historical |official |search |provided |given "
    r"|public ){0,2}"
    r"(?:records|sources|information|data|results|documents)|history)"
)
CONTAIN = (
    r"(?:say|mention|provide|contain|include|indicate|specify|state|tell|give|record|answer|reveal|name"
    r"|identify"
    r"|clarify|explain|describe|list|cover|address|offer|note|disclose|show)"
)
COMPLETE = (
    r"(?=[.,;!?)]|\s*\Z|\n| (?:who|what|when|where|which|why|how|whether|if|yet|at|about|anywhere|as"
    r"|since|because"
    r"|exactly|for (?:sure|certain)|with|to (?:me|us)|in (?:the|any|my|this|these|available|historical"
    r"|public)"
    r"|by|from|due|and|or|publicly|currently|so|based)\b)"
)
"""Where a remark that something is unknown is complete, or goes on with what: "known.", "known who …"."""
HARD = (
    r"(?:not possible|impossible|difficult|hard|tough|tricky|challenging|too early|too soon"
    r"|inappropriate|not appropriate|not (?:easy|clear how))"
)
FIND_OUT = (
    r"(?:answer|say|tell|know|determine|predict|confirm|verify|give|provide|pin(?:point)?|identify"
    r"|establish|be"
    r" (?:sure|certain|definitive)|ascertain|estimate|define|conclude|evaluate|draw|find|offer|describe"
    r"|explain|make|speculate|state|comment|share|discuss|assess|recommend|prescribe|advise)"
)


def bounded(pattern: str) -> str:
    """A pattern between word boundaries, where its neighbours are letters of a spaced script."""
    return rf"(?<![a-z0-9_])(?:{pattern})(?![a-z0-9_])"


def word_set(*lines: str) -> frozenset[str]:
    """The words of some lines of text."""
    return frozenset(" ".join(lines).split())
