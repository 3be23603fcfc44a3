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
from runbook_tui.definition.plan import Plan, PlanEnvironment, PlanStep
from runbook_tui.engine import approvals, glances, jobs, preview
from runbook_tui.engine.driving import Place
from runbook_tui.engine.ports import Order
from runbook_tui.engine.preview import Preview
from runbook_tui.engine.repository import Checkout

Level = Literal["good", "warns", "blocks"]

REACH: Final = "runbook_tui.actions.shared.reach"
"""What the worker imports to look; we do not."""

PATIENCE: Final = 60.0
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


def preflight(plan: Plan, checkout: Checkout, place: Place) -> list[Check]:
    """Look at everything a plan needs; what blocks comes first. Changes nothing."""
    seen = preview.of(plan, checkout, place)
    checks = [*_look(collect(seen), seen, place), *_secrets(seen), *_approvals(plan, place)]
    order = {"blocks": 0, "warns": 1, "good": 2}
    return sorted(checks, key=lambda check: order[check.level])


def _approvals(plan: Plan, place: Place) -> Iterator[Check]:
    problem = approvals.cannot(plan, place.store.identities)
    if problem is not None:
        yield Check("approval", problem, "blocks", approvals.MEND)


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


def collect(seen: Preview) -> list[Need]:
    """Return what is needed, each once, in the order of the steps."""
    needs: dict[str, Need] = {}
    for need in (*_required(seen.plan), *_of_steps(seen)):
        # A server is asked for one page, not for each that a run asks for.
        target = _origin(need.target) if need.kind == "http" else need.target
        if "{{" not in f"{need.target} {need.options}":
            needs.setdefault(json.dumps([need.kind, target, need.options], sort_keys=True), need)
    return list(needs.values())


def _required(plan: Plan) -> Iterator[Need]:
    for tool, version in plan.requires.items():
        yield Need(tool, "program", tool, {"version": version})


def _of_steps(seen: Preview) -> Iterator[Need]:
    for step, action, options in _acts(seen.plan):
        spec = registry.spec(action)
        real = seen.filled(step, options, shown=False)
        for program, package in spec.tools(real).items():
            if program not in seen.plan.requires:
                server = {"database": real["database"]} if program == "pg_dump" else {}
                yield Need(program, "program", program, {"package": package, **server})
        reaches = spec.reaches(real)
        masked = spec.reaches(seen.filled(step, options, shown=True))
        for place, reach in enumerate(reaches):
            # Two targets that differ in a secret only are one when it is masked.
            name = masked[place].target if len(masked) == len(reaches) else reach.kind
            yield from _of_reach(seen.plan.environments[step.environment], reach, name)


def _acts(plan: Plan) -> Iterator[tuple[PlanStep, str, Mapping[str, Any]]]:
    """Yield what each step does, how it is verified, and how it is taken back."""
    for step in plan.steps():
        yield step, step.action, step.options
        if step.verify is not None:
            yield step, jobs.CHECK, step.verify.options
        if step.undo is not None:
            yield step, step.undo.action, step.undo.options


def _of_reach(environment: PlanEnvironment, reach: Reach, name: str) -> Iterator[Need]:
    options = {key: value for key, value in reach.options.items() if value is not None}
    if reach.kind == "http":
        yield Need(_origin(name), "http", reach.target, options)
    elif reach.kind == "host" or "socket" in options:
        yield from _on_hosts(environment, reach, options)
    else:
        label = {"docker": "Docker engine", "git": f"Git remote {name}"}.get(reach.kind, name)
        yield Need(label, reach.kind, reach.target, options)


def _on_hosts(
    environment: PlanEnvironment, reach: Reach, options: Mapping[str, Any]
) -> Iterator[Need]:
    hosts = jobs.inventory(environment, reach.target)
    if not hosts and reach.kind == "host":
        yield Need(reach.target, "nowhere", environment.name)
    for host in hosts:
        given = {**options, "host": asdict(jobs.api_host(host))}
        given["ssh_config"] = environment.ssh_config
        if "socket" in given:
            given["socket"] = str(given["socket"]).replace("{host}", host.name)
        name = f"Docker on {host.name}" if reach.kind == "docker" else host.name
        yield Need(name, reach.kind, host.name, given)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{place}" if place else url


def _look(needs: list[Need], seen: Preview, place: Place) -> Iterator[Check]:
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
            operator=place.operator,
            secrets=seen.box.all(seen.plan),
        )
        order = Order("probe", REACH, job, graces=glances.GRACES)
        answer = glances.wait(place.pool, glances.begin(place.pool, order, PATIENCE))
    if len(answer.evidence) != len(needs):
        yield Check("preflight", f"could not be done: {answer.summary}", "blocks")
        return
    for need, found in zip(needs, answer.evidence, strict=True):
        data = cast("Mapping[str, str]", found["data"])
        level = cast("Level", data["level"])
        yield Check(data["name"] or need.name, str(found["summary"]), level, data["mend"])
