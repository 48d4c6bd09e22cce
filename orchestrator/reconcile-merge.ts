/** Reads sorted lists page by page and joins them by key: whatever their length, only a page of each is in memory. */

export type Page<Row> = { items: Row[]; nextCursor: string | null };

/** All rows of a list. The next page is asked for while this one is worked on. */
export async function* allRows<Row>(read: (cursor: string | null) => Promise<Page<Row>>): AsyncGenerator<Row> {
  let coming: Promise<Page<Row>> | undefined = read(null);
  while (coming) {
    const page: Page<Row> = await coming;
    coming = page.nextCursor === null ? undefined : read(page.nextCursor);
    coming?.catch(() => undefined); // it is heard at the `await` above
    yield* page.items;
  }
}

type Lists<Rows extends Record<string, unknown>> = {
  [Name in keyof Rows]: { rows: AsyncIterable<Rows[Name]>; keyOf: (row: Rows[Name]) => string };
};
export type Joined<Rows extends Record<string, unknown>> = {
  key: string;
  rows: { [Name in keyof Rows]: Rows[Name][] };
};

/**
 * Joins lists that are each sorted by their keys, byte by byte; yields each key once, with its rows of every list.
 * Throws when a list is not sorted: rows would be taken for missing.
 */
export async function* joinByKey<Rows extends Record<string, unknown>>(
  lists: Lists<Rows>,
): AsyncGenerator<Joined<Rows>> {
  const heads = await Promise.all(
    Object.entries(lists).map(async ([name, { rows, keyOf }]) => {
      const rest = rows[Symbol.asyncIterator]();
      const head = { name, rest, keyOf, row: await rest.next(), last: '' };
      return head;
    }),
  );
  for (;;) {
    const keys = heads.flatMap(({ row, keyOf }) => (row.done ? [] : [keyOf(row.value)]));
    if (keys.length === 0) return;
    const key = keys.reduce((least, one) => (one < least ? one : least));
    const joined: Record<string, unknown[]> = {};
    for (const head of heads) {
      const found: unknown[] = (joined[head.name] = []);
      while (!head.row.done && head.keyOf(head.row.value) === key) {
        found.push(head.row.value);
        head.row = await head.rest.next();
      }
      if (!head.row.done && head.keyOf(head.row.value) < key) throw new Error(`The ${head.name} are not sorted.`);
    }
    yield { key, rows: joined as Joined<Rows>['rows'] };
  }
}

/** Groups of at most `size`, in order. */
export async function* inGroups<Row>(rows: AsyncIterable<Row>, size: number): AsyncGenerator<Row[]> {
  let group: Row[] = [];
  for await (const row of rows) {
    group.push(row);
    if (group.length === size) {
      yield group;
      group = [];
    }
  }
  if (group.length > 0) yield group;
}
