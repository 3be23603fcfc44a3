"""Compares the database's statement statistics with those of an earlier moment.

    query_stats.py take FILE       keep the statistics of now
    query_stats.py compare FILE    show the slowest statements since then, and the most changed

The connection is in $DATABASE_URL. Exit codes: 0 fine, 1 a statement's mean is over the limit in
$SLOWEST_MS.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import psycopg

Stats = dict[str, tuple[int, float]]
"""Statement -> (calls, milliseconds in all)."""

QUERY = """
select queryid::text || ' ' || left(regexp_replace(query, '\\s+', ' ', 'g'), 70),
       sum(calls)::bigint, sum(total_exec_time)
from pg_stat_statements s join pg_database d on d.oid = s.dbid
where d.datname = current_database() and queryid is not null group by 1
"""


def read(url: str) -> Stats:
    """Read the statistics of the connection's database."""
    with psycopg.connect(url) as connection:
        return {text: (calls, float(ms)) for text, calls, ms in connection.execute(QUERY)}


def since(before: Stats, now: Stats) -> dict[str, tuple[int, float, float]]:
    """Return, for what ran since, its calls, its mean in ms, and the growth of the mean in ms."""
    grown = {}
    for text, (calls, total) in now.items():
        old_calls, old_total = before.get(text, (0, 0.0))
        if calls > old_calls:
            mean = (total - old_total) / (calls - old_calls)
            grown[text] = (
                calls - old_calls,
                mean,
                mean - old_total / old_calls if old_calls else 0,
            )
    return grown


def show(title: str, rows: list[tuple[str, tuple[int, float, float]]]) -> None:
    """Print a table of statements."""
    print(f"{title}\n   calls    mean ms  change ms  statement")
    for text, (calls, mean, change) in rows:
        print(f"{calls:8d} {mean:10.3f} {change:+10.3f}  {text.partition(' ')[2]}")


def main(command: str, file: Path) -> int:
    """Do what the command says."""
    now = read(os.environ["DATABASE_URL"])
    if command == "take":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(now))
        print(f"statements={len(now)}")
        return 0
    before = {text: (row[0], row[1]) for text, row in json.loads(file.read_text()).items()}
    grown = list(since(before, now).items())
    slowest = sorted(grown, key=lambda row: -row[1][1])[:5]
    show("Slowest since then", slowest)
    show("Most changed", sorted(grown, key=lambda row: -abs(row[1][2]))[:5])
    worst = slowest[0][1][1] if slowest else 0.0
    print(f"statements={len(grown)}\nslowest_ms={worst:.3f}")
    return 1 if worst > float(os.environ.get("SLOWEST_MS", "500")) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
