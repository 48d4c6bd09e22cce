/** Reads FEEL, the language of the expressions in a diagram: does it parse, and which variables does it read? */
import { parser, trackVariables } from 'lezer-feel';

/** FEEL's and Camunda's functions; those whose names hold a word of the grammar are not read right unless known. */
const functions =
  `not, get value, get entries, context put, string, number, context, date, time, date and time, duration,
  years and months duration, from json, to json, list contains, count, min, max, sum, product, mean, median, stddev, mode,
  all, any, sublist, append, concatenate, insert before, remove, reverse, index of, union, distinct values, flatten, sort,
  string join, decimal, floor, ceiling, round up, round down, round half up, round half down, abs, modulo, sqrt, log, exp,
  odd, even, before, after, meets, met by, overlaps, overlaps before, overlaps after, finishes, finished by, includes,
  during, starts, started by, coincides, substring, string length, upper case, lower case, substring before,
  substring after, contains, starts with, ends with, matches, replace, split, now, today, day of week, day of year,
  week of year, month of year, is defined, get or else, assert, context merge, duplicate values, is empty, partition,
  random number, extract, trim, uuid, is blank, last day of month`
    .split(',')
    .map((name) => name.trim().replace(/\s+/g, ' '));

/** Functions that may be asked about a variable that is not there. */
const forgiving = new Set(['is defined', 'get or else']);

export type Expression = {
  /** What is wrong with it, in words; undefined if it can be read. */
  problem: string | undefined;
  /** The variables that it reads. */
  reads: string[];
  /** Those of them that need not be there, as in `get or else(x, 1)`. */
  mayMiss: string[];
  /** The texts in it, … */
  words: string[];
  /** … but for those that are compared with a variable, as APPROVED in `x = "APPROVED"`. */
  compared: { name: string; word: string }[];
};

const feel = parser.configure({
  top: 'Expression',
  dialect: 'camunda',
  contextTracker: trackVariables(Object.fromEntries(functions.map((name) => [name, {}]))),
});

/** @param source as it stands in the diagram, with the `=` that makes it an expression */
export function readExpression(source: string | undefined): Expression {
  const nothing = { reads: [], mayMiss: [], words: [], compared: [] };
  if (!source?.trim()) return { problem: 'is empty', ...nothing };
  if (!source.startsWith('=')) return { problem: `must begin with “=”, but is “${source}”`, ...nothing };
  const text = source.slice(1);
  const cannotRead = `cannot be read: “${source}”`;
  if (/==|&&|\|\|/.test(text.replace(/"[^"]*"/g, '""')))
    return { problem: `${cannotRead} (write =, and, or instead of ==, &&, ||)`, ...nothing };

  const tree = feel.parse(text);
  const reads = new Set<string>();
  const needed = new Set<string>();
  const words: string[] = [];
  const compared: Expression['compared'] = [];
  let problem: string | undefined;
  type Node = typeof tree.topNode;
  const textOf = (node: Node) => text.slice(node.from, node.to).replace(/\s+/g, ' ');

  function visit(node: Node, own: ReadonlySet<string>, forgiven: boolean): void {
    if (node.type.isError) problem ??= cannotRead;
    if (node.name === 'StringLiteral') {
      const word = textOf(node).slice(1, -1);
      const name = node.parent?.name === 'Comparison' ? node.parent.getChild('VariableName') : null;
      if (name) compared.push({ name: textOf(name), word });
      else words.push(word);
    }
    if (node.name === 'VariableName') {
      const name = textOf(node);
      if (own.has(name)) return;
      reads.add(name);
      if (!forgiven) needed.add(name);
    }
    const called = node.name === 'FunctionInvocation' ? node.firstChild : null;
    const callee = called && textOf(called);
    if (callee && !functions.includes(callee) && !own.has(callee))
      problem ??= `calls a function that does not exist: “${callee}”`;
    const inside = new Set([...own, ...namesOf(node)]);
    let children = childrenOf(node);
    if (called) children = children.filter((child) => child.from !== called.from || child.to !== called.to);
    // In a filter as items[quantity > 1] bare names may be members of the item: they are not asked for.
    for (const [index, child] of children.entries()) {
      const inFilter = node.name === 'FilterExpression' && index > 0;
      const first = node.name === 'PositionalParameters' && index === 0 && isForgiving(node);
      visit(child, inside, inFilter || first || (forgiven && !called));
    }
  }
  const isForgiving = (parameters: Node) => {
    const callee = parameters.parent?.firstChild;
    return callee ? forgiving.has(textOf(callee)) : false;
  };
  /** Names that the expression itself brings, as `i` in `for i in items return …`. */
  function namesOf(node: Node): string[] {
    if (!/^(ForExpression|QuantifiedExpression|FunctionDefinition|Context)$/.test(node.name)) return [];
    const found: string[] = node.name === 'Context' || node.name === 'FunctionDefinition' ? [] : ['partial'];
    node.cursor().iterate((each) => {
      if (each.name === 'Name') found.push(text.slice(each.from, each.to));
    });
    return found;
  }

  visit(tree.topNode, new Set(), false);
  return { problem, reads: [...reads], mayMiss: [...reads].filter((name) => !needed.has(name)), words, compared };

  function childrenOf(node: Node): Node[] {
    const found: Node[] = [];
    for (let child = node.firstChild; child; child = child.nextSibling) found.push(child);
    return found;
  }
}
