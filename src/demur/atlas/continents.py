"""Continents of countries and of cities, as far as there is one answer."""

from __future__ import annotations

from demur.atlas.gazetteer import City, Country

_NAMES = {
    "AF": ("Africa",),
    "AS": ("Asia",),
    "EU": ("Europe",),
    "NA": ("North America",),
    "OC": ("Oceania",),
    "SA": ("South America",),
}
_MORE_NAMES = {"NZ": ("Australasia", "Zealandia"), "PG": ("Australia", "Australasia")}
_CENTRAL = frozenset(["BZ", "CR", "GT", "HN", "NI", "SV"])
_CARIBBEAN = frozenset(
    {
        "AG", "AI", "BB", "BL", "BS", "CU", "DM", "DO", "GD", "GP", "HT", "JM", "KN", "KY", "LC", "MF",
        "MQ", "MS", "PR", "SX", "TC", "VC", "VG", "VI",
    }
)  # fmt: skip
_ON_TWO = frozenset(
    {
        "AM", "AW", "AZ", "BM", "BQ", "CW", "CY", "EG", "GE", "GL", "ID", "KZ", "PA", "RU", "TL", "TR",
        "TT",
    }
)  # fmt: skip
"""On two continents, or counted to either: not asked."""
_ZONES = {
    "AF": ("Africa/", "Indian/", "Atlantic/"),
    "AS": ("Asia/", "Indian/"),
    "EU": ("Europe/", "Atlantic/Reykjavik"),
    "NA": ("America/",),
    "OC": ("Australia/", "Pacific/"),
    "SA": ("America/",),
}
"""Time zones of each continent: a place in another one lies overseas (Melilla, Honolulu, Easter Island)."""


def continents(country: Country) -> tuple[str, ...]:
    """The accepted names of the continent of a country; none where it is not asked."""
    if country.code in _ON_TWO or country.continent not in _NAMES:
        return ()
    more = ("Central America",) if country.code in _CENTRAL else ()
    more = ("Caribbean",) if country.code in _CARIBBEAN else more
    return (*_NAMES[country.continent], *more, *_MORE_NAMES.get(country.code, ()))


def continents_of_city(city: City, country: Country) -> tuple[str, ...]:
    """The same for a city; none where it lies overseas."""
    names = continents(country)
    return names if names and city.timezone.startswith(_ZONES[country.continent]) else ()
