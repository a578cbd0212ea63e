"""Models of lines beside the engines: python -m tests.bench.reading.line_models [MODEL] [--set mile_kannada].

All read the same lines, which people cut out, and texts are compared after normalize_for_comparison. MODEL is the
folder of a trained model. Lines of one document are drawn together for the intervals. Times are those of one core, of
this process and those that it starts. Where Tesseract has a model of the script, that reads, too.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from haleganada_server.core.lines.error_rates import ReadLine, measure_characters, measure_words
from haleganada_server.core.reading.options import ReadMode
from haleganada_server.core.reading.page import TextLine
from haleganada_server.reading.engines import ENGINES
from haleganada_server.reading.engines.line_model import LineModelEngine
from haleganada_server.reading.engines.port import EngineRequest

from tests.bench.reading.pipelines import language_for
from tests.bench.reading.sets import SETS, Picture, Sample, Set, load_lines
from tests.bench.table import Table

Reader = Callable[[], Sequence[TextLine]]

_SCRIPTS = frozenset(("script/Kannada",))
_OLD_KANNADA = re.compile("[ಱೞ]")
_TRAINED_ON = "Kan_219"
"""A book of which kannada-print has seen words, of other pages."""


def measure(
    samples: Sequence[Sample], readers: dict[str, Reader], table: Table, hand_of: Callable[[str], str] = str
) -> None:  # fmt: skip
    """Add a row for each reader. hand_of: returns the hand of a document."""
    for name, read in readers.items():
        before = _cpu_s()
        lines = [
            ReadLine(sample.text, line.text, hand_of(sample.name.rsplit("_", 1)[0]))
            for sample, line in zip(samples, read(), strict=True)
        ]
        milliseconds = (_cpu_s() - before) / len(samples) * 1000
        table.add(name, _tell(lines), _tell(lines, words=True), f"{milliseconds:.0f} ms", str(len(lines)))
        others = [line for line in lines if not line.group.startswith(_TRAINED_ON)]
        if len(others) < len(lines):
            table.add(f"{name}, other books", _tell(others), _tell(others, words=True), "", str(len(others)))


def list_readers(which: Set, pictures: Sequence[Picture], models: Sequence[Path]) -> dict[str, Reader]:
    """Return what reads these pictures: models, and all engines that read the set's language, by their names."""
    mode = ReadMode.HANDWRITTEN if which.hand else ReadMode.PRINTED
    readers: dict[str, Reader] = {}
    for model in models:
        own = LineModelEngine("model:own", model, ENGINES[0])
        readers[own.describe().display_name] = partial(own.read_lines, pictures, EngineRequest(mode=mode))
    for engine in ENGINES:
        languages = [language_for(engine.id, which)]
        if which.languages[0] == "kn":
            languages += _SCRIPTS.intersection(engine.describe().languages)
        for language in filter(None, languages):
            request = EngineRequest(mode=mode, languages=(language,))
            readers[f"{engine.id} ({language})"] = partial(engine.read_lines, pictures, request)
    return readers


def _tell(lines: Sequence[ReadLine], words: bool = False) -> str:
    found = measure_words(lines) if words else measure_characters(lines)
    return f"{found.rate * 100:.2f} % ({found.low * 100:.2f}-{found.high * 100:.2f})"


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path, nargs="*", metavar="MODEL")
    parser.add_argument("--set", default="mile_kannada", choices=[which.folder for which in SETS])
    parser.add_argument("--lines", type=int, default=300)
    parser.add_argument("--old", action="store_true", help="Read all lines with letters that are no longer written.")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    which = next(one for one in SETS if one.folder == given.set)
    data = Path(os.environ["HALEGANADA_DATA"])
    samples = load_lines(data, which, given.lines, given.seed)
    if given.old:
        samples = [one for one in load_lines(data, which, sys.maxsize, 0) if _OLD_KANNADA.search(one.text)]
    readers = list_readers(which, [sample.picture for sample in samples], given.models)
    table = Table(which.name, ("reader", "CER (95 %)", "WER (95 %)", "per line, one core", "lines"))
    measure(samples, readers, table)
    print(table.markdown())


if __name__ == "__main__":
    main()
