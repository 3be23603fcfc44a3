"""The one way from foreign text to the screen.

Logs, names, errors, YAML and answers of hosts may hold anything. `safe` keeps colours (SGR) as
style; every other control character becomes visible, directional and zero-width characters are
marked, and nothing is ever read as markup. What comes out is `Content`, never `str`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from textual.color import Color
from textual.content import Content, Span
from textual.style import Style

MARK = Style(reverse=True, dim=True)
"""How a character is drawn that would otherwise act on the terminal, or hide."""

CONTRAST = 4.5
"""Least contrast of a log's own colours to their background (WCAG 2, level AA)."""

UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff"
)
_HARMFUL = re.compile(rf"[\x00-\x1f\x7f-\x9f{UNSEEN}\ud800-\udfff]")
_SELECTORS = re.compile("[\ufe00-\ufe0f]")
_TOKEN = re.compile(
    r"\x1b\[(?P<sgr>[0-9;:]{0,64})m|(?P<tab>\t)"
    rf"|(?P<odd>[\x00-\x08\x0a-\x1f\x7f-\x9f{UNSEEN}\ud800-\udfff])"
)

_BASIC = (
    *("#000000", "#cc3333", "#33aa33", "#bb9922", "#3f7fd0", "#b050b0", "#2aa6a6", "#c8c8c8"),
    *("#767676", "#ff6b5e", "#63d863", "#e8d24a", "#74aaff", "#e07fe0", "#5fd7d7", "#ffffff"),
)
_CUBE = (0, 95, 135, 175, 215, 255)


def safe(text: str | bytes, background: Color | None = None) -> Content:
    """Return `text` as inert content for one line of the screen.

    Bytes are read as UTF-8, what is not UTF-8 shows as `\\xNN`. Colours are raised to `CONTRAST`
    against `background` when it is given. Line breaks become visible: split lines before.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    text = _SELECTORS.sub("", text)
    if not _HARMFUL.search(text):
        return Content(text, strip_control_codes=False)
    return _translate(text, background)


def plain(text: str | bytes) -> str:
    """Return what `safe` shows, without style: for titles, files and notifications."""
    return safe(text).plain


def safe_lines(text: str, background: Color | None = None) -> list[Content]:
    """Return one inert content for each line of `text`; only \\n, \\r\\n and \\r end lines."""
    lines = re.split(r"\r\n|\n|\r", text)
    if lines and not lines[-1]:
        lines.pop()
    return [safe(line, background) for line in lines]


def name_of(character: str) -> str:
    """Return how a harmful character is written: `^[`, `<9B>`, `<U+202E>`."""
    code = ord(character)
    if code < 0x20:
        return "^" + chr(code + 64)
    if code == 0x7F:
        return "^?"
    if code < 0xA0:
        return f"<{code:02X}>"
    return f"<U+{code:04X}>"


def _translate(text: str, background: Color | None) -> Content:
    pieces: list[str] = []
    spans: list[Span] = []
    style, length, position = Style(), 0, 0

    def add(piece: str, extra: Style | None) -> None:
        nonlocal length
        if not piece:
            return
        pieces.append(piece)
        if extra is not None and extra:
            spans.append(Span(length, length + len(piece), extra))
        length += len(piece)

    for match in _TOKEN.finditer(text):
        add(text[position : match.start()], style)
        position = match.end()
        if match["tab"]:
            add(" " * (8 - length % 8), style)
        elif match["odd"]:
            add(name_of(match["odd"]), MARK)
        else:
            style = _after_sgr(style, match["sgr"], background)
    add(text[position:], style)
    return Content("".join(pieces), spans, strip_control_codes=False)


def _set(**attributes: bool | None) -> Callable[[Style], Style]:
    return lambda style: style + Style(**attributes)  # type: ignore[arg-type]  # names are Style's


_ATTRIBUTES: dict[int, Callable[[Style], Style]] = {
    1: _set(bold=True),
    2: _set(dim=True),
    3: _set(italic=True),
    4: _set(underline=True),
    7: _set(reverse=True),
    9: _set(strike=True),
    22: _set(bold=False, dim=False),
    23: _set(italic=False),
    24: _set(underline=False),
    27: _set(reverse=False),
    29: _set(strike=False),
}


@lru_cache(maxsize=4096)
def _after_sgr(style: Style, parameters: str, background: Color | None) -> Style:
    """Return the style after one SGR sequence; what is unknown (blink, fonts) changes nothing."""
    codes = [int(code[-4:]) if code else 0 for code in re.split("[;:]", parameters)]
    while codes:
        code = codes.pop(0)
        if code == 0:
            style = Style()
        elif code in _ATTRIBUTES:
            style = _ATTRIBUTES[code](style)
        elif code in (38, 48):
            colour = _extended(codes)
            if colour is not None:
                style = _coloured(style, colour, background, ground=code == 48)
        elif code == 39:
            style = _without(style, ground=False)
        elif code == 49:
            style = _without(style, ground=True)
        else:
            basic = _basic_index(code)
            if basic is not None:
                ground = code in range(40, 48) or code in range(100, 108)
                style = _coloured(style, Color.parse(_BASIC[basic]), background, ground=ground)
    return style


def _basic_index(code: int) -> int | None:
    for start, offset in ((30, 0), (40, 0), (90, 8), (100, 8)):
        if start <= code < start + 8:
            return code - start + offset
    return None


def _extended(codes: list[int]) -> Color | None:
    """Take `5;N` or `2;R;G;B` from the front of `codes`."""
    kind = codes.pop(0) if codes else 0
    if kind == 5 and codes:
        return _indexed(min(codes.pop(0), 255))
    if kind == 2 and len(codes) >= 3:
        red, green, blue = (min(codes.pop(0), 255) for _ in range(3))
        return Color(red, green, blue)
    return None


def _indexed(index: int) -> Color:
    if index < 16:
        return Color.parse(_BASIC[index])
    if index < 232:
        index -= 16
        return Color(_CUBE[index // 36], _CUBE[index // 6 % 6], _CUBE[index % 6])
    grey = 8 + (index - 232) * 10
    return Color(grey, grey, grey)


def _without(style: Style, *, ground: bool) -> Style:
    keep = style.foreground if ground else style.background
    bare = Style(
        bold=style.bold,
        dim=style.dim,
        italic=style.italic,
        underline=style.underline,
        reverse=style.reverse,
        strike=style.strike,
    )
    if keep is None:
        return bare
    return bare + (Style(foreground=keep) if ground else Style(background=keep))


def _coloured(style: Style, colour: Color, background: Color | None, *, ground: bool) -> Style:
    if ground:
        behind, front = colour, style.foreground
        if front is None:
            front = colour.get_contrast_text(1.0)
        return style + Style(background=behind, foreground=legible(front, behind))
    behind_it = style.background or background
    return style + Style(foreground=legible(colour, behind_it) if behind_it else colour)


@lru_cache(maxsize=4096)
def legible(colour: Color, background: Color) -> Color:
    """Return `colour`, mixed towards white or black until it stands out from `background`."""
    ends = (Color(255, 255, 255), Color(0, 0, 0))
    target = max(ends, key=lambda end: _contrast(end, background))
    for step in range(11):
        mixed = colour.blend(target, step / 10)
        if _contrast(mixed, background) >= CONTRAST:
            return mixed
    return target


def _contrast(first: Color, second: Color) -> float:
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Color) -> float:
    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.03928 else ((channel + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(channel) for channel in colour.normalized)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
