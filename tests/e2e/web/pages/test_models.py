"""The page of models in a real browser: a data set sent as a file and as a folder, a training followed through a
reload, a model that answers on the slate and the way back. The jobs learn nothing; the model is one layer.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from tests.e2e.processes import start_preloaded
from tests.e2e.web.browser import Page, missing, visit, web
from tests.e2e.web.pages.class_set import write_class_set
from tests.support.datasets import drawing, drawings, folders_of, idx_files, png, write_zip
from tests.support.jobs import serve
from tests.support.tiny_model import TinyModel, write_tiny_model

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(missing()), reason=f"{missing()} not installed"),
]
MODEL = "0123456789ab"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, chromium: webdriver.Chrome) -> Iterator[Page]:
    """The page of a server that has a model, called “tiny”."""
    root = tmp_path_factory.mktemp("models")
    bar = np.zeros((128, 128), np.uint8)
    bar[20:108, 58:70] = 255
    (root / "data" / "models").mkdir(parents=True)
    write_tiny_model(root, TinyModel({"l": bar, "-": bar.T})).rename(root / "data" / "models" / MODEL)
    running = start_preloaded([serve.__file__, "0", str(root / "data")])
    try:
        with web(running.address) as address, visit(chromium, f"{address}/models") as page:
            yield page
    finally:
        running.kill()


@pytest.fixture
def page(opened: Page) -> Page:
    """The page as the last test left it; a test opens what it looks at."""
    opened.complaints()
    return opened


def upload(page: Page, path: Path, name: str) -> None:
    """Send a data set and wait for its own page."""
    page.go("datasets")
    page.wait(lambda: page.all("#dataset-file"))
    page.find("#dataset-folder" if path.is_dir() else "#dataset-file").send_keys(str(path))
    page.wait(lambda: page.find("#upload").is_enabled())
    page.find("#dataset-name").clear()
    page.find("#dataset-name").send_keys(name)
    page.press("#upload")
    page.wait_for(".heading h3", name)


def answer(page: Page, control: str, name: str) -> None:
    """Press what asks for a name to be repeated, and type one."""
    page.press(control)
    page.wait(lambda: page.all("#dialog-input") and page.find("#dialog-input").is_displayed())
    page.find("#dialog-input").send_keys(name, Keys.ENTER)


def test_a_damaged_model_says_so(page: Page, tmp_path: Path) -> None:
    model = next(path for path in tmp_path.parent.glob(f"models*/data/models/{MODEL}/model.onnx"))
    whole = model.read_bytes()
    model.write_bytes(whole[:-1])
    try:
        page.go("models")
        page.wait_for("#view .warning", "damaged")
        assert "train it again, or delete it" in str(page.find("#view .warning").get_attribute("title"))
    finally:
        model.write_bytes(whole)
    page.go("models")
    page.wait_for("#view", "tiny")
    assert "damaged" not in page.text("#view") and not page.complaints()


def test_a_data_set_is_sent_seen_and_deleted(page: Page, tmp_path: Path) -> None:
    upload(page, write_class_set(tmp_path / "letters.zip", writers=4, alphabet="ಅಕ"), "two letters")
    assert page.all(".numbers dd")[1].text == "2"
    assert "8" in page.text(".numbers") and "1 rejected" in page.text(".left-out")
    page.press(".refusedCount summary")
    page.wait_for(".refusedCount", "w000_notes.png")
    page.wait(lambda: page.all(".uplot canvas"))
    assert page.find(".plot .canvas").get_attribute("aria-label") == "Drawings of each label, all parts: ಅ: 4, ಕ: 4"
    answer(page, "#delete-dataset", "another")
    page.wait_for("#dialog-problem", "Type two letters")
    page.find("#dialog-input").send_keys("two letters", Keys.ENTER)
    page.wait_for("#status", "Deleted two letters")
    page.wait(lambda: page.all("#dataset-file"))
    assert "two letters" not in page.text("#view") and not page.complaints()


def test_a_folder_that_is_refused_is_told_of_without_the_request_s_words(page: Page, tmp_path: Path) -> None:
    (tmp_path / "letters" / "a").mkdir(parents=True)
    (tmp_path / "letters" / "a" / "1.png").write_bytes(png(drawing("a")))
    page.go("datasets")
    page.wait(lambda: page.all("#dataset-file"))
    page.find("#dataset-folder").send_keys(str(tmp_path / "letters"))
    page.wait(lambda: page.find("#upload").is_enabled())
    page.press("#upload")
    page.wait(lambda: page.all(".upload .problem"))
    assert page.text(".upload .problem").startswith("the file cannot be used: has only drawings of “a”, but at least")
    page.complaints()  # the browser notes the refusal


def test_a_folder_is_sent_as_it_is(page: Page, tmp_path: Path) -> None:
    folder = tmp_path / "handwriting"
    shutil.unpack_archive(write_class_set(tmp_path / "letters.zip", writers=3, alphabet="ಅಕಗ"), folder, "zip")
    upload(page, folder, "a folder")
    assert page.all(".numbers dd")[0].text == "9" and page.all(".numbers dd")[1].text == "3"
    assert not page.complaints()


def test_how_folders_named_by_numbers_are_read_can_be_chosen(page: Page, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "numbers.zip", folders_of(("40", "65"), 4))
    page.go("datasets")
    page.wait(lambda: page.all("#dataset-file"))
    page.find("#dataset-file").send_keys(str(path))
    page.press(".upload summary")
    page.find("#folder-names option[value=text]").click()
    page.press("#upload")
    page.wait_for(".heading h3", "numbers")
    page.wait(lambda: page.all(".plot .canvas"))
    assert page.find(".plot .canvas").get_attribute("aria-label") == "Drawings of each label, all parts: 40: 4, 65: 4"
    assert not page.complaints()


def test_a_folder_s_mapping_is_sent_with_it(page: Page, tmp_path: Path) -> None:
    for name, content in folders_of(("class_1", "class_2"), 4).items():
        (tmp_path / "mapped" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mapped" / name).write_bytes(content)
    (tmp_path / "mapped/class_mapping.json").write_text('{"class_1": "ಅ", "class_2": "ಕ"}', encoding="utf-8")
    upload(page, tmp_path / "mapped", "with a mapping")
    page.wait(lambda: page.all(".uplot canvas"))
    assert page.find(".plot .canvas").get_attribute("aria-label") == "Drawings of each label, all parts: ಅ: 4, ಕ: 4"


def test_what_was_exported_as_lines_is_sent_as_it_is(page: Page, tmp_path: Path) -> None:
    pictures = {label: [base64.b64encode(png(drawing((label, i)))).decode() for i in range(4)] for label in "ಅಕ"}
    lines = [json.dumps({"label": label, "image": image}) for label, own in pictures.items() for image in own]
    (tmp_path / "taught.jsonl").write_text("\n".join(lines))
    upload(page, tmp_path / "taught.jsonl", "as lines")
    assert page.all(".numbers dd")[0].text == "8" and page.all(".numbers dd")[1].text == "2"


def test_what_is_there_twice_is_named(page: Page, tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    shutil.unpack_archive(write_class_set(tmp_path / "letters.zip", writers=3, alphabet="ಅಕ"), folder, "zip")
    drawn = sorted(folder.rglob("*.png"))[0]
    shutil.copy(drawn, drawn.with_name(f"zz_{drawn.name}"))
    upload(page, folder, "with a duplicate")
    page.press(".duplicates summary")
    page.wait_for(".duplicates", f"zz_{drawn.name} = ")
    assert f"/{drawn.name} (" in page.text(".duplicates") and not page.complaints()


def test_one_label_for_both_cases_of_a_letter_is_told(page: Page, tmp_path: Path) -> None:
    files = idx_files(drawings(20), [1, 2] * 10, "emnist-letters-train-")
    path = write_zip(tmp_path / "emnist.zip", files | {"emnist-letters-mapping.txt": b"1 65 97\n2 66 98\n"})
    upload(page, path, "capitals and small letters")
    assert "2 labels stand for several characters" in page.text(".left-out") and "(A B)" in page.text(".left-out")
    assert not page.complaints()


def test_data_sets_of_one_name_can_be_told_apart_where_one_is_chosen(page: Page, tmp_path: Path) -> None:
    path = write_class_set(tmp_path / "letters.zip", writers=3, alphabet="ಅಕ")
    for name in ("once", "twice", "twice"):
        upload(page, path, name)
    page.go("train")
    page.wait(lambda: page.all("#train-dataset option"))
    chosen = [option.text for option in page.all("#train-dataset option")]
    assert len(set(chosen)) == len(chosen) and "once · 2 labels" in chosen
    assert all(re.match(r"twice · .*\d.* · 2 labels", text) for text in chosen if text.startswith("twice"))


def test_a_job_that_was_cancelled_and_finishes_up_is_ending(page: Page, tmp_path: Path) -> None:
    upload(page, write_class_set(tmp_path / "letters.zip", writers=4, alphabet="ಅಕ"), "for a stubborn one")
    page.press(".heading a.button")
    page.wait(lambda: page.all("#start-training"))
    page.find("#train-name").send_keys("finishes slowly")
    page.press("#start-training")
    page.wait_for(".heading .state", "running")
    page.press("#cancel-job")
    page.wait_for(".heading .state", "finishing")
    page.go(page.driver.current_url.partition("#")[2])
    page.wait_for(".heading .state", "finishing")
    page.wait(lambda: page.all("#cancel-job"))
    assert not page.find("#cancel-job").is_enabled()
    page.wait_for(".heading .state", "cancelled")


def test_a_training_is_followed_through_a_reload_and_cancelled(page: Page, tmp_path: Path) -> None:
    upload(page, write_class_set(tmp_path / "letters.zip", writers=4, alphabet="ಅಕ"), "to train on")
    page.press(".heading a.button")
    page.wait(lambda: page.all("#start-training"))
    page.press("[value=tiny-cnn]")
    preset = {"epochs": "15", "batch_size": "64", "learning_rate": "0.001"}
    assert {name: page.find(f"[name={name}]").get_attribute("placeholder") for name in preset} == preset
    page.find("[name=epochs]").send_keys("5000")
    page.find("#train-name").send_keys("mine")
    page.press("#start-training")
    page.wait(lambda: len(page.all(".uplot canvas")) == 2)
    label = page.find(".plot .canvas").get_attribute("aria-label")
    page.wait(lambda: page.find(".plot .canvas").get_attribute("aria-label") != label)  # it moves on
    page.go(page.driver.current_url.partition("#")[2], width=390, height=844, mobile=True)
    page.wait(lambda: len(page.all(".uplot canvas")) == 2)
    page.wait_for("#doing", "left")
    assert page.is_narrow_enough()
    page.press("#cancel-job")
    page.wait_for(".heading", "cancelled")
    page.wait_for("#view", "The best model so far was kept")
    assert "Maximum epochs: 5000 · Batch size: 8" in page.text(".facts")
    assert "1 file" in [summary.text for summary in page.all("#view summary")]
    page.press("#delete-job")
    page.press("#dialog-confirm")
    page.wait_for("#status", "Deleted mine")
    page.wait(lambda: "mine" not in page.text("#view"))
    page.go("models")
    page.wait_for("#view", "mine")
    assert page.is_narrow_enough() and not page.complaints()


def record_training(page: Page) -> None:
    """Keep what the page sends to start a training."""
    page.run(
        """window.fetch = ((plain) => (address, options) => {
          if (address.includes("/page/jobs/training")) window.sent = JSON.parse(options.body);
          return plain(address, options);
        })(window.fetch);"""
    )


def test_a_training_with_every_setting(page: Page, tmp_path: Path) -> None:
    upload(page, write_class_set(tmp_path / "letters.zip", writers=4, alphabet="ಅಕ"), "with settings")
    page.press(".heading a.button")
    page.wait(lambda: page.all("#start-training"))
    page.press("[value=tiny-cnn]")
    assert page.find("[name=image_size_px]").get_attribute("placeholder") == "32"
    page.run("for (const one of document.querySelectorAll('#training details')) one.open = true")
    chosen = {"image_size_px": 48, "workers": 1, "rotation_degrees": 4.5, "shift": 0.2, "scale": 0, "tilt": 0.05}
    for name, value in {**chosen, "bend": 0.02, "ink": 0.5}.items():
        page.find(f"[name={name}]").send_keys(str(value))
    page.press("[name=class_weights] [value=balanced]")
    page.find("#train-name").send_keys("every setting")
    record_training(page)
    page.press("#start-training")
    page.wait(lambda: page.run("return window.sent"))
    assert page.run("return sent.settings") == {**chosen, "bend": 0.02, "ink": 0.5, "class_weights": "balanced"}
    page.wait(lambda: page.all("#cancel-job, .heading .state[data-state=succeeded]"))
    job = page.driver.current_url.partition("#job/")[2]
    page.go(f"again/{job}", width=320, height=640, mobile=True)
    page.wait(lambda: page.all("#start-training"))
    page.run("for (const one of document.querySelectorAll('#training details')) one.open = true")
    assert page.is_narrow_enough()
    assert {name: float(page.find(f"[name={name}]").get_attribute("value") or "") for name in chosen} == chosen
    assert not page.complaints()


def test_a_training_starts_from_a_model(page: Page, tmp_path: Path) -> None:
    upload(page, write_class_set(tmp_path / "letters.zip", writers=4, alphabet="ಅಕ"), "to go on with")
    page.press(".heading a.button")
    page.wait(lambda: page.all("#train-from"))
    page.press(f"#train-from [value='{MODEL}']")
    assert not page.find(".presets input").is_enabled() and not page.find("[name=image_size_px]").is_enabled()
    page.press("#train-from option:first-child")
    assert page.find(".presets input").is_enabled()
    page.press(f"#train-from [value='{MODEL}']")
    page.find("#train-name").send_keys("goes on")
    record_training(page)
    page.press("#start-training")
    page.wait(lambda: page.run("return window.sent"))
    assert (page.run("return sent.preset"), page.run("return sent.from_model")) == ("", MODEL)
    page.wait(lambda: "#job/" in page.driver.current_url)
    page.press("#cancel-job")


def test_a_failed_training_says_what_to_do(page: Page, tmp_path: Path) -> None:
    upload(page, write_class_set(tmp_path / "letters.zip", writers=4, alphabet="ಅಕ"), "too large")
    page.press(".heading a.button")
    page.wait(lambda: page.all("#start-training"))
    page.find("#train-name").send_keys("runs out of memory")
    page.press("#start-training")
    page.wait_for(".problem", "smaller batch")
    page.press("a[href^='#again']")
    page.wait(lambda: page.all("#start-training"))
    assert page.find("#train-name").get_attribute("value") == "runs out of memory"


def test_a_model_answers_on_the_slate_and_the_way_back(page: Page) -> None:
    page.go("models")
    page.wait_for("#view", "tiny")
    row = next(row for row in page.all("#view tbody tr") if row.text.startswith("tiny"))
    assert "75.0 %" in row.text and "shapes" in row.text and "5" * 10 in row.text
    row.find_element("css selector", ".actions button").click()
    page.wait_for("#status", "now uses: tiny")
    page.press("#to-slate")
    page.wait_for("#answers-from", "tiny")
    page.wait_for("#decision", "Draw something, and I'll tell you what it is")  # though nothing was taught here
    page.draw([[(0.5, 0.15), (0.5, 0.5), (0.5, 0.85)]])
    assert page.forms()[0] == "l"
    page.find("#label").send_keys("x", Keys.ENTER)
    page.wait_for("#status", "Saved x, but the model “tiny” answers here and does not learn.")
    assert page.text("#toast a") == "Choose which model answers"
    assert page.find("#toast a").get_attribute("href") == page.find("#to-models").get_attribute("href")
    page.press("#take-back")
    page.wait_for("#status", "taken back.")
    page.press("#back-to-few-shot")
    page.wait_for("#status", "What you taught answers here again")
    page.wait(lambda: page.kind() == "nothing_taught")  # the slate asks again
    assert not page.find("#answers-from").is_displayed()
    assert not page.complaints()


def test_several_models_answer_together_on_the_slate_and_the_way_back(page: Page) -> None:
    page.go("models")
    page.wait_for("#view", "tiny")
    page.press(".learn-online:has(#answer-together) summary")
    assert not page.find("#answer-together").is_enabled()  # one alone is no ensemble
    for model in (MODEL, "starter"):
        page.press(f"[name=together][value='{model}']")
    page.press("#answer-together")
    page.wait_for("#status", "Answer together from now on: tiny + ")
    page.wait_for(".answering", "tiny + ")
    page.press("#to-slate")
    page.wait_for("#answers-from", "answer here together")
    page.run(
        """window.fetch = ((plain) => (address, options) => {
          if (address.includes("/page/predict")) window.asked = JSON.parse(options.body).models;
          return plain(address, options);
        })(window.fetch);"""
    )
    page.draw([[(0.5, 0.15), (0.5, 0.5), (0.5, 0.85)]])
    page.wait(lambda: page.run("return window.asked"))
    assert page.run("return asked.length") == 2 and MODEL in page.run("return asked")
    page.press("#back-to-few-shot")
    page.wait(lambda: not page.find("#answers-from").is_displayed())
    page.wait(lambda: page.run("return asked.length") == 0)  # the slate asks again, the workspace's own model
    page.press("#clear")


def test_an_evaluation(page: Page, tmp_path: Path) -> None:
    upload(page, write_class_set(tmp_path / "letters.zip", writers=4, alphabet="ಅಕ"), "to measure")
    page.go("models")
    page.wait(lambda: page.all("#view tbody tr"))
    row = next(row for row in page.all("#view tbody tr") if row.text.startswith("What you taught"))
    row.find_element("css selector", ".actions button").click()
    page.wait(lambda: page.all("#start-measuring"))
    page.press("#start-measuring")
    page.wait_for(".headline", "75.0 %")
    assert "50.0 % to 90.0 %" in page.text(".headline") and "mistaken for a (1×)" in page.text(".report")
    assert re.search(r"ಅ\s+mistaken for a \(3×\)\s+a\s+mistaken for ಅ \(1×\)", page.text(".report"))
    assert not [one for one in page.complaints() if "confusion_matrix" not in one]


_NAMES = """
const [choices, done] = arguments;
import("/static/ui/names.js").then(({ findDistinctNames }) => done(findDistinctNames(choices)));
"""


def test_equal_names_are_told_apart_where_one_is_chosen(page: Page) -> None:
    page.go("models")
    noon, night = "2026-05-01T12:00:00Z", "2026-05-02T00:30:00Z"
    models = [
        ("a", "mine", noon),
        ("b", "mine", night),
        ("c", "mine", night),
        ("d", "other", noon),
        ("few-shot", "d", None),
    ]
    choices = [{"model_id": model, "name": name, "create_time": created} for model, name, created in models]
    first, second, third, *rest = page.driver.execute_async_script(_NAMES, choices)
    assert rest == ["other", "d"]
    assert first.startswith("mine · ") and len({first, second, third}) == 3
    assert second.endswith(" · b") and third.endswith(" · c") and not first.endswith(" · a")
    unmade = [{"model_id": "few-shot", "name": "same", "create_time": None}, {**choices[0], "name": "same"}]
    assert page.driver.execute_async_script(_NAMES, unmade)[0] == "same"


def test_an_evaluation_of_several_names_them_and_offers_their_pages(page: Page, tmp_path: Path) -> None:
    upload(page, write_class_set(tmp_path / "letters.zip", writers=4, alphabet="ಅಕ"), "to compare")
    page.go("models")
    page.wait(lambda: page.all("#view tbody tr"))
    row = next(row for row in page.all("#view tbody tr") if row.text.startswith("What you taught"))
    row.find_element("css selector", ".actions button").click()
    page.press(f"[name=model][value='{MODEL}']")
    page.press("#start-measuring")
    page.wait(lambda: page.all(".report table"))
    assert {"few-shot", "tiny"} <= set(page.text(".report table").split())
    assert "They give the same answer to every drawing, and are correct on 75.0 %." in page.text(".report")
    assert not page.all(".picture")
    names = {}
    for chip in page.all(".chips button"):
        chip.click()
        (link,) = page.all("a.download")
        names[chip.text] = (link.get_attribute("href") or "").rsplit("/", 1)[1].partition("?")[0]
        assert link.get_attribute("download") == names[chip.text]
    assert names == {"few-shot": "few-shot_confusion_matrix.html", "tiny": f"{MODEL}_confusion_matrix.html"}
    page.press("#view details:last-of-type summary")
    files = {item.text for item in page.all(".files li")}
    assert f"{MODEL}_confusion_matrix.html tiny · 25 B" in files and "confusion_matrix.png 200.0 kB" in files
    assert not page.complaints()


def test_everything_has_a_name_in_both_languages(page: Page) -> None:
    for place in ("models", "datasets", "jobs", "train"):
        page.go(place)
        page.wait(lambda: page.text("#view"))
        assert page.nameless() == []
    page.choose_language("kn")
    page.wait_for("#view", "ತರಬೇತಿ")
    page.choose_language("en")
    page.wait_for("#view", "Train")
    page.prefer("dark")
    dark = page.run("return getComputedStyle(document.querySelector('.card')).backgroundColor")
    page.prefer("light")
    assert page.run("return getComputedStyle(document.querySelector('.card')).backgroundColor") != dark
