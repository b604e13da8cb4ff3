"""Which entries of GeoNames' list of countries are asked about, and for what."""

from __future__ import annotations

GONE = frozenset({"AN", "CS"})
"""No longer exist: Netherlands Antilles, Serbia and Montenegro."""
DEPENDENT = frozenset(
    {
        "AI", "AS", "AW", "AX", "BL", "BM", "BQ", "BV", "CC", "CK", "CW", "CX", "FK", "FO", "GF", "GG",
        "GI", "GL", "GP", "GS", "GU", "HK", "HM", "IM", "IO", "JE", "KY", "MF", "MO", "MP", "MQ", "MS",
        "NC", "NF", "NU", "PF", "PM", "PN", "PR", "RE", "SH", "SJ", "SX", "TC", "TF", "TK", "UM", "VG",
        "VI", "WF", "YT", "AQ",
    }
)  # fmt: skip
"""Territories of another country. A town in one may be said to be in either, so none is asked about."""
DISPUTED = frozenset({"EH", "PS", "TW", "XK"})
"""Which country a place is in depends on who is asked."""
UNSETTLED = frozenset({"EH", "PS"})
"""Not asked about either: capital and currency are disputed too."""
NAMESAKES = frozenset({"CD", "CG"})
"""The two Congos: "Congo" names both, so towns of either are not asked about."""
DIVIDED = frozenset({"CY"})
"""No town of these is asked about: part of the island has another government."""

DISPUTED_REGIONS = frozenset(
    {
        ("IN", "12"), ("IN", "41"),  # Jammu and Kashmir, Ladakh
        ("PK", "06"), ("PK", "07"),  # Azad Kashmir, Gilgit-Baltistan
        ("GE", "02"), ("GE", "73"),  # Abkhazia; Shida Kartli with South Ossetia
        ("UA", "05"), ("UA", "08"), ("UA", "11"), ("UA", "14"), ("UA", "20"), ("UA", "26"),
        ("MD", "58"), ("MD", "62"),  # Transnistria
        ("IL", "03"), ("IL", "06"), ("IL", "WE"),  # Golan, Jerusalem, West Bank
        ("MA", "11"), ("MA", "12"),  # Western Sahara
        ("SO", "11"), ("SO", "12"), ("SO", "16"), ("SO", "19"), ("SO", "20"), ("SO", "21"), ("SO", "22"),
    }
)  # fmt: skip
"""Country and GeoNames code of regions whose country is disputed."""

FEWEST = 30_000
"""Inhabitants from which a country or territory is asked about."""
