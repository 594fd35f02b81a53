"""The manual's Python and policies do what the pages say."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError

from schemas.policy import load_policy
from stream.webhooks.signing import Signer
from tests.docs.blocks import DOCS

SECRET = "whsec_" + "A" * 32
_HEAD = 'name = "x"\nversion = 1\ntime_zone = "Asia/Shanghai"\nmodality = "platform"\nsource = "x"\n'
_HEAD += 'title = { zh = "x", en = "x" }\n'


def fenced(page: Path, language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_verifies_signatures_takes_ours_and_no_others(language: str) -> None:
    defined: dict[str, Any] = {}
    for code in fenced(DOCS / language / "platform" / "webhooks.md", "python"):
        exec(code, defined)  # noqa: S102 - the manual's own
    body = '{"schema": "fatigue-alert/1"}'
    headers = Signer(SECRET).headers("m-1", time.time(), body)
    assert defined["verified"](body.encode(), headers, SECRET) == {"schema": "fatigue-alert/1"}
    with pytest.raises(WebhookVerificationError):
        defined["verified"](b"{}", headers, SECRET)
    if "signed" in defined:
        assert defined["signed"](body.encode(), headers, SECRET)
        assert not defined["signed"](b"{}", headers, SECRET)


@pytest.mark.parametrize("limit", fenced(DOCS / "en" / "policies" / "examples.md", "toml"))
def test_every_example_of_a_limit_is_a_good_one(limit: str) -> None:
    assert load_policy(_HEAD + limit, "examples.md").limits
