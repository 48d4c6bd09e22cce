/** HMAC-SHA256 signatures: of what our services write to Kafka, and of the provider's webhooks. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { signedTopics, type Topic } from '@ticket-saga/contract/topics';

/** Hex HMAC of the exact bytes. */
export function sign(secret: string, bytes: Buffer | string): string {
  return createHmac('sha256', secret).update(bytes).digest('hex');
}

/** Compares in constant time; false for a missing or malformed signature. */
export function isSigned(secret: string, bytes: Buffer | string, signature: string | undefined): boolean {
  if (!signature || !/^[0-9a-f]{64}$/.test(signature)) return false;
  return timingSafeEqual(Buffer.from(sign(secret, bytes), 'hex'), Buffer.from(signature, 'hex'));
}

/** The secret with which the messages of a topic must be signed; none in local mode, where services are acted out by hand. */
export function secretToAskFor(
  settings: { AUTH_MODE?: 'local' | 'jwt'; EVENT_SECRET?: string },
  topic: Topic,
): string | undefined {
  return settings.AUTH_MODE === 'jwt' && signedTopics.includes(topic) ? settings.EVENT_SECRET : undefined;
}
