"""What any outputs must do with a local attempt; run on every store."""

from __future__ import annotations

from state.stores.attempt_dir import AttemptDir
from state.stores.output import OutputWriter
from state.stores.store import Store

ATTEMPT = "runs/1123-k7f3/attempts/build.1"


def a_local_attempt_is_read_as_it_grows(store: Store) -> None:
    """From any byte on; one that nobody knows has no size and no output."""
    assert store.outputs.size(ATTEMPT) is None
    assert list(store.outputs.read(ATTEMPT)) == []
    directory = AttemptDir(store.directory / ATTEMPT)
    directory.create()
    assert store.outputs.size(ATTEMPT) == 0
    store.outputs.follow(ATTEMPT)
    with OutputWriter(directory) as writer:
        writer.write(b"one\n")
        assert b"".join(store.outputs.read(ATTEMPT)) == b"one\n"
        writer.write(b"two\n")
    store.outputs.finish(ATTEMPT)
    assert b"".join(store.outputs.read(ATTEMPT, 2)) == b"e\ntwo\n"
    assert store.outputs.size(ATTEMPT) == 8
    store.outputs.fetch(ATTEMPT)
    assert directory.output.read_bytes() == b"one\ntwo\n"


CONTRACT = (a_local_attempt_is_read_as_it_grows,)
