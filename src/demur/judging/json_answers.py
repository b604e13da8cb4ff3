"""The answer in a JSON object, also in one that Python printed or that is cut short.

The value of its answer key (``{"answer": "Paris"}``); without such a key, the only value beside those that
explain it (``{"city": "Paris", "reason": "…"}``).
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator

from demur.judging.markup import unwrapped

_KEYS = (
    r"(?:final|correct|my|short|predicted|the)?[ _-]?answer|answer[ _-]?(?:text|letter|choice|option)"
    r"|prediction|correct[ _-](?:option|choice)|choice|option"
    r"|(?:[\w ]{0,12}[ _-])?(?:antwort|r[eé]ponse|respuesta|risposta|resposta|antwoord|odpowied[zź]"
    r"|ответ|cevap|yanıt)"
    r"|(?:最终|最終|正确|正確)?答案|回答|答え|解答|정답|답변|답|(?:ال)?(?:إجابة|جواب)|उत्तर|जवाब"
)
_KEYED = re.compile(
    rf"([\"'])(?:{_KEYS})\1\s*:\s*"
    r"(\"(?:[^\"\\]|\\.)*(?:\"|\Z)|'(?:[^'\\]|\\.)*'|-?\d[\d.eE+-]*|true\b|false\b|null\b|None\b|True\b|False\b"
    r"|\[[^\[\]]*\])",
    re.IGNORECASE,
)
_EXPLAINS = re.compile(
    r"(?:reason(?:s|ing)?|rationale|explanations?|thoughts?|thinking|analysis|context|evidence|justification|note"
    r"|notes|comment|why|steps?|source|sources|confidence|probability|certainty|score|alternatives?|begründung|grund"
    r"|raz[oó]n|explicaci[oó]n|raisonnement|explication|причина|объяснение|理由|解释|解釋|説明)",
    re.IGNORECASE,
)
"""Keys of what explains an answer."""


def last_match(found: Iterator[re.Match[str]]) -> re.Match[str] | None:
    """The last match; None without any."""
    last = deque(found, maxlen=1)
    return last[0] if last else None


def keyed(text: str) -> str | None:
    """The value of the last answer key of a JSON object, also of one cut short; None without one."""
    if "{" not in text:
        return None
    found = last_match(_KEYED.finditer(text, text.find("{")))
    return _only_value(text) if found is None else unwrapped(_value(found[2]))


def _only_value(text: str) -> str | None:
    """The only value of a JSON object beside those that explain it; None without one."""
    start, end = text.find("{"), text.rfind("}") + 1
    try:
        held = json.loads(text[start:end])
    except (ValueError, RecursionError):
        return None
    if not isinstance(held, dict):
        return None
    values = [value for name, value in held.items() if not _EXPLAINS.fullmatch(str(name))]
    single = len(values) == 1 and len(held) > 1 and isinstance(values[0], str | int | float | None)
    return unwrapped(_value(json.dumps(values[0]))) if single else None


def _value(written: str) -> str:
    """A JSON or Python value as text; a list's items follow one another."""
    if written[0] == "'":
        return written[1:-1].replace("\\'", "'")
    if written in ("null", "None"):
        return "null"
    if written[0] == '"' and (len(written) < 2 or written[-1] != '"'):
        return written[1:]  # cut within the text
    try:
        value = json.loads(written)
    except (ValueError, RecursionError):
        return written.strip("\"'[]")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
