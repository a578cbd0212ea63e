"""Trains the network that tells which way up text is: python -m tests.bench.reading.train_upright (needs torch).

Its pages are rendered text of many scripts, and lines of handwriting put below one another: copiste_lines_fr,
poilus_lines_fr (CC BY 4.0) and stanford_letters_en (CC BY 4.0) from HALEGANADA_DATA, without the documents whose pages
measure the preparation.
"""

from __future__ import annotations

import io
import os
import random
import sys
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from haleganada_server.reading.preparation.upright import PATCH, Patches, cut_patches
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from safetensors.numpy import save_file
from torch import nn

FONTS = Path("/usr/share/fonts/truetype")
PAGES, EACH, EPOCHS, BATCH = 900, 100, 12, 256
INDIC = {
    "Kannada": 0x0C80, "Devanagari": 0x0900, "Bengali": 0x0980, "Gurmukhi": 0x0A00, "Gujarati": 0x0A80,
    "Oriya": 0x0B00, "Tamil": 0x0B80, "Telugu": 0x0C00, "Malayalam": 0x0D00,
}  # fmt: skip
ALPHABETS = {
    "": "abcdefghijklmnopqrstuvwxyzéèàüöç",
    "Greek": "αβγδεζηθικλμνξοπρστυφχψωάέή",
    "Cyrillic": "абвгдежзийклмнопрстуфхцчшщъыьэюя",
    "Georgian": "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ",
    "Armenian": "աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆ",
    "Hebrew": "אבגדהוזחטיכלמנסעפצקרשתםןףץך",
    "Arabic": "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "Thai": "กขคฆงจฉชซฌญฎฏฐฑฒณดตถทธนบปผฝพฟภมยรลวศษสหฬอฮ",
}


class Network(nn.Module):  # type: ignore[misc, unused-ignore]
    """(n, 1, 24, 24) -> (n,) log odds."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 12, 5, stride=2, padding=2)
        self.second = nn.Conv2d(12, 24, 3, stride=2, padding=1)
        self.third = nn.Conv2d(24, 32, 3, stride=2, padding=1)
        self.last = nn.Linear(32 * (PATCH // 8) ** 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in (self.first, self.second, self.third):
            x = torch.relu(layer(x))
        return self.last(x.permute(0, 2, 3, 1).flatten(1))[:, 0]


def main() -> None:
    dice = random.Random(0)
    data = Path(os.environ["HALEGANADA_DATA"])
    lines = [line for name in ("copiste", "poilus", "stanford") for line in read_lines(data, name)]
    dice.shuffle(lines)
    patches = []
    for number, page in enumerate(draw_pages(lines, dice)):
        # Every other page is cut upside down: else the network would learn how places are rounded.
        over = number % 4 >= 2
        cut = cut_patches(page[::-1, ::-1].copy() if over else page, EACH, np.random.default_rng(number))
        patches.append(cut[:, ::-1, ::-1] if over else cut)
    network = train(np.concatenate(patches))
    target = sys.argv[1] if len(sys.argv) > 1 else "upright.safetensors"
    save_file(export(network), target, {"license": "MIT", "trained_by": "tests/bench/reading/train_upright.py"})


def read_lines(data: Path, name: str) -> Iterator[NDArray[np.uint8]]:
    """Yield lines of handwriting that are on none of the set's pages."""
    (folder,) = data.glob(f"{name}_*")
    pages: set[str] = set()
    if (folder / "pages.zip").exists():
        with zipfile.ZipFile(folder / "pages.zip") as file:
            pages = {Path(member).stem.removeprefix("jpg_") for member in file.namelist()}
    with zipfile.ZipFile(folder / "lines.zip") as file:
        for row in file.read("lines.tsv").decode().splitlines()[1:]:
            name, _, document = row.split("\t")[:3]
            if document.removeprefix("alto_") not in pages:
                yield np.asarray(Image.open(io.BytesIO(file.read(name))).convert("L"))


def draw_pages(lines: list[NDArray[np.uint8]], dice: random.Random) -> Iterator[NDArray[np.uint8]]:
    """Yield pages, half of them written by hand."""
    at = 0
    for number in range(PAGES):
        if number % 2 and at + 12 < len(lines):
            page = stack_lines(lines[at : at + 12], dice)
            at = (at + 8) % (len(lines) - 12)
        else:
            page = render_page(dice)
        yield damage(page, dice)


def stack_lines(lines: list[NDArray[np.uint8]], dice: random.Random) -> NDArray[np.uint8]:
    width, gap = 1200, dice.randint(0, 30)
    page = np.full((len(lines) * (64 + gap), width), int(np.median(lines[0])), np.uint8)
    for number, line in enumerate(lines):
        part = line[:64, :width]
        page[number * (64 + gap) :][: part.shape[0], : part.shape[1]] = part
    return page


def render_page(dice: random.Random) -> NDArray[np.uint8]:
    script, text = make_text(dice)
    size = dice.randint(18, 44)
    font = ImageFont.truetype(str(choose_font(script, dice)), size)
    page = Image.new("L", (900, 700), dice.randint(200, 255))
    pen, step, words = ImageDraw.Draw(page), size * dice.uniform(1.15, 2.0), text.split(" ")
    for number in range(int(700 / step)):
        line = " ".join(dice.choices(words, k=14))
        pen.text((dice.randint(0, 60), number * step), line, fill=dice.randint(0, 90), font=font)
    return np.asarray(page)


