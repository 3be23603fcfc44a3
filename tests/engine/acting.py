"""Actions for tests of the worker: what they do is named by the option `do`."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from runbook_tui.actions.api import ActionFailed, Context, Evidence, Finding, Job, Outcome
from state.status import Verdict


def perform(job: Job, context: Context) -> Outcome:
    """Do what the option `do` says."""
    return _ACTS[str(job.options["do"])](job, context)


def probe(job: Job, context: Context) -> Finding:
    """Tell whether the file `effect` is there."""
    context.log(f"looking with {job.options.get('text', '')}")
    present = (Path(job.cwd) / "effect").exists()
    verdict = Verdict.PRESENT if present else Verdict.ABSENT
    evidence = (Evidence("file", f"effect of {job.options.get('text', '')}", {"present": present}),)
    return Finding(verdict, f"the file is {verdict}", evidence, ("effect",), outputs={"a": "b"})


def _effect(job: Job, context: Context) -> Outcome:
    with (Path(job.cwd) / "effect").open("a") as file:
        file.write("once\n")
    return Outcome(outputs={"made": "effect"}, by_host={"h1": {"made": "here"}})


def _say(job: Job, context: Context) -> Outcome:
    text = str(job.options["text"])
    context.log(f"said: {text}")
    context.write(f"and {text[:3]}".encode())
    context.write(text[3:].encode() + b"\n")
    context.log(f"complained: {text}", "stderr")
    context.progress(f"saying {text}", 0.5)
    context.sample({"text": text, "n": 1})
    context.host_progress("h1", "running", f"on {text}")
    return Outcome(evidence=(Evidence("said", f"said {text}", {text: [text]}),))


def _fail(job: Job, context: Context) -> Outcome:
    text = str(job.options["text"])
    raise ActionFailed(
        f"It failed at {text}.",
        effect="partial",
        cause="lock_timeout",
        exit_code=4,
        unknown=bool(job.options.get("unknown")),
        detail={"at": text},
    )


def _break(job: Job, context: Context) -> Outcome:
    raise ValueError(f"a bug at {job.options['text']}")


def _hand_on(job: Job, context: Context) -> Outcome:
    return Outcome(outputs={"token": f"<{job.options['text']}>"})


def _run(job: Job, context: Context) -> Outcome:
    ended = context.run([str(word) for word in job.options["argv"]])
    if ended.code != 0:
        raise ActionFailed(f"It ended with {ended.code}.", exit_code=ended.code)
    return Outcome(outputs={"note": ended.note or ""})


def _wait(job: Job, context: Context) -> Outcome:
    context.on_stop(lambda: context.log("told to stop"))
    context.log("waiting")
    context.wait(1000)
    return Outcome()


def _stay(job: Job, context: Context) -> Outcome:
    """Do not react to anything."""
    context.log("staying")
    while True:
        time.sleep(1000)


def _flood(job: Job, context: Context) -> Outcome:
    """Have a program write far more than this process may use as memory."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    ceiling = used + int(job.options["ceiling"])
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, resource.RLIM_INFINITY))
    ended = context.run([sys.executable, "-c", str(job.options["program"])])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Outcome(outputs={"peak_kb": str(peak), "note": ended.note or ""})


def _tell(job: Job, context: Context) -> Outcome:
    """Tell how this process stands in the world."""
    command = Path("/proc/self/cmdline").read_bytes()
    environment = Path("/proc/self/environ").read_bytes()
    return Outcome(
        outputs={
            "pid": str(os.getpid()),
            "leads": str(os.getsid(0) == os.getpid()),
            "told": str(str(job.options["text"]).encode() in command + environment),
            "modules": " ".join(sorted(sys.modules)),
        }
    )


_ACTS: Mapping[str, Callable[[Job, Context], Outcome]] = {
    "effect": _effect,
    "say": _say,
    "fail": _fail,
    "break": _break,
    "hand on": _hand_on,
    "run": _run,
    "wait": _wait,
    "stay": _stay,
    "flood": _flood,
    "tell": _tell,
}
