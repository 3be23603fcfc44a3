"""Sends one message. Before its first byte a mark is written; after that nothing is sent again."""

from __future__ import annotations

from runbook_tui.actions.announce import mail, webhook
from runbook_tui.actions.api import Context, Evidence, Finding, Job, Outcome
from runbook_tui.actions.shared import marks
from state.status import Verdict


def perform(job: Job, context: Context) -> Outcome:
    """Send the message with the run and step under it."""

    def about_to_send() -> None:
        marks.write(context.directory, marks.SENDING)
        context.fault("announce.sending")

    send = mail.send if job.options["mail"] else webhook.send
    outcome = send(job, text(job), about_to_send)
    marks.write_outputs(context.directory, marks.SENT, outcome.outputs, job.secrets)
    context.log(outcome.evidence[0].summary)
    return outcome


def probe(job: Job, context: Context) -> Finding:
    """Tell whether sending was begun and whether the message was accepted, by the marks left.

    What became of it in between only a person can see.
    """
    if (accepted := marks.last(job.previous, marks.SENT)) is not None:
        outputs = marks.read_outputs(accepted)
        told = ", ".join(f"{name} {value}" for name, value in outputs.items())
        summary = f"The message was accepted{f' ({told})' if told else ''}."
        evidence = (Evidence("record", summary, dict(outputs)),)
        return Finding(Verdict.PRESENT, summary, evidence, found=(summary,), outputs=outputs)
    if marks.last(job.previous, marks.SENDING) is None:
        return Finding(Verdict.ABSENT, "Nothing was sent.")
    return Finding(
        Verdict.UNKNOWN,
        "Sending was begun, and no answer was kept.",
        unclear=(f"whether it arrived: look for a message that ends in {signature(job)}",),
    )


def text(job: Job) -> str:
    """Return the message as it is sent."""
    return f"{job.options['text'].rstrip()}\n\n{signature(job)}\n"


def signature(job: Job) -> str:
    """Return the line by which a message can be found."""
    where = f" in {job.environment}" if job.environment else ""
    return f"Run {job.run}, step {job.step}, by {job.operator}{where}."
