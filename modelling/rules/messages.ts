import { eventOf, extension, isA } from '../diagram.ts';
import { quoted, type Rule } from '../rule.ts';

export const messageKnown: Rule = {
  id: 'message-known',
  demands: 'An event waits for a message that somebody sends.',
  inDiagram({ nodes }, { messages }) {
    const known = messages.map(({ name }) => name);
    return nodes
      .map((node) => ({ node, event: isA('ReceiveTask')(node) ? node : eventOf(node, 'Message') }))
      .filter(({ event }) => event && !known.includes(event.messageRef?.name ?? ''))
      .map(({ node, event }) => ({
        at: node,
        problem: event?.messageRef?.name
          ? `waits for the message “${event.messageRef.name}”, which nobody sends.`
          : 'waits for a message, but for none by name.',
        remedy: `Choose one of the messages ${quoted(known)}; a new one must be added to contract/messages.ts by a developer.`,
      }));
  },
};

export const messageKey: Rule = {
  id: 'message-key',
  demands: 'A message finds its order by the order’s id.',
  inDiagram({ definitions }, { correlationKey }) {
    return (definitions.rootElements ?? [])
      .filter(isA('Message'))
      .filter((message) => extension(message, 'Subscription')?.correlationKey !== correlationKey)
      .map((message) => ({
        at: message,
        problem: `finds its order by “${extension(message, 'Subscription')?.correlationKey ?? 'nothing'}”, but messages are sent with the order’s id.`,
        remedy: `Set “Subscription correlation key” of the message “${message.name}” to “${correlationKey}”.`,
      }));
  },
};

export const messageUsed: Rule = {
  id: 'message-used',
  demands: 'Every message of the contract is waited for by a diagram.',
  inAll(diagrams, { messages }) {
    const used = diagrams.flatMap(({ nodes }) =>
      nodes.map((node) => (isA('ReceiveTask')(node) ? node : eventOf(node, 'Message'))?.messageRef?.name),
    );
    return messages
      .filter(({ name }) => !used.includes(name))
      .map(({ name }) => ({
        at: `The message “${name}”`,
        problem: 'is waited for by no diagram any more, so it would be lost.',
        remedy: 'Was its event deleted by mistake? Put it back. Else a developer takes it out of contract/messages.ts.',
      }));
  },
};
