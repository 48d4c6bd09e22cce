/**
 * Live events of orders (server-sent events). Every process hears of every change through PostgreSQL, so it does not
 * matter which of several order-services a client is connected to, or which one changed the order.
 */
import type { Response } from 'express';
import type { Db } from '@ticket-saga/runtime/database';
import type { PartHealth } from '@ticket-saga/runtime/health';
import { startListening } from '@ticket-saga/runtime/listen';
import { errorFields, type Logger } from '@ticket-saga/runtime/logger';
import type { Diagram } from './diagram.ts';
import { viewOrder } from './order-view.ts';
import { type OrderRow, readOrder } from './read-orders.ts';

export type OrderEvents = {
  /**
   * Streams the order to `response` until it ends: its state now, unless the client has just that, then each change.
   * @param seen the version that the client has (`Last-Event-ID`)
   */
  stream(order: OrderRow, seen: number | undefined, response: Response): void;
  /** Ends all streams and the listening. */
  stop(): Promise<void>;
};

type Stream = { response: Response; seen: number; ending?: NodeJS.Timeout };

/** What other services did just before the order ended may be heard just after: so long its streams stay open, ms. */
const lingerMs = 1_000;

/** A client that does not read is cut off before it fills the memory, bytes. */
const mostUnread = 1_000_000;

export function createOrderEvents(options: {
  url: string;
  db: Db;
  diagram: Diagram;
  health: PartHealth;
  logger: Logger;
  /** Proxies and browsers take a silent connection for dead. */
  heartbeatMs?: number;
}): OrderEvents {
  const { db, diagram, logger, heartbeatMs = 15_000 } = options;
  const streams = new Map<string, Set<Stream>>();
  /** Orders that are being read; true when they changed meanwhile. */
  const reading = new Map<string, boolean>();

  const refresh = async (id: string): Promise<void> => {
    if (!streams.has(id)) return;
    if (reading.has(id)) return void reading.set(id, true);
    reading.set(id, false);
    try {
      const order = await readOrder(db, id);
      if (order) tell(order, streams.get(id) ?? new Set(), diagram);
    } catch (error) {
      logger.warn('live events: the order cannot be read', { orderId: id, ...errorFields(error) });
      setTimeout(() => void refresh(id), 1_000).unref();
    } finally {
      const again = reading.get(id);
      reading.delete(id);
      if (again) void refresh(id);
    }
  };
  const stopListening = startListening({
    ...options,
    channel: 'order_changed',
    onNotification: (id) => void refresh(id),
    onConnected: () => [...streams.keys()].forEach((id) => void refresh(id)),
  });
  const heartbeat = setInterval(() => {
    for (const { response } of allOf(streams)) response.write(': still here\n\n');
  }, heartbeatMs);

  return {
    stream(order, seen, response) {
      const stream: Stream = { response, seen: seen ?? 0 };
      const ofOrder = streams.get(order.id) ?? new Set();
      streams.set(order.id, ofOrder.add(stream));
      response.once('close', () => {
        ofOrder.delete(stream);
        if (ofOrder.size === 0 && streams.get(order.id) === ofOrder) streams.delete(order.id);
      });
      response.writeHead(200, {
        'Content-Type': 'text/event-stream; charset=utf-8',
        'Cache-Control': 'no-cache, no-transform',
        'X-Accel-Buffering': 'no',
      });
      response.write('retry: 2000\n\n');
      tell(order, [stream], diagram);
      // It may have changed between its reading and the registration above.
      void refresh(order.id);
    },
    async stop() {
      clearInterval(heartbeat);
      for (const { response } of allOf(streams)) response.end();
      await stopListening();
    },
  };
}

/** The streams that go on. One that has ended stays until its client has read the end, and must not be written to. */
const goingOn = (streams: Iterable<Stream>): Stream[] => [...streams].filter(({ response }) => !response.writableEnded);
const allOf = (streams: Map<string, Set<Stream>>): Stream[] =>
  [...streams.values()].flatMap((ofOrder) => goingOn(ofOrder));

function tell(order: OrderRow, streams: Iterable<Stream>, diagram: Diagram): void {
  const view = viewOrder(order, diagram);
  const text = `id: ${order.version}\ndata: ${JSON.stringify(view)}\n\n`;
  for (const stream of goingOn(streams)) {
    if (order.version > stream.seen) {
      stream.seen = order.version;
      stream.response.write(text);
    }
    if (order.completedAt) stream.ending ??= endSoon(stream.response, order.completedAt);
    else if (stream.response.writableLength > mostUnread) stream.response.destroy();
  }
}

function endSoon(response: Response, completedAt: Date): NodeJS.Timeout {
  const left = completedAt.getTime() + lingerMs - Date.now();
  return setTimeout(() => response.end(), Math.min(Math.max(left, 0), lingerMs)).unref();
}
