"""What is asked: ten relations, each with the entities that it can be asked of.

A relation asks about an *entity* (a city, country, element or county). A country may be the answer to
questions of every part; as an entity it lies in one part only.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from demur.atlas import capitals, continents, currencies, elements, languages, names, territories
from demur.atlas.gazetteer import City, Country, Gazetteer, fold
from demur.core.records import Domain

Kind = Literal["city", "country", "element", "county"]

SMALLEST_CITY = 15_000
"""Inhabitants from which a city is asked about."""
_CITY_NAME = re.compile(r"[^\W\d_]{2}[^\W\d_'’ .-]*(?:['’ .-]+[^\W\d_]+)*")
_LONGEST_NAME, _SHORTEST_NAME = 30, 4
_COUNTY = re.compile(r"(.+) (?:County|Parish)")

CITY_STEPS = (15_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000)
COUNTRY_STEPS = (30_000, 1_000_000, 10_000_000, 100_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """One relation: its name, the kind of entity it asks about, and its wording."""

    name: str
    kind: Kind
    domain: Domain
    wording: str
    parts: tuple[str, ...]
    """Parts in which it is asked."""


_SEEN = ("train", "calibration", "test")
RELATIONS = (
    Relation(
        name="country of city",
        kind="city",
        domain="id",
        wording="In which country is the city or town of {}?",
        parts=(*_SEEN, "confirm"),
    ),
    Relation(
        name="currency",
        kind="country",
        domain="id",
        wording="What is the full name of the currency of {}?",
        parts=_SEEN,
    ),
    Relation(
        name="capital", kind="country", domain="id", wording="What is the capital of {}?", parts=_SEEN
    ),
    Relation(
        name="element symbol",
        kind="element",
        domain="id",
        wording="What is the chemical symbol of {}?",
        parts=_SEEN,
    ),
    Relation(
        name="continent",
        kind="country",
        domain="ood",
        wording="On which continent is {}?",
        parts=("test",),
    ),
    Relation(
        name="official language",
        kind="country",
        domain="ood",
        wording="What is an official language of {}?",
        parts=("test",),
    ),
    Relation(
        name="state of city",
        kind="city",
        domain="ood",
        wording="In which U.S. state is the city or town of {}?",
        parts=("test", "confirm"),
    ),
    Relation(
        name="element period",
        kind="element",
        domain="ood",
        wording="What is the period number of {} in the periodic table?",
        parts=("test",),
    ),
    Relation(
        name="continent of city",
        kind="city",
        domain="ood",
        wording="On which continent is the city or town of {}?",
        parts=("confirm",),
    ),
    Relation(
        name="state of county",
        kind="county",
        domain="ood",
        wording="In which U.S. state is {}?",
        parts=("confirm",),
    ),
)
"""The last two are asked in the sealed part alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """What questions are about."""

    id: str
    """Its kind and number or code, such as ``city/2950159``."""
    kind: Kind
    name: str
    """As it stands in a question."""
    population: int | None
    """None where that is no measure of it, or is not known."""
    stratum: str
    """Of the population, such as ``100k-300k``; ``none`` without one."""
    answers: dict[str, tuple[str, ...]]
    """The accepted answers by relation; a relation that cannot be asked of it is left out."""

    @property
    def popularity(self) -> float | None:
        """Common logarithm of the population."""
        return None if self.population is None else round(math.log10(self.population), 4)


def stratum(population: int, steps: Sequence[int]) -> str:
    """The step that a population lies in, from its lower end up to below its upper one."""
    low = max(step for step in steps if step <= population)
    above = [step for step in steps if step > population]
    return f"{_short(low)}-{_short(above[0])}" if above else f"{_short(low)}+"


def _short(number: int) -> str:
    return f"{number // 1_000_000}M" if number >= 1_000_000 else f"{number // 1000}k"


def read_entities(gazetteer: Gazetteer) -> Iterator[Entity]:
    """Every entity that a question can be asked of.

    Raises:
        DataError: a package is not installed.
    """
    yield from _cities(gazetteer)
    yield from _countries(gazetteer)
    yield from _elements()
    yield from _counties(gazetteer)


