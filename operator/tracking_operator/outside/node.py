"""Plays the controllers and the one node of a cluster in memory: what is there runs as local processes."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from tracking_operator.outside.controllers import (
    Answer,
    is_finished,
    is_made_by,
    made_by,
    run_cron_job,
    run_deployment,
    run_job,
)
from tracking_operator.outside.pod_process import Machine, PodProcess, component_of
from tracking_operator.resource.kinds import CRON_JOB, DEPLOYMENT, JOB, POD, Kind, Manifest, Ref, kind_of, ref_of

LONGEST_NAP_SECONDS: Final = 60.0
"""The wall clock can jump: a schedule is looked at again at least so often."""

Controller = Callable[[Manifest, Sequence[Manifest], datetime], Answer]


class Node:
    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._cluster = machine.cluster
        self._has_changed = asyncio.Event()
        self._is_stopping = False
        self._processes: dict[Ref, PodProcess] = {}
        self._looked_at: dict[Ref, datetime] = {}
        """Of each CronJob: up to when its schedule has been followed."""
        self._cluster.subscribe(self._changed)

    async def run(self) -> None:
        """Until `stop`, and until every process has ended then."""
        async with asyncio.TaskGroup() as group:
            while not self._is_stopping:
                self._has_changed.clear()
                due = await self._control()
                self._place(group)
                await self._nap(due)
            for process in self._processes.values():
                process.end()

    def stop(self) -> None:
        self._is_stopping = True
        self._has_changed.set()

    def _changed(self, _: Ref) -> None:
        self._has_changed.set()

    async def _nap(self, due: datetime | None) -> None:
        seconds = LONGEST_NAP_SECONDS
        if due is not None:
            seconds = min(seconds, max((due - self._machine.now()).total_seconds(), 0.0))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._has_changed.wait()

    async def _control(self) -> datetime | None:
        """Every controller looks once at every object. Returns when there is something to do without a change."""
        answers = (
            *await self._answers(CRON_JOB, JOB, self._cron_job),
            *await self._answers(DEPLOYMENT, POD, run_deployment),
            *await self._answers(JOB, POD, run_job),
        )
        return min((answer.wait_until for answer in answers if answer.wait_until is not None), default=None)

    async def _answers(self, kind: Kind, of: Kind, controller: Controller) -> list[Answer]:
        answers: list[Answer] = []
        for owner in self._cluster.objects(kind):
            answer = controller(owner, made_by(owner, self._cluster.objects(of)), self._machine.now())
            await self._carry_out(owner, answer)
            answers.append(answer)
        return answers

    def _cron_job(self, cron_job: Manifest, jobs: Sequence[Manifest], now: datetime) -> Answer:
        """What was due while it was suspended, or while nothing ran, is not made up for."""
        ref = ref_of(cron_job)
        answer = run_cron_job(cron_job, jobs, self._looked_at.get(ref, now), now)
        self._looked_at[ref] = now
        return answer

    async def _carry_out(self, owner: Manifest, answer: Answer) -> None:
        for manifest in answer.create:
            self._cluster.put(manifest)
            if kind_of(owner) == CRON_JOB:
                self._machine.say(component_of(manifest), f"Job {manifest['metadata']['name']} begins, as scheduled")
        for ref in answer.delete:
            await self._cluster.delete(ref)
        if answer.status is not None and answer.status != owner.get("status"):
            self._cluster.set_status(ref_of(owner), answer.status)
            if kind_of(owner) == JOB and is_made_by(CRON_JOB, owner) and is_finished({"status": answer.status}):
                end = answer.status["conditions"][0]
                self._machine.say(component_of(owner), f"Job {owner['metadata']['name']}: {end['type']}")

    def _place(self, group: asyncio.TaskGroup) -> None:
        """Starts what has a pod and no process, and ends what has a process and no wish for it."""
        pods = {ref_of(pod): pod for pod in self._cluster.objects(POD)}
        for ref, pod in pods.items():
            is_deleted = "deletionTimestamp" in pod["metadata"]
            if ref in self._processes:
                if is_deleted:
                    self._processes[ref].end()
            elif is_deleted:
                self._cluster.remove(ref)
            elif pod["status"]["phase"] == "Pending":
                self._processes[ref] = PodProcess(pod, self._machine)
                group.create_task(self._run(ref), name=ref.name)

    async def _run(self, ref: Ref) -> None:
        try:
            await self._processes[ref].run()
        finally:
            del self._processes[ref]
            self._has_changed.set()
