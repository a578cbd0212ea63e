"""What is wrong with a connection is said: real servers with and without TLS, with certificates made here."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import pytest
from haleganada.v1 import ocr_service_pb2 as pb
from haleganada_client import ClientConfig, HaleganadaClient
from haleganada_client.connection.diagnosis import find_proxy, is_this_machine, split_target
from haleganada_client.errors import NO_SERVER, InvalidInput, Unavailable
from waitress.server import create_server

from tests.support.network.ports import refusing_port
from tests.support.network.web_server import run_in_thread
from tests.unit.clients.scripted import scripted_client, serve

PROXIES = ("grpc_proxy", "https_proxy", "http_proxy")
needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="openssl, which makes the certificates, is not installed"
)


class Pair(NamedTuple):
    """PEM files of a self-signed certificate and of its key."""

    certificate: Path
    key: Path

    def credentials(self, clients: Path | None = None) -> grpc.ServerCredentials:
        """For a server; clients: the certificate that its clients need."""
        pair = (self.key.read_bytes(), self.certificate.read_bytes())
        return grpc.ssl_server_credentials([pair], clients.read_bytes() if clients else None, clients is not None)


MakePair = Callable[..., Pair]


@pytest.fixture(scope="module")
def make_pair(tmp_path_factory: pytest.TempPathFactory) -> MakePair:
    folder = tmp_path_factory.mktemp("pem")

    def make(host: str, days: tuple[str, str] | None = None) -> Pair:
        pair = Pair(folder / f"{host}.pem", folder / f"{host}.key")
        line = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        line += ["-days", "2", "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}"]
        subprocess.run([*line, "-keyout", pair.key, "-out", pair.certificate], check=True, capture_output=True)
        return pair if days is None else sign_for_days(pair, folder, days)

    return make


def sign_for_days(pair: Pair, folder: Path, days: tuple[str, str]) -> Pair:
    """Sign a certificate again, for the time between two days, each YYYYMMDD; `openssl req` only knows from now on."""
    request, made, settings = (folder / f"{'-'.join(days)}.{ending}" for ending in ("csr", "pem", "cnf"))
    (folder / "index.txt").write_text("")
    (folder / "serial").write_text("01")
    settings.write_text(
        f"[ca]\ndefault_ca=own\n[own]\ndatabase={folder}/index.txt\nserial={folder}/serial\nnew_certs_dir={folder}\n"
        "default_md=sha256\npolicy=any\nx509_extensions=names\nunique_subject=no\n"
        "[any]\ncommonName=supplied\n[names]\nsubjectAltName=DNS:localhost\nbasicConstraints=critical,CA:true\n"
    )
    line: list[str | Path] = ["openssl", "req", "-new", "-key", pair.key, "-out", request, "-subj", "/CN=localhost"]
    subprocess.run(line, check=True, capture_output=True)
    dates = ["-startdate", f"{days[0]}000000Z", "-enddate", f"{days[1]}000000Z"]
    line = ["openssl", "ca", "-batch", "-selfsign", "-config", settings, "-keyfile", pair.key, "-in", request]
    subprocess.run([*line, "-out", made, "-notext", *dates], check=True, capture_output=True)
    return Pair(made, pair.key)


def teach(request: pb.TrainRequest, context: grpc.ServicerContext) -> pb.TrainResponse:
    return pb.TrainResponse(sample_id=7)


def what_is_wrong(target: str, **settings: Any) -> str:
    """The message of the first call, which comes at once although calls are repeated."""
    began = time.monotonic()
    client = HaleganadaClient(config=ClientConfig(target=target, **settings))
    with client, pytest.raises(Unavailable) as refusal:
        client.train(b"picture", "a")
    assert refusal.value.reason == NO_SERVER and time.monotonic() - began < 5
    return refusal.value.message


def show_page(_environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
    start("200 OK", [])
    return [b"page"]


@needs_openssl
def test_with_the_right_certificate_all_is_well(make_pair: MakePair) -> None:
    pair = make_pair("localhost")
    with serve(teach, credentials=pair.credentials()) as port:
        config = ClientConfig(target=f"localhost:{port}", ca=pair.certificate)
        with HaleganadaClient(config=config) as client:
            assert client.train(b"picture", "a").sample_id == 7


@needs_openssl
def test_a_server_that_expects_tls_is_said(make_pair: MakePair) -> None:
    with serve(teach, credentials=make_pair("localhost").credentials()) as port:
        told = what_is_wrong(f"localhost:{port}")
    assert "expects TLS" in told and "the setting ca (or $HALEGANADA_CA)" in told and "the setting tls" in told


@needs_openssl
def test_an_unknown_authority_is_said_with_what_names_the_right_one(make_pair: MakePair) -> None:
    other = make_pair("other.example").certificate
    with serve(teach, credentials=make_pair("localhost").credentials()) as port:
        for settings, trusted in (({"tls": True}, "the setting tls"), ({"ca": other}, f"the setting ca {other}")):
            told = what_is_wrong(f"localhost:{port}", **settings)
            assert f"no certificate authority that {trusted} trusts" in told and "$HALEGANADA_CA" in told


@needs_openssl
def test_a_certificate_of_another_host_is_said(make_pair: MakePair) -> None:
    for certified, host in (("other.example", "localhost"), ("localhost", "127.0.0.1")):
        pair = make_pair(certified)
        with serve(teach, credentials=pair.credentials()) as port:
            assert f"another host, not for {host}" in what_is_wrong(f"{host}:{port}", ca=pair.certificate)


@needs_openssl
@pytest.mark.parametrize(
    ("days", "said"),
    [(("20200101", "20200201"), "has expired"), (("20900101", "20900201"), "is not valid yet")],
)
def test_a_certificate_out_of_its_time_is_said(make_pair: MakePair, days: tuple[str, str], said: str) -> None:
    pair = make_pair("localhost", days)
    with serve(teach, credentials=pair.credentials()) as port:
        told = what_is_wrong(f"localhost:{port}", ca=pair.certificate)
    assert f"the certificate of the server at localhost:{port} {said}; renew it there" in told and "clock" in told


@needs_openssl
def test_a_server_without_tls_is_said(make_pair: MakePair) -> None:
    with serve(teach) as port:
        told = what_is_wrong(f"127.0.0.1:{port}", ca=make_pair("localhost").certificate)
    assert "speaks without TLS" in told and "unset $HALEGANADA_CA" in told


@needs_openssl
def test_a_server_that_asks_for_a_certificate_is_said_and_gets_it(make_pair: MakePair) -> None:
    pair, mine = make_pair("localhost"), make_pair("me.example")
    with serve(teach, credentials=pair.credentials(mine.certificate)) as port:
        target = f"localhost:{port}"
        assert "the setting cert and the setting key" in what_is_wrong(target, ca=pair.certificate)
        config = ClientConfig(target=target, ca=pair.certificate, cert=mine.certificate, key=mine.key)
        with HaleganadaClient(config=config) as client:
            assert client.train(b"picture", "a").sample_id == 7


def test_the_port_of_a_web_page_is_said() -> None:
    with run_in_thread(create_server(show_page, host="127.0.0.1", port=0)) as target:
        assert "a web page answers" in what_is_wrong(target)
        assert "a web page answers" in what_is_wrong(target, tls=True, timeout_s=0.5)


@needs_openssl
def test_files_that_are_no_certificates_are_refused_before_a_call(make_pair: MakePair, tmp_path: Path) -> None:
    pair, other = make_pair("localhost"), make_pair("other.example")
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    refused: list[tuple[dict[str, Any], str]] = [
        ({"ca": text}, "ca"),
        ({"cert": pair.certificate}, "key"),
        ({"key": pair.key}, "cert"),
        ({"cert": pair.certificate, "key": other.key}, "cert"),
        ({"cert": text, "key": text}, "cert"),
    ]
    for settings, field in refused:
        with pytest.raises(InvalidInput, match="setting cert") as refusal:
            HaleganadaClient(config=ClientConfig(target="localhost:1", **settings))
        assert refusal.value.field == field
    with pytest.raises(FileNotFoundError):
        HaleganadaClient(config=ClientConfig(ca=tmp_path / "none.pem"))


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("127.0.0.1", "names no port"),
        ("localhost", "names no port"),
        ("[::1]", "names no port"),
        ("::1", "in brackets"),
        ("http://127.0.0.1:8080", "without http://"),
        ("https://box.example", "without http://"),
        ("box.example:grpc", "is not HOST:PORT"),
        ("box.example:99999", "is not HOST:PORT"),
        ("box.example:", "is not HOST:PORT"),
        (":50051", "is not HOST:PORT"),
    ],
)
def test_an_address_that_is_none_is_refused_before_a_call(target: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as refusal:
        HaleganadaClient(target)
    assert refusal.value.field == "target" and "50051" in refusal.value.message


@pytest.mark.parametrize("name", PROXIES)
def test_loopback_never_uses_a_proxy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with refusing_port() as port:
        proxy = f"http://me:secret@127.0.0.1:{port}"
        for variable in (*PROXIES, "no_proxy", "no_grpc_proxy"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv(name, proxy)
        with scripted_client(teach) as client:
            assert client.train(b"picture", "a").sample_id == 7
        told = what_is_wrong("box.example:50051")
    assert f"environment variable {name} names" in told and "no_proxy" in told and "secret" not in told


def test_a_proxy_is_found_as_grpc_finds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (*PROXIES, "no_proxy", "no_grpc_proxy"):
        monkeypatch.delenv(variable, raising=False)
    assert find_proxy("box.example:1") is None
    monkeypatch.setenv("http_proxy", "http://a:1")
    monkeypatch.setenv("https_proxy", "http://b:1")
    assert find_proxy("box.example:1") == ("https_proxy", "http://b:1")
    monkeypatch.setenv("no_proxy", "other, .example")
    assert find_proxy("box.example:1") is None and find_proxy("box.test:1") is not None


@pytest.mark.parametrize(
    ("target", "local"),
    [
        ("127.0.0.1:1", True),
        ("127.9.9.9:1", True),
        ("localhost:1", True),
        ("[::1]:1", True),
        ("0.0.0.0:1", True),
        ("dns:///localhost:1", True),
        ("ipv4:127.0.0.1:1", True),
        ("unix:/run/haleganada", True),
        ("box.example:1", False),
        ("localhost.example:1", False),
        ("10.0.0.1:1", False),
    ],
)
def test_what_no_other_machine_can_answer(target: str, local: bool) -> None:
    assert is_this_machine(target) is local


def test_targets_are_split() -> None:
    assert split_target("[::1]:5") == ("::1", 5) and split_target("box:65535") == ("box", 65535)
    assert split_target("box:0") is None and split_target("box") is None


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("ಕ", "(U+0C95, position 1)"),
        ("abc\rdef", "(U+000D, position 4)"),
        ("ab\n\nc", "(U+000A, position 3)"),
        ("caf\udce9", "(U+DCE9, position 4)"),
        ("tab\t", "(U+0009, position 4)"),
        ("x" * 9000, "longer than 8,192"),
    ],
)
def test_a_token_that_cannot_be_sent_is_refused_by_name(token: str, words: str) -> None:
    with pytest.raises(InvalidInput, match="the token") as refusal:
        HaleganadaClient("127.0.0.1:1", token=token)
    assert refusal.value.field == "token" and words in refusal.value.message


def test_the_end_of_a_token_s_line_is_cut() -> None:
    seen: list[object] = []

    def note(request: pb.TrainRequest, context: grpc.ServicerContext) -> pb.TrainResponse:
        seen.extend(value for key, value in context.invocation_metadata() if key == "authorization")
        return pb.TrainResponse()

    with scripted_client(note, token="abc\r\n") as client:
        client.train(b"picture", "a")
    with scripted_client(note, token="\r\n") as client:
        client.train(b"picture", "a")
    assert seen == ["Bearer abc"]
