"""What a run computes on: every ``auto`` becomes a number, and what is not here is refused."""

from __future__ import annotations

import os
from typing import Any

import pytest
import torch

from cnnexp.builders.hardware import device_name, resolve_hardware, set_up_process
from cnnexp.errors import InputError
from tests.builders.made import configuration

TORCHRUN = {"LOCAL_WORLD_SIZE": "2", "WORLD_SIZE": "6"}
SLURM = {"SLURM_NTASKS_PER_NODE": "2", "SLURM_NTASKS": "6"}


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``gpus(2)``: as if torch saw two."""

    def see(count: int) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)

    return see


def resolved(launched: str | None = None, batch_size: int = 12, **hardware: Any) -> dict[str, Any]:
    config = configuration(batch_size=batch_size, hardware={"accelerator": "auto", "devices": "auto", **hardware})
    found: dict[str, Any] = resolve_hardware(config, launched)["hardware"]
    return found


@pytest.mark.parametrize(
    ("count", "given", "expected"),
    [
        (0, {}, ("cpu", 1, 1, "auto")),
        (1, {}, ("gpu", 1, 1, "auto")),
        (2, {}, ("gpu", 2, 1, "ddp")),
        (2, {"accelerator": "cpu"}, ("cpu", 1, 1, "auto")),
        (2, {"devices": 1}, ("gpu", 1, 1, "auto")),
        (0, {"devices": 3}, ("cpu", 3, 1, "ddp")),
        (1, {"devices": 1, "nodes": 2}, ("gpu", 1, 2, "ddp")),
        (0, {"nodes": "auto"}, ("cpu", 1, 1, "auto")),
    ],
)
def test_auto_is_what_is_here(count: int, given: dict[str, Any], expected: tuple[Any, ...], gpus: Any) -> None:
    gpus(count)
    found = resolved(**given)
    assert (found["accelerator"], found["devices"], found["nodes"], found["strategy"]) == expected


def test_the_given_configuration_stays_as_it_is() -> None:
    config = configuration(hardware={"devices": "auto", "threads": None})
    resolve_hardware(config)
    assert config == configuration(hardware={"devices": "auto", "threads": None})


@pytest.mark.parametrize(("devices", "threads"), [(1, 12), (2, 6), (5, 2), (12, 1), (60, 1)])
def test_processes_on_one_machine_share_its_threads(
    devices: int, threads: int, gpus: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpus(0)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 12)
    assert resolved(devices=devices, batch_size=60, threads=None)["threads"] == threads
    assert resolved(devices=devices, batch_size=60, threads=7)["threads"] == 7


@pytest.mark.parametrize(
    ("count", "given", "says"),
    [
        (0, {"accelerator": "gpu"}, "hardware.accelerator=gpu: torch sees no GPU here; hardware=cpu runs on the proc"),
        (0, {"precision": "fp16"}, "hardware.precision=fp16 needs a GPU; the processor takes fp32 or bf16"),
        (2, {"devices": 3}, "hardware.devices=3: there are 2 GPUs here"),
        (0, {"devices": 5}, "batch_size=12 does not split evenly over 5 devices; try 10 or 15"),
        (4, {"devices": 4, "nodes": 2}, "batch_size=12 does not split evenly over 8 devices; try 8 or 16"),
    ],
)
def test_what_is_not_here_is_refused(count: int, given: dict[str, Any], says: str, gpus: Any) -> None:
    gpus(count)
    with pytest.raises(InputError) as refused:
        resolved(**given)
    assert str(refused.value).startswith(says)


@pytest.mark.parametrize(("launched", "variables"), [("torchrun", TORCHRUN), ("slurm", SLURM)])
def test_a_launcher_says_how_many_processes_there_are(
    launched: str, variables: dict[str, str], gpus: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpus(1)  # of this process
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = resolved(launched, nodes="auto")
    assert (found["devices"], found["nodes"], found["strategy"]) == (2, 3, "ddp")
    assert resolved(launched, devices=2, nodes=3)["devices"] == 2
    with pytest.raises(InputError, match=rf"^{launched} started 2 processes on a machine, but hardware\.devices=4;"):
        resolved(launched, devices=4, nodes="auto")
    with pytest.raises(InputError, match=r"started 3 machines, but hardware\.nodes=1; .*hardware\.nodes=auto"):
        resolved(launched, nodes=1)


def test_the_processor_has_a_name() -> None:
    assert device_name({"accelerator": "cpu"}).strip()


@pytest.mark.usefixtures("process_kept")
@pytest.mark.parametrize("deterministic", [True, False])
def test_a_process_on_the_processor_is_set_up_as_asked(deterministic: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    set_up_process({"accelerator": "cpu", "threads": 1, "deterministic": deterministic})
    assert torch.get_num_threads() == 1
    assert torch.are_deterministic_algorithms_enabled() == deterministic
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
    assert float(torch.tensor(1e-38) * 1e-3) == 0, "subnormal numbers are zero"
    assert not torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]


@pytest.mark.usefixtures("process_kept")
@pytest.mark.parametrize(("deterministic", "precision"), [(True, "highest"), (False, "high")])
def test_a_process_on_a_gpu_is_exact_or_fast(
    deterministic: bool, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    set_up_process({"accelerator": "gpu", "threads": 1, "deterministic": deterministic})
    assert torch.backends.cudnn.benchmark != deterministic
    assert torch.get_float32_matmul_precision() == precision
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "3"
