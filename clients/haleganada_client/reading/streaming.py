"""The answers to a stream of many documents, put together for each document."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import replace

from haleganada.v1 import reading_service_pb2 as pb

from haleganada_client.types import ItemError
from haleganada_client.wire import convert

from .documents import DocumentRequests
from .messages import convert_kept, convert_page
from .types import DocumentPage, DocumentReading, OnPage, PageError


class _Answers:
    """Gives the answers of one stream their documents' names."""

    def __init__(self, requests: DocumentRequests) -> None:
        self._requests = requests

    def take(self, part: pb.ReadStreamResponse) -> Iterator[DocumentPage | DocumentReading]:
        """Take one part of the answers; yield what is done now."""
        yield from self.take_problems()
        answer = part.page if part.WhichOneof("part") == "page" else part.result
        index = int(answer.document_id)
        name = self._requests.name_of(index)
        if name is None:  # it has failed on this side, and the server answers what it had got until then
            return
        yield _make_page(index, name, answer) if isinstance(answer, pb.DocumentPage) else self._end(index, name, answer)

    def take_problems(self) -> Iterator[DocumentReading]:
        """Yield the documents that could not be sent."""
        for index, error in self._requests.take_problems():
            if (name := self._requests.name_of(index)) is not None:
                yield self._end(index, name, pb.DocumentResult(), error)

    def _end(
        self, index: int, name: str, result: pb.DocumentResult, problem: ItemError | None = None
    ) -> DocumentReading:
        self._requests.forget(index)
        error = convert.item_error(result.error) if result.HasField("error") else None
        return DocumentReading(
            index=index,
            name=name,
            pages=(),
            page_errors=(),
            pages_read=result.pages_read,
            pages_failed=result.pages_failed,
            error=problem or error,
            reading=convert_kept(result),
        )


def _make_page(index: int, name: str, answer: pb.DocumentPage) -> DocumentPage:
    read = answer.WhichOneof("result") == "page"
    page = convert_page(answer.page) if read else None
    return DocumentPage(
        index=index,
        name=name,
        number=page.page if page else answer.error.page,
        page=page,
        error=None if page else convert.item_error(answer.error.error),
        pages_total=answer.pages_total,
    )


async def iterate_pages(
    requests: DocumentRequests, parts: AsyncGenerator[pb.ReadStreamResponse, None]
) -> AsyncGenerator[DocumentPage | DocumentReading, None]:
    """Yield each page as soon as it is done, and each document, without pages, after its pages. parts: the answers to
    the requests, closed at the end. Raise what they raise, and what the caller's iterable of documents raises.
    """
    answers = _Answers(requests)
    async with aclosing(parts):
        async for part in parts:
            for done in answers.take(part):
                yield done
    for problem in answers.take_problems():
        yield problem
    if requests.failure is not None:
        raise requests.failure


async def collect_documents(
    done: AsyncGenerator[DocumentPage | DocumentReading, None], on_page: OnPage | None
) -> AsyncGenerator[DocumentReading, None]:
    """Yield documents as they are done, with their pages unless on_page takes these."""
    pages: defaultdict[int, list[DocumentPage]] = defaultdict(list)
    async with aclosing(done):
        async for part in done:
            if isinstance(part, DocumentReading):
                yield _add_pages(part, pages.pop(part.index, []))
                continue
            if on_page is not None:
                on_page(part)
            if on_page is None or part.error is not None:
                pages[part.index].append(part)


def _add_pages(document: DocumentReading, pages: list[DocumentPage]) -> DocumentReading:
    pages.sort(key=lambda page: page.number)
    return replace(
        document,
        pages=tuple(done.page for done in pages if done.page is not None),
        page_errors=tuple(PageError(failed.number, failed.error) for failed in pages if failed.error is not None),
    )
