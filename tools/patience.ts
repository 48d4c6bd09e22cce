/** Clients with patience: what cannot be had now is asked for again, safely. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, type OrderView, orderView, type Shop } from './shop.ts';

const answerWithinMs = 5_000;

/**
 * Places the order at one of `urls` (several order-services), again and again while none can take it: the key makes
 * that safe. Rejects for any answer but 202, 429 and 5xx, and when none came within `withinMs`.
 */
export async function placeForSure(
  shop: Shop,
  urls: readonly string[],
  body: object,
  key: string,
  withinMs = 180_000,
): Promise<{ order: OrderView; replayed: boolean }> {
  const headers = { 'idempotency-key': key };
  const answer = await askForSure(urls, withinMs, (url) =>
    shop.call('POST', `${url}/orders`, body, headers, answerWithinMs),
  );
  if (answer.status !== 202)
    throw new Error(`The order ${key} was not taken: ${answer.status} ${JSON.stringify(answer.body)}`);
  return { order: orderView.parse(answer.body), replayed: answer.headers.get('idempotency-replayed') === 'true' };
}

/** The first answer that is neither 429 nor 5xx; the urls take turns. */
export async function askForSure(
  urls: readonly string[],
  withinMs: number,
  ask: (url: string) => Promise<Answer>,
): Promise<Answer> {
  const end = Date.now() + withinMs;
  let last: unknown;
  for (let tries = 0; ; tries += 1) {
    const answer = await ask(urls[tries % urls.length] ?? '').catch((error: unknown) => {
      last = error;
    });
    if (answer && answer.status !== 429 && answer.status < 500) return answer;
    if (answer) last = `${answer.status} ${JSON.stringify(answer.body)}`;
    if (Date.now() > end) throw new Error(`No answer within ${withinMs / 1000} s`, { cause: last });
    await delay(Number(answer?.headers.get('retry-after') ?? 0.3) * 1_000);
  }
}

/** Works through the items, `lanes` of them side by side. */
export async function inLanes<T>(lanes: number, items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items[Symbol.iterator]();
  const lane = async () => {
    for (let next = waiting.next(); !next.done; next = waiting.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
