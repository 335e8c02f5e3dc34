"""Where the axes of the picture are, and what several tensors see together."""

from __future__ import annotations

import torch
from torch import Tensor

from cnnexp.anatomy.axis import PIXELS, Axis, window
from cnnexp.anatomy.places import Place, along, hull, joined, moved, of_picture, tensors_of


def of(*shape: int) -> Tensor:
    return torch.empty(shape, device="meta")


def spans(place: Place) -> list[tuple[int, int]]:
    return [(place.axis.first(i), place.axis.last(i)) for i in range(place.count)]


def test_the_axes_of_pictures_signals_clips_and_texts() -> None:
    assert [(one.dim, one.count) for one in of_picture(of(1, 3, 5, 7))] == [(2, 5), (3, 7)]
    assert [(one.dim, one.count) for one in of_picture(of(1, 2, 9))] == [(2, 9)]
    assert [(one.dim, one.count) for one in of_picture(of(1, 3, 4, 5, 7))] == [(2, 4), (3, 5), (4, 7)]
    words = torch.zeros(1, 6, dtype=torch.int64)
    assert [(one.dim, one.count) for one in of_picture(words)] == [(1, 6)], "a word has no channels"


def test_what_reads_all_positions_sees_from_the_first_to_the_last() -> None:
    place = Place(window(PIXELS, 3, 2, 1), 4, 2)
    gone = place.gone()
    assert (gone.dim, gone.count, spans(gone)) == (None, 1, [(-1, 7)])
    assert gone.gone() is gone


def test_branches_side_by_side_see_what_either_sees() -> None:
    narrow, wide = (Place(window(PIXELS, size, 1, size // 2), 8, 2) for size in (1, 5))
    (place,) = joined([of(1, 3, 8), of(1, 3, 8)], [(narrow,), (wide,)], of(1, 3, 8))
    assert place.dim == 2 and spans(place)[:2] == [(-2, 2), (-1, 3)]


def test_a_gate_that_sees_everything_makes_every_position_see_it() -> None:
    own, gate = Place(window(PIXELS, 3, 1, 1), 8, 2), Place(Axis((0,), (7,), 0), 1, None)
    for given in ([(own,), (gate,)], [(gate,), (own,)]):
        (place,) = joined([of(1, 3, 8), of(1, 3, 1)], given, of(1, 3, 8))
        assert place.axis.within(0, 8) == place.axis.within(7, 8) == (0, 7)


def test_a_single_position_stands_at_all_of_them() -> None:
    own, single = Place(PIXELS, 8, 2), Place(window(PIXELS, 4, 1, 0), 1, 2)
    (place,) = joined([of(1, 3, 8), of(1, 3, 1)], [(own,), (single,)], of(1, 3, 8))
    assert place.dim == 2
    for at in range(8):
        first, last = place.axis.within(at, 8)
        assert first == 0 and last >= max(3, at), "its own pixel and those that the single one sees"


def test_shapes_are_aligned_from_the_right() -> None:
    own, less = Place(PIXELS, 8, 3), Place(PIXELS, 8, 1)  # (B, C, 1, 8) and (C, 8)
    (place,) = joined([of(1, 3, 1, 8), of(3, 8)], [(own,), (less,)], of(1, 3, 1, 8))
    assert (place.dim, spans(place)[5]) == (3, (5, 5))


def test_axes_that_lie_across_each_other_see_everything() -> None:
    rows, columns = Place(PIXELS, 8, 2), Place(PIXELS, 8, 3)
    (place,) = joined([of(1, 3, 8, 1), of(1, 3, 1, 8)], [(rows,), (columns,)], of(1, 3, 8, 8))
    assert (place.dim, spans(place)) == (None, [(0, 7)])


def test_weights_beside_a_picture_see_nothing() -> None:
    own = Place(PIXELS, 8, 2)
    assert joined([of(1, 3, 8), of(3, 1)], [(own,), ()], of(1, 3, 8)) == (own,)


def test_the_hull_of_several_tensors_is_one_for_each_axis() -> None:
    down, across = Place(Axis((2,), (3,), 1), 3, 2), Place(Axis((-4,), (0,), 2), 2, 3)
    other_down, other_across = Place(Axis((0,), (0,), 0), 1, None), Place(Axis((5,), (9,), 0), 1, None)
    found = hull([down, across, other_down, other_across], 2)
    assert [(place.dim, spans(place)) for place in found] == [(None, [(0, 5)]), (None, [(-4, 9)])]


def test_a_dimension_that_is_taken_away_is_seen_as_a_whole() -> None:
    seen = of_picture(of(1, 3, 5, 7))
    down, across = moved(seen, {2: None, 3: 2}.get)
    assert (down.dim, spans(down)) == (None, [(0, 4)])
    assert (across.dim, across.axis) == (2, PIXELS)


def test_an_operation_along_dimensions_that_a_view_put_together() -> None:
    def shifted(axis: Axis, dim: int, positions: int) -> Axis | None:
        assert (dim, positions) == (2, 6)
        return window(axis, 2, 1, 0)

    whole = Place(PIXELS, 3, 2, inner=2)  # each of 3 positions twice in a dimension of 6
    (place,) = along((whole,), of(1, 1, 6), of(1, 1, 5), shifted)
    assert (place.inner, spans(place)) == (1, [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2)])
    mixed = Place(PIXELS, 3, 2, inner=2)  # among others, in a dimension of 12
    (place,) = along((mixed,), of(1, 1, 12), of(1, 1, 11), shifted)
    assert (place.dim, spans(place)) == (None, [(0, 2)])


def test_a_dimension_without_change_keeps_its_place() -> None:
    seen = of_picture(of(1, 3, 5, 7))
    changed = along(
        seen, of(1, 3, 5, 7), of(1, 3, 4, 7), lambda axis, dim, _: window(axis, 2, 1, 0) if dim == 2 else None
    )
    assert changed[1] is seen[1]
    assert (changed[0].count, spans(changed[0])) == (4, [(0, 1), (1, 2), (2, 3), (3, 4)])


def test_tensors_in_lists_are_found_in_their_order() -> None:
    one, two, three = of(1), of(2), of(3)
    assert [id(x) for x in tensors_of([one, 3, [two, None], "x", (three,)])] == [id(one), id(two), id(three)]
