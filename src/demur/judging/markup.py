r"""A text without the marks of Markdown, LaTeX and HTML around its words.

``**B**``, ``$B$``, ``\text{B}``, ``\(B\)``, a heading, a bullet and a link all say "B". Money keeps its
sign: a dollar pair counts as mathematics only where TeX's own converters take it for that (pandoc's
``tex_math_dollars``). Where nothing but marks stands, they are the answer and stay.
"""

from __future__ import annotations

import html
import re

_MARK = re.compile(r"[*_`$\\#>&<\[{|~\n]")
_BULLETS = ("-", "•", "‣", "+")

_FENCE = re.compile(r"```[\w+-]*[ \t]*\n?(.*?)(?:```|\Z)", re.DOTALL)
_CODE = re.compile(r"`([^`\n]{1,2000})`")
_BOLD = re.compile(r"(\*{2,3}|__)(?=\S)(.{1,2000}?)(?<=\S)\1")
_EMPHASIS = re.compile(r"(?<![\w*\\])\*(?=[^\s*])([^*\n]{1,500}?)(?<=[^\s*\\])\*(?![\w*])")
_UNDERLINE = re.compile(r"(?<![\w\\])_(?=[^\s_])([^_\n]{1,500}?)(?<=[^\s_\\])_(?!\w)")
_LINE_MARK = re.compile(
    r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[*•‣+][ \t]+(?=\S)|-[ \t]+(?=[^\d\s]))", re.MULTILINE
)
_STRUCK = re.compile(r"~~(?=\S)[^~\n]{1,500}~~")
_LINK = re.compile(r"!?\[([^\[\]\n]{1,500})\]\((?:https?:|/|#|www\.)[^()\s]{0,500}\)")
_BREAK = re.compile(r"<br\s*/?>|</p>", re.IGNORECASE)
_HTML = re.compile(
    r"</?(?:b|i|u|em|strong|p|span|div|code|pre|mark|small|h[1-6])(?:\s[^<>]{0,200})?>", re.IGNORECASE
)
_ENTITY = re.compile(r"&(?:#\d{1,6}|#[xX][0-9a-fA-F]{1,6}|quot|amp|lt|gt|apos|nbsp|[lr][sd]quo);")

_NAMED = re.compile(
    r"\\(?:text(?:bf|it|rm|tt|sf|normal)?|math(?:rm|bf|it|sf|tt|bb|cal)|operatorname\*?|mbox|emph|boxed|fbox)"
    r"\s*\{([^{}]*)\}"
)
_FRACTION = re.compile(r"\\[dtc]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_DEGREES = re.compile(r"\s*\^\s*(?:\{\s*\\circ\s*\}|\\circ)")
_DISPLAY = re.compile(r"\$\$(.{1,2000}?)\$\$|\\\[(.{1,2000}?)\\\]|\\\((.{1,2000}?)\\\)", re.DOTALL)
_INLINE = re.compile(
    r"(?<![\\\w$])\$(?=[^\s$])([^$\n]{0,500}?[^\s$\\])\$(?![\d$])|(?<![\\\w$])\$([^\s$])\$(?![\d$])"
)
_SPACE = re.compile(r"\\(?:[,;:! ]|quad|qquad)|(?<=\S)~(?=\S)")
_COMMAND = re.compile(r"\\(?:left|right|displaystyle|big|Big)\b\s*")
_ESCAPED = re.compile(r"\\([\\`*_{}()#+\-.!$%&\[\]])")
_SIGNS = {
    r"\times": "×",
    r"\cdot": "·",
    r"\div": "÷",
    r"\pm": "±",
    "{,}": ",",
    r"\dots": "…",
    r"\ldots": "…",
}


def unwrapped(text: str) -> str:
    """The text without marks, stripped; the text itself, stripped, where nothing else stands in it."""
    text = text.strip()
    if not (_MARK.search(text) or text.startswith(_BULLETS)):
        return text
    found = _without_html(text)
    if "\\" in found or "$" in found or "{,}" in found:
        found = _without_latex(found)
    return _without_markdown(found).strip() or text


def _without_html(text: str) -> str:
    if "&" in text:
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    return _HTML.sub("", _BREAK.sub("\n", text)) if "<" in text else text


def _without_latex(text: str) -> str:
    for _ in range(3):  # \boxed{\textbf{\text{B}}}
        inner = _NAMED.sub(r"\1", text)
        if inner == text:
            break
        text = inner
    text = _DISPLAY.sub(lambda found: next(filter(None, found.groups()), ""), text)
    text = _INLINE.sub(lambda found: found[1] or found[2], text)
    text = _COMMAND.sub("", _SPACE.sub(" ", _DEGREES.sub("°", _FRACTION.sub(r"\1/\2", text))))
    for sign, plain in _SIGNS.items():
        text = text.replace(sign, plain)
    return _ESCAPED.sub(r"\1", text)


def _without_markdown(text: str) -> str:
    if "`" in text:
        text = _CODE.sub(r"\1", _FENCE.sub(r"\1", text))
    if "~~" in text:
        text = _STRUCK.sub("", text)
    text = _LINE_MARK.sub("", text)
    if "*" in text or "_" in text:
        text = _BOLD.sub(r"\2", text)
        text = _UNDERLINE.sub(r"\1", _EMPHASIS.sub(r"\1", text))
    return _LINK.sub(r"\1", text) if "](" in text else text
