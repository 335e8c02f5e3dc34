"""Whether a run that was run again came out the same: to the bit, within chance, or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnexp.report.examples import Paired
from cnnexp.report.groups import compare_pictures
from cnnexp.report.notation import metric_figure
from cnnexp.report.scores import score_of
from cnnexp.report.settings import Settings, canonical, is_place, value_in
from cnnexp.runs.data_record import recorded_digest
from cnnexp.statistics.means import LEVEL, reach_of_pairs

if TYPE_CHECKING:
    from cnnexp.runs.read import Record

FEWEST_SEEDS = 3
"""So many runs that differ in the seed alone tell how much a seed does."""


@dataclass(frozen=True)
class Verdict:
    """``same`` is True where it came out the same or differs by no more than chance, None where nobody can say."""

    same: bool | None
    said: str


def changes(record: Record, git: Mapping[str, Any] | None, versions: Mapping[str, str]) -> list[str]:
    """What is not as it was when the run was made, a line each.

    Args:
        git, versions: of now, as in run.json.
    """
    found = []
    then = record.run.get("git")
    if isinstance(then, Mapping) and git is not None:
        if then.get("commit") != git["commit"]:
            found.append(f"code: commit {str(then.get('commit'))[:12]} then, {git['commit'][:12]} now")
        if then.get("dirty") or git["dirty"]:
            found.append("code: there were changes that were not committed (git.diff), then or now")
    elif isinstance(then, Mapping) or git is not None:
        found.append("code: the commit is known of one of the two only")
    old = record.run.get("versions")
    for name, version in versions.items():
        before = old.get(name) if isinstance(old, Mapping) else None
        if before is not None and before != version:
            found.append(f"{name}: {before} then, {version} now")
    return found


def judge(first: Record, again: Record, others: Sequence[Record]) -> Verdict:
    """Compare a run with its repetition.

    Args:
        others: further runs; those that differ from the first in the seed alone show how much a seed does.
    """
    if not first.metrics or first.metrics.keys() != again.metrics.keys():
        return Verdict(None, "the two do not have the same metrics, so they cannot be compared")
    unequal = [name for name, value in first.metrics.items() if again.metrics[name] != value]
    if not unequal:
        return Verdict(True, f"equal to the bit in all {len(first.metrics)} metrics")
    score = score_of(first, first.metrics)
    assert score is not None
    name, before = score
    after = again.metrics[name]
    differs = f"{name} {metric_figure(name, before)} then, {metric_figure(name, after)} now"
    if before == after:
        return Verdict(True, f"the score is equal to the bit; {len(unequal)} of {len(first.metrics)} metrics differ")
    seeds = [one.metrics[name] for one in siblings(first, others) if name in one.metrics]
    if len(seeds) >= FEWEST_SEEDS:
        return _by_seeds(differs, abs(after - before), seeds)
    return _by_pictures(differs, compare_pictures(first, again))


def _by_seeds(differs: str, distance: float, seeds: Sequence[float]) -> Verdict:
    """Two runs of different seeds lie farther apart than ``reach`` once in twenty times."""
    reach = reach_of_pairs(seeds)
    within = distance <= reach
    said = "within the noise of seeds" if within else "NOT reproduced: more than the noise of seeds"
    return Verdict(
        within, f"{said}: {differs}; by the scatter of {len(seeds)} seeds, 1 pair in 20 is more than {reach:.4g} apart"
    )


def _by_pictures(differs: str, pictures: Paired | str) -> Verdict:
    few = f"fewer than {FEWEST_SEEDS} runs of other seeds show the noise of seeds"
    if isinstance(pictures, str):
        return Verdict(None, f"not equal: {differs}; {few}, and {pictures}")
    within = pictures.p >= LEVEL
    said = "no more than chance on these test pictures" if within else "NOT reproduced: more than chance"
    return Verdict(within, f"{said}: {differs}; {pictures.method}, p = {pictures.p:.3f} ({few})")


def siblings(first: Record, others: Sequence[Record]) -> list[Record]:
    """The first run, and those finished ones on the same data that differ from it in the seed alone; each seed once."""
    known = [first, *(one for one in others if one.status == "finished" and not one.partial and one.config)]
    settings = Settings(known)
    own, stands_on = settings.of(0), recorded_digest(first.run)
    found = {canonical(own.get("seed")): first}
    for place, record in enumerate(known[1:], start=1):
        theirs = settings.of(place)
        keys = {key for key in (*own, *theirs) if key not in ("seed", "name") and not is_place(key)}
        same_data = None in (stands_on, digest := recorded_digest(record.run)) or stands_on == digest
        if same_data and all(canonical(value_in(own, key)) == canonical(value_in(theirs, key)) for key in keys):
            found.setdefault(canonical(theirs.get("seed")), record)
    return list(found.values())
