"""Records and their chain: the canonical JSON of an event, its hash, the head, the seal.

A record's hash is SHA-256 over the canonical JSON of all its other fields, `prev` among them, so
that each record vouches for all before it. The head (count and last hash) is kept in the same
transaction and vouches for the end.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from state import payloads
from state.events import Payload, Record
from state.json_value import Json

GENESIS: Final = "0" * 64
"""The `prev` of a run's first record."""


NOT_JSON: Final = "not JSON"
"""The one key of a record's data that could not be read; what it holds is the text found there."""

_ENCODER: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


def _encode_with_one() -> Callable[[Json], str]:
    """Return what encodes with one C encoder for all values: `encode` makes one for each."""
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return _ENCODER.encode
    encode = make(None, _ENCODER.default, _quoted, None, ":", ",", True, False, False)
    return lambda value: "".join(encode(value, 0))


_quoted: Final = json.encoder.encode_basestring
"""One text as the encoder writes it."""
_encode: Final = _encode_with_one()


@dataclass(frozen=True, slots=True)
class Head:
    """How many records a run has, and the hash of the last one."""

    count: int
    hash: str


EMPTY: Final = Head(0, GENESIS)


def canonical(value: Json) -> str:
    """Return the one JSON text of a value: keys sorted, no blanks, text as it is."""
    return _encode(value)


def record_hash(record: Record) -> str:
    """Return the hash that the record must have, from its other fields."""
    # What a store kept is mostly the very text that was hashed: then it is not encoded anew.
    if record.text is not None and type(record.seq) is int and type(record.token) is int:
        try:
            found = _digest(
                record.seq,
                record.run,
                record.at,
                record.kind,
                record.text,
                record.operator,
                record.host,
                record.token,
                record.prev,
            )
        except (TypeError, UnicodeEncodeError):  # a tampered file may hold what is no text
            found = ""
        if found == record.hash:
            return found
    return _hash(_fields(record))


def as_kept(record: Record, text: str) -> Record:
    """Let a record know the text that its data was just read from: one JSON object, no more.

    Only who has read both from one place may say so; no field of a file can.
    """
    object.__setattr__(record, "text", text)
    return record


def chain(
    head: Head, run: str, at: str, payload: Payload, *, operator: str, host: str, token: int
) -> Record:
    """Return the record that follows `head`. Raises CodecError when JSON cannot hold it."""
    return link(head, run, at, payload, operator=operator, host=host, token=token)[0]


def link(
    head: Head, run: str, at: str, payload: Payload, *, operator: str, host: str, token: int
) -> tuple[Record, str]:
    """Return the record that follows `head`, and its data as canonical JSON for a store to keep.

    Raises CodecError when JSON cannot hold it.
    """
    data = payloads.to_data(payload)
    operator, host = payloads.plain_text(operator), payloads.plain_text(host)
    seq, kind, text = head.count + 1, payload.kind, canonical(data)
    digest = _digest(seq, run, at, kind, text, operator, host, token, head.hash)
    return Record(seq, run, at, kind, data, operator, host, token, head.hash, digest), text


def _digest(
    seq: int,
    run: str,
    at: str,
    kind: str,
    data: str,
    operator: str,
    host: str,
    token: int,
    prev: str,
) -> str:
    """Return the hash of a record whose data is this canonical JSON.

    The canonical JSON of the whole, keys in order: its largest part, the data, is encoded once.
    """
    body = (
        f'{{"at":{_quoted(at)},"data":{data},"host":{_quoted(host)},"kind":{_quoted(kind)},'
        f'"operator":{_quoted(operator)},"prev":{_quoted(prev)},"run":{_quoted(run)},'
        f'"seq":{seq},"token":{token}}}'
    )
    return hashlib.sha256(body.encode()).hexdigest()


def _hash(body: Mapping[str, Json]) -> str:
    # A tampered file may hold what we never write: it must get another hash, not an error.
    return hashlib.sha256(canonical(body).encode(errors="surrogatepass")).hexdigest()


def record_line(record: Record) -> str:
    """Return the record as one line of JSON (`runbook events`)."""
    return canonical({**_fields(record), "hash": record.hash})


def head_of(record: Record) -> Head:
    """Return the head of a run whose last record this is."""
    return Head(record.seq, record.hash)


def seal(head: Head) -> str:
    """Return the line that a report prints, to hold a journal against later."""
    return f"{head.count} events, sha256:{head.hash}"


def _fields(record: Record) -> Mapping[str, Json]:
    return {
        "seq": record.seq,
        "run": record.run,
        "at": record.at,
        "kind": record.kind,
        "data": record.data,
        "operator": record.operator,
        "host": record.host,
        "token": record.token,
        "prev": record.prev,
    }
