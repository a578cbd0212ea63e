"""A learner that follows a workspace's log: what it knows is a function of the live samples, in the order of teaching.

New samples are learned one after another. Once a sample that was learned is gone or has another label, what came after
it is learned again from the newest checkpoint that knows nothing of it: a rebuild. Until it is done the state from
before keeps answering, so whoever asks always gets one whole revision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from haleganada_server.core.models.online_config import OnlineConfig
from haleganada_server.training.common.taught_drawing import TaughtDrawing, name_states

from .checkpoints import Checkpoints
from .features import FeatureFile
from .learner_state import LearnerState, beginning
from .published import Published, publish
from .start import Start


@dataclass(frozen=True, slots=True)
class Rebuild:
    """Learning again. kept: samples whose learning still counts; samples: how many there are in all."""

    kept: int
    samples: int


@dataclass(frozen=True, slots=True)
class Learned:
    """A sample was learned. losses: before each step. left: samples still to be learned. published: answers know it."""

    sample_id: int
    losses: tuple[float, ...]
    left: int
    published: bool


class OnlineLearner:
    """aim() at a log, then advance() until nothing is left. One thread does both; `published` is safe from any.

    checkpoints: where to find and keep states; None keeps none, and every rebuild begins with the start.
    """

    def __init__(
        self, start: Start, config: OnlineConfig, features: FeatureFile, checkpoints: Checkpoints | None = None
    ) -> None:
        """Knows what the start knows. Raises InvalidInput."""
        config.check()
        self._start, self._config = start, config
        self._features, self._checkpoints = features, checkpoints
        self._beginning = beginning(start, config)
        self._samples: list[TaughtDrawing] = []
        self._names = [self._beginning]
        self._revision = 0
        self._current = LearnerState(start, config, features)
        self._state = self._beginning
        self._first = True
        self._hidden_until = 0  # samples learned; until then the publication from before stands
        self._floor = 0  # no publication is of an older revision
        self._publish()
        self._follows = False  # `published` is of a log

    @property
    def published(self) -> Published:
        """The newest whole state; the start, at revision 0, until a log is learned."""
        return self._published

    @property
    def follows(self) -> bool:
        """Whether `published` is of a log that it was aimed at, and not the start."""
        return self._follows

    @property
    def rebuilding(self) -> bool:
        """Whether `published` stands still until what came after a sample that is gone or changed is learned again."""
        return self._follows and self._current.learned < self._hidden_until

    @property
    def current(self) -> LearnerState:
        """What is being taught, ahead of what is published while it is rebuilt."""
        return self._current

    @property
    def state(self) -> str:
        """Its name, the same for the same samples, configuration and start."""
        return self._state

    @property
    def revision(self) -> int:
        """What it was last aimed at; 0 before."""
        return self._revision

    @property
    def left(self) -> int:
        """Samples still to be learned."""
        return len(self._samples) - self._current.learned

    def aim(self, samples: Sequence[TaughtDrawing], revision: int) -> Rebuild | None:
        """From now on learn these: all live samples of a log at a revision, in the order of teaching.

        Says so if what was learned cannot simply be continued, or if there is something to catch up with at first.
        """
        names = self._names_of(samples)
        returns = self._first or names[self._current.learned : self._current.learned + 1] != [self._state]
        if returns:
            self._current, self._state = self._newest_beginning(samples, names)
        if self._first or names[: len(self._names)] != self._names:
            self._hidden_until, self._floor = len(samples), revision  # no state on the way is one of the log
        self._samples, self._names, self._revision, self._first = list(samples), names, revision, False
        if self.left == 0:
            self._publish()
        return Rebuild(self._current.learned, len(samples)) if returns and self.left else None

    def advance(self, publish: bool = True) -> Learned | None:
        """Learn the next sample; None if nothing is left. publish: not False for the last one, which is always
        published.

        Raises what interrupts it, as OSError when the disk is full; then aim() again, which makes whole what is not.
        """
        if not self.left:
            return None
        sample = self._samples[self._current.learned]
        try:
            losses = self._current.learn(sample)
        except BaseException:
            self._state = ""  # it may have learned half of it
            raise
        self._state = self._names[self._current.learned]
        visible = self._current.learned >= self._hidden_until and (publish or not self.left)
        if visible:
            self._publish()
        return Learned(sample.sample_id, losses, self.left, visible)

    def save(self) -> None:
        """Keep the present state as a checkpoint. Raises OSError, as when the disk is full; nothing is lost then."""
        if self._checkpoints is not None and self._current.learned:
            self._checkpoints.save(self._names, self._current.learned, self._current.tensors())

    def _names_of(self, samples: Sequence[TaughtDrawing]) -> list[str]:
        """As name_states; those that are known are not computed again, for a log may have many thousands."""
        pairs = enumerate(zip(samples, self._samples, strict=False))
        same = next((i for i, (new, old) in pairs if new is not old), min(len(samples), len(self._samples)))
        return [*self._names[:same], *name_states(self._names[same], samples[same:])]

    def _newest_beginning(self, samples: Sequence[TaughtDrawing], names: list[str]) -> tuple[LearnerState, str]:
        """The state that has learned most of these samples and nothing else, and its name."""
        current = LearnerState(self._start, self._config, self._features)
        found = self._checkpoints.best(names) if self._checkpoints is not None else None
        if found is not None:
            current.resume(samples[: found[0]], found[1])
        return current, names[current.learned]

    def _publish(self) -> None:
        learned = self._current.learned
        present = self._revision
        if learned < len(self._samples):
            present = max(self._floor, self._samples[learned - 1].revision)
        self._published = publish(self._current.learnable, self._current.labels, present, self._start.temperature)
        self._follows = True
