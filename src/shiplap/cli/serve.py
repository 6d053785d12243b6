"""`shiplap serve`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from shiplap.cli.options import as_json
from shiplap.engineer.deploy.serve import serve

__all__ = ["command"]


@click.command("serve")
@click.argument("ships", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SHIP...")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(0, 65535),
    envvar=["AIP_HTTP_PORT", "SAGEMAKER_BIND_TO_PORT"],
    help="0 takes a free one. Vertex AI and SageMaker name theirs in AIP_HTTP_PORT and SAGEMAKER_BIND_TO_PORT.",
)
@as_json
def command(ships: tuple[Path, ...], host: str, port: int, as_json: bool) -> None:
    """Answer requests over HTTP: POST /predict, the Open Inference Protocol v2, and others.

    Clients of MLflow, SageMaker, TensorFlow Serving, KServe v1, TorchServe, Vertex AI and Azure ML are answered too.

    \b
    Example: shiplap serve churn.ship --port 8000
             curl -d '{"age": 41, "plan": "basic"}' http://127.0.0.1:8000/predict
    """

    def ready(address: str) -> None:
        click.echo(json.dumps({"listening": address}) if as_json else f"listening on {address}")

    serve(list(ships), host=host, port=port, ready=ready)
