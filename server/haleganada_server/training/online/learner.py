"""A learner that follows a workspace's log: what it knows is a function of the live samples, in the order of teaching.

New samples are learned one after another. Once a learned sample is gone or has another label, those after it are
learned again from the newest checkpoint without it: a rebuild. Until that is done the earlier model stays published, so
predictions always belong to one whole revision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from haleganada_server.core.models.online_config import OnlineConfig
from haleganada_server.training.common.taught_drawing import TaughtDrawing, name_states

from .answers_file import AnswersFile
from .checkpoints import Checkpoints
from .feature_cache import FeatureCache
from .initial_model import InitialModel
from .learner_state import LearnerState, name_initial_state
from .published_model import PublishedModel, publish


@dataclass(frozen=True, slots=True)
class Rebuild:
    """Learning again. kept: number of samples that need not be learned again. samples: number of all samples."""

    kept: int
    samples: int


@dataclass(frozen=True, slots=True)
class LearnedSample:
    """A sample that was learned. losses: before each step. remaining: number of samples still to be learned. published:
    whether predictions include it.
    """

    sample_id: int
    losses: tuple[float, ...]
    remaining: int
    published: bool


class OnlineLearner:
    """set_target() to a log, then learn_next() until nothing remains, both in one thread; `published` is safe from any.

    checkpoints: where to find and keep states. None: keep none, and begin every rebuild with the initial model.
    answers: where to keep what is published. None: nowhere.
    """

    def __init__(
        self, initial: InitialModel, config: OnlineConfig, features: FeatureCache,
        checkpoints: Checkpoints | None = None, answers: AnswersFile | None = None,
    ) -> None:  # fmt: skip
        """Knows what the initial model knows. Raises InvalidInput."""
        config.check()
        self._initial, self._config = initial, config
        self._features, self._checkpoints, self._answers = features, checkpoints, answers
        self._state_name = name_initial_state(initial, config)  # of _current
        self._samples: list[TaughtDrawing] = []
        self._names = [self._state_name]  # of the states after 0, 1, … of these samples
        self._revision = 0
        self._current = LearnerState(initial, config, features)
        self._has_target = False
        self._publish_from = 0  # number of learned samples below which the earlier model stays published
        self._min_revision = 0  # no model is published with an older revision
        self._publish()
        self._has_published = False

    @property
    def published(self) -> PublishedModel:
        """The newest complete model: the initial one, at revision 0, until a log is learned."""
        return self._published

    @property
    def has_published(self) -> bool:
        """Whether `published` belongs to a log and is not the initial model."""
        return self._has_published

    @property
    def is_rebuilding(self) -> bool:
        """Whether `published` stays as it is until a rebuild is done."""
        return self._has_published and self._current.learned < self._publish_from

    @property
    def current(self) -> LearnerState:
        """The state that learns, which is ahead of `published` during a rebuild."""
        return self._current

    @property
    def revision(self) -> int:
        """The target's revision; 0 before there is one."""
        return self._revision

    @property
    def remaining(self) -> int:
        """Number of samples still to be learned."""
        return len(self._samples) - self._current.learned

    def set_target(self, samples: Sequence[TaughtDrawing], revision: int) -> Rebuild | None:
        """Learn these from now on: all live samples of a log at a revision, in the order of teaching.

        Returns a Rebuild if learning cannot simply continue, or if the first target has samples to catch up with.
        """
        names = self._name_states(samples)
        learned = self._current.learned
        restarts = not self._has_target or names[learned : learned + 1] != [self._state_name]
        if restarts:
            self._current, self._state_name = self._restore_newest(samples, names)
        if not self._has_target or names[: len(self._names)] != self._names:
            # No state on the way belongs to a revision of the log.
            self._publish_from, self._min_revision = len(samples), revision
        self._samples, self._names, self._revision, self._has_target = list(samples), names, revision, True
        if self.remaining == 0:
            self._publish()
        return Rebuild(self._current.learned, len(samples)) if restarts and self.remaining else None

    def learn_next(self, publish: bool = True) -> LearnedSample | None:
        """Learn the next sample; return None if none remains. publish=False is ignored for the last sample.

        Raises what interrupts it, as OSError when the disk is full. Call set_target() again then: it discards a sample
        that was learned by half.
        """
        if not self.remaining:
            return None
        sample = self._samples[self._current.learned]
        try:
            losses = self._current.learn(sample)
        except BaseException:
            self._state_name = ""  # of no log: it may have learned half of the sample
            raise
        self._state_name = self._names[self._current.learned]
        published = self._current.learned >= self._publish_from and (publish or not self.remaining)
        if published:
            self._publish()
        return LearnedSample(sample.sample_id, losses, self.remaining, published)

    def save(self) -> None:
        """Keep the current state as a checkpoint, and what is published for the next start. Raises OSError, as when the
        disk is full; nothing is lost then.
        """
        if self._checkpoints is None or not self._current.learned:
            return
        self._checkpoints.save(self._names, self._current.learned, self._current.collect_tensors())
        if self._answers is not None and self._has_published and not self.is_rebuilding:
            self._answers.save(self._published, self._samples[: self._published_samples])

    def _name_states(self, samples: Sequence[TaughtDrawing]) -> list[str]:
        """Name the states as name_states does, without computing known names again: a log may have many thousands."""
        pairs = enumerate(zip(samples, self._samples, strict=False))
        same = next((i for i, (new, old) in pairs if new is not old), min(len(samples), len(self._samples)))
        return [*self._names[:same], *name_states(self._names[same], samples[same:])]

    def _restore_newest(self, samples: Sequence[TaughtDrawing], names: list[str]) -> tuple[LearnerState, str]:
        """Return the state that has learned most of these samples and nothing else, and its name."""
        state = LearnerState(self._initial, self._config, self._features)
        found = self._checkpoints.load_newest(names) if self._checkpoints is not None else None
        if found is not None:
            state.resume(samples[: found[0]], found[1])
        return state, names[state.learned]

    def _publish(self) -> None:
        learned = self._published_samples = self._current.learned
        revision = self._revision
        if learned < len(self._samples):
            revision = max(self._min_revision, self._samples[learned - 1].revision)
        self._published = publish(self._current.network, self._current.labels, revision, self._initial.temperature)
        self._has_published = True
