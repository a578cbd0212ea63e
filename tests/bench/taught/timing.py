"""How long a page of 500 glyphs takes: the first time, and again after a correction."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from haleganada_client import HaleganadaClient
from haleganada_server.core.fewshot.builder import build_head
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.knowledge.stale_samples import StaleSamples
from haleganada_server.core.knowledge.variants import Variants
from haleganada_server.core.reading.options import ReadOptions
from haleganada_server.core.reading.taught.questions import find_questions
from haleganada_server.core.reading.taught.reading import read_taught
from haleganada_server.core.reading.taught.settled import Settled
from haleganada_server.reading.documents import open_document
from haleganada_server.reading.taught.page import take_page_apart

from tests.bench.accuracy.features import Recognizer, make_product_rasters
from tests.bench.accuracy.sets import load_kannada
from tests.bench.table import Table
from tests.bench.taught import composed
from tests.bench.taught.pages import SEPARATED, compose, load_papers

_ROUNDS = 20


def measure(client: HaleganadaClient, data: Path) -> Table:
    table = Table("A page of 500 glyphs, 60 labels", ("what", "measured", "target"))
    hand, rng = load_kannada(data), np.random.default_rng(500)
    lessons, rows = composed.choose(hand, composed.TRIALS[1], rng)
    page = composed.encode_page(compose(hand, np.concatenate([rows, rows[:100]]), SEPARATED, rng, load_papers(data)[0]))
    first = [client.read(page, mode="taught").elapsed_ms for _ in range(3)]
    table.add("first read, the best of three", f"{min(first) / 1000:.2f} s", "≤ 3 s")
    recognizer = Recognizer.load_shipped()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "page"
        path.write_bytes(page)
        taken, _ = take_page_apart(open_document(path), 1, ReadOptions())
    table.add("groups", f"{len(taken.lattice.groups):,}", "")
    embedded = taken.embed(recognizer.embedder.embed, recognizer.embedder.hash)
    vectors = recognizer.embed(make_product_rasters(hand.drawings[lessons]))
    labels = [str(hand.labels[row]) for row in lessons]
    parameters = recognizer.head_parameters
    settled = Settled()
    for group_id in embedded.lattice.group_ids[embedded.lattice.groups[:, 1] - embedded.lattice.groups[:, 0] == 1][
        :200
    ]:
        settled = settled.settle(embedded.lattice, int(group_id), labels[0])
    cpu: dict[str, list[float]] = {"the head adapts": [], "read again": [], "questions": []}
    for _ in range(_ROUNDS):
        times = [time.process_time()]
        head = build_head(parameters.projection.between, labels, vectors).adapt()
        knowledge = Knowledge(
            revision=1, head=head, variants=Variants(), samples_total=len(labels), stale=StaleSamples(), class_ids={}
        )
        times.append(time.process_time())
        reading = read_taught(embedded, knowledge, parameters, settled=settled)
        times.append(time.process_time())
        find_questions(embedded, reading, knowledge, parameters)
        times.append(time.process_time())
        for step, elapsed in zip(cpu.values(), np.diff(times), strict=True):
            step.append(float(elapsed))
    for name, measured in cpu.items():
        table.add(f"{name}, processor time, median", f"{1000 * np.median(measured):.0f} ms", "")
    total = sum(np.median(measured) for measured in cpu.values())
    table.add("all of that, with 200 settled glyphs", f"{1000 * total:.0f} ms", "≤ 100 ms")
    table.add("kept for that", f"{len(embedded.to_bytes()) / 2**20:.1f} MB", "")
    return table
