/** An echo on Kafka: events of some orders come a second time, soon or late, as a broker may deliver them. */
import { randomUUID } from 'node:crypto';
import { topics } from '@ticket-saga/contract/topics';
import type { Chance } from './chance.ts';
import type { Shop } from './shop.ts';

type Sent = { topic: string; key: string; value: string; headers: Record<string, string> };

const mark = 'echo';
const mostKept = 2_000;

/** Repeats a `share` of the events whose key is `ours`, up to 4 s later, until it is stopped; `stop` says how many. */
export async function startEcho(shop: Shop, ours: (orderId: string) => boolean, chance: Chance, share = 0.15) {
  const groupId = `echo-${randomUUID()}`;
  const consumer = shop.kafka.consumer({ groupId, maxWaitTimeInMs: 500, retry: { retries: 20 } });
  const kept: Sent[] = [];
  const onTheWay = new Set<Promise<void>>();
  let repeated = 0;

  const again = async (events: Sent[]) => {
    await shop.sendAll(events.map((event) => ({ ...event, headers: { ...event.headers, [mark]: 'yes' } })));
    repeated += events.length;
  };
  const later = (event: Sent) => {
    const work = new Promise<void>((resolve) => {
      // A broker that is away: the event does not come twice, and nobody is harmed.
      setTimeout(
        () =>
          void again([event])
            .catch(() => undefined)
            .finally(resolve),
        chance.below(4_000),
      );
    });
    onTheWay.add(work);
    void work.finally(() => onTheWay.delete(work));
  };

  await consumer.connect();
  await consumer.subscribe({ topics: [topics.createdOrders, topics.paymentEvent, topics.orderSteps] });
  await consumer.run({
    eachMessage: async ({ topic, message }) => {
      const key = message.key?.toString() ?? '';
      if (message.headers?.[mark] || !ours(key) || !chance.hits(share)) return;
      const headers = Object.fromEntries(
        Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]),
      );
      const event = { topic, key, value: message.value?.toString() ?? '', headers };
      if (kept.length < mostKept) kept.push(event);
      later(event);
    },
  });

  return {
    /** Once more what was repeated so far: very late, when its orders have ended. */
    late: async () => {
      await Promise.all(onTheWay);
      if (kept.length > 0) await again(kept);
    },
    stop: async () => {
      await Promise.all(onTheWay);
      await consumer.disconnect();
      const admin = shop.kafka.admin();
      await admin.connect();
      await admin.deleteGroups([groupId]).catch(() => undefined);
      await admin.disconnect();
      return repeated;
    },
  };
}

/** How many messages the services have not read yet, over all their consumer groups (`<service>.<topic>`). */
export async function unread(shop: Shop): Promise<number> {
  const admin = shop.kafka.admin();
  await admin.connect();
  try {
    let sum = 0;
    const { groups } = await admin.listGroups();
    for (const topic of Object.values(topics)) {
      const ends = new Map((await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, high]));
      for (const { groupId } of groups.filter((group) => group.groupId.endsWith(`.${topic}`))) {
        for (const { partitions } of await admin.fetchOffsets({ groupId, topics: [topic] }))
          for (const { partition, offset } of partitions)
            sum += Number(ends.get(partition) ?? 0) - Math.max(0, Number(offset));
      }
    }
    return sum;
  } finally {
    await admin.disconnect();
  }
}
