"""`Settings`: everything an operator may choose."""

from __future__ import annotations

import msgspec

from shiplap.core.errors import InputError
from shiplap.engineer.deploy.serve.limits import Limits

__all__ = ["OFF", "Addresses", "Settings"]

OFF = -1
"""A port that is not listened on."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How ships are served. A port of 0 takes a free one; a path that is empty is not used.

    Parameters
    ----------
    host, port : str, int
        Where requests are answered over HTTP. The default serves this machine alone.
    unix : str
        Path of a Unix socket to listen on, instead of host and port.
    workers : int
        Processes that answer requests.
    grpc_port : int
        Where the Open Inference Protocol is spoken over gRPC, on the same host.
    admin_host, admin_port : str, int
        Where metrics are read, and versions loaded, split, promoted and rolled back.
    tls_cert, tls_key, tls_client_ca : str
        PEM files: the certificate and its key; with the third, clients must show a certificate that it vouches for.
    keys : str
        File of the API keys (``shiplap keys``); without one, everybody may ask.
    access_log : str
        Where a line for each request goes; ``-`` is standard output.
    access_log_every : int
        Of so many answers below 400 one has a line; those from 400 on have one each.
    project : str
        Folder of the project: its store knows names of ships and takes the record of predictions.
    record : bool
        Whether columns and answers are counted as they pass by, and samples kept, in the store.
    record_share : float
        The share of rows that are kept as samples, 0 to 1.
    repository : str
        Folder of ship files that a client of the admin listener may load by name.
    limits : Limits
        What is accepted of clients.

    Examples
    --------
    >>> Settings(port=0, workers=2).workers
    2
    >>> Settings(workers=0)
    Traceback (most recent call last):
    shiplap.core.errors.InputError: a server has 1 to 256 workers, not 0
    """

    host: str = "127.0.0.1"
    port: int = 8000
    unix: str = ""
    workers: int = 1
    grpc_port: int = OFF
    admin_host: str = "127.0.0.1"
    admin_port: int = OFF
    tls_cert: str = ""
    tls_key: str = ""
    tls_client_ca: str = ""
    keys: str = ""
    access_log: str = ""
    access_log_every: int = 1
    project: str = ""
    record: bool = True
    record_share: float = 0.01
    repository: str = ""
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not 1 <= self.workers <= 256:
            raise InputError(f"a server has 1 to 256 workers, not {self.workers}")
        for name in ("port", "grpc_port", "admin_port"):
            number = getattr(self, name)
            if not 0 <= number <= 65_535 and (name == "port" or number != OFF):
                raise InputError(f"a port is a number from 0 to 65535, not {number}")
        if not 0 <= self.record_share <= 1:
            raise InputError(f"the share of rows that are kept must be from 0 to 1, not {self.record_share:g}")
        if bool(self.tls_cert) != bool(self.tls_key):
            raise InputError("a certificate and its key are needed together", hint="give both, or none")
        if self.tls_client_ca and not self.tls_cert:
            raise InputError("client certificates need a certificate of the server", hint="give it, and its key")


class Addresses(msgspec.Struct, frozen=True):
    """Where a server listens.

    Parameters
    ----------
    listening : str
        Where requests are answered: ``http://127.0.0.1:8000``, or ``unix:/run/churn.sock``.
    grpc, admin : str
        The other two; empty where they are off.
    """

    listening: str
    grpc: str = ""
    admin: str = ""

    def __str__(self) -> str:
        return self.listening
