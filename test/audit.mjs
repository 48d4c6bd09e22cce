// `npm run audit`: fails when a package of the lock file has a known hole that is high or critical. Not part of `npm test`:
// what is found changes with the world, not with a commit. A registry that keeps no advisories (a mirror within a company)
// cannot be asked; then it says so, and fails nothing.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cwd = join(fileURLToPath(import.meta.url), '..', '..');
const { stdout, stderr } = spawnSync('npm', ['audit', '--json'], { cwd, encoding: 'utf8', maxBuffer: 2 ** 26 });
const say = (text) => process.stdout.write(`npm audit: ${text}\n`);

let report;
try {
  report = JSON.parse(stdout);
} catch {
  process.stderr.write(`npm audit said nothing that can be read: ${stderr}\n`);
  process.exit(1);
}
const found = report.metadata?.vulnerabilities;
if (!found) {
  say(`NOT CHECKED, the registry has no advisories (${report.message ?? report.error?.summary ?? 'no reason given'}).`);
  say('Run `npm audit --audit-level=high --registry=https://registry.npmjs.org` where that can be reached.');
  process.exit(0);
}
const { total, high, critical } = found;
say(
  `${total} known holes, ${high} of them high and ${critical} critical, in ${report.metadata.dependencies.total} packages.`,
);
for (const { name, severity, range, fixAvailable } of Object.values(report.vulnerabilities))
  say(`  ${severity}: ${name} ${range}${fixAvailable ? '' : ' (nothing newer: an override in package.json may help)'}`);
process.exit(high + critical > 0 ? 1 : 0);
