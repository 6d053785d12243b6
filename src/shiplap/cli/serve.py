"""`shiplap serve`."""

from __future__ import annotations

import json
import os
from typing import Any

import click
import msgspec

from shiplap.cli.options import as_json
from shiplap.core.errors import InputError, nearest
from shiplap.engineer.deploy.serve import Addresses, Limits, Settings, serve
from shiplap.engineer.deploy.serve.containers import ships_of

__all__ = ["command"]


@click.command("serve")
@click.argument("ships", nargs=-1, metavar="[SHIP]...")
@click.option("--host", default="127.0.0.1", show_default=True, envvar="SHIPLAP_HOST", help="Address to listen on.")
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(0, 65535),
    envvar=["AIP_HTTP_PORT", "SAGEMAKER_BIND_TO_PORT"],
    help="0 takes a free one. Vertex AI and SageMaker name theirs in AIP_HTTP_PORT and SAGEMAKER_BIND_TO_PORT.",
)
@click.option("--unix", default="", metavar="PATH", help="Listen on a Unix socket instead.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 256), help="Processes that answer.")
@click.option("--grpc-port", type=click.IntRange(0, 65535), help="Speak the Open Inference Protocol over gRPC here.")
@click.option("--admin-port", type=click.IntRange(0, 65535), help="Metrics, and changes of what is served.")
@click.option("--admin-host", default="127.0.0.1", show_default=True, help="Address of the admin listener.")
@click.option("--tls-cert", default="", metavar="PEM", help="Certificate of the server.")
@click.option("--tls-key", default="", metavar="PEM", help="Its key.")
@click.option("--tls-client-ca", default="", metavar="PEM", help="Clients must show a certificate of this authority.")
@click.option("--keys", default="", metavar="FILE", help="API keys, as `shiplap keys` writes them.")
@click.option("--access-log", default="", metavar="FILE", help="A line of JSON for each request; - is standard output.")
@click.option(
    "--access-log-every",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    metavar="N",
    help="One line for N answers; refusals have one each.",
)
@click.option(
    "--project", default=".", metavar="FOLDER", help="The project whose store is used; this folder if left out."
)
@click.option("--record/--no-record", default=True, help="Count what passes by, and keep samples, in the store.")
@click.option("--record-share", default=0.01, show_default=True, type=click.FloatRange(0, 1), help="Share of samples.")
@click.option("--repository", default="", metavar="FOLDER", help="Ships that may be loaded by name.")
@click.option("--limit", "limits", multiple=True, metavar="NAME=NUMBER", help="rows=1000, body_bytes=1e6, queue=32 ...")
@as_json
def command(ships: tuple[str, ...], as_json: bool, limits: tuple[str, ...], **chosen: Any) -> None:
    """Answer requests over HTTP: POST /predict, the Open Inference Protocol v2, and others.

    A SHIP is a file, or a name in the store such as churn@production, which is followed when it changes. In a container
    of SageMaker, Vertex AI or Azure ML none need be named: those that the platform put there are served. Clients of
    MLflow, SageMaker, TensorFlow Serving, KServe v1, TorchServe, Vertex AI and Azure ML are answered too.

    \b
    Example: shiplap serve churn.ship --port 8000 --workers 4
             curl -d '{"age": 41, "plan": "basic"}' http://127.0.0.1:8000/predict
    """

    def ready(addresses: Addresses) -> None:
        told = {name: address for name, address in msgspec.structs.asdict(addresses).items() if address}
        if as_json:
            click.echo(json.dumps(told))
            return
        for name, address in told.items():
            click.echo(f"listening on {address}" if name == "listening" else f"{name} on {address}")

    given = {name: value for name, value in chosen.items() if value is not None}
    multiple = os.environ.get("SAGEMAKER_MULTI_MODEL", "").lower() == "true"
    found = list(ships) or ([] if multiple else ships_of(os.environ))
    serve(found, Settings(**given, limits=_limits(limits)), ready=ready)


def _limits(texts: tuple[str, ...]) -> Limits:
    """Return the limits with those that were told.

    Examples
    --------
    >>> _limits(("rows=10", "read_s=2.5")).rows
    10
    """
    fields = {field.name: field.type for field in msgspec.structs.fields(Limits)}
    chosen: dict[str, Any] = {}
    for text in texts:
        name, _, number = text.partition("=")
        if name not in fields:
            raise InputError(f"there is no limit '{name}'", hint=nearest(name, fields))
        try:
            chosen[name] = fields[name](float(number))
        except (ValueError, OverflowError) as error:
            raise InputError(
                f"--limit wants NAME=NUMBER, not '{text}'", hint=f"for example --limit {name}=100"
            ) from error
    return Limits(**chosen)