def make_text(dice: random.Random) -> tuple[str, str]:
    """Return a script ("" = Latin) and words of it."""
    script = dice.choice(["", "", "", "Kannada", "Kannada", "Kannada", *INDIC, *ALPHABETS])
    if script in INDIC:
        base = INDIC[script]
        consonants = [chr(base + i) for i in range(0x15, 0x3A) if unicodedata.name(chr(base + i), "")]
        signs = [
            chr(base + i) for i in (*range(0x3E, 0x44), *range(0x46, 0x4D), 0x02) if unicodedata.name(chr(base + i), "")
        ]

        def syllable() -> str:
            text = dice.choice(consonants)
            if dice.random() < 0.12 and script != "Tamil":
                text += chr(base + 0x4D) + dice.choice(consonants)
            return text + (dice.choice(signs) if dice.random() < 0.55 else "")

        return script, " ".join("".join(syllable() for _ in range(dice.randint(1, 5))) for _ in range(60))
    letters = ALPHABETS[script]
    weights = [dice.uniform(0.2, 1) for _ in letters]
    if not script:  # as often as in English and French
        frequent = (
            "eeeeeeeeeeeetttttttttaaaaaaaaooooooooiiiiiiinnnnnnnsssssshhhhhhrrrrrrdddlllluuuucccmmmwwffggyyppbbvkqjxz"
        )
        letters, weights = frequent + "éèà", [1.0] * (len(frequent) + 3)
    words = ["".join(dice.choices(letters, weights, k=dice.randint(1, 9))) for _ in range(60)]
    if script in ("", "Greek", "Cyrillic"):
        words = [
            word.capitalize() if dice.random() < 0.15 else word.upper() if dice.random() < 0.04 else word
            for word in words
        ]
    words = [word + dice.choice(",.;") if dice.random() < 0.15 else word for word in words]
    return script, " ".join(words)


def choose_font(script: str, dice: random.Random) -> Path:
    if script in ("", "Greek", "Cyrillic"):
        names = [
            "dejavu/DejaVuS*.ttf",
            "noto/NotoSans-*.ttf",
            "noto/NotoSerif-*.ttf",
            "noto/NotoSerifDisplay-*.ttf",
            "noto/NotoSansDisplay-*.ttf",
        ]
    elif script == "Arabic":
        names = ["noto/NotoNaskhArabic-*.ttf", "noto/NotoSansArabic-*.ttf", "noto/NotoKufiArabic-*.ttf"]
    else:
        names = [f"noto/NotoSans{script}-*.ttf", f"noto/NotoSerif{script}-*.ttf"]
        names += ["Gubbi/*.ttf", "Navilu/*.ttf", "lohit-kannada/*.ttf"] if script == "Kannada" else []
    return dice.choice(
        [font for name in dice.sample(names, len(names))[:2] for font in sorted(FONTS.glob(name))]
        or sorted(FONTS.glob(names[0]))
    )


def damage(page: NDArray[np.uint8], dice: random.Random) -> NDArray[np.uint8]:
    """Return the page as a scanner or camera might have it."""
    noise = np.random.default_rng(dice.randrange(2**32))
    factor = dice.uniform(0.35, 1.0)
    page = np.asarray(cv2.resize(page, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))
    height, width = page.shape
    tilt = cv2.getRotationMatrix2D((width / 2, height / 2), dice.uniform(-1.5, 1.5), 1.0)
    page = np.asarray(cv2.warpAffine(page, tilt, (width, height), borderMode=cv2.BORDER_REPLICATE))
    if dice.random() < 0.5:
        page = np.asarray(cv2.GaussianBlur(page, (0, 0), dice.uniform(0.3, 1.2)))
    page = np.clip(page + noise.normal(0, dice.uniform(0, 12), page.shape), 0, 255).astype(np.uint8)
    if dice.random() < 0.25:
        page = np.asarray(cv2.threshold(page, dice.randint(110, 160), 255, cv2.THRESH_BINARY)[1], np.uint8)
    return page


def train(patches: Patches) -> Network:
    torch.manual_seed(0)
    network = Network()
    steps = EPOCHS * (len(patches) // BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), 3e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    images = torch.from_numpy(patches)[:, None]
    loss_sum, right = 0.0, 0.0
    for step in range(steps):
        x = images[torch.randint(len(images), (BATCH,))]
        odds = network(x) - network(x.flip(2, 3))
        loss = nn.functional.softplus(-odds).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        loss_sum, right = 0.99 * loss_sum + 0.01 * loss.item(), 0.99 * right + 0.01 * (odds > 0).float().mean().item()
        if step % 300 == 299:
            print(f"step {step + 1} of {steps}: loss {loss_sum:.3f}, patches right {right:.3f}", flush=True)
    return network


def export(network: Network) -> dict[str, NDArray[np.float16]]:
    """Return the weights as upright.py multiplies by them."""
    state = {name: values.detach().numpy() for name, values in network.state_dict().items()}
    weights = {}
    for name, values in state.items():
        if values.ndim == 4:
            values = values.transpose(2, 3, 1, 0).reshape(-1, values.shape[0])
        elif name == "last.weight":
            values = values[0]
        weights[name] = np.ascontiguousarray(values, dtype=np.float16)
    return weights


if __name__ == "__main__":
    main()
