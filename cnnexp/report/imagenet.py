"""What the papers say: top-5 errors on ImageNet by net, and the winners of its challenge by year."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """A net's top-5 error on ILSVRC's classification task, as its paper gives it.

    Args:
        error: in per cent. how: on which pictures it was counted.
    """

    error: float
    year: int
    paper: str
    how: str


_ALEXNET = ("Krizhevsky, Sutskever, Hinton", 2012)
_VGG = ("Simonyan, Zisserman", 2014)
_RESNET = ("He, Zhang, Ren, Sun", 2015)
_DENSENET = ("Huang, Liu, van der Maaten, Weinberger", 2016)


def _published(paper: tuple[str, int], error: float, how: str) -> Published:
    return Published(error, paper[1], paper[0], how)


# By the name of the option in conf/model. Errors of one net on the validation set; ensembles are below.
TOP5: dict[str, Published] = {
    "alexnet": _published(_ALEXNET, 18.2, "ten crops, table 2"),
    "zfnet": _published(("Zeiler, Fergus", 2013), 16.5, "ten crops, table 2"),
    "vgg11": _published(_VGG, 10.4, "one scale, table 3"),
    "vgg11_lrn": _published(_VGG, 10.5, "one scale, table 3"),
    "vgg13": _published(_VGG, 9.9, "one scale, table 3"),
    "vgg16_c": _published(_VGG, 8.8, "one scale, trained on several, table 3"),
    "vgg16": _published(_VGG, 8.1, "one scale, trained on several, table 3"),
    "vgg19": _published(_VGG, 8.0, "one scale, trained on several, table 3"),
    "inception_v1": _published(("Szegedy et al.", 2014), 10.07, "one crop, table 3"),
    "plain34": _published(_RESNET, 10.02, "ten crops, table 3"),
    "resnet34": _published(_RESNET, 7.46, "ten crops, table 3, option B as here (7.40 is C)"),
    "resnet50": _published(_RESNET, 6.71, "ten crops, table 3"),
    "resnet101": _published(_RESNET, 6.05, "ten crops, table 3"),
    "resnet152": _published(_RESNET, 5.71, "ten crops, table 3"),
    "inception_v3": _published(("Szegedy et al.", 2015), 5.6, "one crop, table 3"),
    "squeezenet1_0": _published(("Iandola et al.", 2016), 19.7, "one crop, table 2"),
    "densenet121": _published(_DENSENET, 7.71, "one crop, table 3"),
    "densenet169": _published(_DENSENET, 6.85, "one crop, table 3"),
    "densenet201": _published(_DENSENET, 6.34, "one crop, table 3"),
    "inception_v4": _published(("Szegedy et al.", 2016), 5.0, "one crop, table 2"),
    "inception_resnet_v2": _published(("Szegedy et al.", 2016), 4.9, "one crop, table 2"),
    "xception": _published(("Chollet", 2016), 5.5, "one crop, table 1"),
    "wide_resnet50_2": _published(("Zagoruyko, Komodakis", 2016), 6.03, "one crop"),
    "seresnet50": _published(("Hu, Shen, Sun", 2017), 6.62, "one crop, table 2"),
    "senet154": _published(("Hu, Shen, Sun", 2017), 4.47, "one crop of 224, table 3"),
}


@dataclass(frozen=True)
class Winner:
    """The best top-5 error of a year on the test set, in per cent.

    Args:
        layers: with weights, of the deepest net; None where it was no such net. Of 2016 and 2017 as charts of the
            challenge draw them: see ``NOTES``.
    """

    year: int
    entry: str
    error: float
    layers: int | None = None


WINNERS = (
    Winner(2010, "NEC-UIUC: features and linear SVMs", 28.2),
    Winner(2011, "XRCE: Fisher vectors", 25.8),
    Winner(2012, "AlexNet, five nets (seven: 15.3)", 16.4, 8),
    Winner(2013, "Clarifai, after ZFNet", 11.7, 8),
    Winner(2014, "GoogLeNet, seven nets", 6.7, 22),
    Winner(2015, "ResNet, six nets", 3.6, 152),
    Winner(2016, "Trimps-Soushen (Shao et al.), several nets", 3.0, 152),
    Winner(2017, "SENet (Hu et al.)", 2.3, 152),
)
ALSO = (
    Winner(2014, "VGG, second", 7.3, 19),
    Winner(2016, "Inception-v4 and -ResNet v2, four nets, later", 3.1),
)
PEOPLE = Winner(2014, "a trained person (Russakovsky et al. 2015)", 5.1)
TEST_IMAGES = {2010: 150_000, 2012: 100_000}
"""Test pictures of the classification task from that year on (the challenge's own pages)."""

NOTES = (
    "AlexNet, of which slides give one of five figures (Krizhevsky et al. 2012,",
    "section 6 and tables 1, 2):",
    "  17.0  one net, test set of 2010; all others are of 2012",
    "  18.2  one net, validation set",
    "  16.4  five nets, validation and test set",
    "  15.4  seven nets, validation set; two have first seen more of ImageNet",
    "  15.3  these seven, test set: what won",
    "ResNet-34, one net, validation set: 7.40 with projections in all shortcuts",
    "(option C), 7.46 where the size changes (B), 7.76 nowhere (A).",
    "Layers of 2016 and 2017 are as charts of the challenge draw them: 2016 was a",
    "fusion of Inception, Inception-ResNet, ResNet and wide ResNet nets, and",
    "SENet-154 is a ResNeXt-152 with a deeper first part.",
    "AlexNet was not the first net with ReLUs: Nair, Hinton 2010.",
)
"""What is often quoted otherwise, or without what it was counted on; lines."""
