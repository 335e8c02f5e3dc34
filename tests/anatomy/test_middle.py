"""What middle units see, against gradients of the same net."""

from __future__ import annotations

import torch

from cnnexp.anatomy.middle import middle_fields, pixels
from cnnexp.anatomy.subject import find_subject
from cnnexp.config.compose import compose_run


def test_the_pixels_are_those_that_gradients_reach() -> None:
    subject = find_subject(compose_run(["model=lenet5", "data=mnist5k"]))
    fields = {one.name: one for one in middle_fields(subject)}
    assert pixels(subject) == (28, 28)
    net = subject.make().double().eval()
    for module in net.modules():
        for parameter in module.parameters(recurse=False):
            parameter.data.uniform_(0.1, 1)
    outputs: dict[str, torch.Tensor] = {}
    for name in ("conv1", "pool1", "conv2", "pool2"):
        # a maximum shows its gradient to one pixel alone: an average has the same window
        if name.startswith("pool"):
            setattr(net, name, torch.nn.AvgPool2d(2))
        getattr(net, name).register_forward_hook(lambda _, __, out, name=name: outputs.__setitem__(name, out))
    picture = torch.rand(1, 1, 28, 28, dtype=torch.float64, requires_grad=True)
    net(picture)
    for name, output in outputs.items():
        one = fields[name]
        assert one.units == tuple(output.shape[2:])
        unit = output[0, :, one.unit[0], one.unit[1]].sum()
        (gradient,) = torch.autograd.grad(unit, picture, retain_graph=True)
        rows, columns = gradient[0, 0].nonzero().unbind(1)
        assert (int(rows.min()), int(columns.min())) == one.first, name
        assert (int(rows.max()), int(columns.max())) == one.last, name
        assert one.seen == (one.last[0] - one.first[0] + 1, one.last[1] - one.first[1] + 1)


def test_a_layer_without_places_sees_the_whole_picture() -> None:
    subject = find_subject(compose_run(["model=lenet5", "data=mnist5k"]))
    (fc1,) = (one for one in middle_fields(subject) if one.name == "fc1")
    assert (fc1.units, fc1.first, fc1.last) == ((1, 1), (0, 0), (27, 27))
    assert fc1.size == (32, 32)  # with the two pixels of padding on each side


def test_a_signal_has_one_axis() -> None:
    subject = find_subject(compose_run(["model=fcn_1d", "data=ecg200"]), size=(1, 96))
    first = middle_fields(subject)[0]
    assert pixels(subject) == (96,) and len(first.first) == 1 and first.size == (8,)