def _cities(gazetteer: Gazetteer) -> Iterator[Entity]:
    by_code = {country.code: country for country in gazetteer.countries}
    # "In which country is Brasília?" is the same fact as the capital of Brazil, which another part may ask.
    seats = {
        fold(name)
        for country in gazetteer.countries
        for name in (country.capital, *capitals.capitals(country))
    }
    asked: set[str] = set()
    for city in sorted(gazetteer.cities, key=lambda city: (-city.population, city.id)):
        country = by_code.get(city.country)
        if country is None or not _usable(city) or fold(city.name) in seats:
            continue
        if fold(city.name) in asked or not gazetteer.only_in_its_country(city):
            continue  # of several places of one country with one name, the largest is asked about
        found = _asked(city.name, _city_answers(city, country, gazetteer))
        if found:
            asked.add(fold(city.name))
            yield Entity(
                id=f"city/{city.id}",
                kind="city",
                name=city.name,
                population=city.population,
                stratum=stratum(city.population, CITY_STEPS),
                answers=found,
            )


def _usable(city: City) -> bool:
    """Whether a place has a name to ask with, enough inhabitants, and one country that all agree on."""
    barred = (
        territories.GONE
        | territories.DEPENDENT
        | territories.DISPUTED
        | territories.NAMESAKES
        | territories.DIVIDED
    )
    return (
        city.population >= SMALLEST_CITY
        and city.country not in barred
        and (city.country, city.region) not in territories.DISPUTED_REGIONS
        and _SHORTEST_NAME <= len(city.name) <= _LONGEST_NAME
        and _CITY_NAME.fullmatch(city.name) is not None
    )


def _city_answers(city: City, country: Country, gazetteer: Gazetteer) -> dict[str, tuple[str, ...]]:
    found = {"country of city": names.accepted_names(country, city)}
    if city.country == "US":
        state = gazetteer.states.get(city.region)
        alone = state is not None and gazetteer.only_in_its_state(city)
        return {**found, "state of city": (state,)} if state and alone else found
    return {**found, "continent of city": continents.continents_of_city(city, country)}


def _countries(gazetteer: Gazetteer) -> Iterator[Entity]:
    for country in gazetteer.countries:
        barred = territories.GONE | territories.UNSETTLED
        if country.code in barred or country.population < territories.FEWEST:
            continue
        answers = {
            # "Leone" is in "Sierra Leone"; the full name is not
            "currency": tuple(
                name for name in currencies.currencies(country) if not _holds(country.name, name)
            ),
            "capital": capitals.capitals(country),
            "continent": continents.continents(country),
            "official language": languages.languages(country),
        }
        if any(_holds(name, country.name) for name in answers["capital"]):  # Mexico City
            answers["capital"] = ()
        name = names.asked_name(country)
        yield Entity(
            id=f"country/{country.code}",
            kind="country",
            name=name,
            population=country.population,
            stratum=stratum(country.population, COUNTRY_STEPS),
            answers=_asked(name, answers),
        )


def _elements() -> Iterator[Entity]:
    for element in elements.read_elements():
        answers = {"element symbol": elements.symbols(element), "element period": elements.periods(element)}
        yield Entity(
            id=f"element/{element.number}",
            kind="element",
            name=element.asked_name,
            population=None,
            stratum="none",
            answers=_asked(element.asked_name, answers),
        )


def _counties(gazetteer: Gazetteer) -> Iterator[Entity]:
    """U.S. counties and parishes whose name no county, parish or like division of another state has."""
    states_of: dict[str, set[str]] = {}
    for name, state in gazetteer.counties:
        states_of.setdefault(_bare(name), set()).add(state)
    taken = {fold(state) for state in gazetteer.states.values()}
    for name, state in gazetteer.counties:
        bare = _bare(name)
        if _COUNTY.fullmatch(name) and state in gazetteer.states and len(states_of[bare]) == 1:
            answers = {"state of county": (gazetteer.states[state],)}
            found = {} if any(_holds(bare, other) for other in taken) else _asked(name, answers)
            if found:
                yield Entity(
                    id=f"county/{state}/{bare}",
                    kind="county",
                    name=name,
                    population=None,
                    stratum="none",
                    answers=found,
                )


def _bare(county: str) -> str:
    """A county's name without its kind."""
    return fold(re.sub(r" (?:County|Parish|Borough|Census Area|Municipality|city|City)$", "", county))


def _asked(name: str, answers: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The relations that have answers, none of which stands in the question."""
    wordings = {relation.name: relation.wording for relation in RELATIONS}
    return {
        relation: accepted
        for relation, accepted in answers.items()
        if accepted and not any(_holds(wordings[relation].format(name), answer) for answer in accepted)
    }


def _holds(text: str, part: str) -> bool:
    """Whether a text holds another as whole words."""
    return f" {fold(part)} " in f" {fold(text)} "
