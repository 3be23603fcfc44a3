"""Sends a mail, once: what happens after its first byte decides whether it may have arrived."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from email import policy
from email.message import EmailMessage
from email.utils import formatdate
from pathlib import Path
from typing import Any

from runbook_tui.actions.api import ActionFailed, Evidence, Job, Outcome
from runbook_tui.actions.shared import durations


def send(job: Job, text: str, about_to_send: Callable[[], None]) -> Outcome:
    """Send the mail. ActionFailed is unknown when it may have arrived."""
    options = job.options["mail"]
    message = _message(job, options, text)
    number = str(message["Message-ID"])
    server = _connected(job, options)
    try:
        recipients = _recipients(options)
        refused = _offer(server, options["from"], recipients)
        about_to_send()
        _data(server, message.as_bytes(policy=policy.SMTP), number)
    finally:
        server.close()
    if refused:
        raise ActionFailed(
            f"The mail was accepted, but not for {', '.join(refused)}.",
            effect="partial",
            evidence=(_evidence(number, options),),
            outputs={"message_id": number},
        )
    return Outcome(outputs={"message_id": number}, evidence=(_evidence(number, options),))


def message_id(job: Job, sender: str) -> str:
    """Return the Message-ID of a step's mail: the same in every attempt, so it can be found."""
    step = job.step.replace("@", ".")
    return f"<{job.run}.{step}@{sender.rpartition('@')[2]}>"


def _message(job: Job, options: Mapping[str, Any], text: str) -> EmailMessage:
    message = EmailMessage()
    try:
        message["From"] = options["from"]
        message["To"] = ", ".join(_recipients(options))
        message["Subject"] = options["subject"]
    except ValueError as fault:
        raise ActionFailed(f"The mail has an impossible header: {fault}.", effect="none") from fault
    message["Date"] = formatdate(localtime=True)
    message["Message-ID"] = message_id(job, options["from"])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


def _connected(job: Job, options: Mapping[str, Any]) -> smtplib.SMTP:
    """Return a connection, encrypted and logged in as asked; nothing has been sent yet."""
    limit = durations.seconds(job.options["timeout"])
    ca = str(Path(job.cwd) / options["ca"]) if options["ca"] else None
    place = f"{options['server']}:{options['port']}"
    try:
        context = ssl.create_default_context(cafile=ca)
        if options["security"] == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                options["server"], options["port"], timeout=limit, context=context
            )
        else:
            server = smtplib.SMTP(options["server"], options["port"], timeout=limit)
    except (OSError, smtplib.SMTPException) as fault:
        raise ActionFailed(
            f"The mail server {place} cannot be reached: {_words(fault)}.",
            effect="none",
            cause="connection",
        ) from fault
    try:
        if options["security"] == "starttls":
            server.starttls(context=context)
        if options["user"] is not None:
            server.login(options["user"], options["password"])
    except (OSError, smtplib.SMTPException) as fault:
        server.close()
        raise ActionFailed(
            f"The mail server {place} does not let us in: {_words(fault)}.", effect="none"
        ) from fault
    return server


def _offer(server: smtplib.SMTP, sender: str, recipients: list[str]) -> list[str]:
    """Name sender and recipients; returns those refused, fails when all are."""
    try:
        server.ehlo_or_helo_if_needed()
        code, said = server.mail(sender)
        if code != 250:
            raise smtplib.SMTPResponseException(code, said)
        answers = {each: server.rcpt(each) for each in recipients}
    except (OSError, smtplib.SMTPException) as fault:
        raise ActionFailed(f"The mail was refused: {_words(fault)}.", effect="none") from fault
    refused = [each for each, (code, _) in answers.items() if code not in {250, 251}]
    if len(refused) == len(recipients):
        raise _refused(*answers[refused[0]])
    return refused


def _data(server: smtplib.SMTP, content: bytes, number: str) -> None:
    try:
        code, said = server.data(content)
    except smtplib.SMTPDataError as fault:
        raise ActionFailed(f"The mail was refused: {_words(fault)}.", effect="none") from fault
    except (OSError, smtplib.SMTPException) as fault:
        raise ActionFailed(
            f"The mail was sent, and the server's answer was lost: {_words(fault)}. Look whether "
            f"it arrived: its Message-ID is {number}.",
            unknown=True,
        ) from fault
    if code != 250:
        raise _refused(code, said)
    with suppress(OSError, smtplib.SMTPException):  # the mail is accepted: no matter what comes
        server.quit()


def _refused(code: int, said: bytes | str) -> ActionFailed:
    words = _words(smtplib.SMTPResponseException(code, said))
    return ActionFailed(f"The mail was refused: {words}.", effect="none")


def _recipients(options: Mapping[str, Any]) -> list[str]:
    to = options["to"]
    return [to] if isinstance(to, str) else list(to)


def _words(fault: Exception) -> str:
    if isinstance(fault, smtplib.SMTPResponseException):
        said = fault.smtp_error
        text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        return f"{fault.smtp_code} {' '.join(text.split())}".rstrip(".")
    if isinstance(fault, OSError) and fault.strerror:
        return fault.strerror.rstrip(".")
    return str(fault).rstrip(".") or type(fault).__name__


def _evidence(number: str, options: Mapping[str, Any]) -> Evidence:
    to = ", ".join(_recipients(options))
    return Evidence(
        "mail", f"accepted by {options['server']} for {to}", {"message_id": number, "to": to}
    )
