"""Teach and recognize single characters."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request

from haleganada_client.limits import DEFAULT_TOP_K, MAX_BATCH_ITEMS, SCRIPT_LABELS, TOP_K, Range
from haleganada_client.types import Candidate, ItemError, Prediction, Taught
from haleganada_client.web.routes.context import client, workspace
from haleganada_client.web.routes.request_body import get_list, get_number, get_text, parse_body, parse_drawing, refuse

from .blueprint import blueprint, describe_item

_LEAST_FORMS = 10  # that are asked for, since several may stand for one canonical label
_TOP = 3


@blueprint.post("/train")
def train() -> Response:
    """Teach one drawing."""
    body = parse_body()
    variant_of = get_text(body, "variant_of", "")
    taught = client().train(parse_drawing(body), get_text(body, "char"), variant_of=variant_of, workspace=workspace())
    return jsonify(_describe_taught(taught))


@blueprint.post("/correct")
def correct() -> Response:
    """Teach the drawing of an earlier prediction with the right label."""
    body = parse_body()
    done = client().correct(
        get_text(body, "prediction_id"),
        get_text(body, "char"),
        variant_of=get_text(body, "variant_of", ""),
        workspace=workspace(),
    )
    return jsonify({**_describe_taught(done.taught), "predicted": done.predicted or None})


@blueprint.post("/predict")
def predict() -> Response:
    """Recognize one drawing; `top_k`, `model` and `script_labels` may also be in the query."""
    body = parse_body()
    top_k, question = _parse_question(body)
    found = client().predict(parse_drawing(body), **question)
    return jsonify(_describe_prediction(found, top_k))


@blueprint.post("/predict/batch")
def predict_batch() -> Response:
    """Recognize the drawings in `drawings`, each with a result or an error of its own, in their order."""
    body = parse_body()
    top_k, question = _parse_question(body)
    drawings = [parse_drawing(value, f"drawings[{place}]") for place, value in enumerate(get_list(body, "drawings"))]
    if not 1 <= len(drawings) <= MAX_BATCH_ITEMS:
        raise refuse("drawings", f"send 1 to {MAX_BATCH_ITEMS}")
    found = client().predict_batch(drawings, **question)
    results = [describe_item(one) if isinstance(one, ItemError) else _describe_prediction(one, top_k) for one in found]
    return jsonify(success=all(result["success"] for result in results), results=results)


@blueprint.post("/link_variants")
def link_variants() -> Response:
    """Join two labels; char1 is the canonical one, as in the seed's example."""
    body = parse_body()
    linked = client().link_variants(get_text(body, "char2"), get_text(body, "char1"), workspace=workspace())
    return jsonify(success=True, canonical=linked.canonical, variants=list(linked.forms), revision=linked.revision)


def _parse_question(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Return top_k, and what to ask the server, of the body or of the query. Several models answer together."""
    top_k = _parse_number(body, "top_k", TOP_K, DEFAULT_TOP_K)
    return top_k, {
        "top_k": max(_LEAST_FORMS, top_k),
        "model": _parse_models(body),
        "script_labels": _parse_number(body, "script_labels", SCRIPT_LABELS, 0),
        "workspace": workspace(),
    }


def _parse_number(body: dict[str, Any], field: str, allowed: Range[int], default: int) -> int:
    """Return a number of the body, or else of the query."""
    given = get_number(body, field)
    if given is None:
        given = get_number(request.args, field)
    if given is None:
        return default
    if not allowed.includes(given):
        raise refuse(field, f"give {allowed}")
    return given


def _parse_models(body: dict[str, Any]) -> str | list[str]:
    model = body.get("model")
    if isinstance(model, list):
        if not all(isinstance(name, str) for name in model):
            raise refuse("model", "give a text, or a list of texts")
        models = model
    else:
        models = [get_text(body, "model", "")] if model else request.args.getlist("model")
    return models if len(models) > 1 else "".join(models)


def _describe_taught(taught: Taught) -> dict[str, Any]:
    return {
        "success": True,
        "sample_id": taught.sample_id,
        "loss": taught.loss,
        "chars_learned": taught.labels_known,
        "total_samples": taught.samples_total,
        "trained_as": taught.canonical,
        "vocab_size": taught.labels_known,
        "saved": True,
        "form": taught.label,
        "revision": taught.revision,
    }


def _describe_prediction(found: Prediction, top_k: int) -> dict[str, Any]:
    ranked = _rank_canonical(found)
    best = found.candidates[0] if found.candidates else None
    listed = [{"char": c.canonical, "confidence": _to_percent(c.canonical_probability)} for c in ranked[:top_k]]
    return {
        "success": True,
        "predicted_char": best.canonical if best else None,
        "confidence": _to_percent(best.canonical_probability) if best else 0.0,
        "char_idx": -1 if best is None or best.canonical_class_id is None else best.canonical_class_id,
        "variant_info": {"canonical": best.canonical, "variants": list(best.forms)} if best else None,
        "top_3": listed[:_TOP],
        "top_k": listed,
        "form": best.label if best else None,
        "decision": found.decision.value,
        "unknown": _to_percent(found.unknown_probability),
        "prediction_id": found.prediction_id,
        "revision": found.revision,
        "model": found.model,
        "knowledge_age_ms": found.knowledge_age_ms,
    }


def _to_percent(share: float) -> float:
    return round(100 * share, 1)


def _rank_canonical(found: Prediction) -> list[Candidate]:
    """Return the first form of each canonical label, the most probable label first; forms of one count together."""
    first: dict[str, Candidate] = {}
    for candidate in found.candidates:
        first.setdefault(candidate.canonical, candidate)
    return sorted(first.values(), key=lambda candidate: -candidate.canonical_probability)
