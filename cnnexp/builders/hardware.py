"""What a run computes on: ``auto`` becomes a number before the configuration is frozen."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from cnnexp.config.check import uneven_batch
from cnnexp.errors import InputError

# glibc's malloc.h
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def resolve_hardware(config: dict[str, Any], launched: str | None = None) -> dict[str, Any]:
    """The configuration with every ``auto`` and null of ``hardware`` replaced by what is here.

    Args:
        launched: the launcher that started all processes, if one did.

    Raises:
        InputError: no GPU where one is asked for; a batch that does not split evenly; a launcher that started another
            number of processes than the configuration has devices.
    """
    hardware = dict(config["hardware"])
    if hardware["accelerator"] == "auto":
        hardware["accelerator"] = "gpu" if torch.cuda.is_available() else "cpu"
    gpu = hardware["accelerator"] == "gpu"
    if gpu and not torch.cuda.is_available():
        raise InputError("hardware.accelerator=gpu: torch sees no GPU here; hardware=cpu runs on the processor")
    if hardware["precision"] == "fp16" and not gpu:
        raise InputError("hardware.precision=fp16 needs a GPU; the processor takes fp32 or bf16")
    _resolve_counts(hardware, launched)
    if gpu and hardware["devices"] > torch.cuda.device_count() and launched is None:
        raise InputError(f"hardware.devices={hardware['devices']}: there are {torch.cuda.device_count()} GPUs here")
    processes = hardware["devices"] * hardware["nodes"]
    if processes > 1:
        hardware["strategy"] = "ddp"
    if problems := uneven_batch(config["batch_size"], processes):
        raise InputError(*problems)
    if hardware["threads"] is None:
        hardware["threads"] = max(1, torch.get_num_threads() // (1 if gpu else hardware["devices"]))
    return {**config, "hardware": hardware}


def _resolve_counts(hardware: dict[str, Any], launched: str | None) -> None:
    given = {"torchrun": ("LOCAL_WORLD_SIZE", "WORLD_SIZE"), "slurm": ("SLURM_NTASKS_PER_NODE", "SLURM_NTASKS")}
    if launched:
        local, world = (int(os.environ.get(name, "1")) for name in given[launched])
        started = {"devices": local, "nodes": max(1, world // local)}
        for key, count in started.items():
            if hardware[key] not in ("auto", count):
                raise InputError(
                    f"{launched} started {count} {'processes on a machine' if key == 'devices' else 'machines'}, but "
                    f"hardware.{key}={hardware[key]}; give the same number, or hardware.{key}=auto"
                )
        hardware.update(started)
    elif hardware["devices"] == "auto":
        hardware["devices"] = torch.cuda.device_count() if hardware["accelerator"] == "gpu" else 1
    if hardware["nodes"] == "auto":
        hardware["nodes"] = 1


def device_name(hardware: Mapping[str, Any]) -> str:
    """What the run computes on, in words: the GPU's name, or the processor's."""
    if hardware["accelerator"] == "gpu":
        return str(torch.cuda.get_device_name())
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines() if cpuinfo.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def keep_freed_memory() -> None:
    """Let the tensors of a step take the memory of those of the last one; a sixth of a small net's step otherwise.

    glibc gives big blocks back to the system when they are freed, which clears every page of the next tensor; and
    torch, when it is to be deterministic, writes NaN into each new tensor, a help against faulty kernels alone.
    """
    deterministic: Any = torch.utils.deterministic
    deterministic.fill_uninitialized_memory = False
    if platform.libc_ver()[0] == "glibc":
        mallopt = ctypes.CDLL(None).mallopt
        for size in (32 << 20, 1 << 30):  # the second is beyond what some versions take
            mallopt(_M_MMAP_THRESHOLD, size)
        mallopt(_M_TRIM_THRESHOLD, (1 << 31) - 1)


def set_up_process(hardware: Mapping[str, Any]) -> None:
    """Threads and determinism of this process."""
    torch.set_num_threads(hardware["threads"])
    torch.use_deterministic_algorithms(bool(hardware["deterministic"]))
    keep_freed_memory()
    if hardware["accelerator"] == "gpu":
        torch.backends.cudnn.benchmark = not hardware["deterministic"]
        torch.set_float32_matmul_precision("highest" if hardware["deterministic"] else "high")
    else:
        # torch 2.15 asks for GPUs at every optimizer step, which without a driver loads a library in vain each time
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        # late in a training gradients become subnormal numbers, which a processor takes many times as long for
        torch.set_flush_denormal(True)
