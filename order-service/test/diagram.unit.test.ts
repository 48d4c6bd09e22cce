import { beforeAll, describe, expect, it } from '@jest/globals';
import { jobs } from '@ticket-saga/contract/jobs';
import { type Diagram, type Exit, parseDiagram, readDiagram } from '../diagram.ts';

let diagram: Diagram;
beforeAll(async () => {
  diagram = await readDiagram();
});

const done: Exit = { by: 'completion' };
const next = (from: string, exit: Exit = done, variables: Record<string, string> = {}, completed = true) =>
  diagram.next(from, exit, { variables, completed: () => completed });

describe('what follows what, read from the diagram', () => {
  it('is the next box', () => {
    expect(next('OrderPlaced')).toEqual(['ReserveTickets']);
    expect(next('RequestPayment')).toEqual(['WaitForPayment']);
  });

  it('is all boxes behind a gateway while its variable is not known', () => {
    expect(next('ClosePayment').toSorted()).toEqual(['CancelPayment', 'ConfirmTickets']);
  });

  it('is the one box behind a gateway that is decided', () => {
    expect(next('ClosePayment', done, { paymentOutcome: 'APPROVED' })).toEqual(['ConfirmTickets']);
    expect(next('ClosePayment', done, { paymentOutcome: 'DECLINED' })).toEqual(['CancelPayment']);
  });

  it('depends on the event that ended a wait', () => {
    const answered: Exit = { by: 'message', name: 'payment-callback' };
    expect(next('WaitForPayment', answered, { paymentOutcome: 'APPROVED' })).toEqual(['ConfirmTickets']);
    expect(next('WaitForPayment', { by: 'message', name: 'cancel-order' })).toEqual(['CancelPayment']);
    expect(next('WaitForPayment').toSorted()).toEqual(['CancelPayment', 'ClosePayment', 'ConfirmTickets']);
  });

  it('depends on the code of an error; one without an event of its own goes to the one that catches all', () => {
    expect(next('ReserveTickets', { by: 'error', code: 'SOLD_OUT' })).toEqual(['RejectOrder']);
    expect(next('ReserveTickets', { by: 'error', code: 'DUPLICATE_PROCESS' })).toEqual([]);
    expect(next('ConfirmTickets', { by: 'error', code: 'RESERVATION_EXPIRED' })).toEqual(['CancelPayment']);
  });

  it('is the compensation of what was done, and goes on behind the throw event', () => {
    expect(next('CancelPayment')).toEqual(['ReleaseTickets']);
    expect(next('CancelPayment', done, {}, false)).toEqual(['CloseOrder']);
    expect(next('ReleaseTickets')).toEqual(['CloseOrder']);
  });

  it('ends at an end event, and nowhere for an unknown id', () => {
    expect(next('CompleteOrder')).toEqual([]);
    expect(next('CloseOrder')).toEqual([]);
    expect(next('NoSuchBox')).toEqual([]);
  });

  it('tells a way over a timer', () => {
    expect(diagram.overTimer('WaitForPayment', 'ClosePayment')).toBe(true);
    expect(diagram.overTimer('RequestPayment', 'ClosePayment')).toBe(true);
    expect(diagram.overTimer('WaitForPayment', 'ConfirmTickets')).toBe(false);
  });
});

it('names and stages come from the boxes and from the jobs of the contract', () => {
  expect(diagram.nameOf('AbortCancelPayment')).toBe('Cancel payment');
  expect(diagram.stageOf('AbortCancelPayment')).toBe(jobs.cancelPayment.stage);
  expect(diagram.stageOf('WaitForPayment')).toBe('Processing');
  expect(diagram.stageOf('PaymentApproved')).toBeUndefined();
});

it('a circle in a diagram does not catch the reader', async () => {
  const circle =
    await parseDiagram(`<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"><bpmn:process id="p">
    <bpmn:startEvent id="OrderPlaced"/><bpmn:exclusiveGateway id="A"/><bpmn:exclusiveGateway id="B"/>
    <bpmn:sequenceFlow id="f1" sourceRef="OrderPlaced" targetRef="A"/><bpmn:sequenceFlow id="f2" sourceRef="A" targetRef="B"/>
    <bpmn:sequenceFlow id="f3" sourceRef="B" targetRef="A"/></bpmn:process></bpmn:definitions>`);
  expect(circle.next('OrderPlaced', done, { variables: {}, completed: () => false })).toEqual([]);
});
