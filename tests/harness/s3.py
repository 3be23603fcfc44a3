"""A stand-in for a hosted object store: so much of Amazon S3's REST API as our client uses.

It follows the API reference (PutObject, GetObject, HeadObject, DeleteObject, DeleteObjects,
ListObjectsV2, multipart uploads), keeps objects in memory, and insists on a signed request without
checking the signature. It is no object store.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from tests.harness.http import Asked, Reply, Web, serving

KEY, SECRET = "test-key", "test-secret-of-the-store"
STAMP = "Thu, 01 Jan 2026 00:00:00 GMT"


@dataclass
class Objects:
    """What the store holds by name. `refuse` answers everything with this status."""

    web: Web
    bucket: str = "backups"
    held: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    refuse: int | None = None

    @property
    def options(self) -> dict[str, str]:
        """The options `s3` of an action."""
        return {"endpoint": self.web.url, "access_key": KEY, "secret_key": SECRET}

    def reply(self, asked: Asked) -> Reply:
        """Answer one request."""
        signed = asked.headers.get("authorization", asked.headers.get("Authorization", ""))
        if f"AWS4-HMAC-SHA256 Credential={KEY}/" not in signed or self.refuse:
            return _error(self.refuse or 403, "AccessDenied")
        parts = urlsplit(asked.path)
        query = parse_qs(parts.query, keep_blank_values=True)
        bucket, _, name = unquote(parts.path).lstrip("/").partition("/")
        if bucket != self.bucket:
            return _error(404, "NoSuchBucket")
        if asked.method == "GET" and "list-type" in query:
            return self._list(query.get("prefix", [""])[0])
        if asked.method == "POST":
            return self._post(name, query, asked.body)
        return self._object(asked, name, query)

    def _object(self, asked: Asked, name: str, query: dict[str, list[str]]) -> Reply:
        if asked.method == "PUT":
            if "uploadId" in query:
                self.uploads[query["uploadId"][0]][int(query["partNumber"][0])] = asked.body
            else:
                self.held[name] = asked.body
            return Reply(200, headers=(("ETag", _etag(asked.body)),))
        if asked.method == "DELETE":
            self.held.pop(name, None)
            return Reply(204)
        if name not in self.held:
            return _error(404, "NoSuchKey")
        body = self.held[name]
        return Reply(200, body, (("ETag", _etag(body)), ("Last-Modified", STAMP)))

    def _post(self, name: str, query: dict[str, list[str]], body: bytes) -> Reply:
        if "delete" in query:
            keys = [key.decode() for key in re.findall(rb"<Key>(.*?)</Key>", body)]
            for key in keys:
                self.held.pop(key, None)
            gone = [f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys]
            return _xml("DeleteResult", "".join(gone))
        if "uploads" in query:
            number = f"upload-{len(self.uploads)}"
            self.uploads[number] = {}
            ids = f"<Bucket>{self.bucket}</Bucket><Key>{escape(name)}</Key>"
            return _xml("InitiateMultipartUploadResult", f"{ids}<UploadId>{number}</UploadId>")
        parts = self.uploads.pop(query["uploadId"][0])
        self.held[name] = b"".join(parts[number] for number in sorted(parts))
        return _xml(
            "CompleteMultipartUploadResult",
            f"<Key>{escape(name)}</Key><ETag>{_etag(self.held[name])}</ETag>",
        )

    def _list(self, prefix: str) -> Reply:
        items = [
            f"<Contents><Key>{escape(name)}</Key><LastModified>2026-01-01T00:00:00.000Z"
            f"</LastModified><ETag>{_etag(body)}</ETag><Size>{len(body)}</Size></Contents>"
            for name, body in sorted(self.held.items())
            if name.startswith(prefix)
        ]
        head = f"<Name>{self.bucket}</Name><Prefix>{escape(prefix)}</Prefix>"
        count = f"<KeyCount>{len(items)}</KeyCount><IsTruncated>false</IsTruncated>"
        return _xml("ListBucketResult", head + count + "".join(items))


@contextmanager
def objects() -> Iterator[Objects]:
    """Serve an empty bucket."""
    with serving() as web:
        store = Objects(web)
        web.reply = store.reply
        yield store


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def _xml(root: str, inner: str, status: int = 200) -> Reply:
    space = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}{space}>{inner}</{root}>'
    return Reply(status, text.encode(), (("Content-Type", "application/xml"),))


def _error(status: int, code: str) -> Reply:
    inner = f"<Code>{code}</Code><Message>{code}</Message>"
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'
    return Reply(status, text.encode(), (("Content-Type", "application/xml"),))
