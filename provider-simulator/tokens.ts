/**
 * The test tokens (PRODUCT 3): how the provider treats a payment, as one pure function of its token and amount. What
 * happens when, and survives a kill, is in `books.ts` and `clockwork.ts`.
 */

/** Something the provider decides by itself. */
export type Decision = {
  verdict: 'APPROVED' | 'DECLINED';
  /** Minor units. */
  amount: number;
  /** After the payment was accepted (or voided), ms. */
  afterMs: number;
  reason?: string;
  /** Decides again what was decided, or voided, before. */
  overrule?: boolean;
  /** How often its webhook is sent. */
  copies?: number;
};

export type Behaviour = {
  /** So many calls are answered 503 before the payment is accepted. */
  unavailableFor: number;
  /** So many calls for a refund are answered 503 before it is made. */
  refundUnavailableFor: number;
  /** A malformed webhook goes out first. */
  garbageFirst: boolean;
  /** The answer to the request waits for the webhook to have arrived. */
  webhookFirst: boolean;
  decisions: Decision[];
  afterVoid: Decision[];
};

/** How long after its decline, or its void, an approval that contradicts comes, ms. */
const secondThoughtMs = 1_000;

const plain: Behaviour = {
  unavailableFor: 0,
  refundUnavailableFor: 0,
  garbageFirst: false,
  webhookFirst: false,
  decisions: [],
  afterVoid: [],
};

/** Declines, and approves a moment later: money that nobody expects any more. */
const contradicting = (amount: number): Decision[] => [
  decline(amount, 'The card was declined.'),
  approve(amount, { afterMs: secondThoughtMs, overrule: true }),
];

/** What the token in front of `:` does; `seconds` or `times` is the number behind it. */
const rules: Record<string, (amount: number, number: number) => Behaviour> = {
  tok_approve: (amount) => ({ ...plain, decisions: [approve(amount)] }),
  tok_decline: (amount) => ({ ...plain, decisions: [decline(amount, 'The card was declined.')] }),
  tok_late: (amount) => ({ ...plain, afterVoid: [approve(amount, { afterMs: secondThoughtMs, overrule: true })] }),
  tok_never: () => plain,
  tok_twice: (amount) => ({ ...plain, decisions: [approve(amount, { copies: 2 })] }),
  tok_contradict: (amount) => ({ ...plain, decisions: contradicting(amount) }),
  tok_early: (amount) => ({ ...plain, webhookFirst: true, decisions: [approve(amount)] }),
  tok_down: () => ({ ...plain, unavailableFor: Infinity }),
  tok_garbage: (amount) => ({ ...plain, garbageFirst: true, decisions: [approve(amount)] }),
  tok_wrong_amount: (amount) => ({ ...plain, decisions: [approve(amount + 1_00)] }),
  tok_manual: () => plain,
};

/** Those that need a number: `tok_slow:<seconds>`, `tok_flaky:<n>`, `tok_refund_flaky:<n>`, `tok_late_refund_flaky:<n>`. */
const rulesWithNumber: typeof rules = {
  tok_slow: (amount, seconds) => ({ ...plain, decisions: [approve(amount, { afterMs: Math.round(seconds * 1_000) })] }),
  tok_flaky: (amount, times) => ({ ...plain, unavailableFor: Math.floor(times), decisions: [approve(amount)] }),
  tok_refund_flaky: (amount, times) => ({
    ...plain,
    refundUnavailableFor: Math.floor(times),
    decisions: [approve(amount)],
  }),
  tok_late_refund_flaky: (amount, times) => ({
    ...plain,
    refundUnavailableFor: Math.floor(times),
    decisions: contradicting(amount),
  }),
};

/**
 * A token that does not begin with `tok_` is a card like any other: as none. A test token that is not in the table is
 * declined, so that a slip of the pen shows.
 * @param amount minor units
 * @param approvalLimit minor units: without a token up to this is approved
 */
export function behaviourOf(token: string | null, amount: number, approvalLimit: number): Behaviour {
  if (!token?.startsWith('tok_')) {
    const decision = amount <= approvalLimit ? approve(amount) : decline(amount, 'The total is above the limit.');
    return { ...plain, decisions: [decision] };
  }
  const withNumber = /^(tok_[a-z_]+):(\d{1,6}(?:\.\d{1,3})?)$/.exec(token);
  const rule = withNumber ? find(rulesWithNumber, withNumber[1]) : find(rules, token);
  if (!rule) return { ...plain, decisions: [decline(amount, 'unknown test token')] };
  return rule(amount, Number(withNumber?.[2] ?? 0));
}

function find(table: typeof rules, name: string | undefined) {
  return name !== undefined && Object.hasOwn(table, name) ? table[name] : undefined;
}

function approve(amount: number, more: Partial<Decision> = {}): Decision {
  return { verdict: 'APPROVED', amount, afterMs: 0, ...more };
}

function decline(amount: number, reason: string): Decision {
  return { verdict: 'DECLINED', amount, afterMs: 0, reason };
}
