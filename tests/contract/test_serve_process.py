"""`haleganada serve`: its one line, its signals, and its refusals. What it only refuses is run in this process."""

from __future__ import annotations

import json
import logging
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import grpc
import pytest
from click.testing import CliRunner
from grpc_health.v1 import health_pb2, health_pb2_grpc
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import ocr_service_pb2_grpc
from haleganada_server.config import ServerConfig
from haleganada_server.core.access.identity import Role
from haleganada_server.serve import serve

from tests.contract.drawings import cross
from tests.contract.held import hold_import
from tests.contract.refusals import expect_refusal
from tests.support.network.certificates import make_pair, needs_openssl, trust
from tests.support.preloaded import PreloadedProcess
from tests.support.tokens import add_token, bearing
from tests.support.waiting import wait_until

SERVE = ("-m", "haleganada_server", "serve")
CPU = ("--device", "cpu")
READY = re.compile(r"^Haleganada serves on (127\.0\.0\.1:\d+) \(data in (.+), cpu, default: (.+), (.+)\)\n$")
Server = PreloadedProcess | subprocess.Popen[str]
Start = Callable[..., Server]
Refuse = Callable[..., str]


@pytest.fixture
def start(tmp_path: Path, weights_dir: Path) -> Iterator[Start]:
    """Starts a server process; kills it at the end if it is still there. fresh: it is to import everything."""
    started: list[Server] = []

    def run(*flags: str, fresh: bool = False) -> Server:
        usual = ("--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"), "--weights", str(weights_dir))
        line = (*SERVE, *usual, *CPU, *flags)  # of a flag that comes twice, the last one counts
        started.append(_start_fresh(line) if fresh else PreloadedProcess(line, stderr=True))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()


def _start_fresh(line: Sequence[str]) -> Server:
    pipe = subprocess.PIPE
    return subprocess.Popen((sys.executable, *line), stdout=pipe, stderr=pipe, text=True)


def ready(process: Server) -> re.Match[str]:
    """The parts of its line."""
    assert process.stdout is not None
    line = process.stdout.readline()
    match = READY.match(line)
    assert match, f"{line!r}, {process.stderr.read() if process.stderr and not line else ''}"
    return match


