"""The page itself: style, script and data in one file that a browser can neither extend nor be led out of."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnnexp.report.plain_text import printable
from cnnexp.runs.atomic import write_text

_HERE = Path(__file__).parent
SCRIPTS = (
    *("elements.js", "charts.js", "many_runs.js", "one_run.js", "answers.js", "quiz.js", "inside.js", "map.js"),
    "page.js",
)
"""One script in the page, in this order."""
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main id="page"></main>
<noscript>This page draws its tables and curves by a script of its own; it loads nothing.</noscript>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def write_page(content: Mapping[str, Any], path: Path) -> Path:
    """Write what ``content.py`` gathered as one HTML file."""
    write_text(path, page_text(content))
    return path


def page_text(content: Mapping[str, Any]) -> str:
    """The file's text.

    A run's folder may come from a stranger. Its text reaches the page as JSON in which no tag can begin, and the script
    puts it in as text. Were that ever to fail, the page's policy lets a browser run and style by the two texts of this
    file alone, and load nothing.
    """
    style, script = _asset("page.css"), "".join(map(_asset, SCRIPTS))
    return _PAGE.format(
        policy=html.escape(policy(style, script), quote=True),
        title=html.escape(printable(content["title"])),
        style=style,
        data=_as_json(content),
        script=script,
    )


def policy(style: str, script: str) -> str:
    """What the browser may do for this page (Content Security Policy, level 2)."""
    return (
        f"default-src 'none'; img-src data:; media-src data:; style-src '{_digest(style)}'; "
        f"script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _asset(name: str) -> str:
    return "\n" + (_HERE / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _as_json(content: Any) -> str:
    """ASCII, in which no tag, comment or entity can begin or end."""
    text = json.dumps(_harmless(content), allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _harmless(value: Any) -> Any:
    """Text without what may change its direction or hide in it; figures that are not finite are missing."""
    if isinstance(value, Mapping):
        return {printable(key): _harmless(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_harmless(item) for item in value]
    if isinstance(value, float) and not -float("inf") < value < float("inf"):
        return None
    return printable(value) if isinstance(value, str) else value
