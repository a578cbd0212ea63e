"""What reading needs from outside: processes that read, and a place where readings are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from haleganada_server.core.access.identity import LOCAL_CALLER, Caller
from haleganada_server.core.cancellation import Cancellation
from haleganada_server.core.glyphs.encoder import Drawing
from haleganada_server.core.glyphs.ports import Raster
from haleganada_server.core.knowledge.knowledge import Knowledge

from .corrections.corrections import JournalEntry
from .engines import EngineInfo
from .options import ReadOptions
from .page import PageReading, StepPicture
from .reading import ReadingFormat, ReadingInfo
from .taught.label_order import Run
from .taught.page import TaughtPage


@dataclass(frozen=True, slots=True, eq=False)
class PageImage:
    """A picture of a page. image: a JPEG of width x height px."""

    image: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A page that was read, and how many its document has. taught: the page with embeddings, if ReadMode.TAUGHT has
    read it.
    """

    page: PageReading
    pages_total: int
    taught: TaughtPage | None = None


@dataclass(frozen=True, slots=True)
class ReaderLoad:
    """count: readers at most. busy: those that work. waiting: calls that wait for one."""

    count: int
    busy: int
    waiting: int


@dataclass(frozen=True, slots=True)
class PresentText:
    """What a page says at a revision. beginning: of its text, with all that an excerpt may have. runs: what people have
    settled, see LabelOrder.
    """

    revision: int
    beginning: str
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class ReadingFile:
    """An exported reading. file_name: with the extension of its format."""

    path: Path
    file_name: str
    content_type: str


