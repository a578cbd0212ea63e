"""Look at what was taught, relabel and forget it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from haleganada.v1 import sample_service_pb2 as smp

from haleganada_client import types
from haleganada_client.calls.dual import dual_iterator, dual_method
from haleganada_client.wire import convert
from haleganada_client.wire.build import build

from .base import Operations, ensure_id

_LONGEST_PAGE = 200


class Samples(Operations):
    """Look at what was taught, relabel and forget it."""

    @dual_method
    async def list_samples(
        self,
        *,
        label: str = "",
        page_size: int = 50,
        page_token: str = "",
        with_pictures: bool = False,
        workspace: str | None = None,
    ) -> types.SamplePage:
        """Return a page of samples, newest first."""
        request = build(
            smp.ListSamplesRequest,
            workspace=self._or_default(workspace),
            label=label,
            page_size=page_size,
            page_token=page_token,
            with_pictures=with_pictures,
        )
        answer = await self._connection.call(self._samples.ListSamples, request)
        return convert.from_message(types.SamplePage, answer, samples=convert.to_tuple(convert.sample, answer.samples))

    @dual_iterator
    async def iter_samples(
        self, *, label: str = "", with_pictures: bool = False, workspace: str | None = None
    ) -> AsyncGenerator[types.Sample, None]:
        """Yield all samples, newest first."""
        request = build(
            smp.ListSamplesRequest,
            workspace=self._or_default(workspace),
            label=label,
            page_size=_LONGEST_PAGE,
            with_pictures=with_pictures,
        )
        async for page in self._connection.pages(self._samples.ListSamples, request):
            for sample in page.samples:
                yield convert.sample(sample)

    @dual_method
    async def get_sample(self, sample_id: int, *, workspace: str | None = None) -> types.Sample:
        """Return one sample with its picture."""
        request = build(smp.GetSampleRequest, workspace=self._or_default(workspace), sample_id=sample_id)
        answer = await self._connection.call(self._samples.GetSample, request)
        return convert.sample(answer.sample)

    @dual_method
    async def relabel(
        self,
        sample_id: int,
        label: str,
        *,
        request_id: str | None = None,
        expected_revision: int | None = None,
        batch_id: str = "",
        workspace: str | None = None,
    ) -> types.Relabeled:
        """Give a sample another label, as if it had been taught with it. batch_id: as in train_batch."""
        request = build(
            smp.UpdateSampleRequest,
            workspace=self._or_default(workspace),
            sample_id=sample_id,
            label=label,
            request_id=ensure_id(request_id),
            expected_revision=expected_revision,
            batch_id=batch_id,
        )
        return convert.relabeled(await self._connection.call(self._samples.UpdateSample, request))

    @dual_method
    async def forget(
        self,
        sample_id: int,
        *,
        request_id: str | None = None,
        expected_revision: int | None = None,
        batch_id: str = "",
        workspace: str | None = None,
    ) -> int:
        """Forget a sample and return the new revision. batch_id: as in train_batch."""
        request = build(
            smp.DeleteSampleRequest,
            workspace=self._or_default(workspace),
            sample_id=sample_id,
            request_id=ensure_id(request_id),
            expected_revision=expected_revision,
            batch_id=batch_id,
        )
        answer = await self._connection.call(self._samples.DeleteSample, request)
        return int(answer.revision)
