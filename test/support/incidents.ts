/** The incidents of a process instance as the techlead sees them in Operate: `ACTIVE`, `RESOLVED`; some seconds late. */
import { createOperateApi } from '@ticket-saga/runtime/operate';
import { z } from 'zod';

const found = z.object({ items: z.array(z.object({ state: z.string() })) });

export async function incidentsOf(processInstanceKey: string | null): Promise<string[]> {
  const operate = createOperateApi({
    OPERATE_URL: process.env['OPERATE_URL'] ?? '',
    OPERATE_USER: 'techlead',
    OPERATE_PASSWORD: 'zup@123',
  });
  const filter = `{"filter":{"processInstanceKey":${processInstanceKey}}}`;
  return (await operate.search('/v1/incidents/search', filter, found)).items.map(({ state }) => state);
}
