"""Handshakes: with whom, how long, and with which certificate."""

import datetime
import ipaddress
import signal
import socket
import ssl
import threading
import time
import urllib.request

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shiplap.core.errors import InputError
from shiplap.engineer.deploy.serve.http.tls import Tls
from shiplap.engineer.deploy.serve.limits import Limits

REQUEST = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"


class Authority:
    """Signs certificates."""

    def __init__(self, folder, name="authority"):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.path = folder / f"{name}.pem"
        self.path.write_bytes(self._sign(self.name, self.key, authority=True))

    def issue(self, name):
        """Return the paths of a certificate for 127.0.0.1 and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate, path = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        certificate.write_bytes(self._sign(subject, key))
        form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
        return certificate, path

    def _sign(self, subject, key, *, authority=False):
        now = datetime.datetime.now(datetime.UTC)
        local = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        made = x509.CertificateBuilder(subject_name=subject, issuer_name=self.name, public_key=key.public_key())
        made = made.serial_number(x509.random_serial_number()).add_extension(local, critical=False)
        made = made.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        made = made.not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(9))
        return made.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def pair(authority):
    return authority.issue("server")


def trusting(authority, pair=None):
    context = ssl.create_default_context(cafile=authority.path)
    if pair is not None:
        context.load_cert_chain(*pair)
    return context


def shake(run, context):
    return context.wrap_socket(run.connect(), server_hostname="127.0.0.1")


def answer(client):
    """Return the body of an answer of two bytes."""
    data = b""
    while not data.endswith(b"\r\n\r\n{}"):
        part = client.recv(65_536)
        if not part:
            raise EOFError(data)
        data += part
    return data


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_requests_are_answered_over_tls(serve_http, authority, pair, loop):
    with serve_http(tls=pair, loop=loop) as run:
        assert run.url.startswith("https://127.0.0.1:")
        with shake(run, trusting(authority)) as client:
            assert client.version() == "TLSv1.3"
            for _ in range(3):
                client.sendall(REQUEST)
                assert answer(client).startswith(b"HTTP/1.1 200 OK")
            client.sendall(REQUEST * 100)
            assert sum(client.recv(1 << 20).count(b"{}") for _ in range(1)) > 0
        with urllib.request.urlopen(f"{run.url}/page", context=trusting(authority)) as told:
            assert (told.read(), told.headers["x-scheme"]) == (b"beside", "https")
        with shake(run, trusting(authority)) as client:
            client.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"a" * 1_000_000)
            got = 0
            while got < 1_000_000:
                got += len(client.recv(1 << 20))
        assert run.stop() == ""


def test_what_was_sent_right_after_the_handshake_is_read(serve_http, authority, pair):
    with serve_http(tls=pair) as run:
        for _ in range(50):
            with shake(run, trusting(authority)) as client:
                client.sendall(REQUEST)
                assert answer(client)
        assert run.stop() == ""


def test_a_refusal_reaches_its_client_and_the_connection_ends(serve_http, authority, pair):
    with serve_http(tls=pair) as run:
        with shake(run, trusting(authority)) as client:
            client.sendall(b"GARBAGE\r\n\r\n")
            data = client.recv(65_536)
            assert data.startswith(b"HTTP/1.1 400")
            assert client.recv(100) == b""
        with shake(run, trusting(authority)) as client:
            client.sendall(REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            assert answer(client)
            assert client.recv(100) == b""
        assert run.stop() == ""


def test_what_is_no_handshake_is_cut_off_without_a_word(serve_http, authority, pair):
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    with serve_http(tls=pair) as run:
        for data in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01", b"\0" * 1_000, b""):
            with run.connect() as client:
                client.sendall(data)
                client.shutdown(socket.SHUT_WR)
                assert not client.recv(100).startswith(b"HTTP")
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            shake(run, old)
        with shake(run, trusting(authority)) as client:
            client.sendall(REQUEST)
            assert answer(client)
        assert run.stop() == ""


def test_a_slow_handshake_is_cut_off_and_counts_as_a_connection(serve_http, authority, pair):
    with serve_http(tls=pair, limits=Limits(handshake_s=1.0, connections=4)) as run:
        waiting = [run.connect() for _ in range(4)]
        time.sleep(0.2)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            shake(run, trusting(authority))
        started = time.monotonic()
        assert [client.recv(100) for client in waiting] == [b""] * 4
        assert time.monotonic() - started < 3
        with shake(run, trusting(authority)) as client:
            client.sendall(REQUEST)
            assert answer(client)
        for client in waiting:
            client.close()
        assert run.stop() == ""


def test_as_many_as_may_be_connected_are_served(serve_http, authority, pair):
    with serve_http(tls=pair, limits=Limits(connections=4)) as run:
        clients = [shake(run, trusting(authority)) for _ in range(4)]
        for client in clients:
            client.sendall(REQUEST)
            assert answer(client).startswith(b"HTTP/1.1 200")
        for client in clients:
            client.close()
        assert run.stop() == ""


def test_clients_show_a_certificate_where_that_is_asked(serve_http, authority, pair, tmp_path):
    stranger = Authority(tmp_path, "stranger")
    with serve_http(tls=(*pair, authority.path)) as run:
        with shake(run, trusting(authority, authority.issue("client"))) as client:
            client.sendall(REQUEST)
            assert answer(client)
        for shown in (None, stranger.issue("other")):
            with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
                ask(run, trusting(authority, shown))
        assert run.stop() == ""


def ask(run, context):
    with shake(run, context) as client:
        client.sendall(REQUEST)
        return answer(client)


def serial(run, authority):
    with shake(run, trusting(authority)) as client:
        return client.getpeercert()["serialNumber"]


def test_a_new_certificate_is_shown_from_the_next_handshake_on(serve_http, authority, pair, tmp_path):
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"
    certificate.write_bytes(pair[0].read_bytes())
    key.write_bytes(pair[1].read_bytes())
    with serve_http(tls=(certificate, key)) as run:
        first = serial(run, authority)
        with shake(run, trusting(authority)) as old:
            renewed = authority.issue("renewed")
            certificate.write_bytes(renewed[0].read_bytes())
            key.write_bytes(renewed[1].read_bytes())
            assert serial(run, authority) == first
            run.process.send_signal(signal.SIGHUP)
            deadline = time.monotonic() + 10
            while serial(run, authority) == first:
                assert time.monotonic() < deadline
            old.sendall(REQUEST)
            assert answer(old)
        assert run.stop() == ""


def test_what_cannot_be_read_leaves_the_old_in_force(authority, pair, tmp_path):
    certificate, key = tmp_path / "a.pem", tmp_path / "a.key"
    certificate.write_bytes(pair[0].read_bytes())
    key.write_bytes(pair[1].read_bytes())
    tls = Tls(certificate, key)
    context = tls.context
    key.write_bytes(authority.issue("another")[1].read_bytes())
    with pytest.raises(InputError, match="is not that of the certificate"):
        tls.reload()
    assert tls.context is context
    key.write_bytes(pair[1].read_bytes())
    tls.reload()
    assert tls.context is not context


def test_files_that_do_not_fit_are_told_apart(authority, pair, tmp_path):
    certificate, key = pair
    text = tmp_path / "text.pem"
    text.write_text("hello")
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    locked = tmp_path / "locked.key"
    how = serialization.BestAvailableEncryption(b"secret")
    locked.write_bytes(
        private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how),
    )
    missing = tmp_path / "missing.pem"
    for given, said in (
        ((missing, key), r"missing\.pem cannot be read: No such file"),
        ((certificate, tmp_path), "cannot be read: Is a directory"),
        ((certificate, key, missing), r"missing\.pem cannot be read"),
        ((text, key), "expected to hold a certificate and its key in PEM"),
        ((certificate, text), "expected to hold a certificate and its key in PEM"),
        ((key, certificate), "expected to hold a certificate and its key in PEM"),
        ((certificate, locked), "the key is encrypted"),
        ((certificate, key, text), "holds no certificate"),
        ((certificate, key, key), "holds no certificate"),
    ):
        with pytest.raises(InputError, match=said):
            Tls(*given)


def test_who_stops_in_the_middle_of_a_handshake_does_not_hold_up_the_end(serve_http, authority, pair):
    with serve_http(tls=pair) as run, run.connect() as waiting:
        waiting.sendall(b"\x16\x03\x01")
        time.sleep(0.1)
        started = time.monotonic()
        assert run.stop() == ""
        assert time.monotonic() - started < 5


def test_many_handshakes_at_once(serve_http, authority, pair):
    failed = []

    def ask():
        try:
            for _ in range(10):
                with shake(run, trusting(authority)) as client:
                    client.sendall(REQUEST)
                    assert answer(client)
        except Exception as error:
            failed.append(error)

    with serve_http(tls=pair) as run:
        threads = [threading.Thread(target=ask) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert run.stop() == ""
