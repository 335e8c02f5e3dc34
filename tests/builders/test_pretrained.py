from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.models import SqueezeNet1_0_Weights, squeezenet1_0

from cnnexp.builders.pretrained import begun_from, pretrained
from cnnexp.config.compose import compose_run
from cnnexp.data.imagenette import DOWNLOAD, IMAGENET_LABELS, SYNSETS
from cnnexp.errors import InputError
from cnnexp.inputs.picture_files import read_middle
from tests.data.tiny import make_data_set


def test_pictures_are_prepared_as_torchvision_does(tmp_path: Path) -> None:
    """The same logits as torchvision's net on torchvision's own transform, for a picture that is not square."""
    torch.manual_seed(0)
    net = squeezenet1_0().eval()
    torch.save(net.state_dict(), tmp_path / "a.pth")
    pixels = torch.randint(256, (3, 301, 417), dtype=torch.uint8)
    picture = Image.fromarray(pixels.permute(1, 2, 0).numpy())
    picture.save(tmp_path / "a.png")
    transform = SqueezeNet1_0_Weights.DEFAULT.transforms()

    task, how = pretrained(compose_run(["model=squeezenet1_0", f"model.weights={tmp_path / 'a.pth'}"]))
    image = read_middle(tmp_path / "a.png", how.resize_px, how.crop_px, 3)
    prepared = task.prepare({"image": image[None]}, train=False)["image"]
    torch.testing.assert_close(prepared[0], transform(picture), rtol=0, atol=1e-5)
    with torch.no_grad():
        torch.testing.assert_close(task.net(prepared), net(transform(picture)[None]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["model=lenet5"], "random weights"),
        (["model=conv_encoder", "model.weights=run:abc"], "ask it: cnnexp predict abc FILE"),
        (["model=resnet20", "model.weights=a.pth", "task=multi_label", "data=digit_scenes"], "task is multi_label"),
        (["model=squeezenet1_0", "model.weights=nowhere.pth"], "no such file"),
    ],
)
def test_runs_that_began_with_nothing_that_can_be_asked(words: list[str], says: str) -> None:
    with pytest.raises(InputError, match=says):
        begun_from(compose_run(words))


@pytest.mark.slow
def test_the_published_accuracy(mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """55.4 % first, 78.2 % among the first five, of the thousand classes, on 500 photographs; cut to 224, not 227."""
    file = next((mirror / "weights" / "squeezenet1_0").glob("*.pth"))
    task, how = pretrained(compose_run(["model=squeezenet1_0", f"model.weights={file}"]))
    monkeypatch.setenv("CNNEXP_DATA_DIR", str(tmp_path))
    make_data_set("imagenette", mirror=str(mirror)).prepare()
    first, five, count = 0, 0, 0
    for synset, label in zip(SYNSETS, IMAGENET_LABELS, strict=True):
        paths = sorted(DOWNLOAD.place.rglob(f"val/{synset}/*"))
        images = torch.stack([read_middle(path, how.resize_px, how.crop_px, 3, how.interpolation) for path in paths])
        answers = task.predict(task.prepare({"image": images}, train=False))
        best = [np.argsort(-one)[:5].tolist() for one in answers]
        first += sum(one[0] == label for one in best)
        five += sum(label in one for one in best)
        count += len(paths)
    assert first / count == pytest.approx(0.554, abs=0.02)
    assert five / count == pytest.approx(0.782, abs=0.02)
