import { createServer } from 'node:net';
import { PlatformError } from './errors.ts';
import { highestOpenSearchPort, portVariables, type Ports, type PortVariable } from './settings.ts';

/** True when nothing listens there, on this or on all addresses. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

export interface PortUse {
  title: string;
  variable: PortVariable;
  port: number;
}

/** One sentence for each port that two of our own parts want, or that another program has. */
export async function portProblems(uses: readonly PortUse[], free = isFree): Promise<string[]> {
  const problems: string[] = [];
  const owners = new Map<number, PortUse>();
  for (const use of uses) {
    const other = owners.get(use.port);
    if (other) problems.push(`${use.variable} and ${other.variable} are both ${use.port}.`);
    else owners.set(use.port, use);
  }
  const taken = await Promise.all([...owners.values()].map(async (use) => ({ use, free: await free(use.port) })));
  for (const { use } of taken.filter((one) => !one.free)) {
    problems.push(`Port ${use.port} for ${use.title} is taken by another program; ${use.variable} changes it.`);
  }
  return problems;
}

/** Throws a PlatformError that names every port which cannot be used. */
export async function checkPorts(uses: readonly PortUse[]): Promise<void> {
  const problems = await portProblems(uses);
  if (problems.length === 0) return;
  const variable = uses.find((use) => problems.some((problem) => problem.includes(use.variable)))?.variable;
  const example = `Stop the other program or choose another port, for example: ${variable}=<port> npm start`;
  throw new PlatformError([...problems, example].join('\n'));
}

/** Below the range from which Linux takes ports for outgoing connections, so that none of those gets in between. */
const lowest = 10_240;
const highest = 32_000;

/** `n` different ports on which nothing listens now. */
export async function freePorts(n: number, from = lowest, to = highest): Promise<number[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < n; tries += 1) {
    if (tries > 100 * n) throw new PlatformError(`Cannot find ${n} free ports between ${from} and ${to}.`);
    const port = from + Math.floor(Math.random() * (to - from));
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

/** A free port for each variable that `fixed` does not settle. */
export async function fillPorts(fixed: Partial<Ports>): Promise<Ports> {
  const [search] = await freePorts(1, 7_000, highestOpenSearchPort);
  const rest = await freePorts(portVariables.length);
  const entries = portVariables.map((name, index) => [name, name === 'OPENSEARCH_PORT' ? search : rest[index]]);
  return { ...Object.fromEntries(entries), ...fixed };
}
