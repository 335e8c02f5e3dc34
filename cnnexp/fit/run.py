"""One run, from its configuration to its record: build, freeze, fit, test with the best weights, write it all down."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.loggers import Logger
from rich.console import Console

from cnnexp.anatomy.subject import multiply_adds_of
from cnnexp.builders.build import Experiment, build, with_class_weights, with_classes
from cnnexp.builders.hardware import device_name, resolve_hardware, set_up_process, trainer_arguments
from cnnexp.builders.loggers import build_loggers, close_loggers, log_result
from cnnexp.builders.starting import Start, resolve_start, start
from cnnexp.builders.weights import load_checkpoint, load_weights
from cnnexp.config.compose import to_yaml
from cnnexp.errors import InputError, Interrupted, RunFailed
from cnnexp.fit.checkpointing import Checkpointing, progress_of
from cnnexp.fit.console import RunLog, quiet_known_warnings
from cnnexp.fit.estimate import Estimating
from cnnexp.fit.evaluate import evaluate
from cnnexp.fit.features import Plan, plan_features, remember_features
from cnnexp.fit.gradients import GradientNorms
from cnnexp.fit.loop import go_directly
from cnnexp.fit.profiling import Unprofiled
from cnnexp.fit.progress import ProgressBars
from cnnexp.fit.ranks import Agreement, Role, frozen_config, hand_on
from cnnexp.fit.recording import Recording
from cnnexp.fit.results import draw_run, summarise, write_test
from cnnexp.fit.stopping import StopRequested, StopSignal
from cnnexp.report.gradients import FILE as GRADIENTS
from cnnexp.report.gradients import draw_gradients, gradient_summary
from cnnexp.report.results import result_table
from cnnexp.runs.atomic import write_json
from cnnexp.runs.checkpoints import BEST, LAST
from cnnexp.runs.metrics import MetricsFile
from cnnexp.runs.read import read_metrics
from cnnexp.runs.write import RunWriter, disk_error, writable_folder


@dataclass(frozen=True)
class Request:
    """What a run is asked to do.

    Attributes:
        config: composed and checked. command: as typed. trusted: packages of the user's own.
        folder: an existing run's to go on with, whose ``writer`` the first process holds; None makes a new one.
        parent: id of the run that a new one goes on from.
    """

    config: dict[str, Any]
    command: Sequence[str]
    trusted: Sequence[str] = ()
    folder: Path | None = None
    writer: RunWriter | None = None
    parent: str | None = None


@dataclass
class Run:
    """A run under way in this process; ``writer`` is there in the first process only."""

    config: dict[str, Any]
    experiment: Experiment
    role: Role
    log: RunLog
    writer: RunWriter | None
    folder: Path | None
    began: float
    trusted: Sequence[str] = ()
    new: bool = False
    start: Start | None = None
    features: Plan | None = None
    partial: bool = False
    loggers: list[Logger] = field(default_factory=list)
    metrics: MetricsFile | None = None
    gradients: GradientNorms | None = None


def run(request: Request, role: Role) -> int:
    """Train and test, and leave a record whatever happens.

    Returns:
        The exit status: 0, also for a run that stopped at ``max_steps`` as it was asked to.

    Raises:
        InputError: before anything was made, or when a disk fills up. RunFailed: the run could not go on.
        Interrupted: it was asked to stop, and says how to go on.
    """
    quiet_known_warnings()
    log = RunLog(Console(quiet=not role.is_main), main=role.is_main)
    try:
        return _recorded(_begin(request, role, log))
    finally:
        log.close()


def _begin(request: Request, role: Role, log: RunLog) -> Run:
    """Everything that can be refused is refused here, before a folder is made."""
    folder = role.folder or request.folder
    if role.folder is not None:
        config = frozen_config(role.folder)
    else:
        if folder is None:
            writable_folder(Path(request.config["outputs"]))
        config = resolve_hardware(request.config, role.launched)
        if folder is None:
            config = resolve_start(config, request.trusted)
    began = time.perf_counter()
    set_up_process(config["hardware"])
    experiment = build(config, request.trusted)
    config = with_classes(config, experiment.facts)
    begun = _start_from_weights(experiment, config, folder, request.trusted)
    _load(experiment, config)
    config = _weigh_classes(experiment, config)
    features = plan_features(experiment, config)
    writer = request.writer
    if role.is_main and writer is None:
        writer = RunWriter.create(config, to_yaml(config), request.command, request.parent)
    if writer is not None:
        folder = writer.folder
        writer.start()
        hand_on(folder)
        log.open(folder)
        writer.update(device=device_name(config["hardware"]))
        if begun is not None:
            write_json(folder / "weights.json", begun.as_record())
    return Run(
        config, experiment, role, log, writer, folder, began, request.trusted,
        new=request.folder is None, start=begun, features=features,
    )  # fmt: skip


def _start_from_weights(
    experiment: Experiment, config: dict[str, Any], folder: Path | None, trusted: Sequence[str]
) -> Start | None:
    """Put the weights that the configuration names into the net, before there is an optimizer.

    A run that is gone on with has its weights in its own checkpoint, and the others may be gone by then.
    """
    if folder is not None and (folder / LAST).exists():
        return None
    begun = start(experiment.task.net, config, trusted)
    experiment.task.restart_average()
    return begun


def _load(experiment: Experiment, config: dict[str, Any]) -> None:
    """Read the pictures now: a corrupt file ends the run before it began."""
    for split in ("train", "val", "test"):
        if len(experiment.data.split(split)) == 0:
            raise InputError(f"data={config['choices']['data']}: the {split} split holds no picture")
    world = config["hardware"]["devices"] * config["hardware"]["nodes"]
    experiment.task.steps_per_epoch = experiment.data.steps_per_epoch(world)
    if experiment.task.steps_per_epoch == 0:
        raise InputError(
            f"data.fraction={config['data']['fraction']} leaves {len(experiment.data.train_positions())} training "
            f"pictures for {world} devices; take a larger part"
        )


def _weigh_classes(experiment: Experiment, config: dict[str, Any]) -> dict[str, Any]:
    """Put numbers in the place of ``balanced``, in the task and in the configuration that is frozen."""
    config = with_class_weights(config, experiment.data, experiment.task)
    if config["regularization"]["class_weights"] is not None:
        experiment.task.weigh_classes(config["regularization"]["class_weights"])
    return config


def _recorded(run: Run) -> int:
    """Fit and test, with the end of it in the record, however it comes."""
    try:
        status = _fit_and_test(run)
    except Interrupted as error:
        _finish(run, "interrupted", None)
        raise Interrupted(f"{error}; go on with: cnnexp resume {_name(run)}") from None
    except KeyboardInterrupt:
        _finish(run, "interrupted", None)
        raise Interrupted(f"interrupted; go on with: cnnexp resume {_name(run)}") from None
    except OSError as error:
        failure = disk_error(error, run.folder or Path())
        _finish(run, "failed", str(failure))
        raise failure from error
    except BaseException as error:
        _finish(run, "failed", _line(error))
        if (
            isinstance(error, InputError)
            and run.writer
            and run.new
            and not (run.writer.folder / "metrics.csv").exists()
        ):
            run.writer.discard()
        raise
    _finish(run, status, None)
    if run.writer is not None:
        run.log.say(f"{run.writer.folder}")
    return 0


def _fit_and_test(run: Run) -> str:
    """Train from where the run is to its end or its stop; returns the status to record."""
    config, task = run.config, run.experiment.task
    stop = StopSignal()
    checkpointing = _checkpointing(run, stop)
    if run.writer is not None:
        run.metrics = MetricsFile(run.writer.folder / "metrics.csv")
        run.loggers = build_loggers(config, run.writer.folder)
    bars = ProgressBars(run.log.console, config["epochs"], config["task"]["monitor"])
    recording = Recording(run.metrics, config["log_every_steps"], bars.line)
    run.gradients = _gradient_norms(run)
    agreement = Agreement(config, run.folder)
    start = _start(run, checkpointing)
    _introduce(run)
    status = "finished"
    stop.install()
    try:
        if not _is_fitted(checkpointing, config):
            _remember(run)
            trainer = _trainer(run, _callbacks(run, agreement, bars, recording, checkpointing))
            trainer.fit(task, datamodule=run.experiment.data, ckpt_path=start, weights_only=True)
            run.folder = agreement.folder
    except StopRequested as stopped:
        recording.stop_clock()
        if run.gradients is not None:
            run.gradients.close()
        run.folder, run.partial = agreement.folder, stopped.status == "stopped"
        status = stopped.status
    if status == "interrupted":
        raise Interrupted(f"stopped after step {checkpointing.step:,}, saved")
    _test(run, checkpointing, recording, agreement, stop)
    stop.remove()
    return status


def _gradient_norms(run: Run) -> GradientNorms | None:
    """What records gradient norms, where they are asked for."""
    wish = run.config["logger"]["gradients"]
    if not wish:
        return None
    file = None if run.writer is None else MetricsFile(run.writer.folder / GRADIENTS)
    return GradientNorms(file, None if wish is True else wish)


def _remember(run: Run) -> None:
    """Features in place of pictures, where the net is frozen up to its head."""
    plan = run.features
    if plan is not None and plan.tail is None:
        run.log.say(f"features are computed in every epoch: {plan.why_not}")
    elif plan is not None and plan.tail is not None:
        run.log.say(remember_features(run.experiment, run.config, plan.tail))


def _checkpointing(run: Run, stop: StopSignal) -> Checkpointing:
    config = run.config
    return Checkpointing(
        run.folder or Path(),
        monitor=config["task"]["monitor"],
        mode=config["task"]["mode"],
        every_steps=config["checkpoint"]["every_steps"],
        max_steps=config["max_steps"],
        patience=config["early_stopping"]["patience"],
        min_delta=config["early_stopping"]["min_delta"],
        signal=stop,
    )


def _start(run: Run, checkpointing: Checkpointing) -> Path | None:
    """The checkpoint to go on from, with the metrics cut back to its step; None begins at the beginning."""
    path = None if run.folder is None else run.folder / LAST
    if path is None or not path.exists():
        _rewind(run, 0)
        return None
    progress = progress_of(load_checkpoint(path), path)
    checkpointing.load_state_dict(progress)
    checkpointing.stopped_early = bool(progress["stopped_early"])
    _rewind(run, progress["step"])
    return path


def _rewind(run: Run, step: int) -> None:
    if run.metrics is not None:
        run.metrics.rewind(step)
    if run.gradients is not None:
        run.gradients.rewind(step, run.experiment.task.steps_per_epoch)


def _is_fitted(checkpointing: Checkpointing, config: dict[str, Any]) -> bool:
    return checkpointing.epochs_done >= config["epochs"] or checkpointing.stopped_early


def _introduce(run: Run) -> None:
    """A few lines on what is about to happen."""
    config, facts, task = run.config, run.experiment.facts, run.experiment.task
    parameters = sum(parameter.numel() for parameter in task.net.parameters())
    hardware = config["hardware"]
    data = run.experiment.data
    run.log.say(
        f"{config['choices']['model']}, {parameters:,} parameters, on {facts.name}: "
        f"{len(data.train_positions()):,} pictures of {facts.channels}x{facts.height}x{facts.width} to train, "
        f"{len(data.split('val')):,} to validate, {len(data.split('test')):,} to test"
    )
    if run.start is not None:
        mean, std = (", ".join(f"{value:.3g}" for value in values) for values in (facts.mean, facts.std))
        run.log.say(f"{run.start.described()}; pictures normalised by mean {mean} and deviation {std}")
    learning = sum(parameter.numel() for parameter in task.net.parameters() if parameter.requires_grad)
    if learning < parameters:
        run.log.say(f"transfer={config['choices']['transfer']}: {learning:,} parameters learn, the rest is frozen")
    processes = hardware["devices"] * hardware["nodes"]
    place = f"{processes} {hardware['accelerator']} processes" if processes > 1 else hardware["accelerator"]
    run.log.say(f"{place}, {hardware['precision']}, {hardware['threads']} threads; seed {config['seed']}")


def _callbacks(
    run: Run, agreement: Agreement, bars: ProgressBars, recording: Recording, checkpointing: Checkpointing
) -> list[pl.Callback]:
    """Only those that have something to do here: each one costs some time at every step."""
    parallel = run.config["hardware"]["strategy"] == "ddp"
    return [
        *([agreement] if parallel else []),
        _estimating(run, checkpointing),
        *([bars] if run.log.console.is_terminal else []),
        recording,
        *([run.gradients] if run.gradients is not None else []),
        checkpointing,
    ]


def _estimating(run: Run, checkpointing: Checkpointing) -> Estimating:
    return Estimating(run.log, run.experiment.data, checkpointing, run.config["epochs"], run.config["max_steps"])


def _trainer(run: Run, callbacks: list[pl.Callback]) -> pl.Trainer:
    config = run.config
    if config["hardware"]["compile"]:
        run.experiment.task.net.compile()
    trainer = pl.Trainer(
        max_epochs=config["epochs"],
        logger=run.loggers or False,
        callbacks=callbacks,
        default_root_dir=str(run.folder or Path()),
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        profiler=Unprofiled(),
        use_distributed_sampler=False,
        **trainer_arguments(config["hardware"], run.role.launched),
    )
    if config["hardware"]["loop"] == "direct":
        go_directly(trainer, run.log.say)
    return trainer


def _test(run: Run, checkpointing: Checkpointing, recording: Recording, agreement: Agreement, stop: StopSignal) -> None:
    """Test with the best weights, or a few batches with the last ones when the run was cut short."""
    task = run.experiment.task
    task.adopt_average()
    if not run.partial and run.folder is not None:
        task.net.load_state_dict(load_weights(run.folder / BEST))
    stages = ("val", "test") if run.partial else ("test",)
    task.results = {name: value for name, value in task.results.items() if run.partial and name.startswith("train/")}
    evaluate(run.experiment, run.config, stages, run.partial, [agreement], run.role.launched)
    if stop.wished:
        raise Interrupted("stopped in the test; the training is saved")
    if run.writer is None:
        return
    if not run.partial:
        reference = task.reference(run.experiment.data)
        task.results.update({f"test/{name}": value for name, value in reference.items()})
    _write_down(run, checkpointing)
    metrics = run.writer.folder / "metrics.csv"
    rows = read_metrics(metrics) if metrics.exists() else []
    summary = summarise(task, checkpointing, recording.images_per_second, run.partial, rows)
    summary["multiply_adds"] = multiply_adds_of(run.config, run.trusted)
    if run.gradients is not None and run.gradients.rows:
        summary["gradients"] = gradient_summary(run.gradients.rows)
        path = run.writer.folder / "pictures" / "gradients.png"
        draw_gradients({run.writer.id: run.gradients.rows}, path, run.writer.id)
    run.writer.write_summary(summary)
    write_test(run.writer.folder, run.experiment)
    draw_run(run.writer.folder, run.writer.id, run.config["task"]["monitor"], checkpointing.best_epoch)
    log_result(run.loggers, summary, run.writer.folder / "pictures")
    seconds = time.perf_counter() - run.began
    status = "stopped" if run.partial else "finished"
    run.log.console.print(
        result_table(summary, title=run.writer.id, status=status, duration_s=seconds, folder=None), soft_wrap=False
    )
    run.log.note(f"{status}: {summary['metrics']}")


def _write_down(run: Run, checkpointing: Checkpointing) -> None:
    """The test's metrics, into metrics.csv and to the loggers."""
    task = run.experiment.task
    found = {name: value for name, value in task.results.items() if not name.startswith("train/")}
    if run.metrics is not None:
        epoch = -(-checkpointing.step // task.steps_per_epoch)
        run.metrics.add({"epoch": epoch, "step": checkpointing.step, **found})
    for logger in run.loggers:
        logger.log_metrics(found, step=checkpointing.step)


def _finish(run: Run, status: str, error: str | None) -> None:
    close_loggers(run.loggers, status)
    if run.writer is not None:
        run.log.note(f"{status}" + (f": {error}" if error else ""))
        run.writer.finish(status, time.perf_counter() - run.began, partial=run.partial, error=error)
    elif error and run.folder is not None and run.folder.is_dir():
        (run.folder / f"error-rank{run.role.rank}.txt").write_text(error + "\n", encoding="utf-8")


def _name(run: Run) -> str:
    return run.folder.name if run.folder is not None else "last"


def _line(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else ""
    return text if isinstance(error, (InputError, RunFailed)) else f"{type(error).__name__}: {text}"
