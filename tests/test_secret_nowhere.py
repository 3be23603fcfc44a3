"""One run that does its best to give its secrets away: afterwards they are nowhere.

Its scripts print them in every shape, its servers answer with what they were sent, its steps fail.
"""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from runbook_tui import cli, exits
from tests.harness import http
from tests.harness.program import Program

TOKEN = "tk-Zr8/q+W9$d\"e'f & 7ü=Qx"
PASSWORD = "Xk9-tr_Zq.81wLm"
HOOK = "T02/B7f/aGVsbG8x77"
PIN = "pin-5519-ab"
KEY = (
    "-----BEGIN SECRET-----\nMIIEvQIBADANBgkqhkiG9w0\nBAQEFAASCBKcwggSjAgEAA\n-----END SECRET-----"
)
SECRETS = {"TOKEN": TOKEN, "PASSWORD": PASSWORD, "HOOK": HOOK, "KEY": KEY, "PIN": PIN}

LEAK = r"""
import base64, html, json, os, shlex, sys
from urllib.parse import quote, quote_plus
out = sys.stdout.buffer
for name in sys.argv[1:]:
    text = os.environ[name]
    raw = text.encode()
    shapes = [raw, raw.hex().encode(), raw.hex().upper().encode(), quote(text, safe="").encode(),
              quote_plus(text).encode(), json.dumps(text).encode(), html.escape(text).encode(),
              shlex.quote(text).encode(), repr(text).encode()]
    shapes += [base64.b64encode(b"x" * before + raw + b"yz") for before in range(3)]
    shapes += [base64.urlsafe_b64encode(raw)]
    for shape in shapes:
        out.write(b"here: " + shape + b" end\n")
    coloured = b"\x1b[31m" + raw[:5] + b"\x1b[0m" + raw[5:]
    out.write(coloured + b"\n")
    for byte in raw:
        out.write(bytes([byte]))
        out.flush()
    out.write(b"\n")
    print(text, file=sys.stderr)
sys.exit(3)
"""
"""Prints each variable that it is told of in all shapes, then fails."""

RUNBOOK = """
runbook: Leaks
parameters: {{pin: {{secret: true}}}}
environments:
  live:
    secrets: {{TOKEN: {{file: {vault}/TOKEN}}, PASSWORD: {{command: cat {vault}/PASSWORD}},
      HOOK: {{env: LEAK_HOOK}}, KEY: {{file: {vault}/KEY}}}}
phases:
  - phase: Only
    steps:
      - id: shapes
        on_failure: continue
        run:
          argv: ["{python}", "{vault}/leak.py", TOKEN, PASSWORD, HOOK, KEY, PIN]
          env: {{TOKEN: "${{{{ secrets.TOKEN }}}}", PASSWORD: "${{{{ secrets.PASSWORD }}}}",
            HOOK: "${{{{ secrets.HOOK }}}}", KEY: "${{{{ secrets.KEY }}}}", PIN: "${{{{ pin }}}}"}}
      - id: script
        on_failure: continue
        run: |
          echo "begin ${{{{ secrets.TOKEN }}}}"
          cat /proc/[0-9]*/cmdline > {vault}/seen || true
          set -x
          : "${{{{ secrets.TOKEN }}}}"
          cd "${{{{ secrets.KEY }}}}"
      - id: output
        on_failure: continue
        run: {{script: 'echo "it=${{{{ secrets.PASSWORD }}}}" >> "$RUNBOOK_OUTPUT"', outputs: [it]}}
      - id: database
        on_failure: continue
        sql:
          database: "postgresql://reader:${{{{ secrets.PASSWORD }}}}@127.0.0.1:{port}/x"
          query: select 1
      - id: header
        on_failure: continue
        smoke:
          url: {url}/smoke
          headers: {{Authorization: "Bearer ${{{{ secrets.PASSWORD }}}}"}}
          expect: {{headers: {{x-echo: none}}, text: nothing like it}}
      - id: hook
        on_failure: continue
        announce: {{text: Hello, webhook: "{url}/hook/${{{{ secrets.HOOK }}}}"}}
      - id: ask
        run: echo "${{{{ secrets.TOKEN }}}}" >&2; false
"""


def shapes(secret: str) -> dict[str, bytes]:
    """Return what would give a secret away, by name; made apart from the program's own list."""
    raw = secret.encode()
    found = {"raw": raw, "hex": raw.hex().encode(), "HEX": raw.hex().upper().encode()}
    found["url"] = quote(secret, safe="").encode()
    found["form"] = quote_plus(secret).encode()
    found["json"] = json.dumps(secret)[1:-1].encode()
    found["html"] = html.escape(secret).encode()
    found["shell"] = shlex.quote(secret).strip("'").encode()
    found["python"] = repr(secret)[1:-1].encode()
    for before in range(3):
        # Without the characters at both ends, which what stands beside the secret decides too.
        coded = base64.b64encode(b"x" * before + raw + b"yz")
        found[f"base64 {before}"] = coded[4 if before else 0 : -4]
    found["base64 url"] = base64.urlsafe_b64encode(raw)[:-4]
    lines = secret.splitlines()
    if len(lines) > 1:
        found |= {f"line {number}": line.encode() for number, line in enumerate(lines)}
    return found


