"""The OpenAPI description as HTML to read: operations by protocol, what they take and answer, and lines for a shell."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any
from urllib.parse import quote

from shiplap.engineer.deploy.serve.openapi import ALWAYS, REFUSALS

__all__ = ["curl_lines", "operations"]

_WIDE = 100  # a value that fits into so many characters stands on one line
Described = Mapping[str, Any]


def operations(description: Described, origin: str) -> str:
    """Return the description as HTML.

    Parameters
    ----------
    description : mapping
        The OpenAPI description.
    origin : str
        Where the server is, such as ``http://127.0.0.1:8000``; empty where that is not known.
    """
    tags = [tag["name"] for tag in description["tags"]]
    links = "".join(f'<li><a href="#{_place(tag)}">{escape(tag)}</a></li>' for tag in (*tags, "Refusals", "Schemas"))
    parts = [f'<nav aria-label="Protocols"><ul>{links}</ul></nav><div class="text"><h1>How it is asked</h1>']
    told = "Every protocol that is spoken here, generated from the signatures of what is served."
    parts.append(f'<p class="muted lead">{told} The same for programs: <a href="openapi.json">openapi.json</a>.</p>')
    for tag in tags:
        inner = "".join(
            _operation(method, path, each, description, origin)
            for path, item in description["paths"].items()
            for method, each in item.items()
            if tag in each["tags"]
        )
        parts.append(f'<section id="{_place(tag)}"><h2>{escape(tag)}</h2>{inner}</section>')
    parts += [_refusals(), _schemas(description["components"]["schemas"]), "</div>"]
    return "".join(parts)


def curl_lines(
    method: str, path: str, each: Described, description: Described, origin: str
) -> Iterator[tuple[str, str]]:
    """Yield, for each example of an operation, what it is called and the line that sends it from a shell.

    Parameters
    ----------
    method, path : str
        Of the operation.
    each : mapping
        The operation.
    description : mapping
        What it stands in.
    origin : str
        Where the server is.
    """
    for parameter in each.get("parameters", ()):
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", quote(str(parameter["example"])))
    target = shlex.quote(f"{origin}{path}")
    key = ' -H "Authorization: Bearer $KEY"' if each.get("security", description.get("security")) else ""
    if method == "get":
        yield "", f"curl -s {target}{key}"
        return
    for media_type, content in each["requestBody"]["content"].items():
        named = {name: example["value"] for name, example in content.get("examples", {}).items()}
        if "example" in content:
            named = {"": content["example"]}
        for name, value in named.items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            body = f"-H 'Content-Type: {media_type}' --data-binary {shlex.quote(text)}"
            yield (name or media_type), f"curl -s {target}{key} \\\n  {body}"


def _operation(method: str, path: str, each: Described, description: Described, origin: str) -> str:
    parts = [
        f'<details class="operation"><summary><b class="{method}">{method.upper()}</b> <code>{escape(path)}</code> '
        f'<span class="muted">{escape(each["summary"])}</span></summary><div class="inner">'
    ]
    parts += [_parameter(parameter) for parameter in each.get("parameters", ())]
    for name, line in curl_lines(method, path, each, description, origin):
        parts.append(f'<p class="label">{escape(name) or "From a shell"}</p><pre class="shell">{escape(line)}</pre>')
    for media_type, content in each.get("requestBody", {}).get("content", {}).items():
        parts.append(_content(f"Sent as {media_type}", content))
    for media_type, content in each["responses"]["200"]["content"].items():
        parts.append(_content(f"Answered as {media_type}", content))
    known = [status for status in each["responses"] if status != "200" and int(status) not in ALWAYS]
    if known:
        parts.append(f'<p class="label">Refused with {", ".join(sorted(known))}, or as <a href="#refusals">any</a></p>')
    return "".join([*parts, "</div></details>"])


def _parameter(parameter: Described) -> str:
    known = parameter["schema"].get("enum")
    words = ", ".join(map(str, known)) if known else parameter.get("description", "")
    return (
        f'<p class="label"><code>{escape(parameter["name"])}</code> in the {escape(parameter["in"])}: '
        f"{escape(words)}</p>"
    )


def _content(title: str, content: Described) -> str:
    return f'<p class="label">{escape(title)}</p>{_shown(content.get("schema", {}))}'


def _refusals() -> str:
    rows = "".join(
        f"<tr><th scope=row>{status}</th><td>{escape(words)}</td></tr>" for status, words in sorted(REFUSALS.items())
    )
    told = (
        "A refusal is <code>application/problem+json</code> after RFC 9457, and says what came and what was expected."
    )
    return f'<section id="refusals"><h2>Refusals</h2><p>{told}</p><table>{rows}</table></section>'


def _schemas(schemas: Described) -> str:
    inner = "".join(
        f'<details class="operation" id="{_place("schema " + name)}"><summary><code>{escape(name)}</code> '
        f'<span class="muted">{escape(schema.get("description", ""))}</span></summary>'
        f'<div class="inner">{_shown(schema)}</div></details>'
        for name, schema in schemas.items()
    )
    return f'<section id="schemas"><h2>Schemas</h2>{inner}</section>'


def _shown(schema: Described) -> str:
    """Return a schema as text in which references lead to what they refer to."""
    text = escape(_laid_out(schema), quote=False)
    start = '{"$ref": "#/components/schemas/'
    parts = text.split(start)
    for index, part in enumerate(parts[1:], 1):
        name, _, rest = part.partition('"}')
        parts[index] = f'<a href="#{_place("schema " + name)}">{name}</a>{rest}'
    return f'<pre class="shell" tabindex="0">{"".join(parts)}</pre>'


def _laid_out(value: Any, indent: int = 0) -> str:
    """Return JSON with what is short on one line."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) + indent <= _WIDE or not isinstance(value, dict | list) or not value:
        return flat
    space = " " * (indent + 2)
    if isinstance(value, dict):
        lines = [f"{json.dumps(key, ensure_ascii=False)}: {_laid_out(each, indent + 2)}" for key, each in value.items()]
    else:
        lines = [_laid_out(each, indent + 2) for each in value]
    opened, closed = "{}" if isinstance(value, dict) else "[]"
    return f"{opened}\n{space}" + f",\n{space}".join(lines) + f"\n{' ' * indent}{closed}"


def _place(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower())
