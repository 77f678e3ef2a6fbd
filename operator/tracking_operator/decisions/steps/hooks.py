"""Hooks: the Jobs of spec.upgrade.hooks.preMigration, one after the other, while nothing serves."""

from tracking_operator.decisions.situation import Situation
from tracking_operator.decisions.steps.job_step import JobOfStep, take_job
from tracking_operator.decisions.steps.progress import Done, Progress, Skipped
from tracking_operator.desired.hook_job import hook_job
from tracking_operator.resource import names
from tracking_operator.resource.conditions import Reason


def run_hooks(situation: Situation) -> Progress:
    hooks = situation.server.spec.upgrade.hooks.pre_migration
    if not hooks:
        return Skipped()
    progress: Progress = Skipped()
    for index in range(len(hooks)):
        progress = take_job(situation, _step(situation, index))
        if not isinstance(progress, Done):
            break
    return progress


def _step(situation: Situation, index: int) -> JobOfStep:
    hook = situation.server.spec.upgrade.hooks.pre_migration[index]
    job_hash = names.job_hash(plan=situation.plan, window=situation.window, step=[names.HOOK, index])
    return JobOfStep(
        component=names.HOOK,
        name=names.hook_job(situation.server.metadata.name, index, job_hash),
        build=lambda node: hook_job(
            situation.server, index=index, job_hash=job_hash, places=situation.places, node=node
        ),
        running=Reason.RUNNING_HOOKS,
        failed=Reason.HOOK_FAILED,
        doing=f"runs hook {hook.name}",
    )
