/** The contract check: do the diagrams of `bpmn/` and the code agree? Without an engine, in about a second. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Contract, readContract } from './contract.ts';
import { type Diagram, diagramFolder, diagramNames, parseDiagram } from './diagram.ts';
import { called, type Finding, type Rule, type Trouble } from './rule.ts';
import { lint } from './rules/lint.ts';
import { rules } from './rules/all.ts';

/** Stands for the file in what is said of all diagrams together. */
const allFiles = 'bpmn/';

export type DiagramText = { file: string; xml: string };

/** Checks the files of `bpmn/`. */
export async function checkAll(): Promise<Finding[]> {
  const names = await diagramNames();
  const texts = names.map(async (name) => ({
    file: `bpmn/${name}`,
    xml: await readFile(join(diagramFolder, name), 'utf8'),
  }));
  return check(await Promise.all(texts), await readContract());
}

/** What concerns one file, checked among the others of `bpmn/`: for those who save it. */
export async function checkFile(path: string): Promise<Finding[]> {
  const mine = [`bpmn/${basename(path)}`, allFiles];
  return (await checkAll()).filter(({ file }) => mine.includes(file));
}

/** @param texts all diagrams that belong together: some rules ask whether at least one of them does something */
export async function check(texts: DiagramText[], contract: Contract, by: readonly Rule[] = rules): Promise<Finding[]> {
  const read = await Promise.all(texts.map(readOne));
  const broken = read.flatMap((it) => ('finding' in it ? [it.finding] : []));
  const diagrams = read.flatMap((it) => ('diagram' in it ? [it.diagram] : []));
  const found = by.map(async (rule) => {
    const each = diagrams.map(async (diagram) =>
      ((await rule.inDiagram?.(diagram, contract)) ?? []).map((trouble) => finding(rule, diagram.file, trouble)),
    );
    const all = broken.length > 0 ? [] : (rule.inAll?.(diagrams, contract) ?? []);
    return [...(await Promise.all(each)).flat(), ...all.map((trouble) => finding(rule, allFiles, trouble))];
  });
  return [...broken, ...(await Promise.all(found)).flat()].filter(isNews);
}

/** bpmnlint's words for what a rule of ours has said of the same element already help nobody. */
function isNews(one: Finding, _: number, all: Finding[]): boolean {
  return (
    one.rule !== lint.id ||
    !all.some((other) => other.rule !== lint.id && other.file === one.file && other.element === one.element)
  );
}

async function readOne({ file, xml }: DiagramText): Promise<{ diagram: Diagram } | { finding: Finding }> {
  try {
    return { diagram: await parseDiagram(file, xml) };
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    const problem = `cannot be read as a diagram: ${why}.`;
    const remedy = 'Take the last good version back, or open it in Camunda Modeler, which shows where it breaks.';
    return { finding: { rule: 'readable', file, element: 'The file', problem, remedy } };
  }
}

function finding(rule: Rule, file: string, { at, problem, remedy }: Trouble): Finding {
  return { rule: rule.id, file, element: typeof at === 'string' ? at : called(at), problem, remedy };
}

/** One finding as two lines for people. */
export function told({ rule, file, element, problem, remedy }: Finding): string {
  const subject = element.charAt(0).toUpperCase() + element.slice(1);
  return `${file}: ${subject} ${problem} [${rule}]\n    → ${remedy}`;
}
