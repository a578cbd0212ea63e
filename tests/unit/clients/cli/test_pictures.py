"""Pictures in batches: every one is answered, in order, and no call is too large."""

from __future__ import annotations

from pathlib import Path

from haleganada_client.cli.files.pictures import Picture, load_picture, refuse_picture, send_in_batches
from haleganada_client.types import ItemError
from hypothesis import given
from hypothesis import strategies as st

MIB = 2**20
pictures = st.one_of(
    st.integers(0, 8 * MIB).map(lambda size: Picture("p", bytes(size))), st.just(refuse_picture("bad", "is bad"))
)


@given(st.lists(pictures, max_size=12))
def test_every_picture_is_answered_in_order_by_calls_that_fit(given_pictures: list[Picture]) -> None:
    calls: list[list[Picture]] = []

    def send(batch: list[Picture]) -> list[int | ItemError]:
        calls.append(batch)
        return [len(picture.content) for picture in batch]

    outcomes = list(send_in_batches(given_pictures, send))
    assert [picture for picture, _ in outcomes] == given_pictures
    assert all(answer == (picture.problem or len(picture.content)) for picture, answer in outcomes)
    assert all(0 < len(batch) <= 64 and sum(len(p.content) for p in batch) < 15 * MIB for batch in calls)


def test_many_small_ones_travel_by_64() -> None:
    sizes: list[int] = []

    def send(batch: list[Picture]) -> list[str | ItemError]:
        sizes.append(len(batch))
        return ["" for _ in batch]

    assert len(list(send_in_batches((Picture(str(i), b"x") for i in range(150)), send))) == 150
    assert sizes == [64, 64, 22]


def test_files_that_cannot_be_sent_say_why(tmp_path: Path) -> None:
    (tmp_path / "huge.png").write_bytes(b"")
    with (tmp_path / "huge.png").open("r+b") as file:
        file.truncate(8 * MIB + 1)
    (tmp_path / "good.png").write_bytes(b"good")
    huge, missing, good = (load_picture(tmp_path / name, "ಅ") for name in ("huge.png", "missing.png", "good.png"))
    assert huge.problem is not None and "8 MiB" in huge.problem.message and not huge.content
    assert missing.problem is not None and "cannot be read" in missing.problem.message
    assert good == Picture(str(tmp_path / "good.png"), b"good", "ಅ")
