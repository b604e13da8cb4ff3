"""What countries are called: in questions, and as accepted answers."""

from __future__ import annotations

from typing import Any

from demur.atlas import packages
from demur.atlas.gazetteer import City, Country

_OTHER_NAMES: dict[str, tuple[str, ...]] = {
    "AE": ("UAE", "Emirates"),
    "BA": ("Bosnia", "Bosnia-Herzegovina"),
    "BN": ("Brunei Darussalam",),
    "BY": ("Belorussia",),
    "CI": ("Côte d'Ivoire", "Cote d'Ivoire"),
    "CN": ("People's Republic of China", "PRC"),
    "CV": ("Cape Verde", "Cabo Verde"),
    "CZ": ("Czech Republic", "Czechia"),
    "GB": ("UK", "U.K.", "Great Britain", "Britain"),
    "GW": ("Guinea Bissau",),
    "KP": ("DPRK",),
    "KR": ("Korea", "Republic of Korea"),
    "LA": ("Lao", "Lao PDR"),
    "MK": ("Macedonia",),
    "MM": ("Burma",),
    "NL": ("Netherlands", "Holland"),
    "RU": ("Russian Federation",),
    "ST": ("São Tomé and Príncipe", "Sao Tome"),
    "SZ": ("Swaziland",),
    "TL": ("East Timor", "Timor-Leste"),
    "TR": ("Türkiye", "Turkiye"),
    "TT": ("Trinidad & Tobago", "Trinidad"),
    "US": ("USA", "U.S.", "U.S.A.", "United States of America"),
    "VN": ("Viet Nam",),
}
"""Common names and abbreviations. ISO codes are left out: "CAN", "PER" and "US" are English words."""

_NATIONS = {"ENG": "England", "SCT": "Scotland", "WLS": "Wales", "NIR": "Northern Ireland"}
"""Countries of the United Kingdom by GeoNames region."""

_ASKED: dict[str, str] = {
    "AX": "the Åland Islands",
    "CV": "Cape Verde",
    "CW": "Curaçao",
    "NL": "the Netherlands",
    "RE": "Réunion",
    "ST": "São Tomé and Príncipe",
    "TL": "Timor-Leste",
}
_WITH_ARTICLE = frozenset(
    {
        "AE", "BS", "CD", "CF", "CG", "CK", "DO", "FO", "GB", "GM", "IM", "KM", "KY", "MH", "MP", "MV",
        "PH", "SB", "SC", "TC", "US", "VG", "VI",
    }
)  # fmt: skip


def asked_name(country: Country) -> str:
    """The name of a country within a question."""
    article = "the " if country.code in _WITH_ARTICLE else ""
    return _ASKED.get(country.code, article + country.name)


def accepted_names(country: Country, city: City | None = None) -> tuple[str, ...]:
    """The names by which a country is accepted as an answer, the usual one first.

    Args:
        city: a place in it; for one in the United Kingdom its nation is accepted too.
    """
    listed: Any = packages.load("pycountry").countries.get(alpha_2=country.code)
    fields = ("name", "common_name", "official_name")
    names = [country.name.removeprefix("The ")]
    # "Korea, Republic of" is a form for sorted lists that nobody says.
    names += [name for field in fields if (name := getattr(listed, field, "")) and "," not in name]
    names += _OTHER_NAMES.get(country.code, ())
    if city is not None and country.code == "GB" and city.region in _NATIONS:
        names.append(_NATIONS[city.region])
    return tuple(dict.fromkeys(names))
