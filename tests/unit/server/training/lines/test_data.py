"""Lines as a training takes them: batches of similar width, the same augmentation in every run, and drawn lines."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from click.testing import CliRunner
from haleganada_server.core.errors import InvalidInput
from haleganada_server.training.lines.augment import augment_hand, augment_line
from haleganada_server.training.lines.batches import MOST_IN_EPOCH, LineSampler, stack_lines
from haleganada_server.training.lines.rendering.command import draw_lines, render_lines
from haleganada_server.training.lines.rendering.fonts import draw_text, find_fonts, require_shaping
from haleganada_server.training.lines.rendering.texts import LineTexts
from haleganada_server.vision.line_pictures import GrayLine
from hypothesis import given
from hypothesis import strategies as st

from tests.support.line_sets import draw_line

FONTS = Path(mpl.get_data_path()) / "fonts" / "ttf"
DEJAVU = [FONTS / "DejaVuSans.ttf", FONTS / "DejaVuSerif.ttf"]
LOHIT = Path("/usr/share/fonts/truetype/lohit-kannada/Lohit-Kannada.ttf")


@pytest.mark.parametrize("count", [1, 7, 100, MOST_IN_EPOCH + 1, 3 * MOST_IN_EPOCH])
def test_a_pass_has_each_line_once(count: int) -> None:
    sampler = LineSampler(np.arange(10, 10 + count), np.random.default_rng(0).random(count), 16, seed=3)
    epochs = [np.concatenate(sampler.sample_epoch(epoch)) for epoch in range(1, sampler.epochs_per_pass + 1)]
    assert sorted(np.concatenate(epochs)) == list(range(10, 10 + count))
    assert max(map(len, epochs)) <= MOST_IN_EPOCH
    assert max(len(batch) for batch in sampler.sample_epoch(1)) <= 16
    again = LineSampler(sampler.lines, sampler.widths, 16, seed=3)
    assert all(
        np.array_equal(one, two) for one, two in zip(sampler.sample_epoch(2), again.sample_epoch(2), strict=True)
    )


def test_batches_have_lines_of_similar_width() -> None:
    widths = np.random.default_rng(0).random(320)
    sampler = LineSampler(np.arange(320), widths, 16, seed=0)
    spread = np.mean([widths[batch].max() - widths[batch].min() for batch in sampler.sample_epoch(1)])
    assert spread < 0.15


def test_shorter_lines_have_paper_behind_them() -> None:
    batch = stack_lines([np.zeros((4, 10), np.float32), np.zeros((4, 20), np.float32)])
    assert tuple(batch.shape) == (2, 1, 4, 32)
    assert batch[0, 0, :, 10:].min() == batch[1, 0, :, 20:].min() == 1
    assert batch[0, 0, :, :10].max() == 0


@pytest.mark.parametrize("augment", [augment_line, augment_hand])
def test_augmentation_follows_from_seed_epoch_and_line(augment: Callable[[GrayLine, int, int, int], GrayLine]) -> None:
    line = draw_line("river stone")
    assert np.array_equal(augment(line, 1, 2, 3), augment(line, 1, 2, 3))
    others = [augment(line, *numbers) for numbers in ((2, 2, 3), (1, 3, 3), (1, 2, 4))]
    first = augment(line, 1, 2, 3)
    assert all(first.shape != other.shape or not np.array_equal(first, other) for other in others)
    heights = {one.shape[0] / line.shape[0] for one in (first, *others)}
    assert all(0.65 <= height <= 1.35 for height in heights)
    assert all(one.dtype == np.uint8 for one in (first, *others))


@given(st.integers(1, 80), st.integers(8, 400), st.integers(0, 1000))
def test_the_smallest_lines_can_be_augmented(height: int, width: int, seed: int) -> None:
    line = np.tile(np.linspace(0, 255, width, dtype=np.uint8), (height, 1))
    changed = augment_hand(line, seed, 1, 1)
    assert min(changed.shape) >= 1


def test_a_text_gives_runs_of_its_words_and_a_list_gives_any_words() -> None:
    rng = np.random.default_rng(0)
    text = LineTexts.of_text("the cat sat on the old mat\nand the dog ran off\n")
    assert not text.is_list
    for _ in range(20):
        assert text.draw(rng) in " ".join(text.words)
    words = LineTexts.of_text("ಮನೆ\nನದಿ\nಕಾಡು\n")
    drawn = " ".join(words.draw(rng) for _ in range(200))
    assert words.is_list
    assert words.digits == "೦೧೨೩೪೫೬೭೮೯"
    assert {"ಮ", "ನ", ",", "."} < set(drawn)
    assert set(drawn) & set(words.digits)
    with pytest.raises(InvalidInput, match="no words"):
        LineTexts.of_text(" \n ")


def test_lines_are_drawn_in_all_fonts_and_the_same_each_time() -> None:
    texts, fonts = LineTexts.of_text("river stone cloud"), find_fonts(DEJAVU)
    lines = list(draw_lines(texts, fonts, 40, seed=5))
    again = list(draw_lines(texts, fonts, 40, seed=5))
    assert all(np.array_equal(one.picture, two.picture) for one, two in zip(lines, again, strict=True))
    assert {line.font for line in lines} == {"DejaVuSans.ttf", "DejaVuSerif.ttf"}
    assert {line.picture.shape[0] for line in lines} == {64}
    assert all(line.picture.std() > 5 for line in lines)
    assert [line.part for line in lines][:5] == ["validation", "validation", "test", "test", "train"]


def test_letters_of_kannada_can_be_set_one_by_one_and_those_of_other_scripts_stay() -> None:
    latin, kannada = find_fonts(DEJAVU)[0], "ಕ್ಷಮೆ ಮಾರ್ಗ"
    as_it_is = draw_text("river", latin, None, 40)
    assert np.array_equal(draw_text("river", latin, None, 40, np.random.default_rng(0)), as_it_is)
    if not LOHIT.exists():
        pytest.skip("the font Lohit Kannada is not installed")
    require_shaping([kannada])
    font = find_fonts([LOHIT])[0]
    close = draw_text(kannada, font, None, 40)
    apart = [draw_text(kannada, font, None, 40, np.random.default_rng(seed)) for seed in range(8)]
    assert len({line.shape[1] for line in apart}) > 4, "the gaps differ"
    assert all(abs(int(line.sum()) / int(close.sum()) - 1) < 0.1 for line in apart), "no letter is lost"


def test_texts_that_no_font_has_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no font with the characters"):
        list(draw_lines(LineTexts.of_text("ಅ ಆ"), find_fonts(DEJAVU), 20))
    with pytest.raises(InvalidInput, match="no font that can be read"):
        find_fonts([tmp_path])


def test_the_command_writes_a_file_for_datasets_add(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("river stone cloud bridge", encoding="utf-8")
    arguments = ["--text", str(tmp_path / "text.txt"), "--fonts", str(DEJAVU[0]), "--lines", "20"]
    result = CliRunner().invoke(render_lines, [*arguments, "--out", str(tmp_path / "lines.zip")])
    assert result.exit_code == 0, result.output
    with zipfile.ZipFile(tmp_path / "lines.zip") as file:
        rows = file.read("lines.tsv").decode().splitlines()
        assert len(rows) == 21
        assert {row.split("\t")[0] for row in rows[1:]} | {"lines.tsv"} == set(file.namelist())
