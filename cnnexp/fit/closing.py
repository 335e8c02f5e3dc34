"""The end of a run: the test with the best weights, and the record of it."""

from __future__ import annotations

from cnnexp.anatomy.subject import multiply_adds_of
from cnnexp.builders.revive import put_beside
from cnnexp.builders.weights import load_weights
from cnnexp.errors import Interrupted
from cnnexp.fit.evaluate import evaluate
from cnnexp.fit.fitting import Fit
from cnnexp.fit.frames import measure_frames
from cnnexp.fit.progress import evaluation_bars
from cnnexp.fit.results import draw_run, summarise, write_test
from cnnexp.report.results import result_table
from cnnexp.runs.checkpoints import BEST


def test(fit: Fit) -> None:
    """Test with the best weights, or a few batches with the last ones when the run was cut short.

    Raises:
        Interrupted: it was asked to stop meanwhile.
    """
    run, module = fit.run, fit.run.module
    module.adopt_average()
    if not run.partial and run.folder is not None:
        module.net.load_state_dict(load_weights(run.folder / BEST))
        put_beside(module.task, run.folder / BEST)
    stages = ("val", "test") if run.partial else ("test",)
    module.results = {
        name: value for name, value in module.results.items() if run.partial and name.startswith("train/")
    }
    batches = run.partial_batches if run.partial else None
    watching = [fit.agreement, *evaluation_bars(run.log.console)]
    evaluate(module, run.experiment.data, run.config, stages, batches, watching, run.role.launched)
    if fit.stop.wished:
        raise Interrupted("stopped in the test; the training is saved")


def record(fit: Fit) -> None:
    """Write down what the test found; nothing off rank 0."""
    run, module, recorder = fit.run, fit.run.module, fit.run.recorder
    if recorder.folder is None:
        return
    if not run.partial:
        reference = module.task.reference(run.experiment.data)
        module.results.update({f"test/{name}": value for name, value in reference.items()})
    found = {name: value for name, value in module.results.items() if not name.startswith("train/")}
    epoch = -(-fit.checkpointing.step // module.steps_per_epoch)
    recorder.add_results(found, epoch, fit.checkpointing.step)
    rows = recorder.metrics_rows()
    summary = summarise(module, fit.checkpointing, fit.recording.images_per_second, run.partial, rows)
    if run.partial:
        summary["batches_scored"] = run.partial_batches
    summary["multiply_adds"] = multiply_adds_of(run.config, run.trusted)
    if module.task.on_frames and not run.partial:
        module.eval()
        summary |= measure_frames(module.task, run.experiment.data.split("test"))
    recorder.write_summary(summary)
    write_test(recorder.folder, module, run.experiment.data)
    name, monitor = recorder.folder.name, run.config["task"]["monitor"]
    turns = module.task.turns
    draw_run(recorder.folder, name, monitor, fit.checkpointing.best_epoch, turns if len(turns) > 1 else ("loss",))
    recorder.log_pictures(summary)
    status = "stopped" if run.partial else "finished"
    recorder.show(result_table(summary, title=name, status=status, duration_s=recorder.seconds, folder=None))
    run.log.note(f"{status}: {summary['metrics']}")
