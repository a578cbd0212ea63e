"""The REST routes of the system that this one grew out of: the same paths and JSON keys, confidence in percent.

Where its words and ours differ: vocab_size is the number of labels (there are no dummy classes), saved is always
true (every sample is on disk before the answer), predicted_char is the canonical label and `form` what was drawn.
See openapi.json.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, stream_with_context

from haleganada_client.types import Candidate, Prediction, Sample, Stats

from .context import client, workspace
from .drawings import body, drawing, text
from .plain import plain

blueprint = Blueprint("rest", __name__)


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The description of these routes."""
    return current_app.send_static_file("openapi.json")


@blueprint.get("/api/health")
def health() -> tuple[Response, int]:
    """Whether the server behind answers."""
    state = client().health()
    serving = state == "SERVING"
    return jsonify({"status": "healthy" if serving else "unhealthy", "server": state}), 200 if serving else 503


@blueprint.post("/train")
def train() -> Response:
    """Teach one drawing."""
    asked = body()
    variant_of = text(asked, "variant_of", "")
    taught = client().train(drawing(asked), text(asked, "char"), variant_of=variant_of, workspace=workspace())
    return jsonify(
        {
            "success": True,
            "sample_id": taught.sample_id,
            "loss": taught.loss,
            "chars_learned": taught.labels_known,
            "total_samples": taught.samples_total,
            "trained_as": taught.trained_as,
            "vocab_size": taught.labels_known,
            "saved": True,
            "revision": taught.revision,
        }
    )


@blueprint.post("/predict")
def predict() -> Response:
    """Recognise one drawing."""
    found = client().predict(drawing(body()), top_k=10, workspace=workspace())
    best = found.best
    if best is None:
        return jsonify(
            {"success": False, "error": "nothing taught yet; teach a drawing first", "decision": "nothing_taught"}
        )
    return jsonify(
        {
            "success": True,
            "predicted_char": best.canonical,
            "confidence": _percent(best.canonical_probability),
            "char_idx": _index(best.label),
            "variant_info": {"canonical": best.canonical, "variants": list(best.forms)},
            "top_3": _top_three(found),
            "form": best.label,
            "decision": found.decision.value,
            "unknown": _percent(found.unknown_probability),
            "prediction_id": found.prediction_id,
            "revision": found.revision,
        }
    )


def _percent(share: float) -> float:
    return round(100 * share, 1)


def _top_three(found: Prediction) -> list[dict[str, Any]]:
    """The first three canonical labels; forms of one label count together."""
    first: dict[str, Candidate] = {}
    for candidate in found.candidates:
        first.setdefault(candidate.canonical, candidate)
    ranked = sorted(first.values(), key=lambda candidate: -candidate.canonical_probability)[:3]
    return [{"char": c.canonical, "confidence": _percent(c.canonical_probability)} for c in ranked]


def _index(label: str) -> int:
    """The label's place in the order in which labels were first taught."""
    known = [known.label for known in client().stats(history_points=0, workspace=workspace()).labels]
    return known.index(label) if label in known else -1


@blueprint.post("/link_variants")
def link_variants() -> Response:
    """Let char1 be a form of char2's letter, as the seed's example reads: char1 is the canonical label."""
    asked = body()
    linked = client().link_variants(text(asked, "char2"), text(asked, "char1"), workspace=workspace())
    return jsonify({"success": True, "canonical": linked.canonical, "variants": list(linked.forms)})


@blueprint.get("/stats")
def stats() -> Response:
    """Figures, with the keys of training_summary.json and the rest of ours."""
    figures = client().stats(workspace=workspace())
    return jsonify({"success": True, **_summary(figures), **plain(figures)})


def _summary(figures: Stats) -> dict[str, Any]:
    return {
        "total_characters": figures.labels_known,
        "total_samples": figures.samples_total,
        "character_counts": {label.label: label.samples for label in figures.labels},
        "average_losses": {label.label: label.average_loss for label in figures.labels},
        "training_stats": {
            "min_loss": figures.min_loss,
            "max_loss": figures.max_loss,
            "avg_loss": figures.average_loss,
        },
        "vocab_size": figures.labels_known,
    }


@blueprint.post("/save")
def save() -> Response:
    """Keep a snapshot; single samples are on disk anyway."""
    kept = client().save(text(body(), "name", ""), workspace=workspace())
    return jsonify({"success": True, **plain(kept)})


@blueprint.post("/reset")
def reset() -> Response:
    """Empty the workspace; `confirm` repeats its name."""
    kept = client().reset(text(body(), "confirm", ""), workspace=workspace())
    return jsonify({"success": True, "snapshot_id": kept.snapshot_id, "samples": kept.samples_total})


@blueprint.get("/export_data")
def export_data() -> Response:
    """All samples with the keys of training_log.json, oldest last, as one JSON document."""
    connection, name = client(), workspace()
    figures = connection.stats(history_points=0, workspace=name)
    samples = connection.iter_samples(workspace=name)
    order = {label.label: i for i, label in enumerate(figures.labels)}
    return Response(stream_with_context(_document(figures, samples, order)), mimetype="application/json")


def _document(figures: Stats, samples: Iterator[Sample], order: dict[str, int]) -> Iterator[str]:
    yield '{"summary": ' + json.dumps(_summary(figures), ensure_ascii=False) + ', "training_log": ['
    for i, sample in enumerate(samples):
        yield (", " if i else "") + json.dumps(_record(sample, order), ensure_ascii=False)
    yield "]}"


def _record(sample: Sample, order: dict[str, int]) -> dict[str, Any]:
    return {
        "sample_id": sample.sample_id,
        "timestamp": sample.time.replace(tzinfo=None).isoformat(timespec="microseconds"),
        "character": sample.label,
        "canonical_form": sample.canonical,
        "character_index": order.get(sample.label, -1),
        "loss": sample.loss,
        "is_variant": sample.canonical != sample.label,
        "image_path": f"page/samples/{sample.sample_id}.png",
        "total_chars": len(order),
        "vocab_size": len(order),
    }
