/** A client of live events that stopped reading: what is written to it stays in this process, and so does its stream. */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Response } from 'express';
import request from 'supertest';
import { eventually } from '../../test/support/eventually.ts';
import { completeOrder } from '../orders.ts';
import { readOrder } from '../read-orders.ts';
import { jobContext, ownService, type OwnService } from './support.ts';

let service: OwnService;

beforeAll(async () => {
  service = await ownService({ heartbeatMs: 10 });
});
afterAll(() => service.stop());

/** A response whose client reads, or does not; what was written to its socket, and the errors that it told. */
function client({ reads }: { reads: boolean }) {
  const socket = new Socket();
  const heard: string[] = [];
  socket._write = (chunk: Buffer, _encoding, done) => {
    heard.push(chunk.toString());
    if (reads) done();
  };
  socket._writev = (chunks, done) => {
    heard.push(...chunks.map(({ chunk }) => String(chunk)));
    if (reads) done();
  };
  const response = new ServerResponse(new IncomingMessage(socket));
  response.assignSocket(socket);
  const errors: Error[] = [];
  response.on('error', (error) => errors.push(error));
  return { response: response as Response, heard, errors };
}

it('a stream that has ended is not written to while its client has not read the end', async () => {
  const placed = await request(service.app).post('/orders').send({ productId: '1', quantity: 1 });
  const other = await request(service.app).post('/orders').send({ productId: '1', quantity: 1 });
  const id: string = placed.body.id;
  await completeOrder(service.db, { orderId: id }, jobContext(id, 'completeOrder'));
  const ended = await readOrder(service.db, id);
  const open = await readOrder(service.db, other.body.id);
  if (!ended || !open) throw new Error('The orders are not there.');

  const slow = client({ reads: false });
  service.orderEvents.stream(ended, undefined, slow.response);
  await eventually('the end of the stream', () => slow.response.writableEnded);
  const quick = client({ reads: true });
  service.orderEvents.stream(open, undefined, quick.response);
  await eventually('two heartbeats', () => quick.heard.join('').split('still here').length > 2);
  await service.database.admin.query('update orders.purchase set pay_by = now() where id = any($1)', [[id, open.id]]);
  await eventually('the change', () => quick.heard.join('').includes('id: 2\n'));

  expect(slow.errors).toEqual([]);
  slow.response.destroy();
  quick.response.destroy();
});
