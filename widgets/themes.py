"""Colours by role (`$rb-…`), in four themes: dark, light, high contrast, and the terminal's own.

The variables must exist before any style sheet is read: register the themes in `App.__init__`
and return `DEFAULTS` from `get_theme_variable_defaults`.
"""

from __future__ import annotations

from textual.theme import Theme

_ROLES = (
    *("background", "surface", "select", "foreground", "muted", "border", "focus"),
    *("ok", "run", "ask", "bad", "unknown", "protected", "rehearse", "badge"),
)


def _variables(colours: str) -> dict[str, str]:
    return {f"rb-{role}": colour for role, colour in zip(_ROLES, colours.split(), strict=True)}


def _theme(name: str, colours: str, *, dark: bool, ansi: bool = False) -> Theme:
    roles = _variables(colours)
    return Theme(
        name=name,
        primary=roles["rb-run"],
        secondary=roles["rb-run"],
        warning=roles["rb-ask"],
        error=roles["rb-bad"],
        success=roles["rb-ok"],
        accent=roles["rb-run"],
        foreground=roles["rb-foreground"],
        background=roles["rb-background"],
        surface=roles["rb-surface"],
        panel=roles["rb-surface"],
        dark=dark,
        ansi=ansi,
        variables={
            **roles,
            "input-cursor-background": roles["rb-foreground"],
            "input-cursor-foreground": roles["rb-background"],
            "input-selection-background": roles["rb-select"],
        },
    )


DARK = _theme(
    "runbook-dark",
    "#101418 #1A2027 #1F3A56 #E8EAED #A6AFBA #66717F #FFFFFF"
    " #92E3BB #5FACFD #EFD979 #FE8261 #EE91D5 #B3261E #6A3FA0 #FFFFFF",
    dark=True,
)
LIGHT = _theme(
    "runbook-light",
    "#FCFCFA #EFF1F3 #CFE3F8 #16191D #4F5863 #7C8692 #000000"
    " #034948 #045FB2 #745606 #6C221B #591773 #A3201A #5F3693 #FFFFFF",
    dark=False,
)
CONTRAST = _theme(
    "runbook-contrast",
    "#000000 #000000 #003A70 #FFFFFF #FFFFFF #FFFFFF #FFFFFF"
    " #7CFFB2 #7CC4FF #FFE14D #FF8A70 #FF9BE4 #B00000 #5A2CA0 #FFFFFF",
    dark=True,
)
ANSI = _theme(
    "runbook-ansi",
    "ansi_default ansi_default ansi_blue ansi_default ansi_default ansi_default ansi_default"
    " ansi_green ansi_cyan ansi_yellow ansi_red ansi_magenta ansi_red ansi_magenta"
    " ansi_bright_white",
    dark=True,
    ansi=True,
)

THEMES: tuple[Theme, ...] = (DARK, LIGHT, CONTRAST, ANSI)
DEFAULTS: dict[str, str] = dict(DARK.variables)
