import { describe, expect, it } from '@jest/globals';
import { topics } from '../../contract/topics.ts';
import { eventually } from '../../test/support/eventually.ts';
import { createBestEffortSender } from '../best-effort.ts';
import type { OutgoingRecord } from '../kafka.ts';
import { createLogger } from '../logger.ts';

/** A broker whose answer to each request is given by hand. */
function slowBroker() {
  const requests: { keys: string[]; answer(error?: Error): void }[] = [];
  const send = (records: OutgoingRecord[]) =>
    new Promise<void>((resolve, reject) => {
      const keys = records.map(({ key }) => key);
      requests.push({ keys, answer: (error) => (error ? reject(error) : resolve()) });
    });
  const tell = createBestEffortSender({ send, stop: async () => undefined }, createLogger('test', 'silent'));
  const event = (key: string) => ({ topic: topics.orderSteps, key, value: { idempotencyKey: key } });
  return { requests, tell: (...keys: string[]) => keys.forEach((key) => tell(event(key))) };
}

describe('Events that may be lost', () => {
  it('travel together, and those that come meanwhile travel in the next request', async () => {
    const { requests, tell } = slowBroker();
    tell('a', 'b');
    await eventually('the first request', () => requests.length === 1);
    tell('c');
    tell('d');
    requests[0]?.answer();
    await eventually('the second request', () => requests.length === 2);
    expect(requests.map(({ keys }) => keys)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  it('are let go when the broker does not take them, and the next ones are sent', async () => {
    const { requests, tell } = slowBroker();
    tell('a');
    await eventually('the first request', () => requests.length === 1);
    requests[0]?.answer(new Error('no broker'));
    tell('b');
    await eventually('the second request', () => requests.length === 2);
    expect(requests[1]?.keys).toEqual(['b']);
  });

  it('are let go when too many wait, so that a broker that is away fills no memory', async () => {
    const { requests, tell } = slowBroker();
    tell('a');
    await eventually('the first request', () => requests.length === 1);
    tell(...Array.from({ length: 6_000 }, (_, index) => String(index)));
    requests[0]?.answer();
    await eventually('the second request', () => requests.length === 2);
    expect(requests[1]?.keys).toHaveLength(5_000);
  });
});
