"""TLS from files that are replaced while the server runs."""

from __future__ import annotations

import logging
import ssl
import threading
from pathlib import Path

import grpc
import pytest
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import ocr_service_pb2_grpc
from haleganada_server.config import Tls

from tests.conftest import RunningServer, StartServer
from tests.support.network.certificates import Pair, make_pair, needs_openssl, trust
from tests.support.waiting import wait_until

pytestmark = needs_openssl


@pytest.fixture
def old(tmp_path: Path) -> Pair:
    return make_pair(tmp_path, "old")


@pytest.fixture
def new(tmp_path: Path) -> Pair:
    return make_pair(tmp_path, "new")


@pytest.fixture
def used(tmp_path: Path, old: Pair) -> Pair:
    """The files that the server is told to use; they begin as the old ones."""
    pair = Pair(tmp_path / "used.pem", tmp_path / "used.key")
    pair.replace(old)
    return pair


def call(server: RunningServer, credentials: grpc.ChannelCredentials) -> None:
    """Make one call over a connection of its own."""
    alone = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.secure_channel(f"localhost:{server.app.port}", credentials, alone) as channel:
        ocr_service_pb2_grpc.OCRServiceStub(channel).Stats(ocr.StatsRequest(), timeout=30)


def read_certificate(server: RunningServer) -> str:
    """Return the certificate that a new connection gets."""
    return ssl.get_server_certificate(("localhost", server.app.port))


def wait_for_more(calls: list[int]) -> None:
    """Wait until each of the callers has made three calls more."""
    goal = [count + 3 for count in calls]
    wait_until(lambda: all(count >= least for count, least in zip(calls, goal, strict=True)))


def test_a_certificate_is_replaced_under_load_and_no_call_fails(
    start_server: StartServer, used: Pair, old: Pair, new: Pair
) -> None:
    server, either = start_server(tls=Tls(used.certificate, used.key)), trust(old, new)
    failures: list[grpc.RpcError] = []
    calls, is_over = [0] * 3, threading.Event()

    def keep_calling(caller: int) -> None:
        while not is_over.is_set():
            try:
                call(server, either)
            except grpc.RpcError as error:
                failures.append(error)
            calls[caller] += 1

    threads = [threading.Thread(target=keep_calling, args=(caller,)) for caller in range(len(calls))]
    with grpc.secure_channel(f"localhost:{server.app.port}", either) as open_before:
        stub = ocr_service_pb2_grpc.OCRServiceStub(open_before)
        stub.Stats(ocr.StatsRequest(), timeout=30)
        for thread in threads:
            thread.start()
        try:
            for pair in (new, old, new):
                used.replace(pair)
                wait_for_more(calls)
                shown = {read_certificate(server) for _ in range(8)}  # several gRPC servers share the port
                assert shown == {pair.certificate.read_text()}
        finally:
            is_over.set()
            for thread in threads:
                thread.join()
        stub.Stats(ocr.StatsRequest(), timeout=30)
    assert not failures


def test_half_of_a_pair_is_kept_out_and_told_once(
    start_server: StartServer, used: Pair, old: Pair, new: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    server = start_server(tls=Tls(used.certificate, used.key))
    with caplog.at_level(logging.WARNING):
        used.certificate.write_bytes(new.certificate.read_bytes()[:100])
        call(server, trust(old))
        used.certificate.write_bytes(new.certificate.read_bytes())
        used.key.unlink()
        call(server, trust(old))
        call(server, trust(old))
        told = [record.levelname for record in caplog.records]
        used.key.write_bytes(new.key.read_bytes())
        call(server, trust(new))
    assert told == ["ERROR", "ERROR"]
    assert [record.levelname for record in caplog.records] == [*told, "WARNING"]
    assert "PRIVATE" not in caplog.text


def test_clients_must_show_a_certificate_of_the_authorities_which_change(
    start_server: StartServer, tmp_path: Path, used: Pair, old: Pair, new: Pair
) -> None:
    authorities = tmp_path / "clients.pem"
    authorities.write_bytes(old.certificate.read_bytes())
    server = start_server(tls=Tls(used.certificate, used.key, authorities))
    call(server, trust(old, shown=old))
    for stranger in (trust(old), trust(old, shown=new)):
        with pytest.raises(grpc.RpcError) as refused:
            call(server, stranger)
        assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
    authorities.write_bytes(new.certificate.read_bytes())
    call(server, trust(old, shown=new))
    with pytest.raises(grpc.RpcError):
        call(server, trust(old, shown=old))
