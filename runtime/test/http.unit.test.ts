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
