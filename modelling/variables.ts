/** Which variables are surely there when an element is reached: on every path, whatever happened before. */
import type { Contract, Variables } from './contract.ts';
import {
  type Diagram,
  type Element,
  eventOf,
  handlersOf,
  inputsOf,
  isA,
  isTask,
  jobTypeOf,
  outputsOf,
} from './diagram.ts';
import { readExpression } from './feel.ts';
import { edgesFrom, edgesTo } from './graph.ts';

/** `empty`: it is there, but may be null. */
export type Known = ReadonlyMap<string, 'filled' | 'empty'>;

/** What an element brings by itself: a job's output, a message's variables, the reason of an error. */
export function broughtBy(element: Element, contract: Contract): Known {
  if (isTask(element)) return known(contract.jobOf(jobTypeOf(element))?.output);
  const message = eventOf(element, 'Message')?.messageRef?.name;
  if (message) return known(contract.messages.find((it) => it.name === message)?.variables);
  if (eventOf(element, 'Error'))
    return new Map([
      ['reasonCode', 'filled'],
      ['reasonMessage', 'empty'],
    ]);
  return new Map();
}

const known = (variables: Variables = {}): Known =>
  new Map(
    Object.entries(variables)
      .filter(([, variable]) => variable.required)
      .map(([name, variable]) => [name, variable.nullable ? 'empty' : 'filled']),
  );

/** What is seen inside the element: by its job, and by its output mappings once it is done. */
export function inside(element: Element, before: Known, contract: Contract) {
  const input = new Map([...before, ...mapped(inputsOf(element), before)]);
  return { input, output: new Map([...input, ...broughtBy(element, contract)]) };
}

/** The variables of the process after the element. */
function after(element: Element, before: Known, contract: Contract): Known {
  const outputs = outputsOf(element);
  if (outputs.length > 0) return new Map([...before, ...mapped(outputs, inside(element, before, contract).output)]);
  // Without a mapping the engine keeps the variables of an error to the failed step: they are lost.
  if (eventOf(element, 'Error')) return before;
  return new Map([...before, ...broughtBy(element, contract)]);
}

function mapped(mappings: { source?: string; target?: string }[], from: Known): Known {
  return new Map(
    mappings.map(({ source, target = '' }) => {
      const copied = readExpression(source).reads.find((name) => source?.slice(1).trim() === name);
      if (source?.slice(1).trim() === 'null') return [target, 'empty'];
      return [target, copied ? (from.get(copied) ?? 'filled') : 'filled'];
    }),
  );
}

const cache = new WeakMap<Diagram, Map<Element, Known>>();

/** The variables that are there when each element is reached; elements that nothing leads to are left out. */
export function variablesBefore(diagram: Diagram, contract: Contract): Map<Element, Known> {
  const found = cache.get(diagram) ?? findVariables(diagram, contract);
  cache.set(diagram, found);
  return found;
}

function findVariables(diagram: Diagram, contract: Contract): Map<Element, Known> {
  const before = new Map<Element, Known>();
  const atStart = known(contract.starts[diagram.process.id]);
  for (const start of diagram.nodes)
    if (isA('StartEvent')(start) && edgesTo(diagram, start).length === 0) before.set(start, atStart);
  const queue = [...before.keys()];
  for (let node = queue.shift(); node; node = queue.shift()) {
    const now = before.get(node) ?? new Map();
    const then = after(node, now, contract);
    const next = edgesFrom(diagram, node).map(({ to, kind }) => ({ to, brings: kind === 'done' ? then : now }));
    // An undo step sees what is there when the undo is thrown.
    next.push(...handlersOf(diagram, node).map((to) => ({ to, brings: now })));
    for (const { to, brings } of next) {
      const had = before.get(to);
      const joined = !had ? brings : isA('ParallelGateway')(to) ? new Map([...had, ...brings]) : both(had, brings);
      if (had && same(had, joined)) continue;
      before.set(to, joined);
      queue.push(to);
    }
  }
  return before;
}

function both(one: Known, other: Known): Known {
  const shared = [...one].filter(([name]) => other.has(name));
  return new Map(
    shared.map(([name, state]) => [name, state === 'filled' && other.get(name) === 'filled' ? 'filled' : 'empty']),
  );
}

const same = (one: Known, other: Known) =>
  one.size === other.size && [...one].every(([name, state]) => other.get(name) === state);
