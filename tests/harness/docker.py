"""The small image that tests deploy: an HTTP service in plain sockets on this machine's Python.

Nothing can be pulled, so the base holds just what the service imports; its health check is quick.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Final

BASE: Final = "fleet-base:1"
APP: Final = """\
import json, os, signal, socket, sys, threading, time

place = os.environ["HOST"], int(os.environ["PORT"])
if len(sys.argv) > 1:
    with socket.create_connection(place, 8) as link:
        link.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
        sys.exit(b" 200 " not in link.recv(64))


def answer(link):
    with link:
        asked = b""
        while b"\\r\\n\\r\\n" not in asked:
            part = link.recv(4096)
            if not part:
                return
            asked += part
        time.sleep(float(os.environ.get("SLOW", "0")))
        told = {"version": os.environ["APP_VERSION"], "told": os.environ.get("TOLD")}
        body = json.dumps(told).encode()
        state = "503 Ill" if os.environ.get("MOOD") == "ill" else "200 OK"
        head = "HTTP/1.1 %s\\r\\nContent-Length: %d\\r\\nConnection: close\\r\\n\\r\\n"
        link.sendall((head % (state, len(body))).encode() + body)


server = socket.create_server(place, backlog=256)
signal.signal(signal.SIGTERM, lambda *_: server.shutdown(socket.SHUT_RDWR))
print("serving", os.environ["APP_VERSION"], flush=True)
while True:
    try:
        link, _ = server.accept()
    except OSError:
        break
    threading.Thread(target=answer, args=(link,)).start()
"""
DOCKERFILE: Final = f"""\
FROM {BASE}
ARG VERSION=dev
ENV APP_VERSION=${{VERSION}} PYTHONHOME=/usr PYTHONDONTWRITEBYTECODE=1
COPY app.py /app/app.py
USER 10001:10001
HEALTHCHECK --interval=500ms --timeout=10s --start-period=1s --retries=1000 \
CMD ["/usr/bin/python3", "-S", "/app/app.py", "look"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/python3", "-S", "/app/app.py"]
"""
_LIST: Final = """\
import encodings.ascii, encodings.idna, encodings.latin_1, encodings.utf_8
import json, os, signal, socket, sys, threading, time
print(json.dumps([m.__file__ for m in sys.modules.values() if getattr(m, "__file__", None)]))
"""


def write_source(folder: Path, version: str) -> None:
    """Write the service's source and Dockerfile; each version has a layer of its own.

    A busy machine never makes a version unhealthy, but the version `ill` is so from the start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "app.py").write_text(f"# {version}\n{APP}")
    ill = DOCKERFILE.replace("--start-period=1s --retries=1000", "--retries=1")
    (folder / "Dockerfile").write_text(f"{ill}ENV MOOD=ill\n" if version == "ill" else DOCKERFILE)


def base_archive() -> bytes:
    """Return the root file system of the base image as a tar archive."""
    interpreter = Path(sys.executable).resolve()
    done = subprocess.run(
        [str(interpreter), "-I", "-S", "-c", _LIST], check=True, capture_output=True, text=True
    )
    modules = [Path(name) for name in json.loads(done.stdout)]
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (standard,) = {path.parent for path in modules if path.name == "os.py"}
    files = {f"usr/lib/{version}/{path.relative_to(standard)}": path for path in modules}
    files["usr/bin/python3"] = interpreter
    files |= _libraries([interpreter, *(path for path in modules if ".so" in path.name)])
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, path in sorted(files.items()):
            archive.add(path, name)
        for folder in ("tmp", "proc", "sys", "dev", "etc", "app", f"usr/lib/{version}/lib-dynload"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
    return out.getvalue()


def _libraries(programs: list[Path]) -> dict[str, Path]:
    """Return the shared libraries of programs, at the paths where the loader seeks them."""
    done = subprocess.run(["ldd", *map(str, programs)], capture_output=True, text=True)
    words = {word for line in done.stdout.splitlines() for word in line.split()}
    paths = [Path(word) for word in words if word.startswith("/") and not word.endswith(":")]
    return {str(path).lstrip("/"): path.resolve() for path in paths if path.exists()}
