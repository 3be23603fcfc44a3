"""A run's report for people: Markdown, and one HTML file that needs nothing else."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from typing import Any

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;"
    "border-bottom:1px solid #ccc;vertical-align:top}code{overflow-wrap:anywhere}"
)


def markdown(found: Mapping[str, Any], seal: str) -> str:
    """Return the report of a run, as `show` gives it, sealed with its journal's head."""
    lines = [f"# {_md(found['runbook'])}", ""]
    lines += [f"- {label}: {_md(text)}" for label, text in _head(found)]
    phase = None
    for step in found["steps"]:
        if step["phase"] != phase:
            phase = step["phase"]
            lines += ["", f"## {_md(phase)}", ""]
        lines.append(f"- **{_md(step['name'])}**{_md(_refs(step))}: {_md(_stands(step))}")
        lines += [f"  - {_md(line)}" for line in _details(step)]
    lines += ["", f"Journal: `{seal}`", ""]
    return "\n".join(lines)


def page(found: Mapping[str, Any], seal: str) -> str:
    """Return the same as one HTML file."""
    title = html.escape(f"{found['runbook']} · {found['run']}")
    head = "".join(
        f"<tr><th>{html.escape(label)}</th><td>{html.escape(text)}</td></tr>"
        for label, text in _head(found)
    )
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
        f"<style>{_STYLE}</style><h1>{html.escape(found['runbook'])}</h1><table>{head}</table>"
        f"{''.join(_phases(found))}<p>Journal: <code>{html.escape(seal)}</code></p></html>\n"
    )


def _phases(found: Mapping[str, Any]) -> Iterator[str]:
    phases = dict.fromkeys(step["phase"] for step in found["steps"])
    for phase in phases:
        rows = "".join(_row(step) for step in found["steps"] if step["phase"] == phase)
        yield f"<h2>{html.escape(phase)}</h2><table>{rows}</table>"


def _row(step: Mapping[str, Any]) -> str:
    details = "".join(f"<li>{html.escape(line)}</li>" for line in _details(step))
    listed = f"<ul>{details}</ul>" if details else ""
    name = html.escape(step["name"] + _refs(step))
    return f"<tr><td>{name}{listed}</td><td>{html.escape(_stands(step))}</td></tr>"


def _head(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    parameters = ", ".join(f"{name} {value}" for name, value in found["parameters"].items())
    rows = [
        ("Run", found["run"]),
        ("Environment", found["environment"] or "none"),
        ("Status", f"{found['status']}, {found['failures']} failures"),
        ("Started", f"{found['started_at']} by {found['operator']}"),
        ("Ended", found["ended_at"] or "not yet"),
        ("Parameters", parameters or "none"),
    ]
    rows += [("History of elsewhere", found["origin"])] if found.get("origin") else []
    rows += [("Rolls back", found["base"])] if found["base"] else []
    rows += [("Rolled back by", found["rolled_back_by"])] if found["rolled_back_by"] else []
    rows += [("Note", _said(note)) for note in found["notes"]]
    return rows


def _refs(step: Mapping[str, Any]) -> str:
    return f" [{', '.join(step['refs'])}]" if step["refs"] else ""


def _stands(step: Mapping[str, Any]) -> str:
    words = [step["status"]]
    if step["proof"]:
        words.append("by a person" if step["proof"] == "person" else "by the machine")
    words += ["found done"] if step["adopted"] else []
    words += [f"{len(step['attempts'])} tries"] if len(step["attempts"]) > 1 else []
    return ", ".join(words)


def _details(step: Mapping[str, Any]) -> list[str]:
    lines = [step["reason"]] if step["reason"] else []
    last = step["attempts"][-1] if step["attempts"] else None
    evidence = step["evidence"] or (last["evidence"] if last else [])
    lines += [f"{one['kind']}: {one['summary']}" for one in evidence]
    return [*lines, *(_said(note) for note in step["notes"])]


def _said(note: Mapping[str, str]) -> str:
    return f"{note['at'][:19]}Z {note['operator']}@{note['host']}: {note['text']}"


def _md(text: str) -> str:
    """Return foreign text so that Markdown shows it as it is."""
    flat = " ".join(text.split())
    return "".join(f"\\{char}" if char in "\\`*_[]<>#|!" else char for char in flat)
