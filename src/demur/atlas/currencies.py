"""Currencies: which are legal tender where (CLDR, by Babel), and what they are called.

The question asks for the full name, since "dollar" or "franc" alone would be inside the name of another
country's currency. A short name that only one currency has ("yen") is accepted.
"""

from __future__ import annotations

import datetime
from collections import Counter
from functools import cache
from typing import Any

from demur.atlas import packages
from demur.atlas.gazetteer import Country, fold

DATE = datetime.date(2026, 1, 1)
"""Currencies that are legal tender from this day on."""

_CURRENT: dict[str, tuple[str, ...]] = {
    "BG": ("EUR", "BGN"),  # the euro since 2026-01-01, which this version of CLDR does not have yet
    "HT": ("HTG",),  # the dollar is used, but is no legal tender
    "LR": ("LRD", "USD"),
    "SZ": ("SZL", "ZAR"),
}
"""Corrections of CLDR, the usual currency first."""

_OTHER_NAMES: dict[str, tuple[str, ...]] = {
    "AED": ("Emirati dirham", "United Arab Emirates dirham"),
    "ANG": ("Netherlands Antillean guilder",),
    "BAM": ("convertible mark", "Bosnian mark", "Bosnian convertible mark"),
    "BBD": ("Barbados dollar",),
    "BMD": ("Bermudian dollar",),
    "BWP": ("Botswana pula",),
    "BYN": ("Belarusian rouble", "Belarussian ruble"),
    "CNY": ("renminbi", "RMB"),
    "CVE": ("Cabo Verdean escudo",),
    "EUR": ("euros",),
    "GBP": ("pound sterling", "sterling", "UK pound"),
    "GYD": ("Guyanese dollar",),
    "ILS": ("Israeli shekel", "new shekel", "New Israeli shekel"),
    "KGS": ("Kyrgyzstani som", "Kyrgyz som"),
    "KZT": ("Kazakh tenge",),
    "LAK": ("Lao kip",),
    "LBP": ("Lebanese lira",),
    "LSL": ("maloti", "Basotho loti"),
    "MKD": ("denar",),
    "MNT": ("tögrög", "tugrug"),
    "MOP": ("Macau pataca",),
    "PEN": ("nuevo sol", "Peruvian nuevo sol"),
    "RUB": ("Russian rouble",),
    "SCR": ("Seychelles rupee",),
    "SRD": ("Suriname dollar",),
    "STN": ("São Tomé and Príncipe dobra", "dobra"),
    "SYP": ("Syrian lira",),
    "SZL": ("Eswatini lilangeni", "emalangeni"),
    "TMT": ("Turkmen manat",),
    "TTD": ("Trinidad and Tobago dollar",),
    "TWD": ("Taiwan dollar",),
    "USD": ("United States dollar", "American dollar", "U.S. dollar"),
    "UZS": ("Uzbek som", "Uzbekistan som"),
    "VES": ("bolívar digital", "bolívar fuerte"),
    "XAF": ("CFA franc",),
    "XCD": ("Eastern Caribbean dollar",),
    "XCG": ("Netherlands Antillean guilder", "Antillean guilder"),
    "XOF": ("CFA franc",),
    "XPF": ("Pacific franc",),
    "ZWG": ("ZiG", "Zimbabwe gold"),
}
_LOCAL_NAMES: dict[str, tuple[str, ...]] = {
    "CK": ("Cook Islands dollar",),
    "FK": ("British pound", "pound sterling"),
    "FO": ("Faroese króna", "Faroese krona"),
    "GG": ("Guernsey pound",),
    "GI": ("British pound", "pound sterling"),
    "IM": ("Manx pound",),
    "JE": ("Jersey pound",),
    "KI": ("Kiribati dollar",),
    "TV": ("Tuvaluan dollar",),
    "ZW": ("Zimbabwean dollar", "Zimbabwe dollar"),
}
"""Other names of a currency in one country, and local currencies with the same value."""
_WORDS = frozenset(
    {
        "ALL", "CUP", "MOP", "TOP", "TRY", "PEN", "SOS", "LEK", "MAD", "COP", "BOB", "RON", "BAM",
        "GEL",
    }
)  # fmt: skip
"""Codes that are English words or names."""
_NO_SHORT_NAMES = frozenset({"gold", "mark", "sol"})


def currencies(country: Country) -> tuple[str, ...]:
    """The accepted names of a country's currencies, that of GeoNames first; none where it is not asked.

    Codes are accepted too, except those that are English words.
    """
    codes = _CURRENT.get(country.code) or _legal_tender(country.code)
    if not codes or (country.code not in _CURRENT and country.currency not in codes):
        return ()
    listed = country.code in _CURRENT
    ordered = codes if listed else sorted(codes, key=lambda code: code != country.currency)
    names = [name for code in ordered for name in _names(code)]
    return tuple(dict.fromkeys((*names, *_LOCAL_NAMES.get(country.code, ()))))


@cache
def _legal_tender(territory: str) -> tuple[str, ...]:
    packages.load("babel")
    found = packages.load("babel.numbers").get_territory_currencies(territory, start_date=DATE)
    return tuple(found)


@cache
def _names(code: str) -> tuple[str, ...]:
    """The names of a currency, the full one first."""
    numbers: Any = packages.load("babel.numbers")
    listed: Any = packages.load("pycountry").currencies.get(alpha_3=code)
    full = numbers.get_currency_name(code, locale="en")
    names = [full, numbers.get_currency_name(code, 2, locale="en")]
    short = full.split()[-1]
    if _short_names()[fold(short)] == 1 and fold(short) not in _NO_SHORT_NAMES:
        names.append(short)
    if listed is not None and (" " in listed.name or (fold(listed.name) == fold(short) and short in names)):
        names.append(listed.name)
    names += _OTHER_NAMES.get(code, ())
    return tuple(dict.fromkeys((*names, *(() if code in _WORDS else (code,)))))


@cache
def _short_names() -> Counter[str]:
    """How many of today's currencies have each last word."""
    core: Any = packages.load("babel.core")
    numbers: Any = packages.load("babel.numbers")
    codes = {
        code for territory in core.get_global("territory_currencies") for code in _legal_tender(territory)
    }
    return Counter(fold(numbers.get_currency_name(code, locale="en").split()[-1]) for code in codes)
