"""What `haleganada fit --config` refuses, before any server is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from haleganada_client.cli.root import cli


def error_of(file: Path, *more: str) -> str:
    """Return the error of `fit` with this file."""
    done = CliRunner().invoke(cli, ["fit", "cnn36", "--data", "letters", "--config", str(file), *more])
    assert done.exit_code == 2 and done.output.startswith("Usage: "), done.output
    return " ".join(done.output.split())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"epoch": 3}', 'there is no setting "epoch"; allowed are epochs, batch_size, learning_rate, '),
        ('{"name": "mine"}', 'there is no setting "name"; allowed are epochs, '),
        ('{"batch-size": 3}', 'there is no setting "batch-size"; allowed are epochs, batch_size'),
        ('{"epochs": "3"}', 'epochs is "3", but must be a whole number from 1 to 10,000'),
        ('{"epochs": 3.0}', "epochs is 3.0, but must be a whole number from 1 to 10,000"),
        ('{"epochs": true}', "epochs is true, but must be a whole number from 1 to 10,000"),
        ('{"seed": 9223372036854775808}', "seed is 9223372036854775808, but must be a whole number from 0 to "),
        ('{"learning_rate": 0}', "learning_rate is 0, but must be a number above 0 and at most 1"),
        ('{"weight_decay": NaN}', "weight_decay is NaN, but must be a number from 0 to 1"),
        ('{"weight_decay": [0.1]}', "weight_decay is [0.1], but must be a number from 0 to 1"),
        ('{"augment": 1}', "augment is 1, but must be true or false"),
        ('{"optimizer": "sgd"}', 'optimizer is "sgd", but must be "adamw" or "adam"'),
        ('[{"epochs": 3}]', "is not a JSON object of settings"),
        ("epochs: 3", "is not a JSON object of settings"),
        ("[" * 100_000, "is not a JSON object of settings"),
        ("", "is not a JSON object of settings"),
    ],
)
def test_what_no_setting_can_be_names_file_and_key_and_what_is_allowed(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "settings.json"
    file.write_text(text, encoding="utf-8")
    assert f"settings.json: {why}" in error_of(file)
    assert f"settings.json: {why}" in error_of(file, "--epochs", "5"), "also where a flag would win"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\xfa")
    assert "binary.json: is not a JSON object of settings" in error_of(tmp_path / "binary.json")
    assert "none.json' does not exist" in error_of(tmp_path / "none.json")


def test_a_preview_needs_augmentation_also_where_the_file_has_it_off(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"augment": false}')
    assert 'the --config file has "augment": false' in error_of(
        tmp_path / "settings.json", "--preview", str(tmp_path / "p.png")
    )
