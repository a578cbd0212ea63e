"""The REST routes of the system that this one grew out of: the same paths and JSON keys, confidence in percent.

Where its words and ours differ: vocab_size is the number of labels (there are no dummy classes), saved is always true
(every sample is on disk before the answer), predicted_char is the canonical label and `form` what was drawn. Before
anything is taught, /predict answers as always, with predicted_char null. Further keys may be added; openapi.json
describes them all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request, stream_with_context

from haleganada_client.errors import InvalidInput
from haleganada_client.json_values import to_json_value
from haleganada_client.types import Candidate, Prediction, Sample, Stats

from .context import client, workspace
from .request_body import get_text, parse_body, parse_drawing, parse_optional_body

blueprint = Blueprint("rest", __name__)
_TOP_K = 10  # forms; more than three, since several may stand for one canonical label
_TOP = 3
_FIELDS = {"label": "char", "form": "char2", "canonical": "char1"}
"""The fields that our contract and these routes name differently."""


@blueprint.errorhandler(InvalidInput)
def _invalid(error: InvalidInput) -> tuple[Response, int]:
    """Answer that a field is invalid, under the name that it has here."""
    field = "image" if error.field.startswith("glyph") else _FIELDS.get(error.field, error.field)
    message = error.message.replace(f"{error.field}: ", f"{field}: ", 1) if field else error.message
    return jsonify(success=False, error=message, reason=error.reason, field=field), 400


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


@blueprint.post("/train")
def train() -> Response:
    """Teach one drawing."""
    body = parse_body()
    variant_of = get_text(body, "variant_of", "")
    taught = client().train(parse_drawing(body), get_text(body, "char"), variant_of=variant_of, workspace=workspace())
    return jsonify(
        success=True,
        sample_id=taught.sample_id,
        loss=taught.loss,
        chars_learned=taught.labels_known,
        total_samples=taught.samples_total,
        trained_as=taught.canonical,
        vocab_size=taught.labels_known,
        saved=True,
        form=taught.label,
        revision=taught.revision,
    )


@blueprint.post("/predict")
def predict() -> Response:
    """Recognize one drawing."""
    body = parse_body()
    found = client().predict(
        parse_drawing(body), top_k=_TOP_K, model=get_text(body, "model", ""), workspace=workspace()
    )
    best = found.best
    return jsonify(
        success=True,
        predicted_char=best.canonical if best else None,
        confidence=_to_percent(best.canonical_probability) if best else 0.0,
        char_idx=-1 if best is None or best.class_id is None else best.class_id,
        variant_info={"canonical": best.canonical, "variants": list(best.forms)} if best else None,
        top_3=_rank_canonical(found),
        form=best.label if best else None,
        decision=found.decision.value,
        unknown=_to_percent(found.unknown_probability),
        prediction_id=found.prediction_id,
        revision=found.revision,
        model=found.model,
    )


def _to_percent(share: float) -> float:
    return round(100 * share, 1)


def _rank_canonical(found: Prediction) -> list[dict[str, Any]]:
    """Return the first canonical labels; forms of one label count together."""
    first: dict[str, Candidate] = {}
    for candidate in found.candidates:
        first.setdefault(candidate.canonical, candidate)
    ranked = sorted(first.values(), key=lambda candidate: -candidate.canonical_probability)[:_TOP]
    return [{"char": c.canonical, "confidence": _to_percent(c.canonical_probability)} for c in ranked]


@blueprint.post("/link_variants")
def link_variants() -> Response:
    """Join two labels; char1 is the canonical one, as in the seed's example."""
    body = parse_body()
    linked = client().link_variants(get_text(body, "char2"), get_text(body, "char1"), workspace=workspace())
    return jsonify(success=True, canonical=linked.canonical, variants=list(linked.forms), revision=linked.revision)


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
    kept = client().reset(get_text(parse_optional_body(), "confirm", ""), workspace=workspace())
    return jsonify(success=True, snapshot_id=kept.snapshot_id, samples=kept.samples_total)


@blueprint.get("/export_data")
def export_data() -> Response:
    """Send all samples in the order of teaching, with the keys of training_log.json, as one JSON document."""
    oldest_first = list(client().iter_samples(workspace=workspace()))[::-1]
    found = client().stats(history_points=0, workspace=workspace())
    query = request.query_string.decode()
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
