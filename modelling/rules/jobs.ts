import { extension, isA, isTask, jobTypeOf } from '../diagram.ts';
import { called, kindOf, type Rule } from '../rule.ts';

const isService = isA(/(Service|Send|BusinessRule|Script|User)Task$|bpmn:Task$/);

export const jobKnown: Rule = {
  id: 'job-known',
  demands: 'Every task has a job type that the contract knows.',
  inDiagram({ nodes }, { jobs, jobOf }) {
    const known = jobs.map((job) => job.type).join(', ');
    return nodes
      .filter((node) => isService(node) && !jobOf(jobTypeOf(node)))
      .map((node) => ({
        at: node,
        problem: jobTypeOf(node)
          ? `has the job type “${jobTypeOf(node)}”, which no service knows: orders would wait here for ever.`
          : 'has no job type, so no service would do it.',
        remedy: `Choose one of these job types: ${known}. Is it a new step? Then a developer declares it in contract/jobs.ts first.`,
      }));
  },
};

export const jobServed: Rule = {
  id: 'job-served',
  demands: 'For every task’s job type a service has a worker.',
  inDiagram({ nodes }, { jobOf, workers }) {
    return nodes.filter(isTask).flatMap((node) => {
      const job = jobOf(jobTypeOf(node));
      if (!job || workers[job.service]?.includes(job.name)) return [];
      return {
        at: node,
        problem: `has the job type “${job.type}”, but ${job.service} has no worker for it: orders would wait here for ever.`,
        remedy: `Ask a developer to register the job “${job.name}” in ${job.service}/workers.ts.`,
      };
    });
  },
};

export const jobUsed: Rule = {
  id: 'job-used',
  demands: 'Every job of the contract is used by a diagram.',
  inAll(diagrams, { jobs }) {
    const used = new Set(diagrams.flatMap(({ nodes }) => nodes.map(jobTypeOf)));
    return jobs
      .filter((job) => !used.has(job.type))
      .map((job) => ({
        at: `The job “${job.type}” of ${job.service}`,
        problem: 'is used by no diagram any more.',
        remedy: `Was its task deleted, or its type changed by mistake? Put it back. If the step is gone for good, a developer takes “${job.name}” out of contract/jobs.ts and its worker out of ${job.service}.`,
      }));
  },
};

export const retries: Rule = {
  id: 'retries',
  demands: 'A task is tried as often as the contract says.',
  inDiagram({ nodes }, { jobOf }) {
    return nodes.flatMap((node) => {
      const job = jobOf(jobTypeOf(node));
      const said = extension(node, 'TaskDefinition')?.retries;
      if (!job || said === String(job.tries)) return [];
      return {
        at: node,
        problem: `says “${said ?? 'nothing'}” for its retries, but the contract says ${job.tries} tries.`,
        remedy: `Set “Retries” of the ${kindOf(node)} to ${job.tries}, or ask a developer to change the contract.`,
      };
    });
  },
};

export const sameNameSameJob: Rule = {
  id: 'same-name-same-job',
  demands: 'Two boxes with the same name do the same.',
  inDiagram({ nodes }) {
    const tasks = nodes.filter((node) => node.name && jobTypeOf(node));
    return tasks.flatMap((task) => {
      const other = tasks.find((it) => it.name === task.name && jobTypeOf(it) !== jobTypeOf(task));
      if (!other || tasks.indexOf(other) > tasks.indexOf(task)) return [];
      return {
        at: task,
        problem: `has the job type “${jobTypeOf(task)}”, but ${called(other)} has the same name and does “${jobTypeOf(other)}”.`,
        remedy: 'Is one of the job types a mistake? Else give the two boxes different names.',
      };
    });
  },
};
