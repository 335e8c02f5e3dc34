"""Electrocardiograms in the WFDB format: records of MIT-BIH, or your own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from cnnexp.data.base import DataSet, SplitName, TensorSplit
from cnnexp.data.beats import classes_along, cut_beats, cut_stretches
from cnnexp.data.fetch import Download, obtain
from cnnexp.data.fixed_splits import divide
from cnnexp.data.folders import existing_root
from cnnexp.data.groups import groups_of
from cnnexp.data.wfdb_files import Recording, file_of, read_annotations, read_header, read_recording
from cnnexp.errors import InputError

BEATS = "NLRBAaJSVrFejnE/fQ?"
"""Symbols of annotations that are beats; the others tell of rhythm, noise and waves."""

Samples = tuple[NDArray[np.float32], NDArray[np.int64], list[str]]
"""Signals (N, C, length), labels (N,) or (N, length / every), and names."""


class WFDBRecords(DataSet):
    """Heartbeats cut out around their annotations; with ``sequence``, stretches with a class for each of their parts.

    A beat is ``length`` samples, of which ``before_s`` seconds lie before the annotation; its label is the number of
    the class that has its symbol. Beats of other symbols are left out, and so are those that the recording does not
    hold whole. A stretch is ``length`` samples, one after another from the record's start, and its labels are a class
    for each ``every`` samples (``classes_along``); beats of other symbols count as none there.

    Beats or stretches are divided 80 / 10 / 10, stratified (a stretch by its largest label) and the same way every
    time. So the splits share their patients, and the windows of beats that follow fast overlap: a score tells how well
    beats of known patients are told apart. With several records, ``data.split.group=record`` keeps them apart. The name
    of a sample is its record, and the sample that is annotated or that the stretch begins at.

    Args:
        root: folder with NAME.hea, NAME.dat and NAME.atr; None takes the records from the MIT-BIH arrhythmia database
            (Moody and Mark 2001; 48 half hours at 360 Hz, two leads).
        records: their names.
        symbols: for each class, the symbols that it has, such as ``AaJS``.
        classes: names of the classes, from the usual to the rare.
        channels: so many leads, the first ones of each record.
        length: samples of a beat or a stretch.
        before_s: seconds of a beat before its annotation.
        sequence: stretches and not beats. every: samples that each label of a stretch stands for, a divisor of
            ``length``.

    Raises:
        InputError: arguments that don't fit each other.
    """

    targets = ("label",)

    def __init__(
        self,
        *,
        root: str | None,
        records: Sequence[str],
        symbols: Sequence[str],
        classes: Sequence[str],
        channels: int,
        length: int,
        before_s: float,
        sequence: bool,
        every: int,
        mirror: str | None,
    ) -> None:
        self.root, self.records, self.mirror = root, tuple(str(record) for record in records), mirror
        self.symbols, self.channels = tuple(symbols), channels
        self.length, self.before_s, self.sequence, self.every = length, before_s, sequence, every
        self._refuse(len(classes))

    def prepare(self) -> None:
        _ = self._samples

    def load(self, split: SplitName) -> TensorSplit:
        signals, labels, names = self._samples
        rows = self._rows[split]
        tensors = {"signal": torch.from_numpy(signals[rows]), "label": torch.from_numpy(labels[rows])}
        return TensorSplit(tensors, names=[names[row] for row in rows])

    def columns(self, split: SplitName) -> dict[str, list[str]]:
        names = self._samples[2]
        return {"record": _records([names[row] for row in self._rows[split]])}

    @cached_property
    def _rows(self) -> dict[SplitName, NDArray[np.int64]]:
        """Positions of the samples of each split."""
        _, labels, names = self._samples
        groups = None if self.group is None else groups_of(self.group, names, {"record": _records(names)})
        return divide(labels.max(axis=1) if self.sequence else labels, groups)

    @cached_property
    def _samples(self) -> Samples:
        recordings = {record: self._recording(record) for record in self.records}
        rates = {record: recording.rate_hz for record, recording in recordings.items()}
        if len(set(rates.values())) > 1:
            listed = ", ".join(f"{record} {rate:g} Hz" for record, rate in rates.items())
            raise InputError(f"data.records: of different rates ({listed}); bring them to one first")
        signals, labels, names = zip(*(self._cut(*one) for one in recordings.items()), strict=True)
        return np.concatenate(signals), np.concatenate(labels), [name for own in names for name in own]

    def _cut(self, record: str, recording: Recording) -> Samples:
        signal = recording.signal[: self.channels]
        if len(signal) < self.channels:
            raise InputError(f"data.channels={self.channels}: record {record} has {len(signal)} leads")
        positions, labels = self._labelled(record, recording)
        if not self.sequence:
            cut, kept = cut_beats(signal, positions, round(self.before_s * recording.rate_hz), self.length)
            labels, places = labels[kept], positions[kept]
        else:
            cut = cut_stretches(signal, self.length)
            each = self.length // self.every
            labels = classes_along(positions, labels, self.every, len(cut) * each).reshape(-1, each)
            places = np.arange(len(cut)) * self.length
        return cut, labels, [f"{record}/{place}" for place in places.tolist()]

    def _labelled(self, record: str, recording: Recording) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Samples and classes of the beats that belong to a class."""
        class_of = {symbol: number for number, symbols in enumerate(self.symbols) for symbol in symbols}
        numbers = np.array([class_of.get(symbol, -1) for symbol in recording.symbols], dtype=np.int64)
        if not (numbers >= 0).any():
            there = "".join(sorted(set(recording.symbols) & set(BEATS))) or "no beats at all"
            raise InputError(f"data.symbols: record {record} has none of these beats; it has {there}")
        return recording.positions[numbers >= 0], numbers[numbers >= 0]

    def _recording(self, record: str) -> Recording:
        if self.root is None:
            return _of_mit_bih(record, self.mirror)
        place = existing_root(self.root, "wfdb_records") / record
        for path in (file_of(place, "hea"), file_of(place, "atr")):
            if not path.is_file():
                raise InputError(f"{path}: no such file; data.records names what lies in data.root")
        return read_recording(place)

    def _refuse(self, classes: int) -> None:
        problems = []
        if not self.records:
            problems.append("data.records=[]: name at least one record")
        given = "".join(self.symbols)
        if wrong := sorted(set(given) - set(BEATS)):
            problems.append(f"data.symbols: {' '.join(wrong)} stand for no beats; those that do are {BEATS}")
        if len(set(given)) < len(given):
            problems.append("data.symbols: a symbol belongs to one class only")
        if len(self.symbols) != classes:
            problems.append(f"data.symbols: {len(self.symbols)} groups for {classes} data.classes; give one for each")
        if self.sequence and (self.every < 1 or self.length % self.every):
            problems.append(f"data.every={self.every}: must divide data.length={self.length}")
        if problems:
            raise InputError(*problems)


def _records(names: Sequence[str]) -> list[str]:
    return [name.rpartition("/")[0] for name in names]


def _of_mit_bih(record: str, mirror: str | None) -> Recording:
    """A record from the cache, fetched where it is not there; each file is judged by itself as far as it can be."""
    if not re.fullmatch(r"[12]\d\d", record):
        raise InputError(
            f"data.records: {record} is none of MIT-BIH, which are 100 to 234; name data.root for your own"
        )
    obtain(_download(record, "hea"), mirror, lambda path: read_header(path.with_suffix("")))
    obtain(_download(record, "atr"), mirror, lambda path: read_annotations(path.with_suffix("")))
    return obtain(_download(record, "dat"), mirror, lambda path: read_recording(path.with_suffix("")))


def _download(record: str, suffix: str) -> Download:
    name = f"{record}.{suffix}"
    return Download(
        f"ecg/wfdb-record-{record}",
        (name,),
        f"https://physionet.org/files/mitdb/1.0.0/{name}",
        archive=False,
        instead="data=ecg200",
    )
