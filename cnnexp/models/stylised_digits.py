"""The ten digits as stylised pictures of 7x12 pixels, which LeNet-5's output of 1998 compares with."""

from __future__ import annotations

import random

WIDTH, HEIGHT = 7, 12
CODE_LENGTH = WIDTH * HEIGHT

# Drawn for this project in the manner of the paper's figure 3, which shows its own for all of ASCII.
_DRAWN = """
.......  .......  .......  .......  .......  .......  .......  .......  .......  .......
..###..  ...#...  ..###..  .#####.  ....##.  #######  ..####.  #######  ..###..  ..###..
.#...#.  ..##...  .#...#.  .....#.  ...#.#.  #......  .#.....  .....#.  .#...#.  .#...#.
#.....#  .#.#...  #.....#  ....#..  ...#.#.  #......  #......  .....#.  #.....#  #.....#
#.....#  ...#...  ......#  ...#...  ..#..#.  #......  #......  ....#..  #.....#  #.....#
#.....#  ...#...  .....#.  ..###..  ..#..#.  ######.  #.###..  ....#..  .#...#.  #.....#
#.....#  ...#...  ....#..  .....#.  .#...#.  .....#.  ##...#.  ...#...  ..###..  .#...##
#.....#  ...#...  ...#...  ......#  #....#.  ......#  #.....#  ...#...  .#...#.  ..###.#
#.....#  ...#...  ..#....  ......#  #######  ......#  #.....#  ..#....  #.....#  ......#
#.....#  ...#...  .#.....  #.....#  .....#.  ......#  #.....#  ..#....  #.....#  ......#
.#...#.  ...#...  #......  .#...#.  .....#.  #....#.  .#...#.  .#.....  .#...#.  .....#.
..###..  .#####.  #######  ..###..  .....#.  .####..  ..###..  .#.....  ..###..  .####..
"""
SEED = 1998


def codes(classes: int) -> list[list[int]]:
    """A code of 84 numbers, -1 or +1, for each class.

    Of ten classes each has its digit's picture, row by row, ink +1. For other numbers of classes the codes are drawn at
    random once and for all, which the paper names as the other possibility (section II.B).

    Args:
        classes: how many, K.

    Returns:
        K lists of 84.
    """
    if classes == 10:
        rows = [line.split() for line in _DRAWN.strip().splitlines()]
        return [[1 if ink == "#" else -1 for row in rows for ink in row[digit]] for digit in range(10)]
    draw = random.Random(SEED)
    return [[draw.choice((-1, 1)) for _ in range(CODE_LENGTH)] for _ in range(classes)]
