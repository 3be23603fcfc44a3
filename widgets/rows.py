"""Rows of the screen: cutting, spreading and ruling content, and a widget that paints rows.

Everything here counts cells, not characters.
"""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

from widgets.glyphs import UNICODE, Glyphs


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its content, and a style for its whole width (`""` for none)."""

    content: Content
    style: str = ""


EMPTY = Content("")


def text(*parts: str | Content | tuple[str, str]) -> Content:
    """Return content of our own words; a tuple is (words, style). Never for foreign text."""
    return Content.assemble(*parts, strip_control_codes=False)


def cut(content: Content, width: int, glyphs: Glyphs = UNICODE) -> Content:
    """Return `content` in at most `width` cells; what is cut ends in an ellipsis."""
    if content.cell_length <= width:
        return content
    mark = glyphs.ellipsis
    if width <= len(mark):
        return Content(mark[: max(width, 0)])
    return crop(content, width - len(mark)) + Content(mark)


def crop(content: Content, width: int) -> Content:
    """Return the first `width` cells of `content`, without a mark."""
    if content.cell_length <= width:
        return content
    cells = 0
    for index, character in enumerate(content.plain):
        cells += cell_len(character)
        if cells > width:
            return content[:index]
    return content


def spread(
    left: Content, right: Content, width: int, glyphs: Glyphs = UNICODE, gap: int = 1
) -> Content:
    """Return one row of `width` cells: `left`, cut if need be, and `right` at the end."""
    if not right.plain:
        left = cut(left, width, glyphs)
        return left + Content(" " * (width - left.cell_length))
    room = max(0, width - right.cell_length - gap)
    left = cut(left, room, glyphs)
    blank = max(0, width - left.cell_length - right.cell_length)
    return left + Content(" " * blank) + right


def rule(
    title: Content,
    right: Content,
    width: int,
    glyphs: Glyphs = UNICODE,
    *,
    heavy: bool = False,
    colour: str = "",
) -> Content:
    """Return a title rule of `width` cells: one line, the title in it, `right` near its end."""
    line = glyphs.heavy if heavy else glyphs.rule
    style = colour or ("$rb-focus" if heavy else "$rb-border")
    if width < 4:
        return text((line * width, style))
    tail = right.plain != ""
    room = width - 3 - (right.cell_length + 3 if tail else 0)
    title = cut(title, max(room, 1), glyphs)
    body = text((line, style), " ") + title + text(" ")
    used = body.cell_length + (right.cell_length + 3 if tail else 0)
    body += text((line * max(0, width - used), style))
    if tail:
        body += text(" ") + right + text(" ", (line, style))
    return crop(body, width)


def wrap(content: Content, width: int) -> list[Content]:
    """Return `content` in lines of at most `width` cells, broken at blanks where possible."""
    if not content.plain:
        return [EMPTY]
    if content.cell_length <= width:
        return [content]
    return list(content.wrap(max(width, 1)))


class Painted(Widget):
    """A widget that is rows of content; subclasses say which in `rows`."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "Painted { width: 1fr; height: 1; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._painted: list[Row] | None = None
        self._painted_for = (0, 0)

    def rows(self, width: int, height: int) -> list[Row]:
        """Return the rows to show; at most `height` of them are painted."""
        raise NotImplementedError

    def repaint(self, region: Region | None = None) -> None:
        """Ask for `rows` anew, and paint (only `region`, when given)."""
        self._painted = None
        if region is None:
            self.refresh()
        else:
            self.refresh(region)

    def render_line(self, y: int) -> Strip:
        """Paint one row."""
        size = (self.size.width, self.size.height)
        if self._painted is None or self._painted_for != size:
            self._painted, self._painted_for = self.rows(*size), size
        row = self._painted[y] if y < len(self._painted) else Row(EMPTY)
        return paint(self, row, size[0])


def paint(widget: Widget, row: Row, width: int) -> Strip:
    """Return the strip of one row in the colours of `widget` and its theme."""
    base = widget.visual_style
    if row.style:
        base += style_of(widget, row.style)
    segments = [
        Segment(piece, (base + style).rich_style)
        for piece, style in row.content.render(
            base, end="", parse_style=lambda style: style_of(widget, style)
        )
    ]
    strip = Strip(segments, row.content.cell_length)
    return strip.adjust_cell_length(width, base.rich_style)


_STYLES: dict[tuple[str, str], Style] = {}


def style_of(widget: Widget, style: str | Style) -> Style:
    """Return a style of our own by its words, with the theme's variables."""
    if isinstance(style, Style):
        return style
    key = (widget.app.theme, style)
    found = _STYLES.get(key)
    if found is None:
        found = _STYLES[key] = Style.parse(style, widget.app.theme_variables)
    return found


def glyphs_of(widget: Widget) -> Glyphs:
    """Return the symbols that the app of `widget` uses."""
    glyphs = getattr(widget.app, "glyphs", UNICODE)
    return glyphs if isinstance(glyphs, Glyphs) else UNICODE