def leaks(data: bytes) -> set[tuple[str, str]]:
    """Return the secrets in some bytes, and in which shape; colours do not hide one."""
    plain = re.sub(rb"\x1b\[[0-9;]*m", b"", data)
    return {
        (name, shape)
        for name, secret in SECRETS.items()
        for shape, needle in shapes(secret).items()
        if needle in data or needle in plain
    }


def command_lines() -> bytes:
    """Return the arguments of all processes of the machine."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes())
        except OSError:
            continue
    return b"\n".join(found)


@contextmanager
def chatty_postgres(seen: list[bytes]) -> Iterator[int]:
    """A server that asks for the password and refuses it, by its name."""

    def serve(connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while True:
                head = stream.read(8)
                if len(head) < 8:
                    return
                length, code = struct.unpack("!II", head)
                stream.read(length - 8)
                if code == 3 << 16:
                    break
                connection.sendall(b"N")
            connection.sendall(b"R" + struct.pack("!II", 8, 3))
            length = struct.unpack("!I", stream.read(5)[1:])[0]
            password = stream.read(length - 4).rstrip(b"\0")
            seen.append(password)
            seen.append(command_lines())
            told = b"SFATAL\0C28P01\0Mwrong password " + password + b"\0\0"
            connection.sendall(b"E" + struct.pack("!I", len(told) + 4) + told)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            serve(connection)

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def vault(directory: Path) -> Path:
    """Make the place where the secrets are kept, outside the state directory."""
    made = directory / "vault"
    made.mkdir()
    for name in ("TOKEN", "PASSWORD", "KEY"):
        (made / name).write_text(f"{SECRETS[name]}\n", encoding="utf-8")
    (made / "leak.py").write_text(LEAK)
    return made


def told(
    run: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Mapping[str, str]:
    """Return what the commands that look at a run print."""
    calls = [("show", run), ("show", run, "--json"), ("events", run), ("runs", "--json")]
    calls += [("report", run, "--format", form) for form in ("md", "html", "json")]
    said = {}
    for call in calls:
        monkeypatch.setattr("sys.argv", ["runbook", *call])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == exits.DONE
        said[" ".join(call)] = capsys.readouterr().out
    return said


@pytest.mark.timeout(480)
def test_a_run_that_leaks_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = vault(tmp_path)
    during: list[bytes] = []
    asked: list[str] = []

    def reply(request: http.Asked) -> http.Reply:
        during.append(command_lines())
        said = request.headers.get("Authorization", "") + request.path
        asked.append(said)
        return http.Reply(500, said.encode(), (("X-Echo", said),))

    program = Program(tmp_path / "state", tmp_path, {"LEAK_HOOK": HOOK})
    with http.serving() as web, chatty_postgres(during) as port:
        web.reply = reply
        file = tmp_path / "leaks.yaml"
        file.write_text(RUNBOOK.format(vault=place, python=sys.executable, url=web.url, port=port))
        words = ("run", str(file), "-e", "live", "--headless", "--answer", "hook=skip:later")
        # The only secret in an argument is the one that the caller puts there.
        done = program.run(*words, "-p", f"pin={PIN}").expect(1)
    (summary,) = program.runs()

    # The secrets did go where they belong: what follows is no empty promise.
    assert PASSWORD.encode() in during
    assert f"Bearer {PASSWORD}/smoke" in asked
    assert f"/hook/{HOOK}" in asked
    assert b"-m\0runbook_tui\0run\0" in (place / "seen").read_bytes()

    seen = [*during, (place / "seen").read_bytes()]
    seen.remove(PASSWORD.encode())
    assert {leak for lines in seen for leak in leaks(lines) if leak[0] != "PIN"} == set()
    assert leaks(done.output.encode()) == set()
    monkeypatch.setenv("RUNBOOK_STATE", str(program.state))
    assert {
        call: found
        for call, text in told(summary["run"], monkeypatch, capsys).items()
        if (found := leaks(text.encode()))
    } == {}
    kept = [path for path in program.state.rglob("*") if path.is_file()]
    assert {str(path): found for path in kept if (found := leaks(path.read_bytes()))} == {}
    assert {path.name for path in kept} >= {"journal.db", "output.log", "result.json"}


def test_what_looks_for_leaks_finds_them() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEAK, *SECRETS],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**SECRETS, "LANG": "C.UTF-8"},
    )
    everything = {(name, shape) for name, secret in SECRETS.items() for shape in shapes(secret)}
    assert leaks(done.stdout) == everything
