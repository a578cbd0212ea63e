"""Metrics against hand-counted values and scikit-learn's own report."""

from __future__ import annotations

import numpy as np
import pytest
from haleganada_server.training.evaluation.metrics import Evaluation, build_classification_report, wilson_interval
from haleganada_server.training.evaluation.predictions import LabelSpace, Predictions
from sklearn.metrics import classification_report as by_sklearn

LABELS = ("a", "b", "c", "accuracy")


def evaluate(truth: list[int], best: list[int], labels: tuple[str, ...] = LABELS) -> Evaluation:
    """Evaluate predictions with a probability of 0.6 for the best and 0.2 for the next label."""
    size = len(labels)
    logs = np.full((len(best), size), np.log(0.1), np.float32)
    logs[np.arange(len(best)), best] = np.log(0.6)
    logs[np.arange(len(best)), (np.array(best) + 1) % size] = np.log(0.2)
    predictions = Predictions.from_log_probabilities(logs, np.arange(size, dtype=np.int32))
    rows = np.arange(len(truth)) + 100
    return Evaluation(LabelSpace(labels, size), np.array(truth, np.int32), rows, predictions)


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662), (1, 1, 0.2065, 1.0)],
)
def test_intervals_are_wilsons(right: int, n: int, low: float, high: float) -> None:
    """The third case is the example of Newcombe (1998)."""
    assert wilson_interval(right, n) == pytest.approx((low, high), abs=1e-4)


def test_the_report_has_scikit_learns_keys_and_values() -> None:
    rng = np.random.default_rng(0)
    truth, best = rng.integers(0, 3, 200).tolist(), rng.integers(0, 3, 200).tolist()
    evaluation = evaluate(truth, best, LABELS[:3])
    expected = by_sklearn(truth, best, target_names=LABELS[:3], output_dict=True)
    found = build_classification_report(evaluation, evaluation.class_metrics())
    assert list(found) == list(expected)
    assert found.pop("accuracy") == pytest.approx(expected.pop("accuracy"))
    for name, values in expected.items():
        assert found[name] == pytest.approx(values)


def test_a_label_may_be_called_accuracy() -> None:
    evaluation = evaluate([0, 3], [0, 3])
    report = build_classification_report(evaluation, evaluation.class_metrics())
    assert report["accuracy"] == 1.0
    assert report["label accuracy"]["support"] == 1


def test_averages_leave_out_labels_without_drawings() -> None:
    evaluation = evaluate([0, 0, 1, 1], [0, 0, 1, 2])
    macro = evaluation.class_metrics().average(weighted=False)
    assert (macro["recall"], macro["precision"], macro["support"]) == (0.75, 1.0, 4)


def test_pairs_join_both_directions_and_the_most_frequent_is_first() -> None:
    evaluation = evaluate([0, 0, 1, 2, 2, 2], [1, 1, 0, 0, 2, 2])
    first, second = evaluation.list_confused_pairs()
    assert (first.first, first.second, first.first_as_second, first.second_as_first) == (0, 1, (0, 1), (2,))
    assert (second.first, second.second, second.count) == (0, 2, 1)


def test_examples_are_six_from_both_sides() -> None:
    both = evaluate([0] * 9 + [1] * 9, [1] * 9 + [0] * 9).list_confused_pairs()[0].examples()
    assert both == ((0, 1, 2), (9, 10, 11))
    uneven = evaluate([0] * 9 + [1], [1] * 9 + [0]).list_confused_pairs()[0].examples()
    assert uneven == ((0, 1, 2, 3, 4), (9,))


def test_the_worst_label_is_first_and_says_what_it_is_mistaken_for() -> None:
    evaluation = evaluate([0, 0, 1, 1, 1, 2], [0, 1, 2, 2, 0, 2])
    classes = evaluation.class_metrics()
    row = int(classes.rows[classes.worst_first()[0]])
    assert evaluation.space.labels[row] == "b"
    assert evaluation.find_mistaken_for(row) == ("c", 2)


def test_top_five_holds_fewer_where_there_are_fewer_labels() -> None:
    metrics = evaluate([0, 1], [1, 2], LABELS[:3]).confidence_metrics()
    assert metrics["top5_accuracy"] == 1.0
    assert metrics["mean_confidence"] == pytest.approx(0.6)


def test_the_probability_of_unknown_is_what_labels_leave() -> None:
    logs = np.log(np.array([[0.3, 0.1], [0.9, 0.1]], np.float32))
    evaluation = Evaluation(
        LabelSpace(("a", "b"), 2),
        np.zeros(2, np.int32),
        np.arange(2),
        Predictions.from_log_probabilities(logs, np.arange(2, dtype=np.int32)),
    )
    metrics = evaluation.confidence_metrics()
    assert metrics["answered_unknown"] == 0.5
    assert metrics["expected_calibration_error"] == pytest.approx((0.7 + 0.1) / 2, abs=1e-6)
    assert metrics["expected_calibration_error_if_known"] == pytest.approx((0.25 + 0.1) / 2, abs=1e-6)
