"""``cnnexp visualize fft``: where convolution by FFT wins, measured here."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cnnexp.commands.arguments import add_folder, folder_of
from cnnexp.errors import InputError

if TYPE_CHECKING:
    from cnnexp.bench.convolution import Timed

LINE = "convolution by FFT against direct convolution, timed on this machine"
EXAMPLE = """cnnexp visualize fft
  cnnexp visualize fft --kernels 3,7,15 --sizes 32,64 --channels 32 --backward"""
LARGEST = {"--kernels": 255, "--sizes": 2048}
MOST_MEMORY_BYTES = 4e9


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kernels", metavar="N,N,…", default="3,5,7,9,11,15,21,31", help="sides of kernels")
    parser.add_argument("--sizes", metavar="N,N,…", default="16,32,64,128", help="sides of pictures")
    parser.add_argument("--channels", type=int, metavar="N", default=8, help="in and out [8]")
    parser.add_argument("--batch", type=int, metavar="N", default=8, help="pictures at once [8]")
    parser.add_argument("--backward", action="store_true", help="gradients too")
    parser.add_argument("--seconds", type=float, metavar="X", default=0.5, help="of timing for each pair [0.5]")
    parser.add_argument("--threads", type=int, metavar="N", default=None, help="of the processor [all]")
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu", help="[cpu]")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    add_folder(parser)


def run(arguments: argparse.Namespace) -> int:
    kernels, sizes = (_sides(name, getattr(arguments, name[2:])) for name in LARGEST)
    _refuse_numbers(arguments, kernels, sizes)
    folder = folder_of(arguments)

    import torch

    from cnnexp.bench.convolution import Case, measure
    from cnnexp.visualize.fft_chart import fft_image
    from cnnexp.visualize.png import write_png

    if arguments.device == "gpu" and not torch.cuda.is_available():
        raise InputError("--device gpu: there is no GPU here; leave it out")
    if arguments.threads is not None:
        torch.set_num_threads(arguments.threads)
    device = torch.device("cuda" if arguments.device == "gpu" else "cpu")
    pairs = [(kernel, size) for size in sizes for kernel in kernels if kernel <= size]
    cases = [Case(kernel, size, arguments.channels, arguments.batch, arguments.backward) for kernel, size in pairs]
    found = measure(cases, arguments.seconds, device)
    times = {(one.case.kernel, one.case.size): (one.direct_s, one.fft_s) for one in found}
    title = _title(arguments, torch.get_num_threads())
    path = write_png(fft_image(times, kernels, sizes, title), folder / "fft.png")
    _print(found, kernels, sizes, title, str(path), as_json=arguments.json)
    return 0


def _sides(name: str, text: str) -> list[int]:
    words = text.split(",")
    if not all(word.strip().isdecimal() for word in words):
        raise InputError(f"{name} {text}: expected whole numbers of pixels, such as 3,7,15")
    sides = sorted({int(word) for word in words})
    if sides[0] < 1 or sides[-1] > LARGEST[name]:
        raise InputError(f"{name} {text}: expected numbers from 1 to {LARGEST[name]}")
    if len(sides) > 12:
        raise InputError(f"{name} {text}: expected at most 12 numbers")
    return sides


def _refuse_numbers(arguments: argparse.Namespace, kernels: list[int], sizes: list[int]) -> None:
    problems = [
        f"{name} {number}: expected a number of at least 1"
        for name, number in (("--channels", arguments.channels), ("--batch", arguments.batch))
        if number < 1
    ]
    if arguments.threads is not None and arguments.threads < 1:
        problems.append(f"--threads {arguments.threads}: expected a number of at least 1")
    if not 0 < arguments.seconds <= 600:
        problems.append(f"--seconds {arguments.seconds:g}: expected a number above 0 and at most 600")
    if kernels[0] > sizes[-1]:
        problems.append(f"--kernels {kernels[0]}: larger than all pictures; take --sizes of at least {kernels[0]}")
    # the kernels' spectra, complex: the most that the FFT keeps
    area = (sizes[-1] + kernels[-1]) ** 2
    needed = 8 * area * arguments.channels * (arguments.channels + 3 * arguments.batch)
    if not problems and needed > MOST_MEMORY_BYTES:
        problems.append(
            f"--channels {arguments.channels}: spectra of {sizes[-1]}×{sizes[-1]} would take {needed / 1e9:.0f} GB; "
            "take fewer channels or smaller --sizes"
        )
    if problems:
        raise InputError(*problems)


def _title(arguments: argparse.Namespace, threads: int) -> str:
    """What was timed, and on what."""
    from cnnexp.builders.hardware import device_name
    from cnnexp.runs.provenance import versions

    passes = "forward and backward" if arguments.backward else "forward"
    counted = "" if arguments.device == "gpu" else f", {threads} thread{'' if threads == 1 else 's'}"
    return (
        f"convolution by FFT, {passes}: so many times as fast as direct (times: direct | FFT)\n"
        f"{arguments.channels} maps in and out, batch of {arguments.batch}, fp32; "
        f"{device_name({'accelerator': arguments.device})}{counted}, torch {versions()['torch']}"
    )


def _print(found: list[Timed], kernels: list[int], sizes: list[int], title: str, path: str, *, as_json: bool) -> None:
    if as_json:
        import json
        from dataclasses import asdict

        rows = [{**asdict(one.case), **{k: v for k, v in asdict(one).items() if k != "case"}} for one in found]
        print(json.dumps({"title": title, "cases": rows, "picture": path}, indent=2))
        return
    ratios = {(one.case.kernel, one.case.size): one.ratio for one in found}
    print("times as fast as direct convolution; above 1 the FFT wins\n")
    print(f"{'picture':<9}" + "".join(f"{f'{kernel}×{kernel}':>7}" for kernel in kernels[:10]))
    for size in sizes:
        cells = (ratios.get((kernel, size)) for kernel in kernels[:10])
        print(f"{size:<9}" + "".join(f"{'-' if cell is None else f'{cell:.2f}':>7}" for cell in cells))
    print("\n" + "\n".join(crossings(found, sizes)))
    apart = max(one.largest_difference for one in found)
    print(f"largest difference of a result: {apart:.1e}, at values up to {max(one.largest_value for one in found):.1f}")
    print(f"\n{title.splitlines()[-1]}\n{path}")


def crossings(found: Sequence[Timed], sizes: Sequence[int]) -> list[str]:
    """From which kernel on the FFT won, for each size of picture: all larger ones that were timed won too."""
    lines = []
    for size in sizes:
        of_size = sorted((one for one in found if one.case.size == size), key=lambda one: one.case.kernel)
        lost = [place for place, one in enumerate(of_size) if one.ratio <= 1]
        first = lost[-1] + 1 if lost else 0
        if first < len(of_size):
            kernel, best = of_size[first].case.kernel, max(of_size[first:], key=lambda one: one.ratio)
            said = f"the FFT wins from {kernel}×{kernel} on, by up to {best.ratio:.1f} times"
        else:
            said = "the FFT does not win with these kernels"
        lines.append(f"here, pictures of {size}×{size}: {said}")
    return lines
