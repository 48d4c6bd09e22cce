/** The rows of the crash matrix: every task of the diagrams, consumer, outbox, call and route, times the points there. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { jobs } from '../../contract/jobs.ts';
import {
  acts,
  consumers,
  engineCalls,
  outboxes,
  providerCalls,
  routes,
  tasks,
  type Way,
  webhooks,
} from './crash-ways.ts';

export type Row = {
  /** What the line of the table is about: the element and its job, the consumer, the call … */
  place: string;
  kind: Kind;
  /** Before or after what the process dies. */
  when: string;
  /** The name in `crashPoint(…)`. */
  point: string;
  way: Way;
};

export const kinds = {
  task: {
    title: 'Tasks of the diagrams',
    points: {
      before: 'Nothing has happened yet. The engine lends the job to another when its time is over.',
      'after-effect':
        'Effect and event stand, the engine does not know it. The job comes again; the handler finds what stands and answers the same.',
      'after-completion': 'The engine has gone on. Nothing is left to do but to send what the outbox holds.',
    },
  },
  consumer: {
    title: 'Consumers',
    points: {
      before: 'Nothing has happened yet, and the offset did not move: the message comes again.',
      'before-offset':
        'The effect stands, the offset did not move: the message comes again, and is known by its key or changes nothing.',
    },
  },
  engine: {
    title: 'Words to the engine',
    points: {
      'before-inbox':
        'The engine was told, the inbox does not say so: it is told again. A second instance ends as a duplicate, a second message has the id of the first.',
    },
  },
  act: {
    title: 'Acts of operators on the engine',
    points: {
      'before-engine':
        'The engine was not asked yet. What is written down is done later, else the operator asks again.',
      'before-noted':
        'The engine has done it, we did not write it down. A second refund ends as not refundable and the first goes on; a second retry is refused, for the step has moved on.',
    },
  },
  outbox: {
    title: 'Outboxes',
    points: {
      'before-send': 'The claim ends with the connection: another relay, or the next one, sends the rows.',
      'before-mark': 'Sent, and not marked: the rows are sent again, and readers know them by their keys.',
    },
  },
  provider: {
    title: 'Calls to the provider',
    points: {
      'before-call': 'The intent stands, the provider knows nothing: whoever takes up the step makes the call.',
      'before-outcome':
        'The provider has acted, we do not know it: the call is repeated under the same idempotency key and answers what is true; a webhook may be quicker.',
    },
  },
  webhook: {
    title: "The provider's webhook",
    points: {
      before: 'Not answered, so the provider calls again.',
      'before-answer': 'Booked and not answered: the provider calls again, and the call is known by its id.',
    },
  },
  route: {
    title: 'Routes',
    points: {
      before: 'Nothing was taken. The caller has no answer, and asks again.',
      'before-answer':
        'Taken, and the caller does not know it: the repeat under the same Idempotency-Key names the same order; of a second cancel, abort, refund or retry the first counts.',
    },
  },
} as const satisfies Record<string, { title: string; points: Record<string, string> }>;
export type Kind = keyof typeof kinds;

const rowsOf = (kind: Kind, place: string, way: Way, prefix = place): Row[] =>
  Object.keys(kinds[kind].points).map((when) => ({ place, kind, when, point: `${prefix}.${when}`, way }));

const rowsOfAll = (kind: Kind, ways: Record<string, Way>, prefix = (name: string) => name): Row[] =>
  Object.entries(ways).flatMap(([name, way]) => rowsOf(kind, prefix(name), way));

const diagrams = join(import.meta.dirname, '..', '..', 'bpmn');

/** Every service task of every diagram, with the type of its job. */
function tasksOfDiagrams(): { elementId: string; type: string }[] {
  const files = readdirSync(diagrams).filter((name) => name.endsWith('.bpmn'));
  return files.flatMap((name) => {
    const text = readFileSync(join(diagrams, name), 'utf8');
    return [...text.matchAll(/<bpmn:serviceTask id="(\w+)".*?<zeebe:taskDefinition type="([\w-]+)"/gs)].map(
      ([, elementId = '', type = '']) => ({ elementId, type }),
    );
  });
}

/** What must have rows: see the test. */
export const known = { tasks: tasksOfDiagrams(), types: Object.values(jobs).map(({ type }) => type) };

export const rows: Row[] = [
  ...known.tasks.flatMap(({ elementId, type }) => {
    const way = tasks[elementId];
    return way ? rowsOf('task', elementId, way, `${type}.${elementId}`) : [];
  }),
  ...rowsOfAll('consumer', consumers),
  ...rowsOfAll('engine', engineCalls),
  ...rowsOfAll('act', acts),
  ...rowsOfAll('outbox', outboxes, (schema) => `${schema} relay`),
  ...rowsOfAll('provider', providerCalls, (call) => `provider ${call}`),
  ...rowsOfAll('webhook', webhooks),
  ...rowsOfAll('route', routes),
];
