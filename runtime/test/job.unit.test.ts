import { describe, expect, it } from '@jest/globals';
import { jobs } from '../../contract/jobs.ts';
import type { ActivatedJob, Engine } from '../engine.ts';
import { BusinessError, PassingFault, PermanentError } from '../errors.ts';
import { type Handler, runJob } from '../job.ts';
import { createLogger } from '../logger.ts';
import type { OutboxEvent } from '../outbox.ts';

const orderId = '0190a8c0-0000-7000-8000-000000000001';
const job = jobs.completeOrder;
type TestHandler = Handler<typeof job.input, typeof job.output>;

/** What the engine was told; `answers` are thrown one after the other before it listens. */
function engineThatHears(answers: unknown[] = []) {
  const heard: { call: string; args: unknown }[] = [];
  const hear = (call: string) => async (_key: string, args?: unknown) => {
    const answer = answers.shift();
    if (answer !== undefined) throw answer;
    heard.push({ call, args });
  };
  const engine = {
    completeJob: hear('complete'),
    failJob: hear('fail'),
    throwError: hear('error'),
  } as unknown as Engine;
  return { engine, heard };
}

function activated(over: Partial<ActivatedJob> = {}): ActivatedJob {
  return {
    key: '1',
    type: job.type,
    processInstanceKey: '10',
    elementId: 'CompleteOrder',
    elementInstanceKey: '11',
    retries: 5,
    deadline: String(Date.now() + 30_000),
    variables: { orderId },
    ...over,
  };
}

async function run(handler: TestHandler, over: Partial<ActivatedJob> = {}, answers: unknown[] = []) {
  const { engine, heard } = engineThatHears(answers);
  const told: OutboxEvent[] = [];
  const report = {
    started: (event: OutboxEvent) => void told.push(event),
    trouble: async (event: OutboxEvent) => void told.push(event),
  };
  const result = await runJob(job, handler, activated(over), {
    engine,
    report,
    logger: createLogger('test', 'silent'),
    retryBackOffMs: 1_000,
  });
  return { result, heard, states: told.map((event) => ('state' in event.value ? event.value.state : undefined)), told };
}

describe('A job', () => {
  it('is completed with what its handler returns', async () => {
    const { result, heard, states } = await run(async () => ({}));
    expect(result).toBe('completed');
    expect(heard).toEqual([{ call: 'complete', args: {} }]);
    expect(states).toEqual(['RUNNING']);
  });

  it('ends as a BPMN error with the reason as variables when the handler finds a business outcome', async () => {
    const { result, heard } = await run(async () => {
      throw new BusinessError('ORDER_STOPPED', 'Too late.', { reasonCode: 'CANCELLED_BY_CUSTOMER' });
    });
    expect(result).toBe('business-error');
    expect(heard).toEqual([
      {
        call: 'error',
        args: {
          errorCode: 'ORDER_STOPPED',
          errorMessage: 'Too late.',
          variables: { reasonCode: 'CANCELLED_BY_CUSTOMER' },
        },
      },
    ]);
  });

  it('is an incident at once when it throws an error that its contract does not know', async () => {
    const { heard, states } = await run(async () => {
      throw new BusinessError('SOLD_OUT');
    });
    expect(heard).toMatchObject([{ call: 'fail', args: { retries: 0 } }]);
    expect(states).toEqual(['RUNNING', 'STUCK']);
  });

  it('is an incident at once, with the code that it names, when it can never succeed', async () => {
    const { heard, told } = await run(async () => {
      throw new PermanentError('PROVIDER_REFUSED', 'The provider refused the call.');
    });
    expect(heard).toMatchObject([{ call: 'fail', args: { retries: 0 } }]);
    expect(told[1]?.value).toMatchObject({ state: 'STUCK', error: { code: 'PROVIDER_REFUSED' } });
  });

  it('uses up one try and waits 1, 2, 4, 8 seconds when the outside world fails', async () => {
    const waits: unknown[] = [];
    for (const retries of [5, 4, 3, 2, 1]) {
      const { heard } = await run(
        async () => {
          throw new PassingFault('PROVIDER_UNAVAILABLE', 'The provider answers 503.');
        },
        { retries },
      );
      waits.push(heard[0]?.args);
    }
    expect(waits).toMatchObject([
      { retries: 4, retryBackOff: 1_000 },
      { retries: 3, retryBackOff: 2_000 },
      { retries: 2, retryBackOff: 4_000 },
      { retries: 1, retryBackOff: 8_000 },
      { retries: 0, retryBackOff: 0 },
    ]);
  });

  it('uses up no try when our own database is away', async () => {
    const { heard, states } = await run(async () => {
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    });
    expect(heard).toMatchObject([{ call: 'fail', args: { retries: 5 } }]);
    expect(states).toEqual(['RUNNING', 'RETRYING']);
  });

  it('is an incident at once when its input does not fit the contract', async () => {
    const { heard } = await run(async () => ({}), { variables: { orderId: 'no uuid' } });
    expect(heard).toMatchObject([{ call: 'fail', args: { retries: 0 } }]);
  });

  it('is told again when the engine does not listen at first', async () => {
    const { result, heard } = await run(async () => ({}), {}, [
      Object.assign(new Error('14 UNAVAILABLE'), { code: 14 }),
    ]);
    expect(result).toBe('completed');
    expect(heard).toHaveLength(1);
  });

  it('is gone, and no failure, when the engine has given it to another or interrupted its step', async () => {
    const { result } = await run(async () => ({}), {}, [Object.assign(new Error('5 NOT_FOUND'), { code: 5 })]);
    expect(result).toBe('gone');
  });

  it('tells its outcome under the same key each time it is repeated, and each activation under a key of its own', async () => {
    const keys: string[] = [];
    const handler: TestHandler = async (_input, context) => {
      keys.push(context.completed().value.idempotencyKey);
      return {};
    };
    const first = await run(handler, { deadline: '1' });
    const second = await run(handler, { deadline: '2' });
    expect(keys[0]).toBe(keys[1]);
    expect(second.told[0]?.value.idempotencyKey).not.toBe(first.told[0]?.value.idempotencyKey);
  });
});
