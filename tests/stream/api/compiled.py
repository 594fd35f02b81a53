"""Everything that the API compiles, compiled before deadlines run: on a new machine it takes minutes."""

from __future__ import annotations

from functools import cache

from stream.api.queries.query_service import QueryService
from stream.settings import Settings


@cache
def compile_api() -> None:
    """Do what an API does when it starts; other processes then load what this one has compiled."""
    QueryService(Settings()).warm_up()
