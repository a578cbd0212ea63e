"""What scripts rely on: the keys of the JSON and the exit codes."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from haleganada_client import errors, types
from haleganada_client.cli.exit_codes import CommandFailed, exit_code_for, print_failure
from haleganada_client.cli.global_options import GlobalOptions
from haleganada_client.cli.session import Session, to_json
from haleganada_client.json_values import to_json_value

KEYS: dict[type[Any], str] = {
    types.Candidate: "label probability canonical canonical_probability forms code_points samples class_id "
    "canonical_class_id",
    types.Prediction: "candidates unknown_probability decision revision prediction_id model provisional "
    "knowledge_age_ms",
    types.Taught: "sample_id loss label canonical labels_known samples_total revision duplicate learned "
    "known_sample_id",
    types.Correction: "taught predicted predicted_revision",
    types.ItemError: "code reason message field",
    types.RefusedItem: "item error",
    types.Linked: "canonical forms revision duplicate",
    types.Unlinked: "former_canonical revision duplicate",
    types.Undone: "kind undone_revision sample_id label revision duplicate changes",
    types.Sample: "sample_id label canonical loss create_time revision predicted correction synthetic author",
    types.Snapshot: "snapshot_id name revision samples_total create_time size_bytes sha256 trash kind",
    types.WorkspaceInfo: "name samples_total labels_known revision create_time size_bytes corrupt embedder_hash "
    "samples_to_embed model online",
    types.OnlineSettings: "replay steps learning_rate weight_decay seed",
    types.OnlineStatus: "start settings revision labels_known samples_learned samples_left rebuilding error",
    types.ExportResult: "file_name content_type revision samples_total size_bytes sha256",
    types.ImportReport: "imported duplicates refused refused_total revision before notes",
    types.LabelStats: "label class_id canonical samples average_loss accuracy newest_sample_id",
    types.HistoryPoint: "revision create_time loss recognized new_label label",
    types.Stats: "revision samples_total labels_known variant_groups average_loss min_loss max_loss accuracy "
    "accuracy_samples corrections labels history confused_pairs teach_next suspects near_duplicates "
    "latencies device versions size_bytes embedder_hash uptime_seconds samples_to_embed links quotas",
}


@pytest.mark.parametrize("kind", KEYS, ids=lambda kind: kind.__name__)
def test_the_keys_of_the_json_stay(kind: type[Any]) -> None:
    value = kind(**{name: b"" if name == "picture" else None for name in kind.__dataclass_fields__})
    assert " ".join(to_json_value(value)) == KEYS[kind]


def test_values_become_what_json_knows() -> None:
    moment = datetime(2026, 2, 3, 4, 5, 6, tzinfo=timezone.utc)
    sample = types.Sample(
        sample_id=1,
        label="ಅ",
        canonical="ಅ",
        loss=0.5,
        create_time=moment,
        revision=2,
        predicted="",
        correction=False,
        picture=b"picture",
    )
    page = json.loads(to_json([types.SamplePage((sample,), "", 1, 2), types.Decision.UNSURE]))
    assert (
        page[0]["samples"][0]["create_time"] == "2026-02-03T04:05:06+00:00" and "picture" not in page[0]["samples"][0]
    )
    assert page[1] == "unsure"
    assert "ಅ" in to_json("ಅ")
    assert json.loads(to_json("caf\udce9")) == "caf\udce9"  # a file name that is not UTF-8 can be printed, too


EXIT = {
    errors.Unavailable: 3,
    errors.DeadlineExceeded: 3,
    errors.NotFound: 4,
    errors.AlreadyExists: 5,
    errors.FailedPrecondition: 5,
    errors.RevisionMismatch: 5,
    errors.InvalidInput: 1,
    errors.Exhausted: 1,
    errors.NotAllowed: 1,
    errors.DataLoss: 1,
    errors.Internal: 1,
}


def test_every_error_has_its_exit_code() -> None:
    assert set(EXIT) == set(errors.HaleganadaError.__subclasses__())
    assert {kind: exit_code_for(kind("x")) for kind in EXIT} == EXIT


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("label", "the label is bad"),
        ("dataset_id", "the data set is bad"),
        ("settings.batch_size", "the batch size is bad"),
    ],
)
def test_errors_name_a_field_in_plain_words(field: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandFailed) as failure:
        Session(GlobalOptions()).report(errors.InvalidInput(f"{field}: is bad", "INVALID_INPUT", field))
    print_failure(failure.value, as_json=False)
    assert failure.value.code == 1 and capsys.readouterr().err == f"haleganada: {words}\n"
    print_failure(failure.value, as_json=True)
    told = {"message": words, "reason": "INVALID_INPUT", "field": field, "exit_code": 1}
    assert json.loads(capsys.readouterr().err) == {"error": told}
