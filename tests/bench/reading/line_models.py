"""A model of lines beside the engines: python -m tests.bench.reading.line_models MODEL [--set mile_kannada].

All read the same lines, which people cut out, and texts are compared after normalize_for_comparison. MODEL is the
folder of a trained model. Lines of one document are drawn together for the intervals. Times are those of one core, of
this process and those that it starts.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
from collections.abc import Callable, Sequence
from pathlib import Path

from haleganada_server.core.lines.error_rates import ReadLine, measure_characters, measure_words
from haleganada_server.core.reading.options import ReadMode
from haleganada_server.core.reading.page import TextLine
from haleganada_server.reading.engines import ENGINES
from haleganada_server.reading.engines.line_model import LineModelEngine
from haleganada_server.reading.engines.port import EngineRequest

from tests.bench.reading.pipelines import language_for
from tests.bench.reading.sets import SETS, Sample, load_lines
from tests.bench.table import Table

_OLD_KANNADA = re.compile("[ಱೞ]")


def measure(samples: Sequence[Sample], readers: dict[str, Callable[[], Sequence[TextLine]]], table: Table) -> None:
    """Add a row for each reader; for Kannada another one about the lines with letters that are no longer written."""
    for name, read in readers.items():
        before = _cpu_s()
        lines = [
            ReadLine(sample.text, line.text, sample.name.rsplit("_", 1)[0])
            for sample, line in zip(samples, read(), strict=True)
        ]
        milliseconds = (_cpu_s() - before) / len(samples) * 1000
        table.add(name, _tell(lines), _tell(lines, words=True), f"{milliseconds:.0f} ms", str(len(lines)))
        if old := [line for line in lines if _OLD_KANNADA.search(line.text)]:
            table.add(f"{name}, lines with ಱ or ೞ", _tell(old), _tell(old, words=True), "", str(len(old)))


def _tell(lines: Sequence[ReadLine], words: bool = False) -> str:
    found = measure_words(lines) if words else measure_characters(lines)
    return f"{found.rate * 100:.2f} % ({found.low * 100:.2f}-{found.high * 100:.2f})"


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--set", default="mile_kannada", choices=[which.folder for which in SETS])
    parser.add_argument("--lines", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    which = next(one for one in SETS if one.folder == given.set)
    samples = load_lines(Path(os.environ["HALEGANADA_DATA"]), which, given.lines, given.seed)
    pictures = [sample.picture for sample in samples]
    mode = ReadMode.HANDWRITTEN if which.hand else ReadMode.PRINTED
    own = LineModelEngine("model:own", given.model, ENGINES[0])
    readers: dict[str, Callable[[], Sequence[TextLine]]] = {
        own.describe().display_name: lambda: own.read_lines(pictures, EngineRequest(mode=mode))
    }
    for engine in ENGINES:
        if language := language_for(engine.id, which):
            request = EngineRequest(mode=mode, languages=(language,))
            readers[f"{engine.id} ({language})"] = lambda engine=engine, request=request: engine.read_lines(  # type: ignore[misc]
                pictures, request
            )
    table = Table(which.name, ("reader", "CER (95 %)", "WER (95 %)", "per line, one core", "lines"))
    measure(samples, readers, table)
    print(table.markdown())


if __name__ == "__main__":
    main()
