/** All that can happen to a payment, made up by fast-check. */
import fc from 'fast-check';

export const asked = 200_00;
export type Verdict = 'APPROVED' | 'DECLINED';
/** A call to the provider gets lost on its way, or its answer on the way back. */
export type Fault = 'none' | 'before' | 'after';
export type Step = { run: string; fault: Fault };

export type Command =
  | ({ do: 'request' } & Step)
  | ({ do: 'close' | 'cancel' | 'refund the order' } & Step)
  /** What process instance `by` does about late money. */
  | { do: 'accept'; by: string; run: string }
  | ({ do: 'give back'; by: string } & Step)
  | { do: 'decide'; verdict: Verdict; amount: number }
  /** The provider approves what it declined or voided before. */
  | { do: 'overrule' }
  | { do: 'provider acts' | 'deliver' | 'lose' | 'poll' }
  /** An earlier webhook once more, or the same under a new id, or not from the provider, or an hour old. */
  | { do: 'webhook'; which: number; how: 'again' | 'afresh' | 'forged' | 'old' }
  | { do: 'by hand'; verdict: Verdict };

const fault = fc.oneof(
  { weight: 6, arbitrary: fc.constant('none' as const) },
  { weight: 1, arbitrary: fc.constantFrom('before' as const, 'after' as const) },
);
const verdict = fc.constantFrom('APPROVED' as const, 'APPROVED' as const, 'DECLINED' as const);
const amount = fc.oneof(
  { weight: 9, arbitrary: fc.constant(asked) },
  { weight: 1, arbitrary: fc.constant(asked + 1_00) },
);
const run = fc.constantFrom('1', '2');
const step = { run, fault };
const by = fc.constantFrom('one', 'other');

const request = fc.record({ do: fc.constant('request' as const), ...step });
const undo = fc.record({ do: fc.constantFrom('close' as const, 'cancel' as const), ...step });
const refundOrder = fc.record({ do: fc.constant('refund the order' as const), ...step });
const accept = fc.record({ do: fc.constant('accept' as const), by, run });
const giveBack = fc.record({ do: fc.constant('give back' as const), by, ...step });
const overrule = fc.constant({ do: 'overrule' as const });
const providerActs = fc.constant({ do: 'provider acts' as const });
const tell = fc.record({
  do: fc.constantFrom('deliver' as const, 'deliver' as const, 'lose' as const, 'poll' as const),
});
const webhook = fc.record({
  do: fc.constant('webhook' as const),
  which: fc.nat(3),
  how: fc.constantFrom('again' as const, 'again' as const, 'afresh' as const, 'forged' as const, 'old' as const),
});

export const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 3, arbitrary: request },
  { weight: 3, arbitrary: undo },
  { weight: 1, arbitrary: refundOrder },
  { weight: 1, arbitrary: accept },
  { weight: 1, arbitrary: giveBack },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('decide' as const), verdict, amount }) },
  { weight: 1, arbitrary: overrule },
  { weight: 3, arbitrary: providerActs },
  { weight: 3, arbitrary: tell },
  { weight: 2, arbitrary: webhook },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('by hand' as const), verdict }) },
);

const requested: Command[] = [{ do: 'request', run: '1', fault: 'none' }];
const declined: Command[] = [
  ...requested,
  { do: 'decide', verdict: 'DECLINED', amount: asked },
  { do: 'provider acts' },
  { do: 'deliver' },
];
const overruled: Command[] = [{ do: 'overrule' }, { do: 'provider acts' }, { do: 'deliver' }];
/** How a history may begin: chance alone seldom gets so far. */
export const beginnings = {
  requested,
  /** The provider approves what it has declined. */
  late: [...declined, ...overruled],
  /** The same after an approval by hand was accepted and given back, without any money. */
  lateAgain: [
    ...declined,
    { do: 'by hand', verdict: 'APPROVED' },
    { do: 'accept', by: 'an earlier one', run: '1' },
    { do: 'refund the order', run: '1', fault: 'none' },
    ...overruled,
  ],
} satisfies Record<string, Command[]>;

/** What happens around late money, by the provider's word alone: nothing is booked by hand. */
export const lateCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: accept },
  { weight: 4, arbitrary: giveBack },
  { weight: 1, arbitrary: refundOrder },
  { weight: 1, arbitrary: undo },
  { weight: 1, arbitrary: webhook },
);
