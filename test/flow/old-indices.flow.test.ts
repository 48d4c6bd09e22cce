import { expect, it } from '@jest/globals';
import { deleteOldIndices } from '@ticket-saga/platform/old-indices';
import { z } from 'zod';

const opensearch = `http://127.0.0.1:${process.env['OPENSEARCH_PORT']}`;
const exists = async (index: string) => (await fetch(`${opensearch}/${index}`, { method: 'HEAD' })).status === 200;

const indices = async () =>
  z
    .array(z.object({ index: z.string() }))
    .parse(await (await fetch(`${opensearch}/_cat/indices/*?format=json&h=index`)).json())
    .map(({ index }) => index);

it('Old days of Operate and of the exporter are dropped, the young and the undated stay', async () => {
  const standing = await indices(); // what the system itself has written
  const now = new Date('2026-03-31T12:00:00Z');
  const old = ['operate-list-view-8.3.0_2026-02-27', 'zeebe-record_job_8.6.0_2026-01-01'];
  const young = ['operate-list-view-8.3.0_2026-03-01', 'zeebe-record_job_8.6.0_2026-03-30'];
  const others = ['somebody-elses_2026-01-01', 'operate-not-a-day_'];
  for (const index of [...old, ...young, ...others]) await fetch(`${opensearch}/${index}`, { method: 'PUT' });
  try {
    expect((await deleteOldIndices(opensearch, 30, now)).toSorted()).toEqual(old.toSorted());
    expect(await Promise.all(old.map(exists))).toEqual([false, false]);
    expect(await Promise.all([...young, ...others].map(exists))).toEqual([true, true, true, true]);
    const after = await indices();
    expect(standing.filter((index) => !after.includes(index))).toEqual([]);
  } finally {
    for (const index of [...young, ...others]) await fetch(`${opensearch}/${index}`, { method: 'DELETE' });
  }
}, 120_000);
