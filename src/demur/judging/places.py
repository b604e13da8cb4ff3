"""Names of countries with their adjectives, and of the states of the US: what judging knows of geography.

A short list, made for two ends: "Scottish" answers "Scotland", and "Paris, Texas, USA" is one place and no
list of three. What is not in it is compared as any other word.
"""

from __future__ import annotations

_COUNTRIES = """
afghanistan afghan; albania albanian; algeria algerian; america american; andorra andorran; angola
angolan; argentina argentine argentinian argentinean; armenia armenian; australia australian; austria
austrian; azerbaijan azerbaijani; bahrain bahraini; bangladesh bangladeshi; belarus belarusian; belgium
belgian; bolivia bolivian; bosnia bosnian; brazil brazilian; britain british briton; bulgaria bulgarian;
burma burmese; cambodia cambodian; cameroon cameroonian; canada canadian; chad chadian; chile chilean;
china chinese; colombia colombian; croatia croatian; cuba cuban; cyprus cypriot; czechia czech; denmark
danish dane; ecuador ecuadorian; egypt egyptian; england english englishman; estonia estonian; ethiopia
ethiopian; finland finnish finn; france french frenchman; gabon gabonese; gambia gambian; georgia
georgian; germany german; ghana ghanaian; greece greek; greenland greenlandic; guatemala guatemalan;
guinea guinean; haiti haitian; honduras honduran; hungary hungarian; iceland icelandic icelander; india
indian; indonesia indonesian; iran iranian; iraq iraqi; ireland irish irishman; israel israeli; italy
italian; jamaica jamaican; japan japanese; jordan jordanian; kazakhstan kazakh; kenya kenyan; korea
korean; kosovo kosovan; kuwait kuwaiti; laos laotian; latvia latvian; lebanon lebanese; liberia liberian;
libya libyan; lithuania lithuanian; luxembourg luxembourgish; malawi malawian; malaysia malaysian; mali
malian; malta maltese; mauritius mauritian; mexico mexican; moldova moldovan; monaco monegasque; mongolia
mongolian; montenegro montenegrin; morocco moroccan; mozambique mozambican; namibia namibian; nepal
nepalese nepali; netherlands dutch dutchman; nicaragua nicaraguan; nigeria nigerian; norway norwegian;
oman omani; pakistan pakistani; palestine palestinian; panama panamanian; paraguay paraguayan; peru
peruvian; philippines philippine filipino; poland polish pole; portugal portuguese; qatar qatari; romania
romanian; russia russian; rwanda rwandan; scotland scottish scots scot; senegal senegalese; serbia serbian
serb; singapore singaporean; slovakia slovak slovakian; slovenia slovenian slovene; somalia somali; spain
spanish; sudan sudanese; sweden swedish swede; switzerland swiss; syria syrian; taiwan taiwanese; tanzania
tanzanian; thailand thai; tibet tibetan; tunisia tunisian; turkey turkish turk; uganda ugandan; ukraine
ukrainian; uruguay uruguayan; uzbekistan uzbek; venezuela venezuelan; vietnam vietnamese; wales welsh
welshman; yemen yemeni; zambia zambian; zimbabwe zimbabwean; europe european; asia asian; africa african;
sicily sicilian; prussia prussian; persia persian; rome roman; tuscany tuscan; bavaria bavarian; brittany
breton; normandy norman; catalonia catalan; flanders flemish; corsica corsican; crete cretan
"""
_STATES = """
alabama alaska arizona arkansas california colorado connecticut delaware florida georgia hawaii idaho
illinois indiana iowa kansas kentucky louisiana maine maryland massachusetts michigan minnesota mississippi
missouri montana nebraska nevada ohio oklahoma oregon pennsylvania tennessee texas utah vermont virginia
washington wisconsin wyoming ontario quebec alberta manitoba saskatchewan queensland tasmania
usa uk uae us
"""
LONG_NAMES = (
    *("united states", "united states of america", "united kingdom", "great britain", "new zealand"),
    *(
        "south africa",
        "north korea",
        "south korea",
        "saudi arabia",
        "sri lanka",
        "costa rica",
        "puerto rico",
    ),
    *("new york", "new jersey", "new mexico", "new hampshire", "north carolina", "south carolina"),
    *("north dakota", "south dakota", "west virginia", "rhode island", "british columbia", "nova scotia"),
    *(
        "new south wales",
        "northern ireland",
        "czech republic",
        "united arab emirates",
        "district of columbia",
    ),
)
"""Names of several words that end an address."""
_FAMILIES = [entry.split() for entry in _COUNTRIES.split(";")]
COUNTRY_OF = {adjective: family[0] for family in _FAMILIES for adjective in family[1:]}
"""The country of an adjective or of the name of its people, in lower case."""
PLACES = frozenset(
    (*(family[0] for family in _FAMILIES if family[0] != "rome"), *_STATES.split(), *LONG_NAMES)
)
"""What can stand at the end of an address, in normal form."""
