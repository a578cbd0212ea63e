"""Models are found by id or name, activated for workspaces, and deleted only when unused; workspaces' own heads are not
affected.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.errors import DataLoss, InvalidInput, NotFound, Precondition
from haleganada_server.core.fewshot.confidence import Decision
from haleganada_server.core.model_names import FEW_SHOT
from haleganada_server.core.models.models import Models
from haleganada_server.core.workspaces.workspace import Workspace
from haleganada_server.core.workspaces.workspaces import Workspaces
from haleganada_server.vision import PillowRasterizer, rasterize
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.memory_store import MemoryDirectory
from tests.support.tiny_model import TinyModel, write_tiny_model
from tests.unit.server.core.workspaces.small_world import drawing, lesson, open_workspaces, posteriors

# Each example teaches a whole workspace, so there are a third of those that other properties get.
few = settings(max_examples=settings().max_examples // 3, deadline=None, suppress_health_check=list(HealthCheck))


def model_of(*characters: int, name: str = "tiny", created_us: int = 1) -> TinyModel:
    """Return a model that knows these characters, with labels "L<character>"."""
    return TinyModel({f"L{c}": rasterize(drawing(c, 0)) for c in characters}, name, created_us)


@contextmanager
def world() -> Iterator[tuple[Workspaces, Models, Path]]:
    """Yield workspaces, their models, and a folder for unfinished ones."""
    with tempfile.TemporaryDirectory() as folder:
        workspaces = open_workspaces(Path(folder), directory=MemoryDirectory(PillowRasterizer()))
        yield workspaces, models_of(workspaces.get()), Path(folder) / "made"
        workspaces.close()


def models_of(workspace: Workspace) -> Models:
    return workspace._dependencies.models


@few
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), min_size=1, max_size=6, unique=True))
def test_activating_and_deleting_a_model_does_not_change_the_head(samples: list[tuple[int, int]]) -> None:
    with world() as (workspaces, models, made):
        workspace = workspaces.get()
        for sample in samples:
            workspace.train(lesson(*sample))
        before = posteriors(workspace)
        model = models.register(write_tiny_model(made, model_of(0, 1)))
        workspaces.activate_model("", model)
        before_activation = workspace.predict(drawing(0, 3), model=FEW_SHOT, min_revision=0)
        workspace.predict(drawing(0, 3))
        workspaces.activate_model("", FEW_SHOT)
        after = workspace.predict(drawing(0, 3), min_revision=0)
        assert (after.candidates, after.unknown_probability) == (
            before_activation.candidates,
            before_activation.unknown_probability,
        )
        models.delete(model)
        assert posteriors(workspace) == before


def test_a_model_answers_in_an_empty_workspace() -> None:
    with world() as (workspaces, models, made):
        models.register(write_tiny_model(made, model_of(0, 1, 2)))
        answer = workspaces.get().predict(drawing(1, 5), top_k=50, model="tiny")
        assert answer.candidates[0].label == "L1" and answer.candidates[0].samples == 0
        assert sum(c.probability for c in answer.candidates) == pytest.approx(1) and len(answer.candidates) == 3
        assert (answer.unknown_probability, answer.revision) == (0, 0)


def test_equal_labels_share_the_probability() -> None:
    """Two labels with the same template share the probability; as forms of one label, they have all of it together."""
    with world() as (workspaces, models, made):
        raster = rasterize(drawing(0, 0))
        models.register(write_tiny_model(made, TinyModel({"a": raster, "b": raster}, "twins")))
        workspace = workspaces.get()
        unsure = workspace.predict(drawing(0, 0), model="twins")
        assert [c.probability for c in unsure.candidates] == [0.5, 0.5]
        workspace.link("c", "a")
        assert workspace.predict(drawing(0, 0), model="twins").candidates[0].canonical_probability == 0.5
        workspace.link("b", "a")
        sure = workspace.predict(drawing(0, 0), model="twins").candidates[1]
        assert (sure.label, sure.canonical, sure.canonical_probability, sure.forms) == ("b", "a", 1.0, ("a", "c", "b"))


def test_less_than_half_is_unsure() -> None:
    with world() as (workspaces, models, made):
        raster = rasterize(drawing(0, 0))
        models.register(write_tiny_model(made, TinyModel(dict.fromkeys("abc", raster), "three")))
        assert workspaces.get().predict(drawing(0, 0), model="three").decision is Decision.UNSURE


def test_names_and_ids() -> None:
    with world() as (_, models, made):
        old, new = (models.register(write_tiny_model(made, model_of(0, name="n", created_us=t))) for t in (1, 2))
        assert [model.model_id for model in models.all()] == [new, old]
        assert models.find(FEW_SHOT) is None and models.get(old).model_id == old
        with pytest.raises(InvalidInput, match=f"{new}, {old}"):
            models.find("n")
        models.delete(new)
        assert models.get("n").model_id == old
        with pytest.raises(NotFound):
            models.get(new)
        with pytest.raises(Precondition):
            models.get(FEW_SHOT)


def test_a_workspace_whose_model_is_gone_answers_with_no_other(tmp_path: Path) -> None:
    workspaces = open_workspaces(tmp_path)
    models = models_of(workspaces.get())
    kept, gone = (models.register(write_tiny_model(tmp_path / "made", model_of(0, 1, name=n))) for n in "kg")
    for name, model in (("a", kept), ("b", gone), ("c", kept)):
        workspaces.create(name)
        workspaces.activate_model(name, model)
    workspaces.delete("c", "c")
    workspaces.close()
    folder = tmp_path / "models" / gone
    folder.rename(tmp_path / "elsewhere")
    workspaces = open_workspaces(tmp_path)
    models = models_of(workspaces.get())
    assert [models.active_models.model_id_of(name) for name in "abc"] == [kept, gone, FEW_SHOT]
    assert workspaces.get("a").predict(drawing(0, 3)).model == kept
    with pytest.raises(DataLoss, match=f"{gone}, which answers in “b”, is gone .* activate another model"):
        workspaces.get("b").predict(drawing(0, 3))
    assert workspaces.get("b").predict(drawing(0, 3), model=FEW_SHOT).model == FEW_SHOT, "when asked by name"
    workspaces.close()
    (tmp_path / "elsewhere").rename(folder)
    workspaces = open_workspaces(tmp_path)
    assert workspaces.get("b").predict(drawing(0, 3)).model == gone, "put back, it answers again"
    workspaces.close()


def test_with_a_damaged_record_each_workspace_waits_for_its_model(tmp_path: Path) -> None:
    workspaces = open_workspaces(tmp_path)
    model = models_of(workspaces.get()).register(write_tiny_model(tmp_path / "made", model_of(0, 1)))
    workspaces.create("b")
    workspaces.activate_model("", model)
    workspaces.close()
    (tmp_path / "models" / "active.json").write_text("{", encoding="utf-8")
    for name, chosen in (("", model), ("b", FEW_SHOT)):
        workspaces = open_workspaces(tmp_path)
        with pytest.raises(DataLoss, match="nobody knows which model answers"):
            workspaces.get(name).predict(drawing(0, 3))
        workspaces.activate_model(name, chosen)
        assert workspaces.get(name).predict(drawing(0, 3)).model == chosen
        workspaces.close()


def test_a_model_whose_card_was_damaged_can_only_be_deleted(tmp_path: Path) -> None:
    """No workspace answers with something else without a word."""
    workspaces = open_workspaces(tmp_path)
    model = models_of(workspaces.get()).register(write_tiny_model(tmp_path / "made", model_of(0, 1)))
    workspaces.activate_model("", model)
    workspaces.close()
    path = tmp_path / "models" / model / "model.json"
    path.write_text(path.read_text(encoding="utf-8").replace("tiny-cnn", "tiny-cno"), encoding="utf-8")
    workspaces = open_workspaces(tmp_path)
    models, workspace = models_of(workspaces.get()), workspaces.get()
    for call in (
        lambda: workspace.predict(drawing(0, 3)),
        lambda: models.activate("", model),
        lambda: models.export(model, int8=True),
        lambda: models.find_online_start(model),
    ):
        with pytest.raises(DataLoss, match=r"changed since it was written.*train it again, or delete it"):
            call()
    assert "changed since it was written" in models.describe_damage(models.get(model))
    workspaces.activate_model("", FEW_SHOT)
    models.delete(model)
    assert not models.all() and not path.exists()
    workspaces.close()


def test_the_active_model_of_a_missing_workspace_is_forgotten_at_the_start(tmp_path: Path) -> None:
    workspaces = open_workspaces(tmp_path)
    models = models_of(workspaces.get())
    models.activate("never made", models.register(write_tiny_model(tmp_path / "made", model_of(0))))
    workspaces.close()
    workspaces = open_workspaces(tmp_path)
    assert models_of(workspaces.get()).active_models.model_id_of("never made") == FEW_SHOT
    workspaces.close()


def test_a_name_is_found_in_either_encoding() -> None:
    with world() as (_, models, made):
        model = models.register(write_tiny_model(made, model_of(0, name="caf\u00e9")))
        assert models.get("cafe\u0301").model_id == model


def test_activating_and_deleting_during_predictions() -> None:
    """Each prediction comes entirely from the model or entirely from the head."""
    with world() as (workspaces, models, made):
        workspace = workspaces.get()
        workspace.train(lesson(0, label="own"))
        stop = threading.Event()

        def predict() -> set[str]:
            seen = set()
            while not stop.is_set():
                answer = workspace.predict(drawing(0, 1), top_k=50)
                seen.add("".join(sorted(c.label for c in answer.candidates)))
            return seen

        with ThreadPoolExecutor(4) as pool:
            predicting = [pool.submit(predict) for _ in range(4)]
            for _ in range(4):
                model = models.register(write_tiny_model(made, model_of(0, 1)))
                workspaces.activate_model("", model)
                with pytest.raises(Precondition):
                    models.delete(model)
                workspaces.activate_model("", FEW_SHOT)
                models.delete(model)
            stop.set()
            seen = set().union(*(call.result() for call in predicting))
        assert seen <= {"own", "L0L1"} and not models.all()


def test_batches_of_any_size_give_the_same() -> None:
    with world() as (workspaces, models, made):
        models.register(write_tiny_model(made, model_of(0, 1, 2, 3)))
        workspace = workspaces.get()
        glyphs = [drawing(number % 4, number) for number in range(70)]
        together = workspace.predict_batch(glyphs, 4, model="tiny")
        for glyph, answer in zip(glyphs, together, strict=True):
            alone = workspace.predict(glyph, 4, model="tiny")
            assert not isinstance(answer, Exception)
            mine, theirs = ([c.probability for c in a.candidates] for a in (alone, answer))
            np.testing.assert_allclose(mine, theirs, atol=1e-6)
