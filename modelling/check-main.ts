/** `npm run check`: prints what is wrong between the diagrams and the contract, and ends with 1 if anything is. */
import { checkAll, told } from './check.ts';
import { diagramNames } from './diagram.ts';
import { rules } from './rules/all.ts';

if (process.argv.includes('--rules')) {
  const width = Math.max(...rules.map(({ id }) => id.length));
  for (const { id, demands } of rules) process.stdout.write(`${id.padEnd(width)}  ${demands}\n`);
  process.exit(0);
}

const findings = await checkAll();
const names = await diagramNames();
for (const finding of findings) process.stdout.write(`${told(finding)}\n\n`);
const files = `${names.length} ${names.length === 1 ? 'diagram' : 'diagrams'} (${names.join(', ')})`;
process.stdout.write(
  findings.length === 0
    ? `${files}: in agreement with the contract by all ${rules.length} rules.\n`
    : `${files}: ${findings.length} ${findings.length === 1 ? 'finding' : 'findings'}. “npm run check -- --rules” says what each rule demands.\n`,
);
process.exit(findings.length === 0 ? 0 : 1);
