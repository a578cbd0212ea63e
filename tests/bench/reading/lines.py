"""Each engine on lines that were cut out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from haleganada_server.core.reading.options import ReadMode
from haleganada_server.reading.engines import ENGINES
from haleganada_server.reading.engines.port import EngineRequest

from tests.bench.reading.pipelines import language_for
from tests.bench.reading.scores import score, tell
from tests.bench.reading.sets import Set, load_lines
from tests.bench.table import Table


def measure(data: Path, sets: Sequence[Set], count: int, seed: int) -> Table:
    """count: lines of each set."""
    table = Table("Lines", ("set", "engine", "mode", "CER (95 %)", "WER (95 %)", "lines"))
    for which in sets:
        samples = load_lines(data, which, count, seed)
        pictures = [sample.picture for sample in samples]
        for engine in ENGINES:
            language = language_for(engine.id, which)
            for mode in engine.describe().modes if language else ():
                if mode is ReadMode.HANDWRITTEN and not which.hand:
                    continue
                lines = engine.read_lines(pictures, EngineRequest(mode=mode, languages=(language,)))
                scores = [score(line.text, sample.text) for line, sample in zip(lines, samples, strict=True)]
                cells = tell(scores), tell(scores, "word"), str(len(scores))
                table.add(which.name, f"{engine.id} ({language})", mode.value, *cells)
    return table
