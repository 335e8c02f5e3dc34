"""The training of a run, from where it is to its end or its stop."""

from __future__ import annotations

from pathlib import Path

import pytorch_lightning as pl

from cnnexp.builders.trainer import trainer_arguments
from cnnexp.builders.weights import load_checkpoint
from cnnexp.errors import Interrupted
from cnnexp.fit.checkpointing import Checkpointing, progress_of
from cnnexp.fit.compiling import compile_net
from cnnexp.fit.data_module import DataModule
from cnnexp.fit.estimate import Estimating
from cnnexp.fit.features import remember_features
from cnnexp.fit.loop import go_directly
from cnnexp.fit.profiling import Unprofiled
from cnnexp.fit.progress import EvaluationBars, ProgressBars
from cnnexp.fit.ranks import Agreement
from cnnexp.fit.recording import Recording
from cnnexp.fit.setup import Run
from cnnexp.fit.stopping import StopRequested, StopSignal
from cnnexp.runs.checkpoints import LAST


class Fit:
    """The callbacks of a run's training, and what they have found when it is over."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.stop = StopSignal()
        self.checkpointing = _checkpointing(run, self.stop)
        run.recorder.open_files(run.config)
        console = run.log.console
        self.bars = ProgressBars(console, run.config["epochs"], run.config["task"]["monitor"])
        self.recording = Recording(run.recorder.metrics, run.config["log_every_steps"], self.bars.line)
        samples = {} if run.samples is None else {"data.json": run.samples.digest()}
        self.agreement = Agreement({**run.config, **samples}, run.folder)
        epochs, max_steps = run.config["epochs"], run.config["max_steps"]
        self.estimating = Estimating(run.log, run.experiment.data, self.checkpointing, epochs, max_steps)

    def train(self) -> str:
        """Train; returns the status to record.

        Raises:
            Interrupted: it was asked to stop, and everything is saved.
        """
        run, status = self.run, "finished"
        start = self._start()
        introduce(run)
        self.stop.install()
        try:
            if not self._is_fitted():
                _remember(run)
                data = DataModule(run.experiment.data)
                self._trainer().fit(run.module, datamodule=data, ckpt_path=start, weights_only=True)
                run.folder = self.agreement.folder
        except StopRequested as stopped:
            self.recording.stop_clock()
            if run.recorder.gradients is not None:
                run.recorder.gradients.close()
            run.folder, run.partial = self.agreement.folder, stopped.status == "stopped"
            run.partial_batches = self.estimating.partial_batches
            status = stopped.status
        if status == "interrupted":
            raise Interrupted(f"stopped after step {self.checkpointing.step:,}, saved")
        return status

    def _start(self) -> Path | None:
        """The checkpoint to go on from, with the metrics cut back to its step; None begins at the beginning."""
        run = self.run
        path = None if run.folder is None else run.folder / LAST
        if path is None or not path.exists():
            run.recorder.rewind(0, run.module.steps_per_epoch)
            return None
        progress = progress_of(load_checkpoint(path), path)
        self.checkpointing.load_state_dict(progress)
        self.checkpointing.stopped_early = bool(progress["stopped_early"])
        run.recorder.rewind(progress["step"], run.module.steps_per_epoch)
        return path

    def _is_fitted(self) -> bool:
        return self.checkpointing.epochs_done >= self.run.config["epochs"] or self.checkpointing.stopped_early

    def _callbacks(self) -> list[pl.Callback]:
        """Only those that have something to do here: each one costs some time at every step."""
        run = self.run
        parallel, gradients = run.config["hardware"]["strategy"] == "ddp", run.recorder.gradients
        return [
            *([self.agreement] if parallel else []),
            self.estimating,
            *([self.bars, EvaluationBars(run.log.console, self.bars)] if run.log.console.is_terminal else []),
            self.recording,
            *([gradients] if gradients is not None else []),
            self.checkpointing,
        ]

    def _trainer(self) -> pl.Trainer:
        run, config = self.run, self.run.config
        if config["hardware"]["compile"]:
            compile_net(run.module.net)
        trainer = pl.Trainer(
            max_epochs=config["epochs"],
            logger=run.recorder.loggers or False,
            callbacks=self._callbacks(),
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


def introduce(run: Run) -> None:
    """A few lines on what is about to happen."""
    config, facts, net, data = run.config, run.experiment.facts, run.module.net, run.experiment.data
    parameters = sum(parameter.numel() for parameter in net.parameters())
    hardware = config["hardware"]
    run.log.say(
        f"{config['choices']['model']}, {parameters:,} parameters, on {facts.name}: "
        f"{len(data.train_positions()):,} {facts.input.noun}s of {facts.input.described()} to train, "
        f"{len(data.split('val')):,} to validate, {len(data.split('test')):,} to test"
    )
    census = data.dataset.census()
    for line in () if census is None else (census.line(), *census.remarks):
        if line:
            run.log.say(line)
    remark = facts.input.remark(data.split("test"), "the test")
    if remark is not None:
        run.log.say(remark)
    if run.start is not None:
        run.log.say(f"{run.start.described()}{facts.input.prepared_by()}")
    learning = sum(parameter.numel() for parameter in net.parameters() if parameter.requires_grad)
    if learning < parameters:
        run.log.say(f"transfer={config['choices']['transfer']}: {learning:,} parameters learn, the rest is frozen")
    processes = hardware["devices"] * hardware["nodes"]
    place = f"{processes} {hardware['accelerator']} processes" if processes > 1 else hardware["accelerator"]
    run.log.say(f"{place}, {hardware['precision']}, {hardware['threads']} threads; seed {config['seed']}")


def _remember(run: Run) -> None:
    """Features in place of samples, where the net is frozen up to its head."""
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
        keep_epochs=config["checkpoint"]["keep"] == "epochs",
    )
