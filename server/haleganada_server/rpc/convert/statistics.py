"""Statistics of a workspace and of its server -> messages."""

from __future__ import annotations

from collections.abc import Iterable

from haleganada.v1 import ocr_service_pb2, server_service_pb2

from haleganada_server.core.shares.quotas import Quota
from haleganada_server.core.workspaces.statistics.stats import Stats
from haleganada_server.core.workspaces.types import Lag
from haleganada_server.rpc.metrics import MethodLatency, ServerFacts

from .common import timestamp


def latencies(methods: Iterable[MethodLatency]) -> list[ocr_service_pb2.MethodLatency]:
    """Return the latencies of methods."""
    return [
        ocr_service_pb2.MethodLatency(method=m.method, calls=m.calls, p50_ms=m.p50_ms, p99_ms=m.p99_ms) for m in methods
    ]


def quotas(found: Iterable[Quota]) -> list[ocr_service_pb2.Quota]:
    """Return quotas."""
    return [ocr_service_pb2.Quota(name=quota.name, used=quota.used, limit=quota.limit) for quota in found]


def replica(lag: Lag | None) -> server_service_pb2.ReplicaStatus | None:
    """Return how well a server follows others; None if there are no others."""
    if lag is None:
        return None
    return server_service_pb2.ReplicaStatus(
        current=lag.is_current,
        database_away=lag.is_away,
        look_age_seconds=lag.look_age_s,
        behind_revisions=lag.behind_revisions,
    )


def stats(
    value: Stats, limited: Iterable[Quota], server: ServerFacts, methods: Iterable[MethodLatency]
) -> ocr_service_pb2.StatsResponse:
    """Convert the statistics of a workspace and its quotas, together with those of its server."""
    return ocr_service_pb2.StatsResponse(
        revision=value.revision,
        samples_total=value.samples_total,
        labels_known=value.labels_known,
        variant_groups=value.variant_groups,
        links=[ocr_service_pb2.VariantLink(form=form, canonical=canonical) for form, canonical in value.links.items()],
        average_loss=value.average_loss,
        min_loss=value.min_loss,
        max_loss=value.max_loss,
        accuracy=value.accuracy,
        accuracy_samples=value.accuracy_samples,
        corrections=value.corrections,
        labels=_label_stats(value),
        history=_history(value),
        confused_pairs=[
            ocr_service_pb2.ConfusedPair(label=label, predicted=predicted, count=count)
            for label, predicted, count in value.confused
        ],
        teach_next=_teach_next(value),
        suspects=_suspects(value),
        near_duplicates=_near_duplicates(value),
        latencies=latencies(methods),
        device=server.device,
        versions=server.versions,
        size_bytes=value.bytes_on_disk,
        embedder_hash=server.embedder_hash,
        uptime_seconds=server.uptime_s(),
        samples_to_embed=value.samples_to_embed,
        quotas=quotas(limited),
    )


def _label_stats(value: Stats) -> list[ocr_service_pb2.LabelStats]:
    return [
        ocr_service_pb2.LabelStats(
            label=label.label,
            class_id=label.class_id,
            canonical=label.canonical,
            samples=label.samples,
            average_loss=label.average_loss,
            accuracy=label.accuracy,
            newest_sample_id=label.newest_sample_id,
        )
        for label in value.labels
    ]


def _history(value: Stats) -> list[ocr_service_pb2.HistoryPoint]:
    return [
        ocr_service_pb2.HistoryPoint(
            revision=point.revision,
            create_time=timestamp(point.time_us),
            loss=point.loss,
            recognized=point.recognized,
            new_label=point.new_label,
            label=point.label,
        )
        for point in value.history
    ]


def _teach_next(value: Stats) -> list[ocr_service_pb2.TeachNext]:
    few, confused = ocr_service_pb2.TEACH_REASON_FEW_SAMPLES, ocr_service_pb2.TEACH_REASON_CONFUSED
    return [
        ocr_service_pb2.TeachNext(
            label=item.label, reason=confused if item.confused_with else few, confused_with=item.confused_with
        )
        for item in value.teach_next
    ]


def _suspects(value: Stats) -> list[ocr_service_pb2.Suspect]:
    return [
        ocr_service_pb2.Suspect(
            sample_id=suspect.sample_id,
            label=suspect.label,
            looks_like=suspect.looks_like,
            probability=suspect.probability,
        )
        for suspect in value.suspects
    ]


def _near_duplicates(value: Stats) -> list[ocr_service_pb2.NearDuplicate]:
    return [
        ocr_service_pb2.NearDuplicate(
            sample_id=pair.sample_id,
            label=pair.label,
            other_sample_id=pair.other_sample_id,
            other_label=pair.other_label,
            similarity=pair.similarity,
        )
        for pair in value.near_duplicates
    ]
