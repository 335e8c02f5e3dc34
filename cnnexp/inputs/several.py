"""Several inputs at once, such as a picture and a question about it; a net is called with those of all parts in order.

In a batch the tensors of a part have its name before theirs: ``picture.image``, ``question.text``. The truth has none,
and lies in the first part where it lies in one.
"""

from __future__ import annotations

import inspect
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnexp.errors import InputError
from cnnexp.inputs.base import Batch, Input, Picture, Preparation, Samples, Shape, Truth
from cnnexp.inputs.parts import PartOfSplit, PartsOfSplit, of_part

_MARGIN_PX = 4
"""Beside what is drawn below a picture."""


@dataclass(frozen=True)
class Several(Input):
    """Other inputs by name.

    Args:
        parts: for each what the data's YAML would say of it alone, with its kind under ``input``, such as
            ``{picture: {input: pictures, channels: 3, image_size: [32, 32]}, question: {input: tokens, …}}``.
        alike: names of parts that learn as one, from the samples of them all, such as two texts with one vocabulary.

    Raises:
        InputError: a line for every part that cannot be made.
    """

    parts: Mapping[str, Any]
    alike: Sequence[str] = ()

    name: ClassVar[str] = "several"

    def __post_init__(self) -> None:
        problems: list[str] = []
        parts = {name: _part(str(name), given, problems) for name, given in self.parts.items()}
        if len(parts) < 2:
            problems.append("data.parts: expected two inputs or more by name; one alone is data.input")
        if len({type(parts.get(name)) for name in self.alike}) > 1:
            problems.append(f"data.alike={list(self.alike)}: expected names of parts of one kind ({', '.join(parts)})")
        if problems:
            raise InputError(*problems)
        object.__setattr__(self, "parts", parts)

    @property
    def first(self) -> tuple[str, Input]:
        """Name and input of the part that is shown, and in which the truth lies."""
        return next(iter(self.parts.items()))

    @property
    def notation(self) -> str:  # type: ignore[override]
        return "x".join(part.notation for part in self.parts.values())

    @property
    def sides(self) -> tuple[int, ...]:  # type: ignore[override]
        return self.first[1].sides

    @property
    def shape(self) -> Shape:
        """Those of the parts, one after another."""
        return tuple(number for part in self.parts.values() for number in part.shape)

    def told(self) -> dict[str, Any]:
        """What the parts tell; a name that several of them have comes with the part's before it: question_length."""
        return {
            self._told_as(name, key): value for name, part in self.parts.items() for key, value in part.told().items()
        }

    @property
    def demands(self) -> frozenset[str]:
        return frozenset(self._told_as(name, key) for name, part in self.parts.items() for key in part.demands)

    def _told_as(self, part: str, key: str) -> str:
        alike = Counter(one for other in self.parts.values() for one in other.told())
        return key if alike[key] == 1 else f"{part}_{key}"

    def of_shape(self, shape: Shape) -> Several:
        if len(shape) != len(self.shape):
            kinds = ", ".join(f"{name} {part.notation}" for name, part in self.parts.items())
            raise InputError(f"{'x'.join(map(str, shape))}: expected the sizes of all parts ({kinds}), joined by x")
        parts, rest = {}, tuple(shape)
        for name, part in self.parts.items():
            own, rest = rest[: len(part.shape)], rest[len(part.shape) :]
            parts[name] = part.of_shape(own)
        return replace(self, parts=parts)

    def arguments(self, batch: Batch) -> tuple[Tensor, ...]:
        return tuple(one for name, part in self.parts.items() for one in part.arguments(of_part(batch, name)))

    def example(self, count: int, device: torch.device | str = "meta") -> tuple[Tensor, ...]:
        return tuple(one for part in self.parts.values() for one in part.example(count, device))

    def preparation(
        self, augmentation: Any, truths: Sequence[Truth], *, seed: int, centred: bool, channels_last: bool
    ) -> SeveralPreparation:
        return SeveralPreparation(
            {
                name: part.preparation(
                    None,
                    truths if name == self.first[0] else (),
                    seed=seed,
                    centred=centred,
                    channels_last=channels_last,
                )
                for name, part in self.parts.items()
            }
        )

    def problems(self, augmentation: Any, truths: Sequence[Truth], mixes: bool) -> list[str]:
        if augmentation is not None:
            return [
                "augmentation: several inputs go in as they are, as what one says of another (left or right, a colour) "
                "need not hold of it mirrored; take augmentation=none"
            ]
        return [line for part in self.parts.values() for line in part.problems(None, truths, mixes)]

    def read(self, path: Path) -> Batch:
        """A JSON file that names a file for each part, ``{"picture": "a.png", "question": "a.txt"}``, beside itself."""
        batch: Batch = {"index": torch.zeros(1, dtype=torch.int64)}
        for name, file in self._files(path).items():
            own = self.parts[name].read(file)
            batch |= {f"{name}.{key}": value for key, value in own.items() if key != "index"}
        return batch

    @property
    def texts_each(self) -> int:
        each = [part.texts_each for part in self.parts.values()]
        return sum(each) if all(each) else 0

    def of_texts(self, texts: Sequence[str]) -> Batch:
        """Of each part in turn."""
        batch, rest = {"index": torch.zeros(1, dtype=torch.int64)}, list(texts)
        for name, part in self.parts.items():
            own, rest = part.of_texts(rest[: part.texts_each]), rest[part.texts_each :]
            batch |= {f"{name}.{key}": value for key, value in own.items() if key != "index"}
        return batch

    @property
    def asked_about(self) -> tuple[str, str] | None:
        """Names of the part that comes of a file, and of the text about it; None where samples are made otherwise."""
        texts = [name for name, part in self.parts.items() if part.texts_each == 1]
        others = [name for name in self.parts if name not in texts]
        return (others[0], texts[0]) if len(texts) == len(others) == 1 else None

    def of_question(self, path: Path, text: str) -> Batch:
        """A file and the text about it (``asked_about``) as a batch of one.

        Raises:
            InputError: the file cannot be read; the text has no word.
        """
        assert self.asked_about is not None
        file, about = self.asked_about
        own = {file: self.parts[file].read(path), about: self.parts[about].of_texts([text])}
        batch = {f"{name}.{key}": value for name, of in own.items() for key, value in of.items() if key != "index"}
        return {**batch, "index": torch.zeros(1, dtype=torch.int64)}

    def _files(self, path: Path) -> dict[str, Path]:
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise InputError(f"{path}: there is no such file") from error
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: not a JSON file ({error})") from error
        named = isinstance(content, dict) and all(isinstance(file, str) for file in content.values())
        if not named or set(content) != set(self.parts):
            raise InputError(f"{path}: expected a file for each of {', '.join(self.parts)}, by name")
        return {name: path.parent / content[name] for name in self.parts}

    def picture(self, path: Path) -> Picture:
        return _below([self.parts[name].picture(file) for name, file in self._files(path).items()])

    def pictures(self, batch: Batch) -> list[Picture]:
        """The first part, and the others below it."""
        shown = [part.pictures(of_part(batch, name)) for name, part in self.parts.items()]
        return [_below(parts) for parts in zip(*shown, strict=True)]

    def written(self, batch: Batch) -> list[str]:
        """The texts of the parts below one another; none where a part is no text."""
        texts = [part.written(of_part(batch, name)) for name, part in self.parts.items()]
        return ["\n".join(parts) for parts in zip(*texts, strict=True)] if all(texts) else []

    def remark(self, split: Samples, name: str) -> str | None:
        said = {part: given.remark(PartOfSplit(split, part), name) for part, given in self.parts.items()}
        return "; ".join(f"{part}: {line}" for part, line in said.items() if line) or None

    def prepared_by(self) -> str:
        return "".join(part.prepared_by() for part in self.parts.values())

    @property
    def side(self) -> int:
        return self.first[1].side

    def with_side(self, side: int) -> Several:
        name, part = self.first
        return replace(self, parts={**self.parts, name: part.with_side(side)})

    @property
    def setting(self) -> str:
        name, part = self.first
        return f"data.parts.{name}.{part.setting.removeprefix('data.')}"

    @property
    def suffixes(self) -> frozenset[str]:
        return frozenset({".json"})

    # --- what is learnt ----------------------------------------------------------------------------------------------

    @property
    def learns(self) -> bool:
        return any(part.learns for part in self.parts.values())

    def learn(self, split: Samples, positions: NDArray[Any]) -> Several:
        """Each part that has to from its own tensors, those that are alike from all of theirs."""
        parts = {
            name: part.learn(PartOfSplit(split, name), positions) if part.learns and name not in self.alike else part
            for name, part in self.parts.items()
        }
        first = parts.get(self.alike[0]) if self.alike else None
        if first is not None and first.learns:
            both = np.concatenate([positions + place * len(split) for place in range(len(self.alike))])
            learnt = first.learn(PartsOfSplit(split, self.alike), both).learnt()
            parts |= {name: parts[name].with_learnt(learnt) for name in self.alike}
        return replace(self, parts=parts)

    def learnt(self) -> dict[str, Any]:
        return {name: content for name, part in self.parts.items() if (content := part.learnt())}

    def with_learnt(self, content: Mapping[str, Any]) -> Several:
        knowing = {name for name, part in self.parts.items() if part.learnt()}
        if set(content) != knowing or not all(isinstance(one, Mapping) for one in content.values()):
            raise InputError(f"input.json: expected what each of {', '.join(sorted(knowing))} learnt, by name")
        return replace(
            self,
            parts={
                name: part.with_learnt(content[name]) if name in content else part for name, part in self.parts.items()
            },
        )

    def adapted(self, name: str, layer: nn.Module, given: Tensor, fresh: Tensor, theirs: Input) -> Tensor | None:
        """By the part that has something to say of the layer: of several the one whose name the layer bears."""
        others = theirs.parts if isinstance(theirs, Several) else {}
        for part in sorted(self.parts, key=lambda part: part not in name):
            if part in others:
                made = self.parts[part].adapted(name, layer, given, fresh, others[part])
                if made is not None:
                    return made
        return None


