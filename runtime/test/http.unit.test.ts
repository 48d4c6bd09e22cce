import { connect } from 'node:net';
import { expect, it } from '@jest/globals';
import express from 'express';
import { closeServer, listen } from '../http.ts';

it('A taken port is told with the variable that changes it', async () => {
  const { server, port } = await listen(express(), 0, '127.0.0.1');
  await expect(listen(express(), port, '127.0.0.1', 'PAYMENT_PORT')).rejects.toThrow(
    `Port ${port} is taken by another program: stop it, or set PAYMENT_PORT.`,
  );
  await closeServer(server);
});

it('A request that Node itself cannot read gets a problem document', async () => {
  const { server, port } = await listen(express(), 0, '127.0.0.1');
  const answers = await Promise.all(
    [`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(20_000)}\r\n\r\n`, 'NONSENSE\r\n\r\n'].map((text) => {
      const socket = connect(port, '127.0.0.1');
      socket.end(text);
      return socket.toArray().then((parts: Buffer[]) => Buffer.concat(parts).toString());
    }),
  );
  expect(answers[0]).toMatch(/^HTTP\/1.1 431 .*application\/problem\+json.*16 kB/s);
  expect(answers[1]).toMatch(/^HTTP\/1.1 400 .*"code":"MALFORMED_REQUEST"/s);
  await closeServer(server);
});
