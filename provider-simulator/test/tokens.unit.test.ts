import { describe, expect, test } from '@jest/globals';
import { behaviourOf } from '../tokens.ts';

const limit = 1_000_00;
const of = (token: string | null, amount = 200_00) => behaviourOf(token, amount, limit);
const verdicts = (token: string | null, amount?: number) =>
  of(token, amount).decisions.map((decision) => decision.verdict);

describe('Without a test token', () => {
  test('a total up to the limit is approved, above it declined', () => {
    expect(verdicts(null, limit)).toEqual(['APPROVED']);
    expect(verdicts(null, limit + 1)).toEqual(['DECLINED']);
    expect(verdicts(null, 0)).toEqual(['APPROVED']);
  });

  test('a card is treated as none', () => {
    expect(verdicts('card_4242')).toEqual(['APPROVED']);
  });
});

describe('With a test token', () => {
  test('tok_approve and tok_decline pay no heed to the limit', () => {
    expect(verdicts('tok_approve', limit + 1)).toEqual(['APPROVED']);
    expect(verdicts('tok_decline', 1)).toEqual(['DECLINED']);
  });

  test('tok_slow:<seconds> approves after that time', () => {
    expect(of('tok_slow:2').decisions).toMatchObject([{ verdict: 'APPROVED', afterMs: 2_000 }]);
    expect(of('tok_slow:0.25').decisions).toMatchObject([{ afterMs: 250 }]);
  });

  test('tok_flaky:<n> is away for n calls, tok_down for ever', () => {
    expect(of('tok_flaky:3')).toMatchObject({ unavailableFor: 3, decisions: [{ verdict: 'APPROVED' }] });
    expect(of('tok_down').unavailableFor).toBe(Infinity);
    expect(of('tok_approve').unavailableFor).toBe(0);
  });

  test('tok_late approves only after a void, against it', () => {
    expect(of('tok_late')).toMatchObject({
      decisions: [],
      afterVoid: [{ verdict: 'APPROVED', afterMs: 1_000, overrule: true }],
    });
  });

  test('tok_never and tok_manual decide nothing', () => {
    expect([of('tok_never').decisions, of('tok_manual').decisions]).toEqual([[], []]);
  });

  test('tok_contradict declines, then approves against itself', () => {
    expect(of('tok_contradict').decisions).toMatchObject([
      { verdict: 'DECLINED', afterMs: 0 },
      { verdict: 'APPROVED', overrule: true },
    ]);
  });

  test('tok_refund_flaky:<n> refuses the first n refunds, tok_late_refund_flaky:<n> of late money', () => {
    expect(of('tok_refund_flaky:2')).toMatchObject({ refundUnavailableFor: 2, decisions: [{ verdict: 'APPROVED' }] });
    const late = of('tok_late_refund_flaky:3');
    expect(late).toMatchObject({ refundUnavailableFor: 3, decisions: of('tok_contradict').decisions });
  });

  test('tok_twice, tok_early, tok_garbage and tok_wrong_amount approve, each in its own way', () => {
    expect(of('tok_twice').decisions).toMatchObject([{ verdict: 'APPROVED', copies: 2 }]);
    expect(of('tok_early')).toMatchObject({ webhookFirst: true, decisions: [{ verdict: 'APPROVED' }] });
    expect(of('tok_garbage')).toMatchObject({ garbageFirst: true, decisions: [{ verdict: 'APPROVED' }] });
    expect(of('tok_wrong_amount').decisions[0]?.amount).not.toBe(200_00);
  });

  test.each([
    'tok_',
    'tok_nonsense',
    'tok_slow',
    'tok_slow:',
    'tok_slow:x',
    'tok_slow:-1',
    'tok_approve:1',
    'tok_constructor',
    'tok_slow:99999999',
  ])('%s is not in the table, so it is declined with that reason', (token) => {
    expect(of(token).decisions).toMatchObject([{ verdict: 'DECLINED', reason: 'unknown test token' }]);
  });
});
