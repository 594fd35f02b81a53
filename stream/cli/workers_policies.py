"""An API that judges by other policies than the workers knows nothing of their riders: said at its start."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any


def warn_of_other_policies(settings: Any, policies: Sequence[str]) -> None:  # noqa: ANN401 - imported late
    """Say which policies the workers' watermarks name beside ours, and the command that takes theirs."""
    import asyncio

    from stream.kafka.watermarks import newest_watermarks

    found = asyncio.run(newest_watermarks(settings))
    theirs = sorted({ref for one in found.values() for ref in one.policies})
    if theirs and set(theirs) != set(policies):
        options = " ".join(f"--policy {ref.partition('@')[0]}" for ref in theirs)
        sys.stderr.write(
            f"respite: warning: the workers judge by {', '.join(theirs)}, this API is told "
            f"{', '.join(policies)}: while that is so it answers UNKNOWN; start it with {options}, or the "
            ".toml files that the workers were given\n"
        )
