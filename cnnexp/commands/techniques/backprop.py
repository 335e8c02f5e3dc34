"""``cnnexp visualize backprop``: a small net and a small convolution, with every value and every gradient."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from cnnexp.commands.arguments import add_folder, folder_of
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from cnnexp.visualize.backprop import Dropout

LINE = "backpropagation with all its numbers, in a small net and a small convolution"
EXAMPLE = """cnnexp visualize backprop
  cnnexp visualize backprop --activation relu --seed 3 --target 0
  cnnexp visualize backprop --dropout 0.5 --mask 1011,0110"""
MOST_SEED = 2**32 - 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--activation", choices=("sigmoid", "tanh", "relu"), default="sigmoid", help="of the hidden units [sigmoid]"
    )
    parser.add_argument("--seed", type=int, metavar="N", default=0, help="of the inputs and weights [0]")
    parser.add_argument("--target", type=int, choices=(0, 1), default=1, help="the label y [1]")
    parser.add_argument("--lr", type=float, metavar="X", default=0.5, help="of the step at the end [0.5]")
    parser.add_argument("--dropout", type=float, metavar="P", help="drop hidden units with this probability [none]")
    parser.add_argument(
        "--mask", metavar="MASK,MASK", help="with --dropout: 1 for each unit that stays, as in 1011,0110 [by the seed]"
    )
    parser.add_argument("--quiet", action="store_true", help="print the files' names alone")
    add_folder(parser)


def run(arguments: argparse.Namespace) -> int:
    if not 0 <= arguments.seed <= MOST_SEED:
        raise InputError(f"--seed {arguments.seed}: expected a whole number from 0 to {MOST_SEED}")
    if not 0 < arguments.lr <= 1000:
        raise InputError(f"--lr {arguments.lr:g}: expected a number above 0 and at most 1000")
    dropout = _dropout(arguments)
    folder = folder_of(arguments)

    from dataclasses import replace

    from cnnexp.runs.atomic import write_text
    from cnnexp.visualize import backprop
    from cnnexp.visualize.backprop_page import conv_page, dense_page
    from cnnexp.visualize.backprop_text import conv_lines, dense_lines
    from cnnexp.visualize.png import write_png

    activation = backprop.ACTIVATIONS[arguments.activation]
    net = replace(backprop.dense_example(arguments.seed, arguments.target), dropout=dropout)
    conv = backprop.conv_example(arguments.seed)
    differences = [
        backprop.largest_difference(backprop.work_dense(net, activation), backprop.autograd_dense(net, activation)),
        backprop.largest_difference(backprop.work_conv(conv, activation), backprop.autograd_conv(conv, activation)),
    ]
    stepped = (arguments.lr, backprop.loss_after_step(net, activation, arguments.lr))
    lines = [*dense_lines(net, activation, differences[0], stepped), *conv_lines(conv, activation, differences[1])]
    text = "\n".join(lines).strip("\n")
    said = f"{arguments.activation}; autograd agrees to"
    thinned = "" if dropout is None else f"dropout {dropout.p:g}, "
    paths = [
        write_png(
            dense_page(
                net, activation, f"a 3-4-4-1 net with y = {arguments.target}, {thinned}{said} {differences[0]:.0e}"
            ),
            folder / "backprop_net.png",
        ),
        write_png(
            conv_page(conv, activation, f"a convolution, {said} {differences[1]:.0e}"), folder / "backprop_conv.png"
        ),
        folder / "backprop.txt",
    ]
    write_text(paths[-1], text + "\n")
    if not arguments.quiet:
        print(f"{text}\n")
    print("\n".join(str(path) for path in paths))
    return 0


def _dropout(arguments: argparse.Namespace) -> Dropout | None:
    """What --dropout and --mask say."""
    if arguments.dropout is None:
        if arguments.mask is not None:
            raise InputError("--mask: says which units --dropout leaves out, which is missing; add --dropout 0.5")
        return None
    if not 0 < arguments.dropout < 1:
        raise InputError(f"--dropout {arguments.dropout:g}: expected a probability above 0 and below 1")
    if arguments.mask is not None and not re.fullmatch("[01]{4},[01]{4}", arguments.mask):
        raise InputError(f"--mask {arguments.mask}: expected four digits 0 or 1 for each hidden layer, as in 1011,0110")

    import numpy as np

    from cnnexp.visualize.backprop import Dropout, drawn_dropout

    if arguments.mask is None:
        return drawn_dropout(arguments.seed, arguments.dropout)
    masks = tuple(np.array([float(digit) for digit in part]) for part in arguments.mask.split(","))
    return Dropout(arguments.dropout, masks)
