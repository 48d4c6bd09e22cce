import { once } from 'node:events';
import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createEngine, type Engine } from '../engine.ts';

/** Field of wire type 2 (protobuf): tag, length, bytes. */
const field = (number: number, content: string | Buffer) => {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
};
/** `ActivateJobsResponse` with one job: key 7, custom headers and variables empty. */
const oneJob = field(1, Buffer.concat([Buffer.from([1 << 3, 7]), field(9, '{}'), field(13, '{}')]));

let gateway: Http2Server;
let engine: Engine;

beforeEach(async () => {
  gateway = createServer();
  gateway.listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  engine = createEngine(`grpc://127.0.0.1:${(gateway.address() as AddressInfo).port}`);
});

afterEach(async () => {
  jest.useRealTimers();
  await engine.close();
  gateway.close();
});

/** Resolves with the next call; what the returned function gets is its only answer. */
async function nextCall(): Promise<(message: Buffer) => void> {
  const [stream] = (await once(gateway, 'stream')) as [ServerHttp2Stream];
  return (message) => {
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(message.length, 1);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(Buffer.concat([prefix, message]));
  };
}

describe('a poll for jobs', () => {
  it('takes what a busy engine hands out seconds after its time: the jobs are lent to us', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'hrtime', 'performance'] });
    const call = nextCall();
    const polled = engine.activateJobs({ type: 'a', worker: 'w', most: 1, leaseMs: 1_000, variables: [] });
    const answer = await call;

    await jest.advanceTimersByTimeAsync(15_000);
    answer(oneJob);

    expect(await polled).toMatchObject([{ key: '7' }]);
  });
});
