"""Which columns of a table are the files, the classes, the boxes, the numbers and the splits."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnnexp.data.base import SplitName
from cnnexp.data.folders import SPLIT_WORDS
from cnnexp.data.table import Table
from cnnexp.errors import InputError

USUAL: Mapping[str, tuple[str, ...]] = {
    "file": (
        *("file", "filename", "filepath", "image", "imagefile", "imagename", "imagepath", "imageid"),
        *("img", "imgname", "imgpath", "path", "picture"),
    ),
    "text": (
        *("text", "texts", "sentence", "question", "review", "reviewtext", "document", "content", "body", "message"),
        *("comment", "tweet", "headline", "title"),
    ),
    "first": (
        *("first", "text1", "sentence1", "question1", "question", "premise", "a", "left"),
        *("smiles", "molecule", "drug", "compound", "ligand"),
    ),
    "second": (
        *("second", "text2", "sentence2", "question2", "answer", "hypothesis", "b", "right"),
        *("protein", "sequence", "targetsequence", "proteinsequence"),
    ),
    "label": ("label", "labels", "class", "classes", "classname", "category", "target", "tag", "tags"),
    "picture": (
        *("picture", "pictures", "picturefile", "image", "images", "imagefile", "imagepath", "imagename", "imageid"),
        *("img", "imgpath", "file", "filename", "path"),
    ),
    "question": ("question", "questions", "text", "query"),
    "answer": ("answer", "answers", "reply", "label", "class"),
    "split": ("split", "fold", "subset", "partition", "set"),
    "value": ("value", "values", "target", "label", "y", "score", "affinity"),
}
"""What columns are usually called, without regard to case, blanks, ``_`` and ``-``."""
BOXES: Mapping[str, tuple[tuple[str, str, str, str], ...]] = {
    "xyxy": (("x1", "y1", "x2", "y2"), ("xmin", "ymin", "xmax", "ymax"), ("left", "top", "right", "bottom")),
    "xywh": (("x", "y", "w", "h"), ("x", "y", "width", "height"), ("bboxx", "bboxy", "bboxwidth", "bboxheight")),
    "cxcywh": (("cx", "cy", "w", "h"), ("xcenter", "ycenter", "width", "height")),
}
"""The same for boxes, by their form: two corners; the upper left corner and the size; the middle and the size."""
BOX_WORDS = {
    "xyxy": "two corners",
    "xywh": "the upper left corner and the size",
    "cxcywh": "the middle and the size",
}


@dataclass(frozen=True)
class Columns:
    """The names of columns.

    Attributes:
        labels: one column, or one for each class with 1 where it is there. box_form: a word of ``BOXES``.
    """

    file: str
    labels: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    box: tuple[str, str, str, str] | None = None
    box_form: str = "xyxy"
    split: str | None = None


def find_columns(table: Table, target: str | None, stated: Mapping[str, Any], box_form: str | None) -> Columns:
    """The columns that a truth is read from: those that are stated, and the others by what they are usually called.

    Args:
        target: label, labels, boxes or value; None for none. stated: of ``data.columns``, null where it is not said.

    Raises:
        InputError: a column that is stated is not there; one that is needed has no usual name, or several have one.
    """
    file = one_column(table, "file", stated)
    assert file is not None
    split = split_column(table, stated)
    labels: tuple[str, ...] = ()
    if target in ("label", "labels", "boxes"):
        labels = _several(table, "label", stated)
    if target == "value":
        return Columns(file, values=_several(table, "value", stated), split=split)
    if target == "boxes":
        box, form = _box(table, stated, box_form)
        return Columns(file, labels, box=box, box_form=form, split=split)
    return Columns(file, labels, split=split)


def described(columns: Columns) -> str:
    """What was recognised, for the log."""
    parts = [f"pictures in {columns.file}"]
    if columns.labels:
        parts.append(f"classes in {', '.join(columns.labels)}")
    if columns.values:
        parts.append(f"numbers in {', '.join(columns.values)}")
    if columns.box:
        parts.append(f"boxes in {', '.join(columns.box)} as {BOX_WORDS[columns.box_form]}")
    if columns.split:
        parts.append(f"splits in {columns.split}")
    return "; ".join(parts)


def split_of_cell(cell: str) -> SplitName | None:
    """The split that a cell names."""
    word = cell.casefold()
    return next((split for split, words in SPLIT_WORDS.items() if word in words), None)


def split_column(table: Table, stated: Mapping[str, Any]) -> str | None:
    """The column of splits. One that is only called so (fold: 0, 1, 2) is none."""
    return one_column(
        table,
        "split",
        stated,
        needed=False,
        fits=lambda name: any(split_of_cell(row.cells[name]) for row in table.rows),
    )


def one_column(
    table: Table,
    role: str,
    stated: Mapping[str, Any],
    *,
    needed: bool = True,
    fits: Callable[[str], bool] = lambda name: True,
) -> str | None:
    """The column of a role: the one that is stated, or the one that is called so as usual.

    Args:
        role: a word of ``USUAL``. needed: whether there has to be one. fits: of a column that is only called so.

    Raises:
        InputError: there is none though it is needed, or there are several.
    """
    given = stated.get(role)
    if given is not None:
        return _there(table, role, str(given))
    found = [name for name in _called(table, USUAL[role]) if fits(name)]
    if len(found) > 1:
        raise InputError(
            f"{table.path}: {' and '.join(found)} may both be the {role}; say which: data.columns.{role}={found[0]}"
        )
    if not found and needed:
        raise InputError(f"{table.path}: {table.named()}; which is the {role}? add data.columns.{role}=NAME")
    return found[0] if found else None


def _several(table: Table, role: str, stated: Mapping[str, Any]) -> tuple[str, ...]:
    """One column, or those that are stated."""
    given = stated.get(role)
    if isinstance(given, (list, tuple)):
        if len(set(given)) < len(given) or not given:
            raise InputError(f"data.columns.{role}: names each column once")
        return tuple(_there(table, role, str(name)) for name in given)
    found = one_column(table, role, stated)
    assert found is not None
    return (found,)


def _box(table: Table, stated: Mapping[str, Any], form: str | None) -> tuple[tuple[str, str, str, str], str]:
    given = stated.get("box")
    if given is not None:
        if isinstance(given, str) or len(given) != 4 or len(set(given)) != 4:
            raise InputError("data.columns.box: names four columns, such as [x1,y1,x2,y2]")
        if form is None:
            raise InputError(
                f"data.columns.box={list(given)}: what are the four? add data.box=xyxy (two corners), xywh (the upper "
                "left corner and the size) or cxcywh (the middle and the size)"
            )
        a, b, c, d = (_there(table, "box", str(name)) for name in given)
        return (a, b, c, d), form
    plain = {_plain(name): name for name in table.header}
    found = [
        (tuple(plain[word] for word in words), one)
        for one, kinds in BOXES.items()
        for words in kinds
        if set(words) <= plain.keys() and form in (None, one)
    ]
    if len(found) != 1:
        several = " and ".join(",".join(names) for names, _ in found)
        problem = f"{several} may both be the boxes" if found else f"no columns of boxes; {table.named()}"
        raise InputError(
            f"{table.path}: {problem}; add data.columns.box=[X1,Y1,X2,Y2] data.box=xyxy, say; "
            "task=multi_label takes classes without boxes by task.target=labels"
        )
    (a, b, c, d), form = found[0]
    return (a, b, c, d), form


def _there(table: Table, role: str, name: str) -> str:
    if name not in table.header:
        raise InputError(f"data.columns.{role}={name}: no such column in {table.path}; {table.named()}")
    return name


def _called(table: Table, words: Sequence[str]) -> list[str]:
    return [name for name in table.header if _plain(name) in words]


def _plain(name: str) -> str:
    return re.sub(r"[\s_.-]", "", name.casefold())
