"""Activations by name: slopes, and maxima across channels."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnnexp.builders.binding import bind_run
from cnnexp.builders.build import net_for
from cnnexp.builders.facts import provisional_facts
from cnnexp.config.compose import compose_run
from cnnexp.config.options import content_of
from cnnexp.errors import InputError
from cnnexp.models.activations import Maxout, activation
from tests.models.test_contract import NETS, data_for

WITH_ONE = {
    name: content_of(path)["model"]["_target_"]
    for name, path in NETS.items()
    if "activation" in content_of(path)["model"]
}
OWN = ["resnet18", "resnet20", "vgg11", "ecg_resnet10"]
"""Of each class one net, the shallowest."""
LARGER = ("alexnet", "zfnet", "patch_net")
"""Nets whose pictures are 67x67 here, as smaller ones are less than they can see."""
OWN += sorted({target: name for name, target in WITH_ONE.items() if target not in {WITH_ONE[n] for n in OWN}}.values())


def test_every_class_of_ours_with_an_activation_has_the_key() -> None:
    free = {"linear", "hog_linear", "dcgan", "lenet5_1998"}  # the last has its own tanh, as published
    free |= {"srcnn", "dncnn", "edsr_small"}  # ReLU, as published
    free |= {"fcn32s", "fcn16s", "fcn8s", "deeplabv3"}  # VGG's ReLU, and that of torchvision's head
    free |= {"kim_cnn", "two_towers", "bag_of_words"}  # ReLU behind a maximum, tanh of a code, none
    free |= {"vqa_baseline"}  # ReLU where picture and question are joined
    free |= {"skipgram", "cbow", "glove", "nplm"}  # none, and the last its own tanh, as published
    free |= {"vae"}  # ReLU in its hidden layer, or conv_autoencoder's
    free |= {"faster_rcnn", "mask_rcnn", "retinanet", "ssd"}  # torchvision's heads have ReLU, and so has what is below
    free |= {"r3d_18"}  # torchvision's
    theirs = {name for name, path in NETS.items() if ".of_" in content_of(path)["model"]["_target_"]}
    assert set(WITH_ONE) == set(NETS) - free - theirs
    assert sorted(WITH_ONE[name] for name in OWN) == sorted(set(WITH_ONE.values()))


ROW = torch.tensor([[-2.0, -0.5, 0.0, 1.0, 3.0]])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("relu", [0, 0, 0, 1, 3]),
        ("leaky_relu", [-0.02, -0.005, 0, 1, 3]),
        ("prelu", [-0.5, -0.125, 0, 1, 3]),
        ("elu", [-0.864665, -0.393469, 0, 1, 3]),
        ("tanh", [-0.964028, -0.462117, 0, 0.761594, 0.995055]),
        ("sigmoid", [0.119203, 0.377541, 0.5, 0.731059, 0.952574]),
    ],
)
def test_values_by_hand(name: str, expected: list[float]) -> None:
    found = activation(name, channels=5)(ROW.clone())  # type: ignore[arg-type]
    assert found[0].tolist() == pytest.approx(expected, abs=1e-5)


def test_a_leaky_slope_is_the_one_that_was_given_and_only_for_leaky_relu() -> None:
    assert activation("leaky_relu", 5, leaky_slope=0.1)(ROW.clone())[0, :2].tolist() == pytest.approx([-0.2, -0.05])
    with pytest.raises(InputError, match=r"leaky_slope=0.1: model.activation=elu has none"):
        activation("elu", 5, leaky_slope=0.1)


def test_prelu_learns_a_slope_for_each_map() -> None:
    layer = activation("prelu", channels=7)
    assert isinstance(layer, nn.PReLU) and layer.weight.shape == (7,)


def test_maxout_is_the_largest_of_neighbouring_maps() -> None:
    x = torch.arange(2 * 6 * 2 * 2.0).view(2, 6, 2, 2)
    x[0, 4] += 100
    assert torch.equal(Maxout(2)(x), torch.stack([x[:, 1], x[:, 3], torch.maximum(x[:, 4], x[:, 5])], 1))
    assert torch.equal(Maxout(3)(x)[:, 0], x[:, 2])
    assert torch.equal(Maxout(2)(x[:, :, 0, 0])[0], torch.tensor([4.0, 12.0, 116.0]))


@pytest.mark.parametrize("name", OWN)
def test_every_net_of_ours_puts_the_activation_that_is_asked_for_in_every_place(name: str) -> None:
    """On the meta device; those of torchvision and timm are as their libraries have them."""
    places = _times_activated(name)
    assert places
    learnt = _places(name, "model.activation=prelu")
    assert [type(one) for one in learnt] == [nn.PReLU] * places
    assert all(one.num_parameters > 1 for one in learnt if isinstance(one, nn.PReLU)), "a slope for each map"


@pytest.mark.parametrize("name", ["small_resnet", "nin"])
def test_a_slope_reaches_every_place(name: str) -> None:
    leaky = _places(name, "model.activation=leaky_relu", "model.leaky_slope=0.3")
    assert [getattr(one, "negative_slope", None) for one in leaky] == [0.3] * _times_activated(name)


@pytest.mark.parametrize("name", OWN)
def test_maxout_changes_the_number_of_maps_and_is_for_the_nets_that_say_so(name: str) -> None:
    config = compose_run([f"model={name}", f"data={data_for(name)}", "model.activation=maxout"])
    if name in ("mlp", "plain_cnn"):
        bind_run(config)
        return
    with pytest.raises(InputError, match=r"model.activation=maxout: expected relu, tanh, sigmoid, leaky_relu"):
        bind_run(config)


@pytest.mark.parametrize("name", ["resnet20", "small_resnet", "nin", "yolo"])
def test_saturating_ones_begin_with_glorots_variance(name: str) -> None:
    net = _net(name, "model.activation=tanh")
    layer = max(
        (one for one in net.modules() if isinstance(one, nn.Conv2d)), key=lambda layer: layer.weight.numel()
    )  # the more numbers, the surer their variance
    fans = (layer.in_channels + layer.out_channels) * layer.kernel_size[0] ** 2
    assert float(layer.weight.detach().var()) == pytest.approx(2 / fans, rel=0.1)


def _net(name: str, *words: str) -> nn.Module:
    size = ["data.image_size=[67,67]"] if name in LARGER else []
    config = compose_run([f"model={name}", f"data={data_for(name)}", *size, *words])
    return net_for(bind_run(config), provisional_facts(config), config)()


def _places(name: str, *words: str) -> list[nn.Module]:
    kinds = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.PReLU)
    with torch.device("meta"):
        return [one for one in _net(name, *words).modules() if isinstance(one, kinds)]


def _times_activated(name: str) -> int:
    """Of the usual net in one pass: torchvision's blocks have one layer for several places."""
    config = compose_run([f"model={name}", f"data={data_for(name)}"])
    given = provisional_facts(config).input
    if name in LARGER:
        given = given.of_shape((given.shape[0], 67, 67))
    calls: list[nn.Module] = []
    with torch.device("meta"):
        net = _net(name).eval()
        for one in net.modules():
            if isinstance(one, (nn.ReLU, nn.LeakyReLU)):
                one.register_forward_hook(lambda module, *_: calls.append(module))
        net(*given.example(2))
    return len(calls)
