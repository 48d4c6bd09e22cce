/** The lines that `npm run model` says. */
import type { Problem } from './watch.ts';

/** `14:03:22 …`, by the clock of the machine: it is compared with the one on its screen. */
export const stamped = (at: Date, words: string): string =>
  `${[at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':')} ${words}`;

/** The first problem, to go on the same line, or all of them below each other. */
export function asLines(problems: readonly Problem[], verbose: boolean): string {
  const lines = problems.map(({ element, problem, remedy }) => oneLine(`${element} ${problem} → ${remedy}`));
  if (verbose)
    return `, ${lines.length} problem${lines.length === 1 ? '' : 's'}:${lines.map((line) => `\n  ${line}`).join('')}`;
  const more = lines.length > 1 ? ` (and ${lines.length - 1} more: npm run model -- -v)` : '';
  return `: ${lines[0]}${more}`;
}

const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').trim();

/** What the engine has against a diagram: it says so after a long preamble, over many lines. */
export function refusalOf(error: unknown, verbose: boolean): string {
  const text = error instanceof Error ? error.message : String(error);
  const reason = text.split(/following errors:/i).at(-1) ?? text;
  const line = oneLine(reason);
  return verbose || line.length <= 240 ? line : `${line.slice(0, 240)}… (all of it: npm run model -- -v)`;
}
