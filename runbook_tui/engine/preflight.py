"""Whether all that a plan's steps need is there: programs, secrets, and what must be reached.

The same thing is looked at once, however many steps need it. What a step needs only if an earlier
step gives its name cannot be looked at before and is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, cast
from urllib.parse import urlsplit

from runbook_tui.actions import registry
from runbook_tui.actions.api import Job, Reach
from runbook_tui.actions.shared.reach import MODULE
from runbook_tui.definition.plan import Plan, PlanStep
from runbook_tui.engine import glances, jobs, preview
from runbook_tui.engine.ports import Order
from runbook_tui.engine.preview import Onlooker, Preview

Level = Literal["good", "warns", "blocks"]

PATIENCE: Final = 45.0
"""Seconds for all answers; each has its own, shorter limit in the worker that asks."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that the run needs. One that blocks is to be mended before the start."""

    name: str
    sentence: str
    level: Level
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """What is looked at: `options` may hold secrets, `name` holds none."""

    name: str
    kind: str
    target: str
    options: Mapping[str, Any] = field(default_factory=dict)


def preflight(plan: Plan, onlooker: Onlooker) -> list[Check]:
    """Look at everything a plan needs; what blocks comes first. Changes nothing."""
    seen = preview.of(plan, onlooker)
    needs = list(collect(seen))
    checks = [*_secrets(seen), *_look(needs, seen, onlooker)]
    order = {"blocks": 0, "warns": 1, "good": 2}
    return sorted(checks, key=lambda check: order[check.level])


def _secrets(seen: Preview) -> Iterator[Check]:
    several = len({environment for environment, _ in preview.sources(seen.plan)}) > 1

    def name(environment: str, secret: str) -> str:
        return f"secret {secret} of {environment}" if several else f"secret {secret}"

    for one in seen.untold:
        label = name(one.environment, one.source.name)
        if one.typed:
            yield Check(label, "you are asked for it when it is needed", "good")
        else:
            yield Check(label, one.sentence, "blocks", one.advice)
    for environment, secret in seen.box.known:
        yield Check(name(environment, secret), "can be read", "good")


def collect(seen: Preview) -> Iterator[Need]:
    """Yield what is needed, each once, in the order of the steps."""
    known: set[str] = set()
    for need in (*_required(seen.plan), *_of_steps(seen)):
        key = json.dumps([need.kind, need.target, need.options], sort_keys=True)
        if key not in known and "${{" not in key:
            known.add(key)
            yield need


def _required(plan: Plan) -> Iterator[Need]:
    for tool, version in plan.requires.items():
        yield Need(tool, "program", tool, {"version": version})


def _of_steps(seen: Preview) -> Iterator[Need]:
    for step in seen.plan.steps():
        looks = [(step.action, step.options)]
        looks += [(jobs.CHECK, step.verify.options)] if step.verify else []
        looks += [(step.undo.action, step.undo.options)] if step.undo else []
        for action, options in looks:
            yield from _of_action(seen, step, action, options)


def _of_action(
    seen: Preview, step: PlanStep, action: str, options: Mapping[str, Any]
) -> Iterator[Need]:
    spec = registry.spec(action)
    real = seen.filled(step, options, shown=False)
    masked = seen.filled(step, options, shown=True)
    for program, package in spec.tools(masked).items():
        if program not in seen.plan.requires:
            newest = {"database": real["database"]} if program == "pg_dump" else {}
            yield Need(program, "program", program, {"package": package, **newest})
    for reach, named in zip(spec.reaches(real), spec.reaches(masked), strict=True):
        yield from _of_reach(seen, step, reach, named.target)


def _of_reach(seen: Preview, step: PlanStep, reach: Reach, name: str) -> Iterator[Need]:
    options = {key: value for key, value in reach.options.items() if value is not None}
    on_host = reach.kind == "host" or (reach.kind == "docker" and "socket" in options)
    if on_host:
        yield from _on_hosts(seen, step, reach, options)
    elif reach.kind == "http":
        yield Need(_origin(name), "http", reach.target, options)
    else:
        label = {"docker": "Docker engine", "git": f"Git remote {name}"}.get(reach.kind, name)
        yield Need(label, reach.kind, reach.target, options)


def _on_hosts(
    seen: Preview, step: PlanStep, reach: Reach, options: Mapping[str, Any]
) -> Iterator[Need]:
    environment = seen.plan.environments[step.environment]
    for host in jobs.inventory(environment, reach.target):
        given = {**options, "host": asdict(jobs.api_host(host))}
        given["ssh_config"] = environment.ssh_config
        name = f"Docker on {host.name}" if reach.kind == "docker" else host.name
        yield Need(name, reach.kind, host.name, given)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{place}{parts.path}" if place else url


def _look(needs: list[Need], seen: Preview, onlooker: Onlooker) -> Iterator[Check]:
    if not needs:
        return
    home = seen.plan.home()
    asked = [{"kind": one.kind, "target": one.target, "options": one.options} for one in needs]
    with glances.directories() as fresh:
        job = Job(
            run=preview.RUN,
            step="preflight",
            number=1,
            action="preflight",
            options={"needs": asked},
            directory=str(fresh()),
            cwd=str(seen.checkout.root),
            environment=home.name,
            operator=onlooker.operator,
            secrets=seen.box.all(seen.plan),
        )
        order = Order("probe", MODULE, job, graces=glances.GRACES)
        answer = glances.wait(onlooker.pool, glances.begin(onlooker.pool, order, PATIENCE))
    if len(answer.evidence) != len(needs):
        yield Check("preflight", f"could not be done: {answer.summary}", "blocks")
        return
    for need, found in zip(needs, answer.evidence, strict=True):
        data = cast("Mapping[str, str]", found["data"])
        level = cast("Level", data["level"])
        yield Check(data["name"] or need.name, str(found["summary"]), level, data["mend"])
