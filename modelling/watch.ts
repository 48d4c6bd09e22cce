/** `npm run model`: whoever saves a diagram sees in one line that it is live in the engine, or what is wrong with it. */
import { type FSWatcher, watch } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isOwnFault } from '@ticket-saga/runtime/errors';
import { asLines, refusalOf, stamped } from './watch-lines.ts';

/** What the contract check finds; the watch needs no more of it. */
export type Problem = { element: string; problem: string; remedy: string };

export type WatchParts = {
  directory: string;
  /** Where the engine is, to say it when it is away. */
  engineAddress: string;
  check: (path: string) => Promise<readonly Problem[]>;
  deploy: (name: string, content: Buffer) => Promise<readonly { version: number }[]>;
  say: (line: string) => void;
  /** All problems of a file instead of the first. */
  verbose: boolean;
  /** Deploys in spite of problems: a step that has no worker yet can be played by hand. */
  draft: boolean;
};

/** An editor writes in several steps (truncate, write, rename): it is done when nothing has happened for so long. */
const quietMs = 200;
const engineAskedAgainMs = 3_000;

export type Watching = {
  /** Resolves when every diagram was looked at once. */
  started: Promise<void>;
  stop: () => Promise<void>;
};

/** Looks at every diagram once, then at each that is saved, until stopped. */
export function watchDiagrams(parts: WatchParts): Watching {
  const live = new Map<string, number>();
  const waitingForEngine = new Set<string>();
  const quiet = new Map<string, NodeJS.Timeout>();
  const say = (file: string, words: string) => parts.say(stamped(new Date(), `${file} ${words}`));
  // One after the other: what a slow check of an older save says must not come after the newer one's.
  let queue: Promise<void> = Promise.resolve();
  const enqueue = (file: string, quietly = false) => (queue = queue.then(() => look(file, quietly)));

  async function look(file: string, quietly: boolean): Promise<void> {
    try {
      const content = await readFile(join(parts.directory, file)).catch(() => undefined);
      if (!content) {
        waitingForEngine.delete(file);
        return say(file, live.has(file) ? 'is gone; its last version stays live in the engine' : 'cannot be read');
      }
      const problems = await parts.check(join(parts.directory, file));
      if (problems.length > 0 && !parts.draft) {
        waitingForEngine.delete(file);
        return say(file, `is not deployed${asLines(problems, parts.verbose)}`);
      }
      await deploy(file, content, problems, quietly);
    } catch (error) {
      say(file, `could not be checked: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async function deploy(file: string, content: Buffer, problems: readonly Problem[], quietly: boolean): Promise<void> {
    try {
      const versions = (await parts.deploy(file, content)).map(({ version }) => version);
      const version = Math.max(...versions);
      waitingForEngine.delete(file);
      // The engine itself knows what is new: it may have been wiped, or somebody else may have deployed meanwhile.
      const words = live.get(file) === version ? `unchanged (version ${version})` : `→ version ${version}, live`;
      say(file, problems.length > 0 ? `${words} as a draft${asLines(problems, parts.verbose)}` : words);
      live.set(file, version);
    } catch (error) {
      if (!isOwnFault(error)) return say(file, `is refused by the engine: ${refusalOf(error, parts.verbose)}`);
      waitingForEngine.add(file);
      if (quietly) return;
      say(
        file,
        `cannot go live: the engine at ${parts.engineAddress} does not answer. Start it (npm start), the rest goes by itself`,
      );
    }
  }

  function saved(file: string): void {
    clearTimeout(quiet.get(file));
    quiet.set(
      file,
      setTimeout(() => void enqueue(file), quietMs),
    );
  }

  const lookAtAll = async (act: (file: string) => unknown) => {
    for (const file of (await readdir(parts.directory)).filter(isDiagram).toSorted()) act(file);
  };
  // The directory, not the files: many editors write a new file and rename it to the old name.
  const watcher: FSWatcher = watch(parts.directory, (_event, file) => {
    if (file === null) void lookAtAll(saved);
    else if (isDiagram(file)) saved(file);
  });
  const again = setInterval(() => {
    for (const file of waitingForEngine) void enqueue(file, true);
    waitingForEngine.clear();
  }, engineAskedAgainMs);

  return {
    started: lookAtAll(enqueue).then(() => queue),
    async stop() {
      watcher.close();
      clearInterval(again);
      for (const timer of quiet.values()) clearTimeout(timer);
      await queue;
    },
  };
}

const isDiagram = (file: string) => file.endsWith('.bpmn');