@dataclass(frozen=True, slots=True)
class TakenPage:
    """A page that was taken apart, without embeddings, and how many its document has."""

    page: TaughtPage
    pages_total: int
    step_pictures: tuple[StepPicture, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class LabeledDrawing:
    """A glyph of a data set. name: of its file, without an extension."""

    label: str
    name: str
    raster: Raster


WriteDrawings = Callable[[Iterable[LabeledDrawing], Path], None]
"""Writes a data set to a file."""


class PageReader(Protocol):
    """Reads pages. Safe from any thread; calls wait for their turn.

    All methods raise Precondition, Exhausted, NotFound or InvalidInput for what is wrong with the document or the
    options, Unavailable if the process fails, Cancelled or DeadlineExceeded when nobody waits any longer.
    """

    count: int
    """Pages that are read at once, 1 or more."""

    def count_pages(self, document: Path, cancellation: Cancellation) -> int:
        """Return the number of pages of a document, 1 or more."""

    def read_page(self, document: Path, page: int, options: ReadOptions, cancellation: Cancellation) -> ReadPage:
        """Read a page. page: from 1."""


class DocumentReader(PageReader, Protocol):
    """Opens documents and reads their pages, in processes of its own, but for ReadMode.TAUGHT; see PageReader."""

    def load(self) -> ReaderLoad:
        """Return how busy the readers are."""

    def engines(self, cancellation: Cancellation) -> tuple[EngineInfo, ...]:
        """Return all engines, those first that ReadMode.AUTO prefers."""

    def take_apart(self, document: Path, page: int, options: ReadOptions, cancellation: Cancellation) -> TakenPage:
        """Find what may be glyphs on a page, in any script. page: from 1."""

    def draw_page(self, document: Path, page: int, max_side: int, cancellation: Cancellation) -> PageImage:
        """Return a picture of a page whose longer side has at most max_side px."""

    def export(
        self, reading: Path, file_name: str, form: ReadingFormat, target: Path, cancellation: Cancellation
    ) -> ReadingFile:
        """Write a reading to `target`. reading: its folder. file_name: of its document."""

    def import_words(self, archive: Path, reading: Path, cancellation: Cancellation) -> int:
        """Fill the folder of a reading with its document and pages from a zip, and return its number of pages."""


class TaughtWorkspaces(Protocol):
    """The workspaces that read and are corrected. Safe from any thread.

    All methods raise NotFound, DataLoss, Exhausted or Unavailable if the workspace of that name cannot be used.
    """

    def adapt_knowledge(self, name: str) -> Knowledge:
        """Return what a workspace knows now, with a head that has adapted to all of it."""

    def exchange(
        self,
        name: str,
        taught: Sequence[tuple[str, Drawing]],
        forgotten: Sequence[tuple[int, Raster]],
        client: Caller = LOCAL_CALLER,
    ) -> tuple[int, ...]:
        """Teach encoded drawings with their labels, and forget samples, as one change; return the numbers of the new
        samples, when they are on disk. forgotten: numbers and what was taught under them; samples that are gone, or
        others by now, are left alone.
        """


class IncomingDocument(Protocol):
    """A document on its way from a caller, as a temporary file. remove() it in the end, whatever became of it."""

    path: Path
    size: int
    """Bytes so far."""

    @property
    def sha256(self) -> str:
        """The hash of the bytes so far, in lower-case hexadecimal."""

    def write(self, chunk: bytes) -> None:
        """Append bytes. Raises Exhausted if the document gets too large, or if the disk or its quota is full."""

    def finish(self) -> None:
        """All bytes have been written. Raises Exhausted."""

    def move(self, target: Path) -> None:
        """Give the file to somebody else, who counts its bytes from now on. Raises Exhausted."""

    def remove(self) -> None:
        """Remove the file if it is still there. Safe to call twice."""


class ReadingDraft(Protocol):
    """A reading that is being made. discard() it in the end, whatever became of it."""

    folder: Path
    """Has the document as `document` and each page as `page-00001.json`, see codec.py; what was taken apart also as
    `page-00001.taught`, see taught/page.py.
    """

    @property
    def document(self) -> Path:
        """The document, in the folder."""

    def add(self, page: PageReading, taught: TaughtPage | None = None) -> None:
        """Keep one more page; safe from any thread. taught: what corrections of it need. Raises Exhausted if the disk
        or its quota is full.
        """

    def adopt(self) -> None:
        """Keep the document and the pages that were put into the folder. Raises Exhausted."""

    def finish(self, file_name: str, pages_total: int, workspace: str = "", owner: str = "") -> ReadingInfo:
        """Keep the reading until it expires. workspace: that has read it, "" = none. owner: who had it read. Raises
        Exhausted.
        """

    def discard(self) -> None:
        """Remove its files; does nothing after finish()."""


class ReadingStore(Protocol):
    """Keeps readings until they expire. Safe from any thread."""

    def receive(self) -> IncomingDocument:
        """Return a new, empty document. Raises Exhausted."""

    def begin(self, document: IncomingDocument | None = None) -> ReadingDraft:
        """Begin a reading. document: is moved into its folder; None = it will be put there. Raises Exhausted."""

    def newest(
        self, after: str, limit: int, is_shown: Callable[[ReadingInfo], bool] = lambda _info: True
    ) -> list[ReadingInfo]:
        """Return at most `limit` of those readings that are to be shown, newest first, behind the position `after`;
        "" = from the first.
        """

    def get(self, reading_id: str) -> ReadingInfo:
        """Raises NotFound."""

    def folder(self, reading_id: str) -> Path:
        """Return the folder of a reading. Raises NotFound, and DataLoss if its files are damaged."""

    def page(self, reading_id: str, page: int) -> PageReading:
        """Return a page as it was read at first. Raises NotFound for the reading and for the page, and DataLoss."""

    def load_taught_page(self, reading_id: str, page: int) -> TaughtPage | None:
        """Return a page as it was taken apart; None if it was not read by a workspace. Raises as page() does."""

    def corrections(self, reading_id: str, page: int) -> list[JournalEntry]:
        """Return all corrections of a page, in order. Raises as page() does."""

    def has_all_corrections(self, reading_id: str, page: int, revision: int) -> bool:
        """Return whether nobody has corrected a page since it had this revision. Raises Unavailable."""

    def append_correction(self, reading_id: str, page: int, entry: JournalEntry) -> None:
        """Note a correction, and return when it is on disk; from now on, the reading does not expire. One call for a
        page at a time. Raises NotFound, Exhausted if the disk or its quota is full, and RevisionMismatch if the page
        was corrected at another server meanwhile.
        """

    def note_present(self, reading_id: str, page: int, text: PresentText) -> None:
        """Keep what a page says now, and show it in the reading's excerpt. A failure is only logged."""

    def tell_noted(self, on_noted: Callable[[str, str, int, PresentText], None]) -> None:
        """From now on, call on_noted, from a thread, with workspace, reading, page and what another server has noted of
        it.
        """

    def present_texts(self, workspace: str) -> Iterator[tuple[str, int, PresentText]]:
        """Yield the reading, the page and what was noted of it, for pages that a workspace has read; those that have
        been corrected since are left out.
        """

    def hold_pages(self, reading_id: str, pages: Sequence[PageReading]) -> AbstractContextManager[Path]:
        """Return a context whose block gets a temporary folder that is as the reading's, but with these pages. Raises
        NotFound, DataLoss, Exhausted.
        """

    def delete(self, reading_id: str) -> None:
        """Raises NotFound."""

    def delete_expired(self) -> int:
        """Delete the readings that have expired, and return how many."""
