"""What averaging gains and what it costs, as plain values: for ``--json`` and for the tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from cnnexp.averaging.panel import Member, Panel, Watch, unwatched
from cnnexp.averaging.scoring import Score, score
from cnnexp.averaging.views import View
from cnnexp.averaging.voter import parameter_count, weight_bytes
from cnnexp.data.base import SplitName
from cnnexp.statistics.means import CONFIDENCE
from cnnexp.statistics.samples import Gain, gains

_FINER = {"pixels": "pixels", "part": "parts"}
"""Columns of answers that are maps or sequences, and what is counted then."""


def compare_views(
    panel: Panel, name: str, views: Sequence[View], split: SplitName, watch: Watch = unwatched
) -> dict[str, Any]:
    """The panel's only member on a split, as it is and averaged over views.

    Args:
        name: of the set of views. watch: told how far it is.
    """
    (member,) = panel.members
    twice = ([*batch, *batch] for batch in panel.batches(split, watch))
    single, averaged = score([member.voter(), member.voter(views)], twice, split)
    (gain,) = gains(averaged.outcomes, [[single.outcomes]], member.task.score_of)
    averages = {
        "name": name,
        "views": [view.name for view in views],
        "metrics": _named(averaged, split),
        "gain": {**_gain(gain, member, split, single), **_changes(member, single, averaged)},
        "ms_per_picture": {"as_it_is": _milliseconds(single), "averaged": _milliseconds(averaged)},
        "cost_in_time": round(averaged.seconds / single.seconds, 2),
    }
    return {"metrics": _named(single, split), "tta": averages}


def compare_members(
    panel: Panel, weights: Sequence[float], views: Sequence[View], split: SplitName, watch: Watch = unwatched
) -> tuple[dict[str, Any], Score]:
    """The members and the mean of their probabilities on a split, and the score of that mean.

    Args:
        weights: of the members' probabilities. views: what each member averages over, if anything.
        watch: told how far it is.
    """
    judge = panel.members[0]
    voters = [member.voter(views) for member in panel.members]
    *alone, together = score(voters, panel.batches(split, watch), split, weights)
    best = int(np.argmax([float(judge.task.score_of(one.outcomes.sum(0, dtype=np.float64))) for one in alone]))
    groups = [[alone[best].outcomes], [one.outcomes for one in alone]]
    over_best, over_mean = gains(together.outcomes, groups, judge.task.score_of)
    rows = [
        {**_described(member, one, split), "weight": weight}
        for member, one, weight in zip(panel.members, alone, weights, strict=True)
    ]
    whole = {
        "metrics": _named(together, split),
        **{key: sum(row[key] for row in rows) for key in ("parameters", "weight_bytes")},
        "ms_per_picture": _milliseconds(together),
    }
    content = {
        "metric": f"{split}/{judge.task.judged_by}",
        "samples": len(together.outcomes),
        "noun": _noun(judge),
        "members": rows,
        "ensemble": whole,
        "gain_over_best": {
            "member": rows[best]["id"],
            **_gain(over_best, judge, split, together),
            **_changes(judge, alone[best], together),
        },
        "gain_over_mean": _gain(over_mean, judge, split, together),
        "cost_in_time": round(together.seconds / alone[best].seconds, 2),
        "cost_in_weights": round(whole["weight_bytes"] / max(1, rows[best]["weight_bytes"]), 2),
    }
    return content, together


def _described(member: Member, one: Score, split: SplitName) -> dict[str, Any]:
    return {
        "id": member.record.id,
        "model": member.record.choices["model"],
        "metrics": _named(one, split),
        "parameters": parameter_count(member.task),
        "weight_bytes": weight_bytes(member.task),
        "ms_per_picture": _milliseconds(one),
    }


def _named(one: Score, split: SplitName) -> dict[str, float]:
    return {f"{split}/{name}": value for name, value in one.metrics.items()}


def _gain(gain: Gain, judge: Member, split: SplitName, one: Score) -> dict[str, Any]:
    method = f"paired bootstrap over {len(one.outcomes):,} {_noun(judge)}s"
    return {"metric": f"{split}/{judge.task.judged_by}", **asdict(gain), "confidence": CONFIDENCE, "method": method}


def _changes(judge: Member, before: Score, after: Score) -> dict[str, Any]:
    """What came right and what went wrong: samples, or what of them has an answer of its own."""
    return {
        "fixed": before.fixed,
        "broken": before.broken,
        "counted": next((word for column, word in _FINER.items() if column in after.rows), f"{_noun(judge)}s"),
    }


def _noun(judge: Member) -> str:
    """What one sample is called."""
    return judge.task.facts.input.noun


def _milliseconds(one: Score) -> float:
    return round(1000 * one.seconds / len(one.outcomes), 4)
