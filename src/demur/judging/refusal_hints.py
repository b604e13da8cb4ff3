"""Words of which a text with a sign of a refusal holds one: the first and cheapest look at a text."""

from __future__ import annotations

from demur.judging.refusal_words import word_set

HINTS = word_set(
    "[date [date] [insert [name [name] [year] [your above absent abstain actually air alive allowed",
    "ambiguous anonymous anything arent asking assumes assumption assumptions beat beats bell beyond",
    "bigger blank blanking blanks canceled cancelled cannot cant challenging check checking clarify",
    "classified clue clueless concepts confidential conflict consult consulting contact contested",
    "controversy",
    "couldnt cutoff debate debated decline defeat depend depends didnt differ difficult disagree",
    "disagreement disputed divided doesnt dont dunno early elaborate else eludes empty end ends escapes",
    "existent exists fabricated falls fictional fictitious folklore forget forgotten gaps give got",
    "guess guessing hard hasnt havent higher hypothetical idk ignorance ignorant imaginary impossible",
    "crystal inanimate inappropriate incapable incomplete insert insufficient invented inventing",
    "irresponsible",
    "isnt just knew knows lack lacking larger leave leaves left legal legend legendary legends limited",
    "little longer look loss lost lying made making mean meanings mind misconception missing",
    "misunderstanding murky mystery myth mythical",
    "mythological myths need neither never no nobody none nonexistent nonsensical not nothing obscure",
    "only open outside pass past please predates prefer premise presupposes proprietary provide rather",
    "refer referring refrain refuse repeat rephrase runs scarce search share short silent slips soon",
    "sooner sparse specific specify speculating speculation still stop stops stumped stumps suggest t",
    "talking taller tell things tongue too tough training tricky unable unanswerable unanswered",
    "unavailable unaware",
    "uncertain uncertainty unclear unconfirmed undetermined undisclosed undocumented unfamiliar",
    "unidentified unknown unnamed unpredictable unrecorded unresolved unsolved unspecified unsure",
    "unverified up vague varies vary visit wait wasnt what whatever wish without wont wouldnt yet yours",
)
"""Every built-in sign, and every denial of what a question takes for granted, holds one of these words, in
plain form or before; a "t" is the end of "don't".
"""
