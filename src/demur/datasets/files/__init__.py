"""Files into records: what a file is, its content says, not its name.

`content` (bytes, encoding) → `text`, `tables`, `columnar` (formats) → `containers` (where a JSON value
keeps its records) → `records`; `opening` goes this way. A record is any JSON value with the number of the
line, record or row where it stands. Nothing here knows what a question is. Every fault becomes a problem
with its place.
"""

from demur.datasets.files.content import FORMATS, SUFFIXES, Content
from demur.datasets.files.folders import list_folder
from demur.datasets.files.opening import open_parts, open_records
from demur.datasets.files.records import TABLES, Records

__all__ = [
    "FORMATS",
    "SUFFIXES",
    "TABLES",
    "Content",
    "Records",
    "list_folder",
    "open_parts",
    "open_records",
]
