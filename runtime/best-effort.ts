/** Events that may be lost (a step's RUNNING): gathered for a moment and sent past the outbox in one request. */
import type { Producer } from './kafka.ts';
import { errorFields, type Logger } from './logger.ts';
import type { OutboxEvent } from './outbox.ts';

const gatherMs = 20;
/** More than this waiting means that the broker is away: the timeline can do without, memory cannot. */
const mostWaiting = 5_000;

/** The function that it returns never throws and never waits; what cannot be sent is let go. */
export function createBestEffortSender(producer: Producer, logger: Logger): (event: OutboxEvent) => void {
  let waiting: OutboxEvent[] = [];
  let sending = false;

  const flush = async () => {
    while (waiting.length > 0) {
      const events = waiting;
      waiting = [];
      const records = events.map(({ topic, key, value }) => ({
        topic,
        key,
        value: JSON.stringify(value),
        headers: {},
      }));
      await producer.send(records).catch((error: unknown) => logger.debug('timeline: not told', errorFields(error)));
    }
    sending = false;
  };
  return (event) => {
    if (waiting.length >= mostWaiting) return;
    waiting.push(event);
    if (sending) return;
    sending = true;
    setTimeout(() => void flush(), gatherMs);
  };
}
