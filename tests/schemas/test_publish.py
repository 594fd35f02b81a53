from pathlib import Path

import msgspec
import pytest
from pydantic import ValidationError

from schemas import publish
from schemas.alert import Alert
from schemas.dispatch_status import DispatchStatus
from tests.oracle.generate import make_case
from tests.oracle_cases import replayed


def test_the_published_schemas_are_those_of_the_models() -> None:
    assert publish.stale() == []


def test_a_changed_or_foreign_file_is_noticed(tmp_path: Path) -> None:
    for name, text in publish.documents().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert publish.stale(tmp_path) == []
    (tmp_path / "policy.json").write_text("{}", encoding="utf-8")
    (tmp_path / "old.json").write_text("{}", encoding="utf-8")
    (tmp_path / "watermark-1.json").unlink()
    assert publish.stale(tmp_path) == ["old.json", "policy.json", "watermark-1.json"]


def test_what_is_told_is_what_the_models_describe() -> None:
    for seed in range(40):
        told = replayed(make_case(seed))
        for alert in told.alerts:
            Alert.model_validate_json(msgspec.json.encode(alert))
        for status in told.statuses:
            DispatchStatus.model_validate_json(msgspec.json.encode(status))


def test_an_alert_with_a_field_of_its_own_is_none() -> None:
    alert = next(alert for seed in range(20) for alert in replayed(make_case(seed)).alerts)
    with pytest.raises(ValidationError):
        Alert.model_validate_json(msgspec.json.encode({**alert, "courier_name": "x"}))
