"""Engines that read with models of this server: found by their names, and listed beside the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from haleganada_server.core.cancellation import Cancellation
from haleganada_server.core.model_names import LINE_ENGINE
from haleganada_server.core.models.models import Models

from .engines import EngineInfo
from .options import ReadOptions
from .ports import PageReader, ReadPage


class LineModels:
    """PageReader: another one, to which it tells where the model of an engine is. Safe from any thread."""

    def __init__(self, pages: PageReader, models: Models) -> None:
        self._pages, self._models = pages, models
        self.count = pages.count

    def count_pages(self, document: Path, cancellation: Cancellation) -> int:
        """See PageReader.count_pages."""
        return self._pages.count_pages(document, cancellation)

    def read_page(self, document: Path, page: int, options: ReadOptions, cancellation: Cancellation) -> ReadPage:
        """See PageReader.read_page. Raises NotFound and DataLoss for an engine whose model is gone or damaged, too."""
        if options.engine.startswith(LINE_ENGINE):
            model = self._models.get_line_reader(options.engine.removeprefix(LINE_ENGINE))
            folder = str(model.folder.absolute())
            options = replace(options, engine=f"{LINE_ENGINE}{model.model_id}", model_folder=folder)
        return self._pages.read_page(document, page, options, cancellation)

    def engines(self) -> tuple[EngineInfo, ...]:
        """Return an engine for each model that reads lines, save those that belong to an engine of their own."""
        return tuple(
            EngineInfo.of_model(f"{LINE_ENGINE}{model.model_id}", model.card)
            for model in self._models.list_line_readers()
            if not model.built_in
        )
