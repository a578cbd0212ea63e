"""What a workspace must hold, whatever killed its server: a model of its log that every acknowledged call changes.

One caller changes a workspace, one call after the other. At a kill at most one call is unanswered; afterwards the
workspace is as before that call or as after it.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from haleganada_client import HaleganadaClient, Ink, ItemError, Lesson, Stroke
from haleganada_client.errors import NotFound

FORM, CANONICAL = "L1", "L0"
LABELS = (CANONICAL, FORM, "L2", "L3")
_numbers = count(1)  # of drawings, so that none is taught twice


@dataclass(frozen=True)
class State:
    """What was taught. before: the state to which Undo goes back, None = there is nothing to undo."""

    samples: frozenset[tuple[int, str]] = frozenset()
    linked: bool = False
    before: State | None = None

    def with_sample(self, sample_id: int, label: str) -> State:
        return State(self.samples | {(sample_id, label)}, self.linked, self)

    def with_label(self, sample_id: int, label: str) -> State:
        return State(self._without(sample_id) | {(sample_id, label)}, self.linked, self)

    def without_sample(self, sample_id: int) -> State:
        return State(self._without(sample_id), self.linked, self)

    def with_link(self, linked: bool) -> State:
        return State(self.samples, linked, self)

    def visible(self) -> set[tuple[int, str, str]]:
        """Return sample_id, label and canonical label of each sample."""
        return {
            (sample_id, label, CANONICAL if self.linked and label == FORM else label)
            for sample_id, label in self.samples
        }

    def _without(self, sample_id: int) -> frozenset[tuple[int, str]]:
        return frozenset(pair for pair in self.samples if pair[0] != sample_id)


@dataclass(frozen=True)
class Pending:
    """A call without an answer: what it adds, or the state that it leads to; None = the workspace is gone."""

    what: str
    added: tuple[str, ...] = ()
    leads_to: State | None = None


@dataclass
class ModelOfWorkspace:
    """One workspace, its caller, and what it must hold. state None: it does not exist."""

    name: str
    dice: random.Random
    state: State | None = None
    revision: int = 0
    last_sample_id: int = 0
    pending: Pending | None = None
    calls: int = 0
    states: dict[int, State] = field(default_factory=dict)
    told: int = 0  # a revision that was acknowledged, although its samples are not known yet
    saved: str = ""  # the newest snapshot whose Save was acknowledged

    def change(self, client: HaleganadaClient, what: str) -> None:
        """Make one change, and check its answer. Raises the call's error; `pending` says what was asked for then."""
        if self.state is None:
            what = "create"
        elif (
            (what in ("relabel", "forget") and not self.state.samples)
            or (what == "undo" and self.state.before is None)
            or (what == "link" and not {FORM, CANONICAL} <= {label for _, label in self.state.samples})
        ):
            what = "train"
        operation: Callable[[HaleganadaClient], None] = getattr(self, f"_{what}")
        operation(client)
        self.pending = None
        self.calls += 1

    # One method for each change. `pending` is set before the call, the state after it.

    def _train(self, client: HaleganadaClient) -> None:
        label = self._add(1)[0]
        taught = client.train(new_drawing(), label, workspace=self.name)
        self._accept_samples([taught.sample_id], taught.revision)

    def _train_batch(self, client: HaleganadaClient) -> None:
        lessons = [Lesson(new_drawing(), label) for label in self._add(3)]
        answers = client.train_batch(lessons, workspace=self.name)
        taught = [answer for answer in answers if not isinstance(answer, ItemError)]
        assert len(taught) == 3, answers
        self._accept_samples([answer.sample_id for answer in taught], taught[-1].revision)

    def _correct(self, client: HaleganadaClient) -> None:
        prediction = client.predict(new_drawing(), workspace=self.name)
        label = self._add(1)[0]
        taught = client.correct(prediction.prediction_id, label, workspace=self.name).taught
        self._accept_samples([taught.sample_id], taught.revision)

    def _import(self, client: HaleganadaClient) -> None:
        labels = self._add(3)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "drawings.jsonl"
            path.write_text("\n".join(to_line(label, new_drawing()) for label in labels), encoding="utf-8")
            report = client.import_file(path, workspace=self.name)
        assert report.imported == 3 and report.refused_total == 0, report
        self.told = report.revision
        self._accept_samples(self._find_added(client), report.revision)

    def _relabel(self, client: HaleganadaClient) -> None:
        sample_id, label = self._choose_sample(), self.dice.choice(LABELS)
        if (sample_id, label) in self._require().samples:
            return self._train(client)
        self.pending = Pending("relabel", leads_to=self._require().with_label(sample_id, label))
        client.relabel(sample_id, label, workspace=self.name)  # its answer has the revision that taught the sample
        self._accept(self.revision + 1)
        return None

    def _forget(self, client: HaleganadaClient) -> None:
        sample_id = self._choose_sample()
        self.pending = Pending("forget", leads_to=self._require().without_sample(sample_id))
        self._accept(client.forget(sample_id, workspace=self.name))

    def _link(self, client: HaleganadaClient) -> None:
        linked = not self._require().linked
        self.pending = Pending("link", leads_to=self._require().with_link(linked))
        if linked:
            self._accept(client.link_variants(FORM, CANONICAL, workspace=self.name).revision)
        else:
            self._accept(client.unlink_variants(FORM, workspace=self.name).revision)

    def _undo(self, client: HaleganadaClient) -> None:
        self.pending = Pending("undo", leads_to=self._require().before)
        self._accept(client.undo(workspace=self.name).revision)

    def _reset(self, client: HaleganadaClient) -> None:
        self.pending = Pending("reset", leads_to=State())
        kept = client.reset(self.name, workspace=self.name)
        assert kept is not None, "its file is missing"
        assert kept.revision == self.revision and kept.samples_total == len(self._require().samples), kept
        self._accept(self.revision + 1)

    def _restore(self, client: HaleganadaClient) -> None:
        known = [kept for kept in client.list_snapshots(workspace=self.name) if kept.revision in self.states]
        if not known:
            return self._save(client)
        chosen = self.dice.choice(known[:6])
        self.pending = Pending("restore", leads_to=self.states[chosen.revision])
        try:
            info = client.restore_snapshot(chosen.snapshot_id, workspace=self.name)
        except NotFound:  # it has expired meanwhile
            return None
        self._accept(info.revision)
        return None

    def _save(self, client: HaleganadaClient) -> None:
        self.pending = Pending("save", leads_to=self.state)
        self.saved = client.save(workspace=self.name).snapshot_id

    def _delete(self, client: HaleganadaClient) -> None:
        self.pending = Pending("delete")
        client.delete_workspace(self.name, self.name)
        self.state = None

    def _create(self, client: HaleganadaClient) -> None:
        self.pending = Pending("create", leads_to=State())
        self._accept(client.create_workspace(self.name).revision)

    # Checks

    def settle(self, client: HaleganadaClient) -> None:
        """Check the workspace after a kill, and go on with what it holds."""
        pending = self.pending
        try:
            info = client.get_workspace(self.name)
            assert not info.corrupt, f"{self.name} is corrupt after {pending}"
            found = read_samples(client, self.name)
        except NotFound:
            assert self.state is None or (pending and pending.what == "delete"), f"{self.name} is gone after {pending}"
            self.pending = self.state = None
            return
        listed = {kept.snapshot_id for kept in client.list_snapshots(workspace=self.name)}
        self.pending = None  # from here on, nothing is asked that a kill could leave without an answer
        assert info.revision >= self.told, f"{self.name} lost revision {self.told}"
        if self.state is not None and info.revision == self.revision:
            assert found == self.state.visible(), f"{self.name} differs at revision {self.revision} after {pending}"
        else:
            assert pending is not None, f"{self.name} is at revision {info.revision} instead of {self.revision}"
            self._adopt(pending, found, info.revision)
        assert info.samples_total == len(found)
        assert not self.saved or self.saved in listed, "a snapshot is gone"

    def _adopt(self, pending: Pending, found: set[tuple[int, str, str]], revision: int) -> None:
        """Take over what an unanswered call has done."""
        if pending.added:
            old = {sample_id for sample_id, _ in self._require().samples}
            added = sorted(sample_id for sample_id, _, _ in found if sample_id not in old)
            assert len(added) == len(pending.added), f"{self.name}: {pending} was done by half: {added}"
            self.pending = pending
            self._accept_samples(added, revision)
            self.pending = None
        else:
            assert pending.leads_to is not None, f"{self.name} is not what {pending} leads to"
            self.pending = pending
            self._accept(revision)
            self.pending = None
        assert found == self._require().visible(), f"{self.name} is neither as before nor as after {pending}"

    def _accept(self, revision: int) -> None:
        """Go on with the state that the call leads to; its revision must be a new one."""
        assert self.pending is not None
        if self.pending.what != "create" or self.revision:
            assert revision > self.revision, f"{self.name}: {self.pending.what} gave {revision} after {self.revision}"
        self.state, self.revision = self.pending.leads_to, revision
        if self.state is not None:
            self.states[revision] = self.state

    def _accept_samples(self, sample_ids: list[int], revision: int) -> None:
        """Go on with the samples that the call added; their ids must be new ones."""
        assert self.pending is not None and revision > self.revision
        state = self._require()
        for sample_id, label in zip(sample_ids, self.pending.added, strict=True):
            assert sample_id > self.last_sample_id, f"{self.name} used sample id {sample_id} twice"
            self.last_sample_id = sample_id
            state = state.with_sample(sample_id, label)
        self.state, self.revision, self.states[revision] = state, revision, state

    def _find_added(self, client: HaleganadaClient) -> list[int]:
        old = {sample_id for sample_id, _ in self._require().samples}
        return sorted(sample_id for sample_id, _, _ in read_samples(client, self.name) if sample_id not in old)

    def _add(self, number: int) -> tuple[str, ...]:
        labels = tuple(self.dice.choice(LABELS) for _ in range(number))
        self.pending = Pending("teach", added=labels)
        return labels

    def _choose_sample(self) -> int:
        return self.dice.choice(sorted(self._require().samples))[0]

    def _require(self) -> State:
        assert self.state is not None
        return self.state


def read_samples(client: HaleganadaClient, name: str) -> set[tuple[int, str, str]]:
    """Return sample_id, label and canonical label of each sample."""
    return {(sample.sample_id, sample.label, sample.canonical) for sample in client.iter_samples(workspace=name)}


def new_drawing() -> Ink:
    """Return a drawing that was not taught before."""
    dice = random.Random(next(_numbers))
    xs, ys = (tuple(float(dice.randint(20, 260)) for _ in range(6)) for _ in range(2))
    return Ink((Stroke(xs, ys),), 280, 280, 12)


def to_line(label: str, drawing: Ink) -> str:
    """Return a drawing as a line of an import."""
    strokes = [{"x": list(stroke.x), "y": list(stroke.y)} for stroke in drawing.strokes]
    ink = {"width": drawing.width, "height": drawing.height, "pen_width": drawing.pen_width, "strokes": strokes}
    return json.dumps({"label": label, "time_us": next(_numbers), "ink": ink})
