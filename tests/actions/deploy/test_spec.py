"""What is known of a deployment before it acts."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from runbook_tui.actions.deploy.spec import SPEC

_SERVICE = {"service": "hub", "ports": "8081-8082"}
_IMAGE = f"reg.example.org/hub@sha256:{'7' * 64}"


def test_no_image_is_for_taking_a_run_back_only() -> None:
    def check(**docker: str) -> None:
        SPEC.options.model_validate({"hosts": "app", "docker": {**_SERVICE, **docker}})

    check(image="", takes_back="1123-k7f3")
    check(image=_IMAGE, takes_back="1123-k7f3")
    with pytest.raises(ValidationError, match="image is empty: name one, or with takes_back"):
        check(image="")


@pytest.mark.parametrize(
    ("docker", "removes"),
    [
        ({"image": "", "takes_back": "1123-k7f3"}, True),
        ({"image": _IMAGE, "takes_back": "1123-k7f3"}, False),
        ({"image": _IMAGE}, False),
    ],
)
def test_it_says_whether_it_removes(docker: dict[str, str], removes: bool) -> None:
    options = {"hosts": ["app-1", "app-2"], "docker": {**_SERVICE, **docker}}
    assert SPEC.removes(options) is removes
    first = SPEC.describe(options)[0]
    words = "hub from app-1, app-2, where it was not before run 1123-k7f3"
    assert first.label == ("Removes" if removes else "Image")
    assert first.text.startswith(words if removes else _IMAGE)
    assert SPEC.simulate(options)[0].startswith(f"would {'remove' if removes else 'deploy'} ")
