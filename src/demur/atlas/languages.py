"""Official languages: CLDR says which languages are official (by Babel), GeoNames only which are spoken.

Asked is "an" official language, and every one of the whole country is accepted. De facto official
languages are accepted beside others, but a country that has only such ones is not asked about.
"""

from __future__ import annotations

from typing import Any

from demur.atlas import packages
from demur.atlas.gazetteer import Country

_NOT_ASKED = frozenset({"BF", "ER", "ML", "NE", "TW", "VA"})
"""Changed lately (Burkina Faso, Mali, Niger), or nothing is official by law."""

_OFFICIAL: dict[str, tuple[str, ...]] = {
    "AF": ("Pashto", "Dari", "Persian", "Farsi"),
    "BE": ("Dutch", "Flemish", "French", "German"),
    "BO": ("Spanish", "Quechua", "Aymara", "Guarani"),
    "CH": ("German", "French", "Italian", "Romansh"),
    "CK": ("English", "Cook Islands Māori", "Māori"),
    "CW": ("Dutch", "Papiamento", "English"),
    "DZ": ("Arabic", "Tamazight"),  # CLDR has French
    "ET": ("Amharic", "Oromo", "Tigrinya", "Somali", "Afar"),
    "FO": ("Faroese", "Danish"),
    "HK": ("Chinese", "Cantonese", "English"),
    "IL": ("Hebrew",),
    "IQ": ("Arabic", "Kurdish"),
    "JE": ("English", "French", "Jèrriais"),
    "LI": ("German",),  # CLDR has Swiss German
    "KM": ("Comorian", "French", "Arabic"),
    "MA": ("Arabic", "Tamazight"),  # CLDR has French
    "MD": ("Romanian", "Moldovan"),
    "ME": ("Montenegrin",),  # CLDR has Serbian, which is in official use
    "MG": ("Malagasy", "French"),
    "MK": ("Macedonian", "Albanian"),
    "MO": ("Chinese", "Cantonese", "Portuguese"),
    "MY": ("Malay", "Bahasa Malaysia", "Malaysian"),
    "NG": ("English",),
    "PE": ("Spanish", "Quechua", "Aymara"),
    "RW": ("Kinyarwanda", "English", "French", "Swahili"),
    "SC": ("Seychellois Creole", "English", "French"),
    "SN": ("French",),  # CLDR has Wolof
    "TN": ("Arabic",),  # CLDR has French
    "UA": ("Ukrainian",),  # CLDR has Russian
    "XK": ("Albanian", "Serbian"),
    "ZA": (
        "Zulu", "Xhosa", "Afrikaans", "English", "Northern Sotho", "Tswana", "Sotho", "Tsonga", "Swati",
        "Venda", "Southern Ndebele", "Ndebele",
    ),
    "ZW": (
        "English", "Shona", "Ndebele", "Chewa", "Kalanga", "Nambya", "Ndau", "Shangani", "Sotho", "Tonga",
        "Tswana", "Venda", "Xhosa",
    ),
}  # fmt: skip
"""Corrections of CLDR."""

_OTHER_NAMES: dict[str, tuple[str, ...]] = {
    "Azerbaijani": ("Azeri",),
    "Bangla": ("Bengali",),
    "Chinese": ("Mandarin", "Mandarin Chinese", "Standard Chinese", "Putonghua"),
    "Divehi": ("Dhivehi", "Maldivian"),
    "Filipino": ("Tagalog", "Pilipino"),
    "Haitian Creole": ("Creole", "Kreyol"),
    "Indonesian": ("Bahasa Indonesia", "Bahasa"),
    "Irish": ("Gaelic", "Irish Gaelic"),
    "Kalaallisut": ("Greenlandic",),
    "Khmer": ("Cambodian",),
    "Kyrgyz": ("Kirghiz",),
    "Lao": ("Laotian",),
    "Malay": ("Bahasa Melayu",),
    "Montenegrin": ("Serbian", "Serbo-Croatian"),
    "Nauru": ("Nauruan",),
    "Nyanja": ("Chichewa", "Chewa"),
    "Persian": ("Farsi",),
    "Pashto": ("Pushto",),
    "Quechua": ("Kichwa",),
    "Rundi": ("Kirundi",),
    "Sinhala": ("Sinhalese",),
    "Southern Sotho": ("Sotho", "Sesotho"),
    "Spanish": ("Castilian",),
    "Swahili": ("Kiswahili",),
    "Swati": ("siSwati", "Swazi"),
    "Tamazight": ("Berber", "Amazigh"),
    "Central Atlas Tamazight": ("Berber", "Tamazight", "Amazigh"),
    "Tetum": ("Tetun",),
    "Tswana": ("Setswana",),
    "Tuvalu": ("Tuvaluan",),
    "Norwegian": ("Bokmål", "Nynorsk"),
    "Zulu": ("isiZulu",),
    "Xhosa": ("isiXhosa",),
}


def languages(country: Country) -> tuple[str, ...]:
    """The accepted names of a country's official languages; none where they are not asked.

    Languages that CLDR calls official in a region only are not accepted.
    """
    if country.code in _NOT_ASKED:
        return ()
    official = _OFFICIAL.get(country.code) or _of_cldr(country.code)
    names = [name for language in official for name in (language, *_OTHER_NAMES.get(language, ()))]
    return tuple(dict.fromkeys(names))


def _of_cldr(territory: str) -> tuple[str, ...]:
    """English names of the official languages, written forms of one language once."""
    library: Any = packages.load("babel.languages")
    english: Any = packages.load("babel").Locale("en")
    official = library.get_official_languages(territory)
    if not official:
        return ()
    codes = library.get_official_languages(territory, de_facto=True)
    known = (english.languages.get(code.partition("_")[0]) for code in (*official, *codes))
    return tuple(dict.fromkeys(name for name in known if name))
