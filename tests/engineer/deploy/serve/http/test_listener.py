"""Sockets: of TCP, of Unix, several on one port, and none where one cannot be had."""

import os
import socket
import stat
import threading
import time

import pytest

from shiplap.core.errors import InputError
from shiplap.engineer.deploy.serve.http.descriptors import room_for
from shiplap.engineer.deploy.serve.http.listener import address_of, listen, listen_many, listen_unix, remove_unix

REQUEST = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"


def test_requests_are_answered_over_a_unix_socket(serve_http, tmp_path):
    path = tmp_path / "ship.sock"
    with serve_http(unix=path) as run:
        assert run.url == f"unix:{path}"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            for _ in range(3):
                client.sendall(REQUEST)
                assert client.recv(65_536).endswith(b"{}")
            client.sendall(b"GARBAGE\r\n\r\n")
            assert client.recv(65_536).startswith(b"HTTP/1.1 400")
        assert run.stop() == ""
    assert not path.exists()


def test_nobody_else_may_connect_at_any_time(tmp_path):
    seen = set()
    done = threading.Event()
    path = tmp_path / "ship.sock"

    def watch():
        while not done.is_set():
            try:
                seen.add(stat.S_IMODE(path.stat().st_mode))
            except FileNotFoundError:
                continue

    watching = threading.Thread(target=watch)
    watching.start()
    before = os.umask(0)
    try:
        for _ in range(200):
            listen_unix(path).close()
            remove_unix(path)
    finally:
        os.umask(before)
        done.set()
        watching.join()
    assert seen <= {0o600}


def test_a_socket_left_behind_is_replaced_and_one_that_is_used_is_not(tmp_path):
    path = tmp_path / "ship.sock"
    listen_unix(path).close()
    assert path.exists()
    listener = listen_unix(path)
    with pytest.raises(InputError, match="somebody listens"):
        listen_unix(path)
    listener.close()
    remove_unix(path)
    assert not path.exists()


def test_a_socket_that_became_somebody_elses_is_left_alone(tmp_path):
    path = tmp_path / "ship.sock"
    first = listen_unix(path)
    path.unlink()
    second = listen_unix(path)
    first.close()
    remove_unix(path)
    assert path.exists()
    second.close()
    remove_unix(path)
    remove_unix(path)
    assert not path.exists()


def test_what_is_no_socket_is_not_overwritten(tmp_path):
    path = tmp_path / "precious.txt"
    path.write_text("kept")
    with pytest.raises(InputError, match="is no socket"):
        listen_unix(path)
    remove_unix(path)
    assert path.read_text() == "kept"
    with pytest.raises(InputError, match="is no socket"):
        listen_unix(tmp_path)


@pytest.mark.parametrize("name", ["missing/ship.sock", "a" * 200])
def test_a_path_that_cannot_be_used_is_told(tmp_path, name):
    with pytest.raises(InputError, match="cannot listen on the Unix socket"):
        listen_unix(tmp_path / name)


def test_several_sockets_share_a_port_that_was_free():
    listeners = listen_many("127.0.0.1", 0, 3)
    try:
        (port,) = {listener.getsockname()[1] for listener in listeners}
        took = set()
        for _ in range(200):
            with socket.create_connection(("127.0.0.1", port)):
                for index, listener in enumerate(listeners):
                    try:
                        listener.accept()[0].close()
                    except BlockingIOError:
                        continue
                    took.add(index)
        assert took == {0, 1, 2}
        for count in (1, 2):
            with pytest.raises(InputError, match="already in use"):
                listen_many("127.0.0.1", port, count)
    finally:
        for listener in listeners:
            listener.close()


def test_addresses():
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert address_of(listener) == f"http://127.0.0.1:{port}"
        assert address_of(listener, secure=True) == f"https://127.0.0.1:{port}"
    if socket.has_ipv6:
        try:
            listener = listen("::1", 0)
        except InputError:
            return
        with listener:
            assert address_of(listener, secure=True) == f"https://[::1]:{listener.getsockname()[1]}"


def test_connections_that_do_not_fit_into_the_open_files_are_not_promised():
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = soft + 1_000
    assert room_for(10) == (10, 16)
    if hard == resource.RLIM_INFINITY or hard > wanted + 1_000:
        try:
            assert room_for(wanted) == (wanted, 256)
            assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > wanted + 256
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_when_files_run_out_the_server_neither_dies_nor_spins(serve_http):
    with serve_http(files=128) as run:
        clients = []
        for _ in range(400):
            try:
                clients.append(run.connect(timeout=2))
            except OSError:
                break
        time.sleep(0.3)
        before = run.cpu_s
        time.sleep(1)
        assert run.cpu_s - before < 0.3
        clients[0].sendall(REQUEST)
        assert clients[0].recv(65_536).endswith(b"{}")
        for client in clients:
            client.close()
        time.sleep(0.3)
        with run.connect() as client:
            client.sendall(REQUEST)
            assert client.recv(65_536).startswith(b"HTTP/1.1 200")
        assert run.stop() == ""
