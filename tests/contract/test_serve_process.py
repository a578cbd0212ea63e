"""`haleganada serve` as a process: its one line, its refusals, its signals."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import ocr_service_pb2_grpc

from tests.contract.drawings import cross

SERVE = (sys.executable, "-m", "haleganada_server", "serve")
READY = re.compile(r"^Haleganada serves on (127\.0\.0\.1:\d+) \(data in (.+), cpu, default: (.+), (.+)\)\n$")
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path, weights_dir: Path) -> Iterator[Start]:
    """Starts a server process; kills it at the end if it is still there."""
    started: list[subprocess.Popen[str]] = []

    def run(*flags: str) -> subprocess.Popen[str]:
        usual = ("--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"), "--weights", str(weights_dir))
        line = (*SERVE, *usual, "--device", "cpu", *flags)  # of a flag that comes twice, the last one counts
        started.append(subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()


def ready(process: subprocess.Popen[str]) -> re.Match[str]:
    """The parts of its line."""
    assert process.stdout is not None
    line = process.stdout.readline()
    match = READY.match(line)
    assert match, f"{line!r}, {process.stderr.read() if process.stderr and not line else ''}"
    return match


def refusal(process: subprocess.Popen[str], status: int) -> str:
    """The one sentence with which it ends."""
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (status, ""), errors
    assert errors.startswith("haleganada serve: ") and errors.count("\n") == 1, errors
    return errors


def teach(address: str, glyphs: int) -> ocr.TrainBatchResponse:
    with grpc.insecure_channel(address) as channel:
        items = [ocr.TrainItem(glyph=cross(i % 7), label="ab"[i % 2]) for i in range(glyphs)]
        return ocr_service_pb2_grpc.OCRServiceStub(channel).TrainBatch(ocr.TrainBatchRequest(items=items), timeout=60)


def test_one_line_when_ready_and_what_was_taught_is_there_again(start: Start, tmp_path: Path) -> None:
    first = start()
    address, data, labels, samples = ready(first).groups()
    assert (data, labels, samples) == (str(tmp_path / "data"), "0 labels", "0 samples")
    teach(address, 3)
    first.send_signal(signal.SIGTERM)
    assert first.wait(15) == 0
    second = start()
    assert ready(second).groups()[2:] == ("2 labels", "3 samples")
    second.send_signal(signal.SIGINT)
    output, errors = second.communicate(timeout=15)
    assert (second.returncode, output, errors) == (0, "", "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_calls_finish(start: Start, number: signal.Signals) -> None:
    process = start()
    address = ready(process)[1]
    answers: list[ocr.TrainBatchResponse] = []
    teacher = threading.Thread(target=lambda: answers.append(teach(address, 256)))
    teacher.start()
    time.sleep(0.3)
    process.send_signal(number)
    teacher.join(30)
    assert [result.WhichOneof("result") for result in answers[0].results] == ["taught"] * 256
    assert process.wait(15) == 0


def test_a_stuck_call_is_cut_off_after_the_grace(start: Start) -> None:
    process = start("--grace", "0.3")
    with grpc.insecure_channel(ready(process)[1]) as channel:

        def never_ending() -> Iterator[ocr.ImportRequest]:
            yield ocr.ImportRequest(header=ocr.ImportHeader())
            threading.Event().wait(20)

        call = ocr_service_pb2_grpc.OCRServiceStub(channel).Import.future(never_ending())
        time.sleep(0.5)
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - started < 5
        assert call.exception() is not None


def test_a_second_signal_forces(start: Start) -> None:
    process = start("--grace", "60")
    with grpc.insecure_channel(ready(process)[1]) as channel:

        def never_ending() -> Iterator[ocr.ImportRequest]:
            yield ocr.ImportRequest(header=ocr.ImportHeader())
            threading.Event().wait(20)

        call = ocr_service_pb2_grpc.OCRServiceStub(channel).Import.future(never_ending())
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert process.poll() is None and not call.done()
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 1


def test_other_machines_are_not_let_in_without_tls(start: Start) -> None:
    for address in ("0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.org:0"):
        assert "--insecure" in refusal(start("--listen", address), 2)


def test_other_machines_are_let_in_if_one_insists(start: Start) -> None:
    process = start("--listen", "0.0.0.0:0", "--insecure")
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Haleganada serves on 0.0.0.0:")


def test_tls_needs_both_files_and_good_ones(start: Start, tmp_path: Path) -> None:
    pem = tmp_path / "file.pem"
    pem.write_text("no certificate")
    assert "together" in refusal(start("--tls-cert", str(pem)), 2)
    assert "PEM" in refusal(start("--tls-cert", str(pem), "--tls-key", str(pem)), 1)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl, which makes the certificate, is not installed")
def test_tls_lets_other_machines_in(start: Start, tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    names = ("-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate))
    subprocess.run([*make.split(), *names], check=True, capture_output=True)
    process = start("--listen", "0.0.0.0:0", "--tls-cert", str(certificate), "--tls-key", str(key))
    assert process.stdout is not None
    port = process.stdout.readline().split()[3].rpartition(":")[2]
    trust = grpc.ssl_channel_credentials(certificate.read_bytes())
    with grpc.secure_channel(f"localhost:{port}", trust) as channel:
        stats = ocr_service_pb2_grpc.OCRServiceStub(channel).Stats(ocr.StatsRequest(), timeout=10)
    assert stats.samples_total == 0


def test_a_busy_port(start: Start, tmp_path: Path) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        address = f"127.0.0.1:{busy.getsockname()[1]}"
        assert address in refusal(start("--listen", address), 1)
    first = start("--data", str(tmp_path / "first"))
    assert "--listen" in refusal(start("--listen", ready(first)[1], "--data", str(tmp_path / "second")), 1)


def test_a_data_directory_in_use(start: Start) -> None:
    first = start()
    ready(first)
    assert "--data" in refusal(start(), 1)


def test_a_data_directory_that_cannot_be(start: Start, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert "--data" in refusal(start("--data", str(tmp_path / "file" / "data")), 1)


def test_a_device_that_is_not_there(start: Start) -> None:
    assert "--device cpu" in refusal(start("--device", "cuda:99"), 1)


def test_no_weights(start: Start, tmp_path: Path) -> None:
    assert "--weights" in refusal(start("--weights", str(tmp_path)), 1)


@pytest.mark.parametrize("address", ["50051", "127.0.0.1", "127.0.0.1:high", "127.0.0.1:65536", ":1"])
def test_an_address_that_is_none(start: Start, address: str) -> None:
    process = start("--listen", address)
    assert "is not HOST:PORT" in process.communicate(timeout=30)[1] and process.returncode == 2
