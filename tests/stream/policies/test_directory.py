"""A folder of policies: what is taken up, what is refused, and that what was in force stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.policies.directory import PolicyDirectory
from tests.short_policies import online_policy

BAD = "name = "


def put(folder: Path, name: str, text: str) -> None:
    """As an editor does it: another file takes the place of the one before."""
    (folder / f"{name}.new").write_text(text, encoding="utf-8")
    (folder / f"{name}.new").rename(folder / f"{name}.toml")


def refs(directory: PolicyDirectory) -> list[str]:
    return [one.ref for one in directory.policies]


@pytest.fixture
def directory(tmp_path: Path) -> PolicyDirectory:
    return PolicyDirectory(["cn-meituan-2024"], tmp_path)


def test_a_file_that_appears_is_taken_up_once_it_stands_still(
    directory: PolicyDirectory, tmp_path: Path
) -> None:
    directory.read()
    assert refs(directory) == ["cn-meituan-2024@1"]
    assert not directory.settled()
    put(tmp_path, "a", online_policy("a", 60))
    assert not directory.settled()
    assert directory.settled()
    directory.read()
    assert refs(directory) == ["cn-meituan-2024@1", "a@1"]
    assert not directory.settled()


def test_a_refused_file_is_said_and_what_was_in_force_stays(
    directory: PolicyDirectory, tmp_path: Path
) -> None:
    put(tmp_path, "a", online_policy("a", 60))
    directory.read()
    put(tmp_path, "a", BAD)
    put(tmp_path, "b", BAD)
    directory.read()
    assert refs(directory) == ["cn-meituan-2024@1", "a@1"]
    assert [one.partition(": not TOML")[0] for one in directory.refused] == [
        str(tmp_path / "a.toml"),
        str(tmp_path / "b.toml"),
    ]
    put(tmp_path, "b", online_policy("b", 60))
    put(tmp_path, "a", online_policy("a", 60))
    directory.read()
    assert directory.refused == []
    assert refs(directory) == ["cn-meituan-2024@1", "a@1", "b@1"]


def test_another_limit_under_the_same_version_is_refused_other_words_are_not(
    directory: PolicyDirectory, tmp_path: Path
) -> None:
    put(tmp_path, "a", online_policy("a", 60))
    directory.read()
    put(tmp_path, "a", online_policy("a", 90).replace("online-90s", "online-60s"))
    directory.read()
    assert "a@1 has other limits than the one in force: give it version = 2" in directory.refused[0]
    assert directory.policies[1].limits[0].limit_s == 60
    put(tmp_path, "a", online_policy("a", 60).replace("a test", "another source"))
    directory.read()
    assert directory.refused == []
    assert directory.policies[1].source == "another source"
    put(tmp_path, "a", online_policy("a", 90).replace("version = 1", "version = 2"))
    directory.read()
    assert refs(directory) == ["cn-meituan-2024@1", "a@2"]


def test_a_newer_version_is_taken_once_the_older_one_ends(directory: PolicyDirectory, tmp_path: Path) -> None:
    older, newer = online_policy("a", 60), online_policy("a", 90).replace("version = 1", "version = 2")
    newer = newer.replace("valid_from = 2026-01-01", "valid_from = 2026-06-01")
    put(tmp_path, "a-1", older)
    directory.read()
    put(tmp_path, "a-2", newer)
    directory.read()
    assert "in force at once" in directory.refused[0]
    assert refs(directory) == ["cn-meituan-2024@1", "a@1"]
    put(tmp_path, "a-1", older.replace("valid_from = 2026-01-01", "valid_until = 2026-05-31"))
    directory.read()
    assert directory.refused == []
    assert refs(directory) == ["cn-meituan-2024@1", "a@1", "a@2"]


def test_a_file_that_goes_is_no_longer_named(directory: PolicyDirectory, tmp_path: Path) -> None:
    put(tmp_path, "a", online_policy("a", 60))
    directory.read()
    (tmp_path / "a.toml").unlink()
    directory.read()
    assert refs(directory) == ["cn-meituan-2024@1"]


def test_a_folder_that_is_gone_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    directory = PolicyDirectory(["cn-meituan-2024"], folder)
    put(folder, "a", online_policy("a", 60))
    directory.read()
    folder.rename(tmp_path / "elsewhere")
    directory.read()
    assert refs(directory) == ["cn-meituan-2024@1", "a@1"]
    assert "no such folder" in directory.refused[0]


def test_a_file_takes_the_place_of_a_default_and_is_not_read_twice(tmp_path: Path) -> None:
    own = online_policy("cn-meituan-2024", 60)
    put(tmp_path, "own", own)
    defaults = PolicyDirectory(["cn-gbt-2025", "cn-meituan-2024"], tmp_path, defaults=True)
    defaults.read()
    assert refs(defaults) == ["cn-gbt-2025@1", "cn-meituan-2024@1"]
    assert defaults.policies[1].limits[0].clock == "online"
    chosen = PolicyDirectory(["cn-meituan-2024"], tmp_path)
    chosen.read()
    assert "has other limits than the one in force" in chosen.refused[0]
    by_file = PolicyDirectory([str(tmp_path / "own.toml")], tmp_path)
    by_file.read()
    assert refs(by_file) == ["cn-meituan-2024@1"]
    assert by_file.refused == []


def test_a_version_that_has_judged_keeps_its_limits_though_its_file_was_gone_meanwhile(
    directory: PolicyDirectory, tmp_path: Path
) -> None:
    put(tmp_path, "a", online_policy("a", 60))
    directory.read()
    (tmp_path / "a.toml").unlink()
    directory.read()
    put(tmp_path, "a", online_policy("a", 90))
    directory.read()
    assert "a@1 has other limits than the one in force" in directory.refused[0]
    assert refs(directory) == ["cn-meituan-2024@1"]
    put(tmp_path, "a", online_policy("a", 60))
    directory.read()
    assert directory.refused == []
    assert refs(directory) == ["cn-meituan-2024@1", "a@1"]


def test_a_default_does_not_come_back_under_a_version_that_a_file_judged_by(tmp_path: Path) -> None:
    put(tmp_path, "own", online_policy("cn-meituan-2024", 60))
    defaults = PolicyDirectory(["cn-gbt-2025", "cn-meituan-2024"], tmp_path, defaults=True)
    defaults.read()
    (tmp_path / "own.toml").unlink()
    defaults.read()
    assert refs(defaults) == ["cn-gbt-2025@1"]
    assert "cn-meituan-2024@1, which stands in where no file has its name" in defaults.refused[0]


def test_too_many_limits_are_refused_by_their_file(directory: PolicyDirectory, tmp_path: Path) -> None:
    one = online_policy("many", 60)
    head, _, table = one.partition("[[limit]]")
    tables = "".join("[[limit]]" + table.replace("online-60s", f"l{number}") for number in range(31))
    put(tmp_path, "a", online_policy("a", 60))
    put(tmp_path, "many", head + tables)
    directory.read()
    assert refs(directory) == ["cn-meituan-2024@1", "a@1"]
    assert "34 limits together, at most 32" in directory.refused[0]
