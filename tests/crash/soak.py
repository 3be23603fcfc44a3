"""Kills at random times: python -m tests.crash.soak [--minutes N] [--seed N].

A runbook of all the cheap actions runs again and again in fresh worlds; the program, a worker or
both are killed at random, up to three times a run, and after each run every world must hold what
an undisturbed run leaves.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from signal import SIGKILL
from typing import Final

from runbook_tui import exits, proc
from state.stores.attempt_dir import AttemptDir
from tests.crash import oracle, striking
from tests.crash.servers import Servers
from tests.crash.worlds import WORLDS
from tests.crash.worlds.base import ENVIRONMENT, Facts, World
from tests.harness.processes import until
from tests.harness.program import Program

ACTIONS: Final = (
    *("tag", "run-verified", "run", "copy", "migrate-two", "sql"),
    *("backup", "announce", "announce-mail", "ssh-verified"),
)
MOST_KILLS: Final = 3
MOST_RESUMES: Final = 40


@dataclass
class Round:
    """One run in fresh worlds."""

    worlds: dict[str, World]
    random: Random
    longest: float
    """Seconds until the kill, at most; learned from how long the program takes."""
    kills: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def home(self) -> World:
        """The world whose directory the program is called in: the one with a Git repository."""
        return self.worlds["tag"]

    @property
    def program(self) -> Program:
        """The program as it is called in this round."""
        return Program(self.home.state, self.home.work)

    def facts(self) -> dict[str, Facts]:
        """Return what each world holds."""
        return {action: world.facts() for action, world in self.worlds.items()}

    def go(self, wanted: dict[str, Facts] | None, before: dict[str, Facts]) -> None:
        """Run to the end, with kills when it is known what is `wanted`."""
        file = self.home.home / "soak.yaml"
        file.write_text(json.dumps(self._runbook()))
        begin = ["run", str(file), "-e", ENVIRONMENT, "--headless", "--yes"]
        words = begin
        for _ in range(MOST_RESUMES):
            code = self._call(words, kill=wanted is not None and len(self.kills) < MOST_KILLS)
            if code == exits.DONE:
                return
            runs = self.program.runs()
            if not runs:
                words = begin
                continue
            words = ["resume", runs[0]["run"], "--headless", "--yes"]
            if code != -SIGKILL:
                words += self._answers(runs[0]["run"], wanted or {}, before)
        raise AssertionError("it does not come to an end")

    def _runbook(self) -> dict[str, object]:
        steps = [{"id": action, **world.options()} for action, world in self.worlds.items()]
        environment = self.worlds["copy"].environment()
        return {
            "runbook": "Soak",
            "environments": {ENVIRONMENT: environment},
            "phases": [{"phase": "Only", "steps": steps}],
        }

    def _call(self, words: list[str], *, kill: bool) -> int:
        self.said.append("$ " + " ".join(words))
        started = subprocess.Popen(
            [sys.executable, "-m", "runbook_tui", *words],
            cwd=self.home.work,
            env=self.program.environment({}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        struck = striking.Struck(started)
        with closing(struck):
            if kill:
                self._kill(struck)
            said = started.communicate(timeout=600)[0]
        self.said.append(said)
        return started.returncode

    def _kill(self, struck: striking.Struck) -> None:
        """Kill somebody at a random time, unless the program is quicker."""
        after = self.random.uniform(0, self.longest)
        began = time.monotonic()
        who = self.random.choice(("driver", "worker", "both"))
        try:
            struck.program.wait(after)
            self.longest = time.monotonic() - began
        except subprocess.TimeoutExpired:
            workers = [] if who == "driver" else struck.workers()
            if who != "worker":
                struck.program.kill()
                struck.program.wait()
            hit = [worker for worker in workers if proc.send(worker, SIGKILL)]
            if hit or who != "worker":
                self.kills.append(f"{who if hit else 'driver'} at {after:.2f} s")

    def _answers(self, run: str, wanted: dict[str, Facts], before: dict[str, Facts]) -> list[str]:
        """Answer, step by step, what is open; the world of a step that still acts is awaited."""
        words: list[str] = []
        for step in self.program.show(run)["steps"]:
            if step["status"] not in ("unknown", "failed"):
                continue
            id_ = step["id"]
            attempt = AttemptDir(Path(step["attempts"][-1]["log"]).parent)
            _until_dead(attempt)
            said = oracle.answer(self.worlds[id_].facts(), before[id_], wanted[id_])
            self.asked.append(f"{id_}={said.partition(':')[0]}")
            words += ["--answer", f"{id_}={said}"]
        return words


def _until_dead(attempt: AttemptDir) -> None:
    until(lambda: not attempt.live().alive, f"the end of {attempt.path.name}")


def main() -> int:
    """Print a line for each run; 1 when a world is not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.soak")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    given = parser.parse_args()
    print(f"seed {given.seed}, {given.minutes:g} minutes", flush=True)
    with Servers() as servers:
        return _soak(servers, Random(given.seed), time.monotonic() + 60 * given.minutes)


def _soak(servers: Servers, random: Random, end: float) -> int:
    number = kills = asked = 0
    with ExitStack() as worlds:
        undisturbed = _round(servers, random, number, 0, worlds)
        before = undisturbed.facts()
        began = time.monotonic()
        undisturbed.go(None, before)
        longest = time.monotonic() - began
        wanted = undisturbed.facts()
    while time.monotonic() < end:
        number += 1
        with ExitStack() as worlds:
            one = _round(servers, random, number, longest, worlds)
            try:
                one.go(wanted, before)
                found = one.facts()
                wrong = {name: found[name] for name in found if found[name] != wanted[name]}
                assert not wrong, f"the world holds {wrong} instead of {wanted}"
            except AssertionError as problem:
                print(f"run {number}: {', '.join(one.kills)}\n{problem}", *one.said, sep="\n")
                return 1
        longest = one.longest * 1.2
        kills, asked = kills + len(one.kills), asked + len(one.asked)
        questions = f"; asked: {', '.join(one.asked)}" if one.asked else ""
        print(f"run {number}: {', '.join(one.kills) or 'no kill'}{questions}; ok", flush=True)
    print(f"{number} runs, {kills} kills, {asked} questions; no effect lost or doubled")
    return 0


def _round(
    servers: Servers, random: Random, number: int, longest: float, opened: ExitStack
) -> Round:
    worlds = {}
    for action in ACTIONS:
        world = WORLDS[action](servers, servers.home / f"s{number}-{action}")
        worlds[action] = opened.enter_context(closing(world))
    return Round(worlds, random, longest)


if __name__ == "__main__":
    sys.exit(main())
