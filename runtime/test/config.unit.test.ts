import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { longestRedeliveryMs, topicSettings } from '../../contract/topics.ts';
import { duration, durationMs, port, readConfig, refuseLocalSecrets, retentionSettings } from '../config.ts';

const schema = z.object({
  ORDER_PORT: port(8080),
  PAYMENT_DEADLINE: duration('PT15M'),
  MODE: z.enum(['a', 'b']).default('a'),
});

describe('Settings', () => {
  it('have defaults, and an empty variable counts as missing', () => {
    expect(readConfig(schema, { ORDER_PORT: '' })).toEqual({ ORDER_PORT: 8080, PAYMENT_DEADLINE: 'PT15M', MODE: 'a' });
  });

  it('are refused all at once, each with its name and reason', () => {
    const bad = () => readConfig(schema, { ORDER_PORT: 'eighty', PAYMENT_DEADLINE: '15 minutes', MODE: 'c' });
    expect(bad).toThrow(/ORDER_PORT: .*\n.*PAYMENT_DEADLINE: must be an ISO.*\n.*MODE: /);
  });

  it('take no duration of zero', () => {
    expect(() => readConfig(schema, { PAYMENT_DEADLINE: 'PT0S' })).toThrow(/longer than nothing/);
  });

  it('count a duration in milliseconds', () => {
    expect(durationMs('PT1H30M')).toBe(5_400_000);
  });

  it('with a secret that everybody knows are refused in JWT mode', () => {
    const secrets = { WEBHOOK_SECRET: 'local-webhook-secret', PROVIDER_API_KEY: 'my own' };
    expect(() => refuseLocalSecrets({ AUTH_MODE: 'jwt' }, secrets)).toThrow(/set WEBHOOK_SECRET\./);
    expect(() => refuseLocalSecrets({ AUTH_MODE: 'local' }, secrets)).not.toThrow();
  });
});

describe('A setting of the clean-up', () => {
  const read = (env: Record<string, string>) => () => readConfig(z.object(retentionSettings), env);

  it('is refused by name when redelivery may still ask for what it would delete', () => {
    expect(read({ INBOX_KEEP: 'P13D' })).toThrow(/INBOX_KEEP: is too short: Kafka may deliver .* for 14 days/);
    expect(read({ OUTBOX_KEEP: 'PT1H' })).toThrow(/OUTBOX_KEEP: is too short/);
    expect(read({ INBOX_KEEP: 'P14D', OUTBOX_KEEP: 'P1Y' })).not.toThrow();
  });

  it('outlives every message that Kafka can deliver again', () => {
    const kept = Object.values(topicSettings).map(({ config }) => Number(config['retention.ms'] ?? 0));
    expect(longestRedeliveryMs).toBeGreaterThan(Math.max(...kept));
    expect(durationMs(read({})().INBOX_KEEP)).toBeGreaterThan(longestRedeliveryMs);
  });
});
