"""Vectors of words that a net begins with: read from a file or taken from another run, and matched by word; and a file
of those that a net has learnt."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cnnexp.builders.adapting import input_of_run
from cnnexp.builders.from_run import RUN, source_run
from cnnexp.builders.target import import_target
from cnnexp.builders.weights import load_weights
from cnnexp.errors import InputError
from cnnexp.inputs.base import Input
from cnnexp.inputs.tokens import FIRST_WORD, Tokens, matched_rows
from cnnexp.models.word_tables import has_word_vectors, vectors_in
from cnnexp.runs.atomic import replacing

RANDOM = "random"


def put_vectors(net: nn.Module, config: Mapping[str, Any], own: Input, trusted: Sequence[str] = ()) -> str | None:
    """Put the vectors that ``model.vectors`` names into the embeddings of a net; words that they lack stay as they are.

    Args:
        net: with ``word_embeddings()``. own: the input that it is for, with its words.

    Returns:
        What was found, in a line; None where vectors begin at random.

    Raises:
        InputError: they are not there, damaged, of another width, or have none of the words.
    """
    named, embeddings = config["model"].get("vectors", RANDOM), getattr(net, "word_embeddings", None)
    if named == RANDOM or embeddings is None or not isinstance(own, Tokens):
        return None
    layers: list[nn.Embedding] = embeddings()
    words, width = own.words or (), layers[0].embedding_dim
    if named.startswith(RUN):
        rows, found, source = _of_run(named, config, own, layers[0], trusted)
    else:
        source = str(Path(named).expanduser())
        vectors = read_vectors(Path(source), words, width)
        rows, found = layers[0].weight.detach().clone(), len(vectors)
        for number, word in enumerate(words, FIRST_WORD):
            if word in vectors:
                rows[number] = torch.from_numpy(vectors[word])
    if not found:
        raise InputError(f"model.vectors={named}: has none of the {len(words):,} words of these texts")
    with torch.no_grad():
        for layer in layers:
            layer.weight.copy_(rows)
    return f"vectors of {source}: {found:,} of {len(words):,} words found, the others are random"


def read_vectors(path: Path, words: Collection[str], width: int) -> dict[str, NDArray[np.float32]]:
    """The vectors of some words in a text file, (width,) each: a word and its numbers in each line, between blanks.

    word2vec's files have a line before these with how many words there are and how many numbers each has; GloVe's have
    none. A name that ends in ``.gz`` is unpacked. Of a word that is there twice the first vector counts.

    Raises:
        InputError: there is no such file; it is damaged; its vectors have another width.
    """
    wanted, found = set(words), {}
    for number, line in enumerate(_lines(path), 1):
        word, *cells = line.rstrip().split(" ")
        if number == 1 and len(cells) == 1 and word.isdecimal() and cells[0].isdecimal():
            _refuse_width(path, int(cells[0]), width)
            continue
        if len(cells) != width:
            # GloVe's largest file has some words with blanks in them, all of whose other cells are numbers
            word, cells = " ".join([word, *cells[:-width]]), cells[-width:] if len(cells) > width else cells
            if len(cells) != width or number <= 2:
                _refuse_width(path, len(line.split()) - 1, width, number)
        if word in wanted and word not in found:
            found[word] = _numbers(path, number, cells)
    return found


def write_vectors(path: Path, words: Sequence[str], vectors: torch.Tensor) -> None:
    """Write vectors as ``read_vectors`` takes them, with word2vec's first line; packed where the name ends in ``.gz``.

    Args:
        vectors: (words, width). Digits enough that the very same single-precision numbers are read again.
    """
    lines = [f"{len(words)} {vectors.shape[1]}"]
    lines += [
        " ".join([word, *(f"{number:.9g}" for number in row)])
        for word, row in zip(words, vectors.tolist(), strict=True)
    ]
    content = "".join(f"{line}\n" for line in lines).encode()
    with replacing(path) as temporary:
        temporary.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


def _lines(path: Path) -> Iterator[str]:
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            for line in file:
                yield line.decode("utf-8", "replace")
    except FileNotFoundError as error:
        raise InputError(f"model.vectors={path}: no such file; give a file, run:ID or random") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read to its end ({error}); bring the whole file") from error


def _numbers(path: Path, number: int, cells: Sequence[str]) -> NDArray[np.float32]:
    try:
        values = np.array(cells, np.float32)
    except ValueError:
        values = np.array([np.nan], np.float32)
    if not np.isfinite(values).all():
        raise InputError(f"{path}:{number}: not a word and finite numbers; the file is damaged, or of another kind")
    return values


def _refuse_width(path: Path, there: int, width: int, number: int = 1) -> None:
    if there == width:
        return
    if number > 2 or there < 2:
        raise InputError(
            f"{path}:{number}: not a word and {width} numbers; the file is damaged, or no text file of vectors"
        )
    raise InputError(f"{path}: vectors of {there} numbers, and the net's have {width}; add model.width={there}")


def _of_run(
    named: str, config: Mapping[str, Any], own: Tokens, layer: nn.Embedding, trusted: Sequence[str]
) -> tuple[torch.Tensor, int, str]:
    source = source_run({**config, "model": {**config["model"], "weights": named}})
    theirs, state = input_of_run(source.record, trusted), load_weights(source.kept.path)
    net = import_target(source.record.config["model"]["_target_"], "model", trusted)
    weight = vectors_in(net, state) if has_word_vectors(net) else None
    if not isinstance(theirs, Tokens) or weight is None or len(weight) != theirs.vocabulary:
        raise InputError(f"model.vectors={named}: {source.described} has no vectors of words")
    if weight.shape[1] != layer.embedding_dim:
        raise InputError(
            f"model.vectors={named}: vectors of {weight.shape[1]} numbers, and the net's have {layer.embedding_dim}; "
            f"add model.width={weight.shape[1]}"
        )
    found = len(set(own.words or ()) & set(theirs.words or ()))
    return matched_rows(own, theirs, weight, layer.weight), found, source.described
