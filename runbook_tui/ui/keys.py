"""Which keys the last row shows, and what the help overlay says of all of them."""

from __future__ import annotations

from widgets.glyphs import Glyphs
from widgets.key_bar import Key

HELP = Key("?", "help")
LEAVE = Key("q", "leave")
F1 = Key("f1", "help")

Keys = tuple[tuple[Key, ...], tuple[Key, ...]]


def looking(
    *, asks: bool, wide: bool, decides: bool = True, word: str = "decide", hosts: bool = False
) -> Keys:
    """Return the keys of a run while the operator looks around; `decides`: something can be.

    `word` says what `d` leads to; `hosts`: the focus is in the table of hosts.
    """
    keys = [Key("d", word, marked=asks)] if decides else []
    if hosts:
        keys += [Key("enter", "open"), Key("/", "filter"), Key("e", "next trouble")]
        keys += [
            Key("tab", "pane"),
            *((Key("z", "zoom"), Key(".", "running step")) if wide else ()),
        ]
        return tuple(keys), (HELP, Key(":", "commands"), LEAVE) if wide else (HELP, LEAVE)
    keys.append(Key("/", "search"))
    if wide:
        keys += [Key("&", "filter"), Key("e", "errors"), Key("F", "follow")]
    keys += [Key("m", "note"), Key("[ ]", "tabs"), Key("tab", "pane"), Key("z", "zoom")]
    if wide:
        keys += [Key(".", "running step"), Key("c", "copy"), Key("|", "pager")]
    always = (HELP, Key(":", "commands"), LEAVE) if wide else (HELP, LEAVE)
    return tuple(keys), always


def choosing(glyphs: Glyphs, *, log: bool = True) -> Keys:
    """Return the keys of the bar; `log`: there is one to look at."""
    keys = [Key(glyphs.arrows, "choose"), Key("enter", "takes the marked one")]
    if log:
        keys.append(Key("1", "log"))
    return (*keys, Key("esc", "back")), (HELP,)


TYPING: Keys = ((Key("", "typing:"), Key("enter", "accept"), Key("esc", "leave the field")), (F1,))
NOTING: Keys = ((Key("", "typing:"), Key("tab", "to Save"), Key("esc", "keep as draft")), (F1,))
FORM: Keys = (
    (Key("", "typing:"), Key("tab", "next field"), Key("esc", "to the choices")),
    (F1,),
)
HOME: Keys = (
    (Key("enter", "open"), Key("/", "filter"), Key("tab", "next list")),
    (HELP, Key(":", "commands"), Key("q", "quit")),
)
LAUNCH: Keys = (
    (Key("d", "decide"), Key("tab", "next"), Key("enter", "edit, unfold, check again")),
    (HELP, Key("q", "back")),
)

Rows = tuple[tuple[str, str, str, str], ...]
Acts = tuple[tuple[str, str], ...]

LOOK: Rows = (
    ("↑↓ j k", "move", "enter", "open"),
    ("← → h l", "fold, side", ".", "running step"),
    ("1-6 [ ]", "tabs", "tab", "next pane"),
    ("/ n N", "find, next", "&", "only lines"),
    ("e E", "next error", "@", "go to a time"),
    ("g G", "top, end", "F", "follow"),
    ("w", "wrap", "i J", "times, JSON"),
    ("c", "copy", "|", "pager"),
    ("z", "zoom", "m", "write a note"),
    (":", "commands", "?", "this"),
    ("q", "leave: asks", "esc", "one back"),
)
ACT: Acts = (
    ("y", "run it / say yes"),
    ("r", "run again"),
    ("v", "it is done: check"),
    ("s", "skip with a reason"),
    ("b", "roll back …"),
    ("u", "undo this step"),
    ("x", "stop the step …"),
    ("p", "pause after it"),
    ("t", "hand, take over …"),
    ("o", "open a shell"),
    ("a", "abort …"),
)
HOME_LOOK: Rows = (
    ("↑↓ j k", "move", "enter", "open"),
    ("g G", "top, end", "tab", "next list"),
    ("/", "filter", "esc", "end filter"),
    (":", "commands", "?", "this"),
    ("q", "quit", "", ""),
)
LAUNCH_LOOK: Rows = (
    ("↑↓ j k", "move", "tab", "next part"),
    ("← → h l", "place, fold", "enter", "edit, check"),
    ("g G", "top, end", "esc", "to the plan"),
    (":", "commands", "?", "this"),
    ("q", "back", "", ""),
)
ROLLBACK_LOOK: Rows = (
    ("↑↓ j k", "move", "tab", "plan, answer"),
    ("g G", "top, end", "esc", "not now"),
    ("?", "this", "", ""),
)
ROLLBACK_ACT: Acts = (("y", "roll back"),)
READING: Keys = (
    (Key("d", "decide"), Key("tab", "answer"), Key("g G", "top, end"), Key("esc", "not now")),
    (HELP,),
)
LAUNCH_ACT: Acts = (("y", "start it"),)
