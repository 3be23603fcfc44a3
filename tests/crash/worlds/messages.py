"""Messages to a web server and to a mail server, which count them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.crash.worlds.base import Facts, World


class Webhook(World):
    """A message by HTTP."""

    action = "announce"
    points = ("announce.sending",)

    def options(self) -> Mapping[str, Any]:
        url = f"{self.servers.web.url}/{self.home.name}"
        return {"announce": {"text": "It is out.", "webhook": url}}

    def facts(self) -> Facts:
        came = [one for one in self.servers.web.asked if one.path == f"/{self.home.name}"]
        return {"messages": len(came)}


class Mail(World):
    """A message by SMTP."""

    action = "announce-mail"
    points = ("announce.sending",)

    @property
    def recipient(self) -> str:
        """Who gets this world's mails."""
        return f"{self.home.name}@example.org"

    def options(self) -> Mapping[str, Any]:
        mail = {
            "server": "127.0.0.1",
            "port": self.servers.post.port,
            "security": "none",
            "from": "deploy@example.org",
            "to": self.recipient,
            "subject": "It is out",
        }
        return {"announce": {"text": "It is out.", "mail": mail}}

    def facts(self) -> Facts:
        ours = f"To: {self.recipient}".encode()
        return {"mails": sum(ours in mail for mail in self.servers.post.mails)}
