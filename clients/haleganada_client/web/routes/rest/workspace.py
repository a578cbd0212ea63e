"""The state of a workspace: statistics, snapshots, reset, export; and what describes these routes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from flask import Response, current_app, jsonify, request, stream_with_context

from haleganada_client.errors import FailedPrecondition
from haleganada_client.json_values import to_json_value
from haleganada_client.types import Sample, Stats
from haleganada_client.web.routes.context import client, workspace
from haleganada_client.web.routes.request_body import get_text, parse_optional_body

from .blueprint import blueprint


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """Send the description of these routes."""
    return current_app.send_static_file("openapi.json")


@blueprint.get("/api/health")
def health() -> tuple[Response, int]:
    """Return whether the server answers."""
    state = client().health()
    serving = state == "SERVING"
    return jsonify(status="healthy" if serving else "unhealthy", server=state), 200 if serving else 503


@blueprint.get("/stats")
def stats() -> Response:
    """Return the statistics with the keys of training_summary.json, and the rest of ours."""
    found = client().stats(workspace=workspace())
    return jsonify({"success": True, **_summarize(found), **to_json_value(found)})


def _summarize(stats: Stats) -> dict[str, Any]:
    return {
        "total_characters": stats.labels_known,
        "total_samples": stats.samples_total,
        "character_counts": {label.label: label.samples for label in stats.labels},
        "average_losses": {label.label: label.average_loss for label in stats.labels},
        "variant_groups": stats.variant_groups,
        "training_stats": {
            "min_loss": stats.min_loss,
            "max_loss": stats.max_loss,
            "avg_loss": stats.average_loss,
        },
        "vocab_size": stats.labels_known,
    }


@blueprint.post("/save")
def save() -> Response:
    """Save a snapshot; single samples are on disk anyway."""
    kept = client().save(get_text(parse_optional_body(), "name", ""), workspace=workspace())
    return jsonify({"success": True, **to_json_value(kept)})


@blueprint.post("/reset")
def reset() -> Response:
    """Empty the workspace; `confirm` repeats its name."""
    confirm, name = get_text(parse_optional_body(), "confirm", ""), workspace() or client().config.workspace
    if confirm != name:
        how = json.dumps({"confirm": name}, ensure_ascii=False)
        problem = f"confirm: is not the workspace's name; to empty the workspace, send {how} as application/json"
        raise FailedPrecondition(problem, "CONFIRMATION_NEEDED", "confirm")
    kept = client().reset(confirm, workspace=workspace())
    snapshot_id, samples = (kept.snapshot_id, kept.samples_total) if kept else ("", 0)
    return jsonify(success=True, snapshot_id=snapshot_id, samples=samples)


@blueprint.get("/export_data")
def export_data() -> Response:
    """Send all samples in the order of teaching, with the keys of training_log.json, as one JSON document."""
    oldest_first = list(client().iter_samples(workspace=workspace()))[::-1]
    found = client().stats(history_points=0, workspace=workspace())
    query = request.query_string.decode("utf-8", "replace")
    return Response(stream_with_context(_stream_document(found, oldest_first, query)), mimetype="application/json")


def _stream_document(stats: Stats, oldest_first: Sequence[Sample], query: str) -> Iterator[str]:
    """Yield the document in parts. stats: requested after the samples, so a label that they lack was forgotten
    meanwhile, with its samples.
    """
    yield '{"success": true, "summary": ' + json.dumps(_summarize(stats), ensure_ascii=False) + ', "training_log": ['
    class_ids = {label.label: label.class_id for label in stats.labels}
    known: set[str] = set()
    for sample in oldest_first:
        if sample.label in class_ids:
            separator = ",\n" if known else "\n"
            known.add(sample.label)
            record = _make_record(sample, class_ids[sample.label], len(known), query)
            yield separator + json.dumps(record, ensure_ascii=False)
    yield "]}"


def _make_record(sample: Sample, class_id: int, labels_known: int, query: str) -> dict[str, Any]:
    """Return the seed's ten keys. labels_known: when the sample was taught."""
    return {
        "sample_id": sample.sample_id,
        "timestamp": sample.create_time.replace(tzinfo=None).isoformat(timespec="microseconds"),
        "character": sample.label,
        "canonical_form": sample.canonical,
        "character_index": class_id,
        "loss": sample.loss,
        "is_variant": sample.canonical != sample.label,
        "image_path": f"/page/samples/{sample.sample_id}.png" + (f"?{query}" if query else ""),
        "total_chars": labels_known,
        "vocab_size": labels_known,
    }
