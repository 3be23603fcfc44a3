"""The image that the sample application is built from, made of this machine's own Python.

Nothing can be pulled on a machine without a network, so the root file system is put together from
a Python of the version that runs us, the libraries it is linked against, and psycopg.
"""

from __future__ import annotations

import importlib.util
import io
import subprocess
import sys
import sysconfig
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

from runbook_tui.sandbox import engines
from runbook_tui.sandbox.site import Site

NAME: Final = "practice-hub-base"
USER: Final = 10001
_LEFT_OUT: Final = frozenset(
    {
        *("test", "tests", "idlelib", "lib2to3", "tkinter", "turtledemo", "ensurepip"),
        *("pydoc_data", "site-packages", "dist-packages", "unittest", "distutils", "curses"),
        *("dbm", "msilib", "venv", "wsgiref", "xmlrpc", "sqlite3"),
    }
)
_EXTENSIONS_LEFT_OUT: Final = (
    *(
        "_test",
        "_tkinter",
        "_multibyte",
        "_curses",
        "_sqlite3",
        "_codecs_",
        "_xx",
        "xx",
        "_ctypes_test",
    ),
    *("_dbm", "_gdbm", "_elementtree", "pyexpat", "readline", "audioop", "ossaudiodev", "spwd"),
)
_PACKAGES: Final = ("psycopg", "psycopg_binary", "psycopg_binary.libs")
_ETC: Final = {
    "etc/passwd": f"root:x:0:0:root:/root:/sbin/nologin\napp:x:{USER}:{USER}::/app:/sbin/nologin\n",
    "etc/group": f"root:x:0:\napp:x:{USER}:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
    "etc/hosts": "127.0.0.1 localhost\n",
    "etc/os-release": 'PRETTY_NAME="practice base"\nID=practice\n',
}


def tag() -> str:
    """Return the image's tag: the Python in it, whose modules psycopg was built for."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def provide(site: Site, say: Callable[[str], None]) -> None:
    """Import the image into the builder's engine unless it is there."""
    started = time.monotonic()
    connection = engines.client(site, "builder")
    try:
        if connection.images.list(name=f"{NAME}:{tag()}"):
            return
        archive = site.at("base.tar")
        with archive.open("wb") as file:
            write_archive(file)
        connection.api.import_image(src=str(archive), repository=NAME, tag=tag())
        archive.unlink()
        say(f"Base image {NAME}:{tag()}: made ({time.monotonic() - started:.1f} s)")
    finally:
        connection.close()


def write_archive(out: IO[bytes]) -> None:
    """Write the root file system as a tar archive, the same bytes for the same machine."""
    version = f"python{tag()}"
    interpreter, standard = _python(version)
    files = {f"usr/local/bin/{version}": interpreter}
    files |= {f"usr/local/lib/{version}/{p.relative_to(standard)}": p for p in _modules(standard)}
    packages = _site_packages()
    for package in _PACKAGES:
        files |= {f"deps/{p.relative_to(packages)}": p for p in _modules(packages / package)}
    files["deps/typing_extensions.py"] = packages / "typing_extensions.py"
    files |= _libraries([interpreter, *(p for p in files.values() if ".so" in p.name)])
    with tarfile.open(fileobj=out, mode="w") as archive:
        for parent in sorted({parent for name in files for parent in Path(name).parents}):
            _add_folder(archive, str(parent), 0o755)
        for folder in ("tmp", "var/tmp", "proc", "sys", "dev", "etc", "app"):
            _add_folder(archive, folder, 0o1777 if folder.endswith("tmp") else 0o755)
        for name, text in _ETC.items():
            _add_text(archive, name, text)
        _add_link(archive, "usr/local/bin/python3", version)
        for name, path in sorted(files.items()):
            _add_file(archive, name, path)


def _python(version: str) -> tuple[Path, Path]:
    """Return an interpreter and its standard library.

    The system's own is half as large as one that somebody built; it will do when it is of our
    version.
    """
    system = Path("/usr/bin", version), Path("/usr/lib", version)
    if all(path.exists() for path in (*system, system[1] / "lib-dynload", system[1] / "json")):
        return system
    return Path(sys.executable).resolve(), Path(sysconfig.get_path("stdlib"))


def _modules(top: Path) -> Iterator[Path]:
    """Yield a package's files that are needed to run it."""
    for path in sorted(top.iterdir()):
        if path.is_dir():
            if path.name not in _LEFT_OUT and not path.name.startswith("config-"):
                yield from _modules(path)
        elif path.suffix == ".py" or _is_compiled(path) or _is_library(path):
            yield path


def _is_compiled(path: Path) -> bool:
    return path.suffix == ".pyc" and ".opt-" not in path.name


def _is_library(path: Path) -> bool:
    return ".so" in path.name and not path.name.startswith(_EXTENSIONS_LEFT_OUT)


def _site_packages() -> Path:
    found = importlib.util.find_spec("psycopg_binary")
    if found is None or found.origin is None:
        raise RuntimeError("psycopg_binary is not installed beside this program")
    return Path(found.origin).parent.parent


def _libraries(programs: list[Path]) -> dict[str, Path]:
    """Return the shared libraries that programs are linked against, where they are sought."""
    command = ["ldd", *map(str, programs)]
    listed = subprocess.run(command, check=False, capture_output=True, text=True).stdout
    found: dict[str, Path] = {}
    for line in listed.splitlines():
        words = line.replace("=>", " ").split()
        for word in words:
            if word.startswith("/") and not word.endswith(":") and Path(word).exists():
                if "psycopg_binary.libs" not in word:
                    found[word.lstrip("/")] = Path(word).resolve()
                break
    for name in ("libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2", "libgcc_s.so.1"):
        for folder in ("/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/usr/lib64"):
            path = Path(folder, name)
            if path.exists():
                found[str(path).lstrip("/")] = path.resolve()
    return found


def _entry(name: str, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.mode = mode
    return entry


def _add_folder(archive: tarfile.TarFile, name: str, mode: int) -> None:
    entry = _entry(name, mode)
    entry.type = tarfile.DIRTYPE
    archive.addfile(entry)


def _add_link(archive: tarfile.TarFile, name: str, target: str) -> None:
    entry = _entry(name, 0o777)
    entry.type = tarfile.SYMTYPE
    entry.linkname = target
    archive.addfile(entry)


def _add_text(archive: tarfile.TarFile, name: str, text: str) -> None:
    entry = _entry(name, 0o644)
    entry.size = len(text.encode())
    archive.addfile(entry, io.BytesIO(text.encode()))


def _add_file(archive: tarfile.TarFile, name: str, path: Path) -> None:
    """Add a file. Its time is kept: compiled modules are valid for that time of their source."""
    stat = path.stat()
    entry = _entry(name, 0o755 if stat.st_mode & 0o111 else 0o644)
    entry.size = stat.st_size
    entry.mtime = int(stat.st_mtime)
    with path.open("rb") as file:
        archive.addfile(entry, file)
