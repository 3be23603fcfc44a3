"""The mapping whose changed copies share: behaves like a dict that is copied each time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from state.persistent_map import PersistentMap
from tests.state.test_fold import FAST

_CHANGES = st.dictionaries(st.text(max_size=2), st.integers(), max_size=5)


@FAST
@given(_CHANGES, st.lists(_CHANGES, max_size=6))
def test_it_is_a_dict_that_is_copied_with_every_change(
    first: dict[str, int], changes: list[dict[str, int]]
) -> None:
    plain, shared = [dict(first)], [PersistentMap(first)]
    for change in changes:
        plain.append({**plain[-1], **change})
        shared.append(shared[-1].updated(change))
    for expected, found in zip(plain, shared, strict=True):
        assert found == expected
        assert list(found.items()) == list(expected.items())
        assert len(found) == len(expected)
        assert all(key in found for key in expected)
        assert "absent" not in found
