/** The crash matrix for people: which order came to which end after its process died where. */
import type { OrderStatus } from '../../contract/states.ts';
import { type Kind, kinds, type Row } from './crash-rows.ts';

/** `status`: how the order ended; undefined where it did not end as it should, or its process never died. */
export type Result = { row: Row; status: OrderStatus | undefined };

const head = `# Crash matrix

What becomes of an order when the process that works on it is killed (SIGKILL) at the worst moment. Each cell is an order
of its own: its process died there, was started again, and the order came to the end that it should have had. At the end
of the run all that must hold for orders, stock, payments, the provider's books and the engine was checked
(\`test/support/invariants.ts\`).

This page is written by the test itself, \`UPDATE_DOCS=1 npm run test:faults\`; a unit test fails when a row is missing.
How it works: \`runtime/crash-points.ts\`; which order goes where: \`test/faults/crash-ways.ts\`.
`;

/** Markdown, a table for each kind of place. The same for every run in which all went well. */
export function report(results: readonly Result[]): string {
  const sections = (Object.keys(kinds) as Kind[]).map((kind) => {
    const { title, points } = kinds[kind];
    const names = Object.keys(points);
    const mine = results.filter(({ row }) => row.kind === kind);
    const places = [...new Set(mine.map(({ row }) => row.place))];
    const cell = (place: string, when: string) => {
      const ended = mine.find(({ row }) => row.place === place && row.when === when);
      return ended?.status ?? 'FAILED';
    };
    const table = [
      ['died at', ...names.map(words)],
      ['---', ...names.map(() => '---')],
      ...places.map((place) => [place, ...names.map((when) => cell(place, when))]),
    ];
    const meaning = Object.entries(points).map(([when, sentence]) => `- ${words(when)}: ${sentence}`);
    return `\n## ${title}\n\n${aligned(table)}\n\n${meaning.join('\n')}\n`;
  });
  return head + sections.join('');
}

const words = (when: string) => `**${when.replaceAll('-', ' ')}**`;

/** As Prettier wants a table. */
function aligned(table: readonly string[][]): string {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0)));
  return table
    .map((line) => {
      const cells = line.map((text, column) => text.padEnd(widths[column] ?? 0, text === '---' ? '-' : ' '));
      return `| ${cells.join(' | ')} |`;
    })
    .join('\n');
}