@pytest.fixture
def refusal(tmp_path: Path, weights_dir: Path) -> Iterator[Refuse]:
    """Runs the command in this process; returns the one sentence with which it ends."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]

    def run(status: int, *flags: str) -> str:
        usual = ("--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"), "--weights", str(weights_dir), *CPU)
        done = CliRunner().invoke(serve, [*usual, *flags], prog_name="haleganada serve")
        assert (done.exit_code, done.stdout) == (status, ""), done.output
        assert done.stderr.startswith("haleganada serve: ") and done.stderr.count("\n") == 1, done.stderr
        return done.stderr

    yield run
    root.setLevel(level)  # which the command has made its own
    root.handlers[:] = handlers


def teach(address: str, glyphs: int) -> ocr.TrainBatchResponse:
    with grpc.insecure_channel(address) as channel:
        items = [ocr.TrainItem(glyph=cross(i % 7), label="ab"[i % 2]) for i in range(glyphs)]
        return ocr_service_pb2_grpc.OCRServiceStub(channel).TrainBatch(ocr.TrainBatchRequest(items=items), timeout=60)


def export_lines(channel: grpc.Channel) -> bytes:
    """Return what was taught, as JSON lines."""
    request = ocr.ExportRequest(format=ocr.EXPORT_FORMAT_JSONL)
    return b"".join(part.chunk for part in ocr_service_pb2_grpc.OCRServiceStub(channel).Export(request))


def wait_until_stopping(channel: grpc.Channel) -> None:
    health = health_pb2_grpc.HealthStub(channel)
    stopping = health_pb2.HealthCheckResponse.NOT_SERVING
    wait_until(lambda: health.Check(health_pb2.HealthCheckRequest()).status == stopping)


def test_one_line_when_ready_and_what_was_taught_is_there_again(start: Start, tmp_path: Path) -> None:
    first = start(fresh=True)
    address, data, labels, samples = ready(first).groups()
    assert (data, labels, samples) == (str(tmp_path / "data"), "0 labels", "0 samples")
    teach(address, 3)
    first.send_signal(signal.SIGTERM)
    assert first.wait(60) == 0
    second = start()
    assert ready(second).groups()[2:] == ("2 labels", "3 samples")
    second.send_signal(signal.SIGINT)
    output, errors = second.communicate(timeout=60)
    assert (second.returncode, output, errors) == (0, "", "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_calls_finish(start: Start, tmp_path: Path, number: signal.Signals) -> None:
    process = start("--grace", "60")
    address = ready(process)[1]
    teach(address, 64)
    with grpc.insecure_channel(address) as channel:
        content = export_lines(channel)
        ocr_service_pb2_grpc.OCRServiceStub(channel).Reset(ocr.ResetRequest(confirm="default"))
        with hold_import(channel, tmp_path / "data", content) as held:
            process.send_signal(number)
            wait_until_stopping(channel)
            assert held.finish().imported == 64
    assert process.wait(60) == 0


def test_a_stuck_call_is_cut_off_after_the_grace(start: Start, tmp_path: Path) -> None:
    process = start("--grace", "0.3")
    with (
        grpc.insecure_channel(ready(process)[1]) as channel,
        hold_import(channel, tmp_path / "data") as held,
    ):
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert time.monotonic() - began < 5
        assert held.call.exception() is not None


def test_a_second_signal_forces(start: Start, tmp_path: Path) -> None:
    process = start("--grace", "3600")
    with (
        grpc.insecure_channel(ready(process)[1]) as channel,
        hold_import(channel, tmp_path / "data") as held,
    ):
        process.send_signal(signal.SIGTERM)
        wait_until_stopping(channel)
        assert process.poll() is None and not held.call.done()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 1


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.org:0"])
def test_other_machines_are_not_let_in_without_tls(refusal: Refuse, address: str) -> None:
    assert "--insecure" in refusal(2, "--listen", address)


def test_other_machines_are_let_in_if_one_insists(start: Start) -> None:
    process = start("--listen", "0.0.0.0:0", "--insecure")
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline().startswith("Haleganada serves on 0.0.0.0:")
    assert "--insecure" in process.stderr.readline()


def test_limits_of_what_may_be_kept(start: Start) -> None:
    address = ready(start("--profile", "box", "--limit", "workspace-samples=2"))[1]
    *_, last = teach(address, 3).results
    assert last.error.reason == "QUOTA_EXCEEDED"
    with grpc.insecure_channel(address) as channel:
        quotas = ocr_service_pb2_grpc.OCRServiceStub(channel).Stats(ocr.StatsRequest(history_points=0)).quotas
    assert {quota.name: quota.limit for quota in quotas}["workspace-samples"] == 2
    assert len(quotas) == 3  # and those of the profile


def test_tls_needs_both_files_and_good_ones(refusal: Refuse, tmp_path: Path) -> None:
    pem = tmp_path / "file.pem"
    pem.write_text("no certificate")
    assert "together" in refusal(2, "--tls-cert", str(pem))
    assert "PEM" in refusal(1, "--tls-cert", str(pem), "--tls-key", str(pem))


@needs_openssl
def test_tls_lets_other_machines_in(start: Start, tmp_path: Path) -> None:
    pair = make_pair(tmp_path, "server")
    shown = add_token(tmp_path / "data", "somebody", Role.READ)
    process = start("--listen", "0.0.0.0:0", "--tls-cert", str(pair.certificate), "--tls-key", str(pair.key))
    assert process.stdout is not None
    port = process.stdout.readline().split()[3].rpartition(":")[2]
    with grpc.secure_channel(f"localhost:{port}", trust(pair)) as channel:
        stats = ocr_service_pb2_grpc.OCRServiceStub(channel).Stats(
            ocr.StatsRequest(), timeout=10, metadata=bearing(shown)
        )
    assert stats.samples_total == 0


@needs_openssl
@pytest.mark.parametrize("flags", [("--log-format", "json"), ("--log-format=json",)])
def test_a_log_of_json_has_no_other_lines(start: Start, tmp_path: Path, flags: tuple[str, ...]) -> None:
    pair = make_pair(tmp_path, "server")
    tls = ("--tls-cert", str(pair.certificate), "--tls-key", str(pair.key), "--tls-client-ca", str(pair.certificate))
    process = start(*tls, "--log-level", "info", *flags, fresh=True)
    port = int(ready(process)[1].rpartition(":")[2])
    context = ssl.create_default_context(cafile=str(pair.certificate))
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # whose handshake tells the client that it was refused
    for _ in range(3):  # clients without a certificate, of which gRPC has something to say
        with socket.create_connection(("localhost", port), timeout=10) as plain, pytest.raises(OSError):
            context.wrap_socket(plain, server_hostname="localhost").recv(1)
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=30)
    lines = [json.loads(line) for line in log.splitlines()]
    assert lines and all(line["level"] for line in lines)


@needs_openssl
def test_tls_without_tokens_lets_nobody_in(refusal: Refuse, tmp_path: Path) -> None:
    pair = make_pair(tmp_path, "server")
    flags = ("--listen", "0.0.0.0:0", "--tls-cert", str(pair.certificate), "--tls-key", str(pair.key))
    assert "haleganada tokens add" in refusal(1, *flags)


def test_a_token_in_the_environment_is_an_administrators(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = "a-token-of-22-letters-"
    monkeypatch.setenv("HALEGANADA_TOKEN", shown)
    with grpc.insecure_channel(ready(start())[1]) as channel:
        stub = ocr_service_pb2_grpc.OCRServiceStub(channel)
        assert expect_refusal(lambda: stub.Stats(ocr.StatsRequest(), timeout=10)).reason == "TOKEN_MISSING"
        stub.Reset(ocr.ResetRequest(confirm="default"), timeout=10, metadata=bearing(shown))


def test_a_short_token_in_the_environment_is_refused(refusal: Refuse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALEGANADA_TOKEN", "secret")
    said = refusal(1)
    assert "HALEGANADA_TOKEN" in said and "secret" not in said


def test_a_busy_port(refusal: Refuse, busy_port: int) -> None:
    address = f"127.0.0.1:{busy_port}"
    assert address in refusal(1, "--listen", address)


def test_a_second_server_on_a_port_or_a_data_directory(start: Start, refusal: Refuse, tmp_path: Path) -> None:
    address = ready(start())[1]
    assert "--listen" in refusal(1, "--listen", address, "--data", str(tmp_path / "second"))
    assert "--data" in refusal(1)


def test_a_data_directory_that_cannot_be(refusal: Refuse, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert "--data" in refusal(1, "--data", str(tmp_path / "file" / "data"))


def test_a_device_that_is_not_there(refusal: Refuse) -> None:
    assert "--device cpu" in refusal(1, "--device", "cuda:99")


def test_no_weights(refusal: Refuse, tmp_path: Path) -> None:
    assert "--weights" in refusal(1, "--weights", str(tmp_path))


@pytest.mark.parametrize("address", ["50051", "127.0.0.1", "127.0.0.1:high", "127.0.0.1:65536", ":1"])
def test_an_address_that_is_none(address: str) -> None:
    done = CliRunner().invoke(serve, ["--listen", address])
    assert "is not HOST:PORT" in done.stderr and done.exit_code == 2


def test_a_process_refuses_in_the_same_way(start: Start) -> None:
    output, errors = start("--listen", "0.0.0.0:0", fresh=True).communicate(timeout=60)
    assert output == "" and errors.startswith("haleganada serve: ") and "--insecure" in errors


def test_an_option_that_has_no_effect_any_longer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    configs: list[ServerConfig] = []
    monkeypatch.setattr("haleganada_server.serve.run", lambda config, _grace: configs.append(config))
    done = CliRunner().invoke(serve, ["--encoder-workers", "4"], catch_exceptions=False)
    assert done.exit_code == 0 and len(configs) == 1
    assert "encodes concurrent calls together" in done.stderr
