/** The events that tell an order's timeline what a step did (topic `order-steps`). */
import type { Job } from '@ticket-saga/contract/jobs';
import type { HistoryState, PaymentState, Stage, StepState } from '@ticket-saga/contract/states';
import { type StepMoved, topics } from '@ticket-saga/contract/topics';
import type { OutboxEvent } from './outbox.ts';

/** The place in the engine that an event speaks of. */
export type StepPlace = {
  orderId: string;
  processInstanceKey: string;
  elementId: string;
  elementInstanceKey?: string;
  stage: Stage;
  /** Counts from 1. */
  attempt: number;
  /** Tells one activation of the job from the next; an operator's retry may have the same attempt. */
  activation?: string;
  undo?: readonly string[];
};

/** What became true with the step's effect. */
export type StepFacts = {
  history?: HistoryState[];
  payment?: { state: PaymentState };
  payBy?: string;
  error?: { code: string; message: string };
};

/**
 * Unique per (process instance, element instance, attempt, state), as ARCHITECTURE 4 asks: a repeated handler writes
 * the same key. The element instance tells a step that was started anew from its first run. What is no outcome is told
 * for each activation of the job, or a step that an operator retried would look stuck until its end.
 */
export function stepEvent(place: StepPlace, state: StepState, facts: StepFacts = {}, at = new Date()): OutboxEvent {
  const { undo, elementInstanceKey, activation, ...rest } = place;
  const isOutcome = state === 'COMPLETED' || state === 'FAILED';
  const value: StepMoved = {
    idempotencyKey: [
      'step',
      place.processInstanceKey,
      place.elementId,
      elementInstanceKey ?? '',
      place.attempt,
      state,
      ...(isOutcome || activation === undefined ? [] : [activation]),
    ].join(':'),
    type: 'STEP',
    occurredAt: at.toISOString(),
    ...rest,
    ...(elementInstanceKey === undefined ? {} : { elementInstanceKey }),
    ...(undo ? { undo: [...undo] } : {}),
    state,
    ...facts,
  };
  return { topic: topics.orderSteps, key: place.orderId, value };
}

/** Tries are counted down by the engine from the job's declared number. An operator may have given more. */
export function attemptOf(job: Job, retriesLeft: number): number {
  return Math.max(1, job.tries - retriesLeft + 1);
}
