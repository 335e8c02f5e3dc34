"""A run's data held to what the run wrote down of it: the same samples in the same splits, or a line that says why."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cnnexp.builders.facts import names_of
from cnnexp.data.base import SPLITS, DataSet, Split, SplitName
from cnnexp.data.dealt import Dealt
from cnnexp.data.fingerprint import depth_of, listed, listed_files
from cnnexp.data.loading import Data
from cnnexp.data.wrapping import Wrapping
from cnnexp.errors import InputError
from cnnexp.runs.data_difference import DataDifference, data_difference
from cnnexp.runs.data_record import DataRecord, SplitRecord

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Held:
    """What a data set is held to.

    Attributes:
        record: of the run that is gone on with, tested or repeated. run: its id.
        way_out: what to do where samples are not as they were.
        whole: every split has to be as it was; otherwise only one that is loaded.
        say: takes a line on what is otherwise and does no harm.
    """

    record: DataRecord
    run: str
    way_out: str
    whole: bool = True
    say: Callable[[str], None] = log.warning


class Recorded(Wrapping):
    """A data set of which only those samples are used that a run had, each in the split that it was in then.

    One that is as it was is passed on untouched.

    Args:
        dataset: as the configuration says it now. classes: their names, as the run knows them.
        noun: what a sample is called.
    """

    def __init__(self, dataset: DataSet, held: Held, classes: Sequence[str], noun: str = "sample") -> None:
        super().__init__(dataset)
        self.held, self.classes, self.noun = held, tuple(classes), noun
        self._fresh: dict[SplitName, Split] = {}
        self._difference = DataDifference()
        self._dealt: DataSet | None = None

    def prepare(self) -> None:
        with self._explained():
            self.dataset.prepare()

    def load(self, split: SplitName) -> Split:
        """One split as it was.

        Raises:
            InputError: samples of it, or of any split where the whole is asked for, are not there as they were.
        """
        if self._dealt is None and not self._now(split).equals(self.held.record.splits[split]):
            self._dealt = self._deal()
        if self._dealt is None:
            return self._fresh.pop(split, None) or self.dataset.load(split)
        known = self.held.record.splits[split].names or ()
        if self._difference.lost() & {name for one in known for name in (one, f"{split}/{one}")}:
            raise self._refusal(self._difference.losses())
        return self._dealt.load(split)

    def check(self) -> None:
        """Look at every split now.

        Raises:
            InputError: samples of the run are not there as they were.
        """
        if not all(self._now(split).equals(self.held.record.splits[split]) for split in SPLITS):
            self._deal()

    def _now(self, split: SplitName) -> SplitRecord:
        """What the split is now, looked at as closely as the record did."""
        depth = self.held.record.splits[split].depth
        with self._explained():
            origins = self.dataset.origins(split)
            if origins is not None:
                return SplitRecord.of(**vars(listed_files(None, origins, self.classes, depth)))
            if split not in self._fresh:
                self._fresh[split] = self.dataset.load(split)
            return SplitRecord.of(**vars(listed(self._fresh[split], self.classes, depth)))

    def _deal(self) -> DataSet:
        """The samples of the record, wherever they are now."""
        record = self.held.record
        now = DataRecord.of({split: self._now(split) for split in SPLITS}, self.classes)
        self._fresh.clear()
        self._difference = data_difference(record, now)
        if self._difference.unnamed:
            raise self._refusal(
                f"{now.samples:,} {self.noun}s now, {record.samples:,} then; their names were not kept, so nothing "
                "tells which are others"
            )
        if self.held.whole and self._difference.lost():
            raise self._refusal(self._difference.losses())
        self.held.say(self._remark())
        self._enter_added()
        names = {split: record.splits[split].names or [] for split in SPLITS}
        return self.dataset.dealt(names) or Dealt(self.dataset, names)

    def _enter_added(self) -> None:
        """What came later takes no part, and the census says so."""
        census, added = self.dataset.census(), self._difference.only_second
        if census is not None:
            census.use(census.samples, -len(added))
            for name in added:
                census.leave_out(census.samples, "added since", name, harmless=True)

    def _remark(self) -> str:
        added, lost = len(self._difference.only_second), len(self._difference.lost())
        parts = [f"{added:,} {self.noun}{'s were' if added > 1 else ' was'} added"] if added else []
        parts += [f"{lost:,} of the others {'are' if lost > 1 else 'is'} gone or changed"] if lost else []
        what = f"{' and '.join(parts)} since" if parts else "the splits would be others now"
        own = f"its own {self.held.record.samples:,}"
        return f"{what}; " + (f"the run goes on with {own}" if self.held.whole else f"{self.held.run} keeps to {own}")

    def _refusal(self, what: str) -> InputError:
        return InputError(f"{self.held.run}: the data is not what it was trained on: {what}; {self.held.way_out}")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """An error of a user's folder, which could be read when the run began, says what to do about it."""
        try:
            yield
        except InputError as error:
            if not self.held.record.places:
                raise
            *others, last = error.lines
            raise InputError(*others, f"{last}; {self.held.run} began with other files: {self.held.way_out}") from error


class Unseen(Wrapping):
    """Other data than a run's own; of a split that holds samples which the run was trained on, a line says so.

    Args:
        dataset: to evaluate on. record: of the run. run: its id.
    """

    def __init__(self, dataset: DataSet, record: DataRecord, run: str) -> None:
        super().__init__(dataset)
        self.record, self.run = record, run

    def load(self, split: SplitName) -> Split:
        loaded = self.dataset.load(split)
        trained = set(self.record.splits["train"].digests or ())
        if trained and split != "train":
            found = listed(loaded, (), "contents").digests or []
            seen = sum(one in trained for one in found)
            if seen:
                log.warning(
                    "%s was trained on %s of the %s samples of this %s split: they do not tell how good it is",
                    self.run, f"{seen:,}", f"{len(found):,}", split,
                )  # fmt: skip
        return loaded


def record_of(data: Data, config: Mapping[str, Any]) -> DataRecord:
    """What is to be written down of a run's data.

    Args:
        config: with the names of the classes.
    """
    if isinstance(data.dataset, Recorded):
        return data.dataset.held.record
    splits = {split: data.split(split) for split in SPLITS}
    depth, classes = depth_of(splits.values(), config["data"]["fingerprint"]), classes_of(config)
    return DataRecord.of(
        {name: SplitRecord.of(**vars(listed(one, classes, depth))) for name, one in splits.items()}, classes
    )


def census_of(data: Data) -> dict[str, Any] | None:
    """What was found in the user's files, for the record."""
    census = data.dataset.census()
    return None if census is None else census.as_record()


def classes_of(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The names that the numbers of classes stand for; none where there are no classes, or they are not known."""
    return next((names for names in names_of(config).values() if names), ())
