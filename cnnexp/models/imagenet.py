"""What the thousand classes of ImageNet are called."""

from __future__ import annotations

THOUSAND = 1000


def imagenet_names() -> tuple[tuple[str, ...], ...]:
    """For each class, in the usual order, WordNet's id, its words for it one by one, and all of them in a row.

    Some words stand for two classes (crane, maillot). As timm has them.
    """
    from timm.data import ImageNetInfo  # takes a second, and whoever only wants the weights does without

    info = ImageNetInfo()
    found = []
    for number in range(info.num_classes()):
        words = info.index_to_description(number)
        found.append((info.index_to_label_name(number), *words.split(", "), words))
    return tuple(found)
