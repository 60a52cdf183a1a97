"""The settings: documented, hidden where secret, and their example kept up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from services import settings
from services.settings import Settings, SettingsRefused, example, read_settings, shown

EXAMPLE = Path(__file__).parents[2] / "deploy" / "example.env"


def test_the_example_is_what_the_settings_say() -> None:
    assert EXAMPLE.read_text() == example(), "run `make settings`"


def test_every_setting_says_what_it_is_for_in_a_sentence() -> None:
    for name, field in Settings.model_fields.items():
        assert (field.description or "").endswith("."), name


def test_a_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTABAZA_POSTGRES_DSN", "postgresql://owner:hunter2@db/intabaza")
    monkeypatch.setenv("INTABAZA_VAULT_MASTER_KEY", "hunter2")
    read = read_settings()
    assert read.postgres_dsn is not None
    assert read.postgres_dsn.get_secret_value().startswith("postgresql://owner")
    assert "hunter2" not in repr(read) + "".join(text for row in shown(read) for text in row)
    assert {name: value for name, value, _ in shown(read)}["INTABAZA_POSTGRES_DSN"] == "(hidden)"


def test_every_wrong_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTABAZA_PARTITIONS", "0")
    monkeypatch.setenv("INTABAZA_POSTGRES_PORT", "fast")
    with pytest.raises(SettingsRefused) as refused:
        read_settings()
    assert "INTABAZA_PARTITIONS: " in str(refused.value)
    assert "INTABAZA_POSTGRES_PORT: " in str(refused.value)


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e14", "-1", "soon"])
def test_every_number_of_the_notifier_has_bounds(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    numbers = [
        name
        for name, field in Settings.model_fields.items()
        if name.startswith("notifier") and field.annotation in (int, float)
    ]
    assert len(numbers) >= 8
    for name in numbers:
        monkeypatch.setenv(f"INTABAZA_{name.upper()}", value)
    with pytest.raises(SettingsRefused) as refused:
        read_settings()
    for name in numbers:
        assert f"INTABAZA_{name.upper()}: input should be" in str(refused.value)


def test_the_longest_wait_is_not_shorter_than_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTABAZA_NOTIFIER_RETRY_SECONDS", "10")
    monkeypatch.setenv("INTABAZA_NOTIFIER_LONGEST_RETRY_SECONDS", "5")
    with pytest.raises(SettingsRefused) as refused:
        read_settings()
    assert str(refused.value).splitlines()[1:] == [
        "  INTABAZA_NOTIFIER_LONGEST_RETRY_SECONDS: expected at least INTABAZA_NOTIFIER_RETRY_SECONDS"
    ]


def test_a_wrong_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTABAZA_PARTITIONS", "hunter2")
    with pytest.raises(SettingsRefused) as refused:
        read_settings()
    assert "hunter2" not in str(refused.value)


def test_a_child_gets_the_folder_as_an_absolute_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTABAZA_DATA_FOLDER", "somewhere")
    given = settings.child_environment(read_settings())["INTABAZA_DATA_FOLDER"]
    assert given == str(Path("somewhere").absolute())
