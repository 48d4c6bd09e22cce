// `npm test`: everything but `faults`, from a fresh clone, one level after the other; a level that fails does not hide
// the next. `npm run test:faults` kills parts for seven minutes, which would make `npm test` longer than twenty.
// Arguments choose levels: `node test/run.mjs int flow`. Each brings up what it needs on free ports with data of its own.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepare } from '../platform/prepare.mjs';

const root = join(fileURLToPath(import.meta.url), '..', '..');
const reports = mkdtempSync(join(tmpdir(), 'ticket-saga-test-'));
const jest = (level, ...more) => [
  process.execPath,
  ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'],
  ['--selectProjects', level, '--json', `--outputFile=${join(reports, `${level}.json`)}`, ...more],
];
const levels = {
  format: [process.execPath, ['node_modules/prettier/bin/prettier.cjs'], ['--check', '--log-level', 'warn', '.']],
  lint: [process.execPath, ['node_modules/oxlint/bin/oxlint'], ['--type-aware']],
  types: [process.execPath, ['node_modules/typescript/bin/tsc'], ['-p', 'tsconfig.tests.json']],
  diagrams: [process.execPath, ['modelling/dist/check-main.js']],
  unit: jest('unit'),
  int: jest('int'),
  // A timer of the Camunda client outlives its close by two seconds, which Jest would take for a leak.
  process: jest('process', '--runInBand', '--openHandlesTimeout=5000'),
  flow: jest('flow', '--runInBand'),
  faults: jest('faults', '--runInBand'),
};

/** What follows a level that went well, and can fail it. */
const afterwards = { process: [process.execPath, ['modelling/dist/coverage-main.js']] };

let interrupted = false;

function run([file, start, args = []]) {
  return new Promise((resolve) => {
    const child = spawn(file, [...start, ...args], { cwd: root, stdio: 'inherit' });
    const pass = (signal) => {
      interrupted = true;
      child.kill(signal);
    };
    process.on('SIGINT', pass).on('SIGTERM', pass);
    child.once('close', (code) => {
      process.off('SIGINT', pass).off('SIGTERM', pass);
      resolve(code ?? 1);
    });
  });
}

/** How many tests a level ran; the checks without tests count as none. */
function counted(level) {
  try {
    const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(
      readFileSync(join(reports, `${level}.json`), 'utf8'),
    );
    // A file that could not even be loaded has no failed test, and must not look like a success.
    return { passed: numPassedTests, failed: Math.max(numFailedTests, numFailedTestSuites) };
  } catch {
    return undefined;
  }
}

try {
  await prepare();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

const chosen =
  process.argv.length > 2 ? process.argv.slice(2) : Object.keys(levels).filter((level) => level !== 'faults');
const unknown = chosen.filter((level) => !(level in levels));
if (unknown.length > 0) {
  process.stderr.write(`There is no level ${unknown.join(', ')}; there are: ${Object.keys(levels).join(', ')}.\n`);
  process.exit(1);
}

const results = [];
for (const [index, level] of chosen.entries()) {
  process.stdout.write(`\n── ${level} (${index + 1} of ${chosen.length}) ──\n`);
  const started = Date.now();
  const code = (await run(levels[level])) || (afterwards[level] && !interrupted ? await run(afterwards[level]) : 0);
  results.push({ level, code, seconds: (Date.now() - started) / 1000, ...counted(level) });
  if (interrupted) break;
}
rmSync(reports, { recursive: true, force: true });

process.stdout.write('\n');
for (const { level, code, seconds, passed, failed } of results) {
  const tests = passed === undefined ? '' : `${passed} passed, ${failed} failed`;
  process.stdout.write(
    `${code === 0 ? 'ok    ' : 'FAILED'} ${level.padEnd(8)} ${seconds.toFixed(0).padStart(4)} s  ${tests}\n`,
  );
}
const sum = (key) => results.reduce((total, result) => total + (result[key] ?? 0), 0);
const broken = results.filter(({ code }) => code !== 0);
const uncounted = broken.filter(({ failed }) => !failed).length;
process.stdout.write(`\n${sum('passed')} passed, ${sum('failed') + uncounted} failed\n`);
process.exit(broken.length === 0 ? 0 : 1);
