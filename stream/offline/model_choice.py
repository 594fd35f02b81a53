"""Which models are asked of a history: by name, or by the file that a person's values go to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from detectors.models.parameters import MODELS, PaceParameters
from schemas.faults.field import guessed

STANDARD_OUTPUT = "-"


class ModelChoice(NamedTuple):
    """``names`` of models, in their order; ``out``: the place of a person's values, None for sums alone."""

    names: tuple[str, ...]
    out: str | None
    pace: PaceParameters


def choose(values: Sequence[str], usual: Sequence[str], pace: PaceParameters, *, files: bool) -> ModelChoice:
    """The choice that ``--models`` makes.

    A value is names with commas, or (``files``) the place of a person's values; a place without names is of
    all models, or of the ``usual`` ones where there are any.

    Raises
    ------
    ValueError
        A value is neither, or two are places.
    """
    names: list[str] = []
    places: list[str] = []
    for value in values:
        parts = [part.strip() for part in value.split(",")]
        wrong = [part for part in parts if part not in MODELS]
        if not wrong:
            names += parts
        elif files and len(wrong) == len(parts) and (value == STANDARD_OUTPUT or {".", "/"} & {*value}):
            places.append(value)
        else:
            remedy = "; a file is written with its ending, like OUT.ndjson" if files else ""
            near = guessed(wrong[0], MODELS)
            raise ValueError(f'"{wrong[0]}" is no model: there are {", ".join(MODELS)}{remedy}{near}')
    if len(places) > 1:
        raise ValueError(f"{places[0]} and {places[1]}: a person's values go to one place")
    found = names or [*usual] or ([*MODELS] if places else [])
    return ModelChoice(tuple(one for one in MODELS if one in found), places[0] if places else None, pace)
