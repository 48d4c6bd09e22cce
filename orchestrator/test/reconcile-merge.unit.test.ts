import { expect, test } from '@jest/globals';
import { allRows, inGroups, joinByKey, type Page } from '../reconcile-merge.ts';

/** A list in pages of two, which notes how far it was read. */
function pages(all: string[], read: string[] = []) {
  return async (cursor: string | null): Promise<Page<string>> => {
    read.push(cursor ?? 'the beginning');
    const from = cursor === null ? 0 : all.indexOf(cursor) + 1;
    const items = all.slice(from, from + 2);
    return { items, nextCursor: from + 2 < all.length ? (items.at(-1) ?? null) : null };
  };
}

async function collect<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

const list = (...all: string[]) => ({ rows: allRows(pages(all)), keyOf: (row: string) => row.slice(0, 1) });

test('all rows of all pages come, in order', async () => {
  expect(await collect(allRows(pages(['a', 'b', 'c', 'd', 'e'])))).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(await collect(allRows(pages([])))).toEqual([]);
});

test('no more than one page is read ahead', async () => {
  const read: string[] = [];
  const rows = allRows(pages(['a', 'b', 'c', 'd', 'e', 'f'], read));
  await rows.next();
  expect(read).toEqual(['the beginning', 'b']);
});

test('a page that fails ends the reading with its error', async () => {
  const rows = allRows<string>(async (cursor) => {
    if (cursor !== null) throw new Error('away');
    return { items: ['a'], nextCursor: 'a' };
  });
  await expect(collect(rows)).rejects.toThrow('away');
});

test('lists are joined by key: each key once, with its rows of every list', async () => {
  const joined = await collect(
    joinByKey({ left: list('a1', 'b1', 'd1'), right: list('b2', 'b3', 'c2'), none: list() }),
  );
  expect(joined).toEqual([
    { key: 'a', rows: { left: ['a1'], right: [], none: [] } },
    { key: 'b', rows: { left: ['b1'], right: ['b2', 'b3'], none: [] } },
    { key: 'c', rows: { left: [], right: ['c2'], none: [] } },
    { key: 'd', rows: { left: ['d1'], right: [], none: [] } },
  ]);
});

test('a list that is not sorted is refused: its rows would be taken for missing', async () => {
  await expect(collect(joinByKey({ left: list('b1', 'a1'), right: list('a2') }))).rejects.toThrow(
    'left are not sorted',
  );
});

test('groups hold at most so many', async () => {
  expect(await collect(inGroups(allRows(pages(['a', 'b', 'c', 'd', 'e'])), 2))).toEqual([
    ['a', 'b'],
    ['c', 'd'],
    ['e'],
  ]);
});
