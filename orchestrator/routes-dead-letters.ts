/** Routes of the dead letters: list, show, replay one or all, discard. */
import type { Api } from '@ticket-saga/runtime/api';
import { z } from 'zod';
import { auditRefusal, type OperatorAction } from './audit.ts';
import { type DeadLetterRow, deadLetterStates, listDeadLetters, parseLetter, readDeadLetter } from './dead-letters.ts';
import type { OrchestratorParts } from './parts.ts';
import { replayAll, replayCursor } from './replay-all.ts';
import { discardDeadLetter, messageOf, replayDeadLetter } from './replay-dead-letter.ts';
import { because, operatorName, word } from './routes-actions.ts';
import { linksOf } from './stuck.ts';

const id = z.string().regex(/^\d{1,18}$/, 'must be the id of a dead letter');
const filter = z.object({
  service: word.optional().describe('who gave up on the message'),
  code: word.optional().describe('why, as AMOUNT_MISMATCH'),
  topic: word.optional().describe('where the message came from; `webhook` for a call of the provider'),
  orderId: z.uuid().optional(),
});
const view = z
  .object({
    id,
    state: z.enum(deadLetterStates),
    occurredAt: z.iso.datetime(),
    service: z.string(),
    code: z.string(),
    message: z.string(),
    topic: z.string(),
    orderId: z.uuid().nullable(),
    decided: z.object({ at: z.iso.datetime(), by: z.string(), because: z.string() }).nullable(),
    links: z.object({ order: z.url().nullable(), operate: z.url().nullable() }),
  })
  .meta({ id: 'DeadLetter' });
const whole = view.extend({
  replayable: z.boolean(),
  advice: z.string().nullable().describe('why it cannot be replayed, and what to do'),
  letter: z.unknown().describe('the record as it came; as base64 text where it is no dead letter'),
});

export function addDeadLetterRoutes(api: Api, parts: OrchestratorParts): void {
  const { db } = parts;
  const shown = (row: DeadLetterRow): z.input<typeof view> => {
    const { decidedAt, decidedBy, decidedBecause, sourceTopic, processInstanceKey, orderId, occurredAt, ...rest } = row;
    const links = orderId === null ? { order: null, operate: null } : linksOf(parts, orderId, processInstanceKey);
    const decision = { by: decidedBy ?? '', because: decidedBecause ?? '' };
    const decided = decidedAt ? { at: decidedAt.toISOString(), ...decision } : null;
    return { ...rest, occurredAt: occurredAt.toISOString(), topic: sourceTopic, orderId, decided, links };
  };

  api.route({
    method: 'get',
    path: '/operations/dead-letters',
    summary: 'Messages that could not be handled, the newest first',
    access: 'operator',
    query: filter.extend({
      state: z.enum(deadLetterStates).optional(),
      limit: z.coerce.number().int().min(1).max(100).default(20),
      cursor: id.optional().describe('`nextCursor` of the page before'),
    }),
    answers: {
      200: { description: 'A page', schema: z.object({ items: z.array(view), nextCursor: z.string().nullable() }) },
    },
    async handle({ query }) {
      const { items, nextCursor } = await listDeadLetters(db, query);
      return { status: 200, body: { items: items.map(shown), nextCursor } };
    },
  });

  api.route({
    method: 'get',
    path: '/operations/dead-letters/:id',
    summary: 'A dead letter, whole',
    access: 'operator',
    params: z.object({ id }),
    answers: { 200: { description: 'The letter with the message in it', schema: whole } },
    async handle({ params }) {
      const { raw, ...row } = await readDeadLetter(db, params.id);
      const letter = parseLetter(raw);
      const message = messageOf(letter);
      const advice = typeof message === 'string' ? message : null;
      const body = { ...shown(row), replayable: advice === null, advice, letter: letter ?? raw.toString('base64') };
      return { status: 200, body };
    },
  });

  const decisions = [
    {
      verb: 'replay',
      act: replayDeadLetter,
      summary: 'Sends the message once more to where it came from',
      bodyExamples: { 'it can be handled now': { reason: 'the bug is mended' } },
    },
    {
      verb: 'discard',
      act: discardDeadLetter,
      summary: 'Decides that nothing is to be done about it',
      bodyExamples: { 'it was seen to otherwise': { reason: 'written by hand' } },
    },
  ] as const;
  for (const { verb, act, summary, bodyExamples } of decisions) {
    api.route({
      method: 'post',
      path: `/operations/dead-letters/:id/${verb}`,
      summary,
      description: '409 STALE_ACTION when it was replayed or discarded before.',
      access: 'operator',
      params: z.object({ id }),
      body: because,
      bodyExamples,
      answers: { 200: { description: 'Done', schema: view } },
      async handle({ params, body: { reason }, identity }) {
        const entry = { operator: operatorName(identity), reason, id: params.id };
        const refused: Omit<OperatorAction, 'outcome'> = {
          operator: entry.operator,
          reason,
          action: `${verb}-dead-letter`,
          details: { deadLetter: params.id },
        };
        return { status: 200, body: shown(await auditRefusal(db, refused, () => act(parts, entry))) };
      },
    });
  }

  api.route({
    method: 'post',
    path: '/operations/dead-letters/replay',
    summary: 'Replays all open letters that match, the oldest first',
    access: 'operator',
    body: filter.extend({
      reason: because.shape.reason,
      limit: z.int().min(1).max(500).default(100).describe('at the most in this call'),
      cursor: z.string().regex(replayCursor).optional().describe('`nextCursor` of the call before: goes on behind it'),
    }),
    bodyExamples: {
      'one error': { reason: 'the bug is mended', code: 'HANDLER_FAILED', limit: 100 },
      'the letters of one order': {
        reason: 'the order is restored',
        orderId: '019a0000-0000-7000-8000-000000000001',
        limit: 100,
      },
    },
    answers: {
      200: {
        description: 'How many were replayed, and which were refused and stay open',
        schema: z.object({
          replayed: z.int(),
          refused: z.array(z.object({ id, code: z.string(), detail: z.string() })),
          nextCursor: z.string().nullable(),
        }),
      },
    },
    async handle({ body, identity }) {
      return { status: 200, body: await replayAll(parts, { operator: operatorName(identity), ...body }) };
    },
  });
}
