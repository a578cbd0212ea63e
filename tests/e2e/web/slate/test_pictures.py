"""Pictures on the page: many at once, from folders, pasted and dropped; what the slate shows, and what is sent."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.e2e.web.browser import Page, missing

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(missing()), reason=f"{missing()} not installed"),
]
CROSS = [(0.2, 0.2, 0.8, 0.8), (0.8, 0.2, 0.2, 0.8)]
BAR = [(0.5, 0.15, 0.5, 0.85)]
Lines = list[tuple[float, float, float, float]]


@pytest.fixture(autouse=True, scope="module")
def clipboard(opened: Page) -> Iterator[None]:
    """The page may use the clipboard."""
    permissions = ["clipboardReadWrite", "clipboardSanitizedWrite"]
    opened.driver.execute_cdp_cmd("Browser.grantPermissions", {"permissions": permissions})
    yield
    opened.driver.execute_cdp_cmd("Browser.resetPermissions", {})


def draw(
    path: Path,
    lines: Lines,
    *,
    side: int = 200,
    mode: str = "RGB",
    paper: str | tuple[int, ...] = "white",
    ink: str | tuple[int, ...] = "black",
) -> Path:
    """Draw lines on paper and save the picture."""
    image = Image.new(mode, (side, side), paper)
    pen = ImageDraw.Draw(image)
    for line in lines:
        pen.line([share * side for share in line], fill=ink, width=side // 20)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    return path


def choose(fresh: Page, *paths: Path) -> None:
    fresh.find("#file").send_keys("\n".join(map(str, paths)))


def drop(fresh: Page, target: str, *, files: tuple[Path, ...] = (), text: str = "") -> None:
    """Drop files, folders or text on what a selector finds."""
    box = fresh.run("return arguments[0].getBoundingClientRect().toJSON()", fresh.find(target))
    items = [{"mimeType": "text/plain", "data": text}] if text else []
    data = {"items": items, "files": [str(path) for path in files], "dragOperationsMask": 1}
    place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2, "data": data}
    for kind in ("dragEnter", "dragOver", "drop"):
        fresh.driver.execute_cdp_cmd("Input.dispatchDragEvent", {"type": kind, **place})


def paste(fresh: Page, target: str, *kinds: str) -> None:
    """Put a text, a picture of a cross or both on the clipboard, and press the keys that paste."""
    fresh.driver.execute_async_script(_COPY, [kind for kind in kinds if kind != "picture"], "picture" in kinds)
    fresh.run("arguments[0].focus()", fresh.find(target))
    ActionChains(fresh.driver, duration=0).key_down(Keys.CONTROL).send_keys("v").key_up(Keys.CONTROL).perform()


_COPY = """
const [[text], withPicture, done] = arguments;
const canvas = document.createElement("canvas");
canvas.width = canvas.height = 200;
const pen = canvas.getContext("2d");
pen.fillStyle = "white";
pen.fillRect(0, 0, 200, 200);
pen.lineWidth = 10;
pen.moveTo(40, 40);
pen.lineTo(160, 160);
pen.moveTo(160, 40);
pen.lineTo(40, 160);
pen.stroke();
const picture = new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
const words = new Blob([text ?? ""], {type: "text/plain"});
const parts = {...(withPicture && {"image/png": picture}), ...(text && {"text/plain": words})};
navigator.clipboard.write([new ClipboardItem(parts)]).then(() => done(), (error) => done(String(error)));
"""


def label(fresh: Page) -> str:
    return str(fresh.run("return document.getElementById('label').value"))


def names(fresh: Page) -> list[str]:
    return [str(frame.get_attribute("title")) for frame in fresh.all("#filmstrip .frame")]


def opacity(fresh: Page, x: float, y: float) -> int:
    """How opaque the slate's chalk is at a place, 0 to 255; the place as shares of the slate's side."""
    script = """const board = document.getElementById("board");
    const [x, y] = [...arguments].map((share) => Math.round(share * (board.width - 1)));
    return board.getContext("2d").getImageData(x, y, 1, 1).data[3];"""
    return int(fresh.run(script, x, y))


# Many at once


def test_enter_teaches_one_picture_and_shows_the_next(fresh: Page, tmp_path: Path) -> None:
    choose(fresh, draw(tmp_path / "x.png", CROSS), draw(tmp_path / "l_02.png", BAR), draw(tmp_path / "scan 3.png", BAR))
    fresh.wait_for("#filmstrip", "1 of 3: l_02.png")
    fresh.wait(lambda: label(fresh) == "l")
    fresh.driver.switch_to.active_element.send_keys(Keys.ENTER)
    fresh.wait_for("#filmstrip", "2 of 3: scan 3.png")
    fresh.wait(lambda: label(fresh) == "l")  # what it was taken for: its name says nothing
    fresh.driver.switch_to.active_element.send_keys(Keys.ENTER)
    fresh.wait_for("#filmstrip", "3 of 3: x.png")
    fresh.wait(lambda: label(fresh) == "x")
    fresh.driver.switch_to.active_element.send_keys(Keys.ENTER)
    fresh.wait_for("#filmstrip", "All images are done: 3 taught.")
    fresh.wait_for("#count", "3")
    assert not fresh.complaints()


def test_a_label_that_is_typed_wins(fresh: Page, tmp_path: Path) -> None:
    choose(fresh, draw(tmp_path / "1.png", CROSS), draw(tmp_path / "2.png", CROSS))
    fresh.wait_for("#filmstrip", "1 of 2")
    fresh.wait(lambda: fresh.run("return document.activeElement.id") == "label")
    assert fresh.kind() == "nothing_taught" and label(fresh) == ""  # a number is a counter
    fresh.driver.switch_to.active_element.send_keys("ಕ", Keys.ENTER)
    fresh.wait_for("#filmstrip", "2 of 2")
    fresh.wait(lambda: label(fresh) == "ಕ")
    fresh.driver.switch_to.active_element.send_keys("ಖ", Keys.ENTER)  # it was selected, so this replaces it
    fresh.wait_for("#gallery", "ಖ")


def test_a_lesson_that_is_taken_back_shows_its_picture_again(fresh: Page, tmp_path: Path) -> None:
    choose(fresh, draw(tmp_path / "a.png", CROSS), draw(tmp_path / "b.png", BAR), draw(tmp_path / "c.png", CROSS))
    fresh.wait(lambda: label(fresh) == "a")
    fresh.driver.switch_to.active_element.send_keys(Keys.ENTER)
    fresh.wait(lambda: label(fresh) == "b")
    fresh.press("#take-back")
    fresh.wait_for("#filmstrip", "1 of 3: a.png")
    fresh.wait(lambda: label(fresh) == "a" and opacity(fresh, 0.3, 0.3) > 200)
    fresh.press("#skip-picture")
    fresh.wait(lambda: label(fresh) == "b")
    fresh.press("#filmstrip li:last-child button")
    fresh.wait(lambda: label(fresh) == "c")
    fresh.press("#end-queue")
    assert not fresh.find("#filmstrip").is_displayed() and fresh.find("#clear").is_enabled()


def test_a_dropped_folder(fresh: Page, tmp_path: Path) -> None:
    for name, lines in (("ಅ/10.png", CROSS), ("ಅ/2.png", CROSS), ("U+0C95_0CCD/1.png", BAR), ("A/deep/1.png", BAR)):
        draw(tmp_path / "letters" / name, lines)
    for name in ("Thumbs.db", ".DS_Store", "read me.txt", "notes.txt"):
        (tmp_path / "letters" / name).write_text("no picture")
    (tmp_path / "letters" / "ಅ" / "broken.png").write_text("no picture either")
    drop(fresh, "#board", files=(tmp_path / "letters",))
    fresh.wait_for("#status", "2 files are not images that can be shown: letters/notes.txt, letters/read me.txt")
    folders = ["letters/A/deep/1.png", "letters/U+0C95_0CCD/1.png", "letters/ಅ/2.png", "letters/ಅ/10.png"]
    assert names(fresh) == [*folders, "letters/ಅ/broken.png"]
    for expected in ("", "ಕ್", "ಅ", "ಅ"):
        fresh.wait(lambda expected=expected: label(fresh) == expected)  # type: ignore[misc]
        fresh.press("#skip-picture")
    fresh.wait_for("#status", "letters/ಅ/broken.png is not an image")


def test_a_picture_that_is_slow_to_open_does_not_clear_what_was_said_of_another_file(
    fresh: Page, tmp_path: Path
) -> None:
    fresh.run("""
        const read = window.createImageBitmap;
        window.createImageBitmap = async (file) => (await new Promise((r) => (window.open_slow = r)), read(file));
    """)
    choose(fresh, draw(tmp_path / "a.png", CROSS), draw(tmp_path / "b.png", BAR))
    fresh.wait(lambda: names(fresh) == ["a.png", "b.png"] and fresh.run("return Boolean(window.open_slow)"))
    (tmp_path / "words.txt").write_text("no picture")
    choose(fresh, tmp_path / "words.txt")
    fresh.run("window.open_slow()")
    fresh.wait(lambda: label(fresh) == "a" and opacity(fresh, 0.3, 0.3) > 200)
    fresh.wait_for("#status", "words.txt is not an image")


def test_several_dropped_pictures_are_all_kept(fresh: Page, tmp_path: Path) -> None:
    drop(fresh, "#label", files=(draw(tmp_path / "one.png", BAR), draw(tmp_path / "two.png", CROSS)))
    fresh.wait(lambda: names(fresh) == ["one.png", "two.png"])
    drop(fresh, "body", files=(draw(tmp_path / "three.gif", BAR),))
    fresh.wait(lambda: names(fresh) == ["one.png", "two.png", "three.gif"])


def test_one_picture_is_no_queue_but_names_its_label(fresh: Page, tmp_path: Path) -> None:
    choose(fresh, draw(tmp_path / "ಅ (2).png", CROSS))
    fresh.wait(lambda: label(fresh) == "ಅ")
    assert not fresh.find("#filmstrip").is_displayed()
    choose(fresh, draw(tmp_path / "photo.png", BAR))
    fresh.wait(lambda: opacity(fresh, 0.5, 0.5) > 200 and opacity(fresh, 0.3, 0.3) == 0)
    assert label(fresh) == ""  # it was the other picture's


PATHS = {
    "ಅ.png": "ಅ",
    "ಅ_ravi_03.png": "ಅ",
    "scan-ಕ್ಷಿ-2.jpg": "ಕ್ಷಿ",
    "ಕ್ಷ/1.png": "ಕ್ಷ",
    "a.png": "a",
    "B (2).png": "B",
    "é/x.png": "é",
    "7/1.png": "7",
    "12/1.png": "",
    "3.png": "",
    "U+0C95_0CCD/9.png": "ಕ್",
    "u+0c95.png": "ಕ",
    "U+D800/q1.png": "",
    "IMG_0042.png": "",
    "I-love-you.png": "",
    "ಫೋಟೋ.png": "",
    "ಚಿತ್ರ 1.png": "",
    "фото.png": "",
    "letters/ಕ/p-1.png": "ಕ",
    "ಅ/b.png": "ಅ",
    "scans/b.png": "b",
    "+.png": "+",
    "೩.png": "೩",
    "a_ಅ_ಕ.png": "",
}


def test_names_that_look_like_labels(fresh: Page) -> None:
    script = """const [paths, done] = arguments;
    import("/static/pictures/label_names.js").then(
      ({guessLabel}) => done(paths.map((path) => guessLabel(path, true))),
      (failed) => done(String(failed)));"""
    assert dict(zip(PATHS, fresh.driver.execute_async_script(script, list(PATHS)), strict=True)) == PATHS


def test_numbered_folders_are_no_digits(fresh: Page, tmp_path: Path) -> None:
    for folder in ("1", "2", "10"):
        draw(tmp_path / "classes" / folder / "1.png", BAR)
    drop(fresh, "#board", files=(tmp_path / "classes",))
    fresh.wait_for("#filmstrip", "1 of 3")
    fresh.kind()
    assert label(fresh) == ""


# Text and pictures


def test_pasted_text_goes_into_the_box_also_with_a_picture_of_it(fresh: Page) -> None:
    fresh.draw([[(0.2, 0.2), (0.8, 0.8)]])
    fresh.kind()
    paste(fresh, "#label", "a", "picture")
    fresh.wait(lambda: label(fresh) == "a")
    paste(fresh, "#board", "ಕ", "picture")
    fresh.wait(lambda: label(fresh) == "ಕ")
    assert opacity(fresh, 0.5, 0.5) > 200 and opacity(fresh, 0.3, 0.7) == 0  # the drawing, not the picture
    paste(fresh, "#board", "picture")
    fresh.wait(lambda: opacity(fresh, 0.3, 0.7) > 200)
    paste(fresh, "#board", "no label: " + "long " * 20)
    fresh.wait_for("#status", "a label needs 1 to 64 characters")
    assert not fresh.complaints()


def test_dragged_text_goes_into_the_box(fresh: Page) -> None:
    drop(fresh, "#label", text="ಅ")
    fresh.wait(lambda: label(fresh) == "ಅ")
    drop(fresh, "#board", text="ಕ")
    fresh.wait(lambda: label(fresh) == "ಕ")


# What is shown and sent


def test_a_large_transparent_picture_stays_transparent(fresh: Page, tmp_path: Path) -> None:
    small = draw(tmp_path / "small.png", CROSS, mode="RGBA", paper=(0, 0, 0, 0), ink=(0, 0, 0, 255))
    choose(fresh, small)
    fresh.wait(lambda: opacity(fresh, 0.3, 0.3) > 200)
    fresh.teach("x")
    sharp = Image.open(small).resize((1600, 1600))
    noise = Image.frombytes("RGB", sharp.size, random.Random(1).randbytes(3 * 1600 * 1600))
    noise.paste(sharp.convert("RGB"), mask=sharp.getchannel("A"))
    noise.putalpha(sharp.getchannel("A"))
    noise.save(tmp_path / "large.png", compress_level=0)
    assert (tmp_path / "large.png").stat().st_size > 4 * 2**20
    choose(fresh, tmp_path / "large.png")
    fresh.wait(lambda: opacity(fresh, 0.3, 0.3) > 200)
    assert fresh.forms() == ["x"] and fresh.kind() == "recognized" and opacity(fresh, 0.05, 0.5) == 0


def _photograph(path: Path) -> Path:
    """A cross on gray paper, in light that falls from one side, with the camera's grain."""
    draw(path, CROSS, paper=(210, 205, 195), ink=(60, 60, 90))
    image = Image.open(path).filter(ImageFilter.GaussianBlur(1))
    light = Image.linear_gradient("L").resize(image.size).point(lambda value: 110 + value // 2)
    shaded = Image.composite(image, Image.new("RGB", image.size), light)
    grain = Image.effect_noise(image.size, 12).convert("RGB")
    Image.blend(shaded, grain, 0.06).save(path)
    return path


@pytest.mark.parametrize("kind", ["black on white", "white on black", "transparent", "photo"])
def test_pictures_are_ink_on_the_slate(fresh: Page, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "picture.png"
    if kind == "photo":
        _photograph(path)
    elif kind == "transparent":
        draw(path, CROSS, mode="RGBA", paper=(0, 0, 0, 0), ink=(255, 255, 255, 255))
    else:
        ink, _, paper = kind.split()
        draw(path, CROSS, paper=paper, ink=ink)
    choose(fresh, path)
    fresh.wait(lambda: opacity(fresh, 0.3, 0.3) > 200)
    assert all(opacity(fresh, *place) == 0 for place in ((0.02, 0.02), (0.5, 0.2), (0.98, 0.5), (0.2, 0.95)))
    assert opacity(fresh, 0.7, 0.7) > 200