class SeveralPreparation(Preparation):
    """Prepares each part by its own, in turn. What else a batch holds is its truth, which follows the first part."""

    def __init__(self, parts: Mapping[str, Preparation]) -> None:
        super().__init__()
        self.parts = nn.ModuleDict(parts)

    def forward(self, batch: Batch, train: bool, epoch: int) -> Batch:
        return self._each(batch, lambda part, own: part(own, train, epoch))

    def stored(self, batch: Batch) -> Batch:
        return self._each(batch, lambda part, own: part.stored(own))

    def shown(self, batch: Batch) -> list[Picture]:
        shown = [part.shown(of_part(batch, name)) for name, part in self.parts.items()]  # type: ignore[operator]
        return [_below(parts) for parts in zip(*shown, strict=True)]

    def lines(self, batch: Batch) -> list[str]:
        return [line for name, part in self.parts.items() for line in part.lines(of_part(batch, name))]  # type: ignore[operator]

    def _each(self, batch: Batch, prepare: Callable[[Any, Batch], Batch]) -> Batch:
        result = dict(batch)
        for place, (name, part) in enumerate(self.parts.items()):
            for key, value in prepare(part, of_part(batch, name)).items():
                if key not in batch:
                    result[f"{name}.{key}"] = value
                elif place == 0:
                    result[key] = value
        return result


