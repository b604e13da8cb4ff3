"""Capitals: GeoNames names one for each country; here is what it leaves out or has not followed."""

from __future__ import annotations

from demur.atlas.gazetteer import Country

_NOT_ASKED = frozenset({"IL", "TK", "BQ", "NR"})
"""Disputed, or there is no official capital."""

_CAPITALS: dict[str, tuple[str, ...]] = {
    "AG": ("St. John's", "Saint John's"),
    "AS": ("Pago Pago", "Fagatogo"),
    "BI": ("Gitega", "Bujumbura"),  # political and economic capital, by law since 2019
    "BJ": ("Porto-Novo", "Cotonou"),  # the government sits in Cotonou
    "BO": ("Sucre", "La Paz"),  # constitutional capital and seat of government
    "CI": ("Yamoussoukro", "Abidjan"),  # the government sits in Abidjan
    "CH": ("Bern", "Berne"),
    "CM": ("Yaoundé", "Yaounde"),
    "CR": ("San José",),
    "CO": ("Bogotá", "Bogota", "Santa Fe de Bogotá"),
    "FM": ("Palikir",),
    "FO": ("Tórshavn", "Torshavn"),
    "GD": ("St. George's", "Saint George's"),
    "GG": ("St Peter Port", "Saint Peter Port"),
    "GQ": ("Malabo", "Ciudad de la Paz", "Oyala"),  # moved in 2026
    "GU": ("Hagåtña", "Hagatna", "Agana"),
    "ID": ("Jakarta", "Nusantara"),  # to be moved
    "JE": ("Saint Helier", "St Helier"),
    "KI": ("South Tarawa", "Tarawa", "Bairiki"),
    "KZ": ("Astana", "Nur-Sultan", "Nursultan"),  # renamed back in 2022
    "LK": ("Sri Jayawardenepura Kotte", "Kotte", "Colombo"),  # official, and seat of the government
    "MD": ("Chișinău", "Chisinau", "Kishinev"),
    "ME": ("Podgorica", "Cetinje"),  # capital and old royal capital, both in the constitution
    "MM": ("Naypyidaw", "Nay Pyi Taw", "Naypyitaw"),
    "MN": ("Ulaanbaatar", "Ulan Bator"),
    "MP": ("Saipan", "Capitol Hill"),
    "MV": ("Malé", "Male"),
    "MY": ("Kuala Lumpur", "Putrajaya"),  # capital and seat of government
    "NC": ("Nouméa", "Noumea"),
    "NL": ("Amsterdam",),  # the government sits in The Hague, which the constitution does not call capital
    "PW": ("Ngerulmud", "Melekeok"),
    "PY": ("Asunción", "Asuncion"),
    "SZ": ("Mbabane", "Lobamba"),  # administrative and legislative
    "RE": ("Saint-Denis", "St Denis"),
    "TC": ("Cockburn Town", "Grand Turk"),
    "TD": ("N'Djamena", "Ndjamena"),
    "TG": ("Lomé", "Lome"),
    "TO": ("Nuku'alofa", "Nukualofa"),
    "TZ": ("Dodoma",),
    "UA": ("Kyiv", "Kiev"),
    "US": ("Washington, D.C.", "Washington", "Washington DC"),
    "UZ": ("Tashkent", "Toshkent"),
    "VG": ("Road Town",),
    "XK": ("Pristina", "Prishtina", "Priština"),
    "YE": ("Sana'a", "Sanaa", "Aden"),  # Aden is the seat of the recognised government
    "ZA": ("Pretoria", "Cape Town", "Bloemfontein", "Tshwane"),  # executive, legislative, judicial
}


def capitals(country: Country) -> tuple[str, ...]:
    """The accepted names of a country's capital or capitals; none where it is not asked."""
    if country.code in _NOT_ASKED or not country.capital:
        return ()
    return tuple(dict.fromkeys((*_CAPITALS.get(country.code, ()), *_current(country))))


def _current(country: Country) -> tuple[str, ...]:
    return () if country.code in _CAPITALS else (country.capital,)
