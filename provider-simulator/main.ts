/** The outside payment provider, simulated: a process with HTTP and books of its own. It knows nothing of the shop. */
import { port, readConfigOrExit, serviceSettings } from '@ticket-saga/runtime/config';
import { runService } from '@ticket-saga/runtime/service';
import { z } from 'zod';
import { createProviderApp } from './app.ts';
import { startClockwork } from './clockwork.ts';

const config = readConfigOrExit(
  z.object({
    ...serviceSettings,
    PROVIDER_PORT: port(8089),
    PROVIDER_API_KEY: z.string().min(1).default('local-provider-key'),
    WEBHOOK_SECRET: z.string().min(1).default('local-webhook-secret'),
    /** Without a token up to this total is approved, above it declined; two decimals. */
    APPROVAL_LIMIT: z
      .string()
      .regex(/^\d{1,7}(\.\d{1,2})?$/, 'must be an amount such as 1000.00')
      .default('1000.00')
      .transform((decimal) => Math.round(Number(decimal) * 100)),
  }),
);

await runService('provider-simulator', config, async (service) => {
  const db = service.database('provider');
  const health = service.health.part('decisions and webhooks', service.health.stalledAfterMs);
  const clockwork = startClockwork({ db, webhookSecret: config.WEBHOOK_SECRET, logger: service.logger, health });
  service.onStop('clockwork', clockwork.stop);
  const parts = { db, approvalLimit: config.APPROVAL_LIMIT, wake: clockwork.wake, apiKey: config.PROVIDER_API_KEY };
  await service.listen(createProviderApp(service.appParts, parts), config.PROVIDER_PORT);
});