def _below(pictures: Sequence[Picture]) -> Picture:
    """Each below the one before it, on white that ends where nothing is any more; the first stays where it was, so that
    answers can be drawn on it."""
    shown = [np.repeat(one, 3, 2) if one.shape[2] == 1 else one[:, :, :3] for one in pictures]
    sheet = np.full((sum(len(one) for one in shown), max(one.shape[1] for one in shown), 3), 255, np.uint8)
    top = 0
    for one in shown:
        sheet[top : top + len(one), : one.shape[1]] = one
        top += len(one)
    inked = np.flatnonzero((sheet < 255).any((0, 2)))
    return sheet[:, : max(shown[0].shape[1], inked.max(initial=0) + 1 + _MARGIN_PX)]


def _part(name: str, given: Any, problems: list[str]) -> Any:
    """The input that a part's keys describe; a line in ``problems`` where they do not."""
    where = f"data.parts.{name}"
    if isinstance(given, Input):
        return given
    if not name.isidentifier():
        problems.append(f"{where}: a part's name is a word, as nets are told of it")
    if not isinstance(given, Mapping) or not isinstance(given.get("input"), str):
        problems.append(f"{where}: expected the keys of an input, and its kind under input")
        return None
    class_ = _class_of(given["input"])
    if class_ is None:
        problems.append(f"{where}.input={given['input']}: no kind of input of cnnexp; own ones are no parts of others")
        return None
    keys = {key: _tupled(value) for key, value in given.items() if key != "input"}
    try:
        inspect.signature(class_).bind(**keys)
    except TypeError as error:
        problems.append(f"{where}: {error} of {given['input']}")
        return None
    return class_(**keys)


def _class_of(word: str) -> type[Input] | None:
    """The class of a kind of input, from its file in this folder; another name is not looked for."""
    known = {file.stem for file in Path(__file__).parent.glob("*.py")}
    if word not in known or word == Several.name:
        return None
    module = import_module(f"cnnexp.inputs.{word}")
    found = getattr(module, "".join(part.capitalize() for part in word.split("_")), None)
    return found if isinstance(found, type) and issubclass(found, Input) and not inspect.isabstract(found) else None


def _tupled(value: Any) -> Any:
    return tuple(_tupled(item) for item in value) if isinstance(value, (list, tuple)) else value
