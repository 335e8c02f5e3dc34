"""Words of Keras, torchvision, timm, Ultralytics and Lightning lead to words that work here."""

from __future__ import annotations

import pytest

from cnnexp.config.compose import compose_run
from cnnexp.config.elsewhere import ELSEWHERE, hint_for
from cnnexp.config.options import config_folders
from cnnexp.errors import InputError

FOLDERS = config_folders()


def words_of(key: str, value: object = None) -> list[str]:
    """What the hint tells one to type."""
    hint = hint_for(key, value, FOLDERS)
    assert hint.startswith("here it is ")
    return hint.removeprefix("here it is ").partition(";")[0].split()


@pytest.mark.parametrize("key", ELSEWHERE)
def test_what_is_named_works(key: str) -> None:
    config = compose_run(words_of(key))
    for word in words_of(key):
        name, _, value = word.partition("=")
        node = config
        for part in name.split("."):
            node = node[part]
        assert node is not None and value


@pytest.mark.parametrize("key", ELSEWHERE)
def test_the_word_itself_is_refused_with_a_word_that_works(key: str) -> None:
    """In a run whose net brings Adam; where the configuration has a key of that name, that one is named."""
    with pytest.raises(InputError) as refused:
        compose_run([f"{key}=1"])
    (line,) = refused.value.lines
    assert line.startswith(f"{key}") and ("here it is " in line or "did you mean " in line or "group of keys" in line)


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("lr0=0.02", "here it is optimizer.lr=0.02"),
        ("learning_rate=0.02", "here it is optimizer.lr=0.02"),
        ("imgsz=64", "here it is data.image_size=[64,64]; height and width"),
        ("batch=16", "here it is batch_size=16"),
        ("num_workers=4", "here it is data.workers=4"),
        ("workers=4", "did you mean data.workers?"),
        ("lr=1", "did you mean optimizer.lr?"),
        ("weights=x.pth", "did you mean model.weights?"),
        ("weight_decay=0.1", "did you mean optimizer.weight_decay?"),
        ("pretrained=true", "here it is model.weights=torchvision; timm for a net of timm"),
        ("amp=true", "here it is hardware.precision=bf16"),
        ("device=0", "here it is hardware=gpu; or hardware=cpu"),
        ("opt=adamw", "here it is optimizer=adamw"),
        ("opt=lion", "here it is optimizer=sgd; cnnexp list optimizer shows all"),
        ("sched=cosine", "here it is scheduler=cosine"),
        ("cos_lr=true", "here it is scheduler=cosine"),
        ("momentum=0.8", "here it is optimizer=sgd optimizer.momentum=0.8"),
        ("optimizer.momentum=0.8", "did you mean optimizer.momentum with optimizer=rmsprop or optimizer=sgd?"),
        ("mixup=0.3", "here it is augmentation=mix augmentation.mixup.alpha=0.3"),
        ("patience=9", "did you mean early_stopping.patience?"),
        ("num_classes=7", "the data says how many classes there are"),
        ("dropout=0.3", "did you mean regularization.dropout?"),
        ("output=results", "here it is outputs=results"),
        ("optimizer.decay=1e-4", "here it is scheduler=inverse_time scheduler.decay=0.0001; Keras' decay lowers"),
        ("decay=1e-4", "the decay of weights is optimizer.weight_decay"),
    ],
)
def test_the_line(word: str, says: str) -> None:
    with pytest.raises(InputError) as refused:
        compose_run([word])
    assert says in str(refused.value)


@pytest.mark.parametrize("net", ["squeezenet1_0", "dcgan", "linear"])
def test_an_activation_of_a_net_without_one_names_nets_that_have_it(net: str) -> None:
    with pytest.raises(InputError) as refused:
        compose_run([f"model={net}", "model.activation=elu"])
    assert str(refused.value) == (
        "model.activation: there is no such key; did you mean model.activation with model=lenet5, model=resnet20, "
        "model=resnet18, model=resnet50 and so on (cnnexp list model shows all)?"
    )


def test_a_word_of_nobody_has_no_hint() -> None:
    assert hint_for("frobnicate", 1, FOLDERS) == ""
