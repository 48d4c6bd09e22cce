/** HMAC-SHA256 signatures: of what payment-service writes to Kafka, and of the provider's webhooks. */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Hex HMAC of the exact bytes. */
export function sign(secret: string, bytes: Buffer | string): string {
  return createHmac('sha256', secret).update(bytes).digest('hex');
}

/** Compares in constant time; false for a missing or malformed signature. */
export function isSigned(secret: string, bytes: Buffer | string, signature: string | undefined): boolean {
  if (!signature || !/^[0-9a-f]{64}$/.test(signature)) return false;
  return timingSafeEqual(Buffer.from(sign(secret, bytes), 'hex'), Buffer.from(signature, 'hex'));
}
