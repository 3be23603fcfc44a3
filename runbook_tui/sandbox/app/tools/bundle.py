"""Builds the production bundle: one file with the service and its migrations, the same bytes for
the same sources, so that its SHA-256 names what was built."""

from __future__ import annotations

import hashlib
import sys
import zipfile
from pathlib import Path

LONG_AGO = (1980, 1, 1, 0, 0, 0)


def sources(root: Path) -> list[Path]:
    """Return the files that belong into the bundle, in a fixed order."""
    code = [path for path in root.glob("practice_hub/*.py") if path.is_file()]
    return sorted([*code, *root.glob("migrations/*.sql")])


def build(root: Path, target: Path) -> tuple[int, str]:
    """Write the bundle; return its size in bytes and its SHA-256."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr(
            zipfile.ZipInfo("__main__.py", LONG_AGO),
            "import sys\nfrom practice_hub.__main__ import main\nsys.exit(main())\n",
        )
        for path in sources(root):
            entry = zipfile.ZipInfo(str(path.relative_to(root)), LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            bundle.writestr(entry, path.read_bytes())
    content = target.read_bytes()
    return len(content), hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    bundle_file = Path(sys.argv[1]) / "practice-hub.pyz"
    size, digest = build(Path(__file__).resolve().parent.parent, bundle_file)
    print(f"size={size}\nsha256={digest}")
