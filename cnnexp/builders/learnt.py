"""What input and truth learn from the training samples of a run (a vocabulary, a mean): once, for all processes of it.

It lies in the run's folder as input.json, whose digest is ``data.input_sha256`` of the configuration.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cnnexp.data.facts import Facts
from cnnexp.data.loading import Data
from cnnexp.errors import InputError
from cnnexp.runs.atomic import write_text
from cnnexp.runs.checkpoints import LEARNT
from cnnexp.runs.read import read_json

TARGETS = "targets"
"""The part of input.json that is of truths."""


def complete(data: Data, learnt: Mapping[str, Any] | None) -> Facts:
    """The facts with input and truths that know what they have to: from an earlier process, or from these samples."""
    facts = data.facts
    if learnt is not None:
        return _with_learnt(facts, learnt)
    if facts.input.learns:
        facts = replace(facts, input=facts.input.learn(data.split("train"), data.train_positions()))
    learning = [word for word, answer in facts.targets.items() if answer.learns]
    if not learning:
        return facts
    samples = data.split("train"), data.train_positions()
    return replace(facts, targets={**facts.targets, **{word: facts.targets[word].learn(*samples) for word in learning}})


def with_digest(config: Mapping[str, Any], facts: Facts) -> dict[str, Any]:
    """The configuration with the digest of what was learnt."""
    content = content_of(facts)
    digest = digest_of(content) if content else None
    return {**config, "data": {**config["data"], "input_sha256": digest}}


def write_learnt(folder: Path, facts: Facts) -> None:
    """Keep what was learnt in a run's folder; nothing where nothing was."""
    content = content_of(facts)
    if content:
        write_text(folder / LEARNT, _text(content))


def read_learnt(folder: Path | None, config: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the input of a recorded run learnt; None where there is no run, or it learnt nothing.

    Raises:
        InputError: the file is missing, damaged, or not the one that the configuration names.
    """
    digest = config["data"]["input_sha256"]
    if folder is None or digest is None:
        return None
    path = folder / LEARNT
    try:
        content = read_json(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: what the input of this run learnt cannot be read ({error})") from error
    if digest_of(content) != digest:
        raise InputError(f"{path}: not what the run was trained with; its configuration names another digest")
    return content


def learnt_facts(facts: Facts, folder: Path, config: Mapping[str, Any]) -> Facts:
    """The facts of a recorded run, with what its input learnt.

    Raises:
        InputError: as for ``read_learnt``.
    """
    learnt = read_learnt(folder, config)
    return facts if learnt is None else _with_learnt(facts, learnt)


def content_of(facts: Facts) -> dict[str, Any]:
    """What input and truths learnt, as it is written."""
    of_targets = {word: answer.learnt() for word, answer in facts.targets.items() if answer.learnt()}
    return {**facts.input.learnt(), **({TARGETS: of_targets} if of_targets else {})}


def _with_learnt(facts: Facts, content: Mapping[str, Any]) -> Facts:
    of_targets = content.get(TARGETS, {})
    targets = {
        word: answer.with_learnt(of_targets.get(word, {})) if answer.learns else answer
        for word, answer in facts.targets.items()
    }
    of_input = {key: value for key, value in content.items() if key != TARGETS}
    return replace(facts, input=facts.input.with_learnt(of_input), targets=targets)


def digest_of(content: Mapping[str, Any]) -> str:
    """sha256 of the content as it is written."""
    return hashlib.sha256(_text(content).encode()).hexdigest()


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, ensure_ascii=False, indent=1) + "\n"
