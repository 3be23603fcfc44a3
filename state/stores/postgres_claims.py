"""Claims of attempts as rows: whoever is first has it, a driver that was replaced gets none."""

from __future__ import annotations

from typing import Final

from state.claims import Claimant, Claimed
from state.errors import Fenced
from state.stores.postgres import HELD, Fences
from state.stores.postgres_link import Link

BEGIN_WITHIN: Final = 20.0
"""Seconds after its claim in which a worker must begin, or never: longer than a fork may take."""

_CLAIM: Final = f"""{HELD}
INSERT INTO runbook.claims (attempt, claimant, token, at)
SELECT %(attempt)s, %(claimant)s, %(token)s, clock_timestamp() FROM kept WHERE kept.all
ON CONFLICT (attempt) DO NOTHING RETURNING attempt
"""  # noqa: S608 - a statement of ours
_LOOK: Final = """
SELECT claimant, token, extract(epoch FROM clock_timestamp() - at)::float8
FROM runbook.claims WHERE attempt = %(attempt)s
"""


class PostgresClaims:
    """The `Claims` of one store."""

    def __init__(self, link: Link, fences: Fences) -> None:
        self._link = link
        self._fences = fences

    def claim(self, run: str, attempt: str, claimant: Claimant, *, token: int) -> Claimed:
        """Claim an attempt; see `Claims.claim`."""
        fences = self._fences.fences()
        values = {
            "kinds": [kind for kind, _, _ in fences],
            "names": [name for _, name, _ in fences],
            "tokens": [number for _, _, number in fences],
            "run": run,
            "token": token,
            "attempt": attempt,
            "claimant": claimant,
        }
        if self._link.rows(_CLAIM, values):
            return Claimed(ours=True, left=BEGIN_WITHIN)
        found = self._link.read(_LOOK, {"attempt": attempt})
        if not found:
            raise Fenced(
                f"run {run} was taken over: token {token} does not hold its leases any more"
            )
        by, number, age = found[0]
        # The answer to our own claim may have been lost; and void is void, whoever said so.
        ours = by == claimant and (by == "void" or number == token)
        return Claimed(ours, max(0.0, BEGIN_WITHIN - age))
