import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

// Runs before node_modules and dist exist, hence plain JavaScript with Node's own modules only.
// `node platform/prepare.mjs` does it alone; `npm start` does it first.

const root = join(fileURLToPath(import.meta.url), '..', '..');
const installedMark = join(root, 'node_modules', '.package-lock.json');
const builtMark = join(root, 'node_modules', '.ticket-saga-built');

/** Installs npm packages and builds, each only when something changed. Throws an Error whose message is for people. */
export async function prepare(say = (line) => process.stdout.write(`${line}\n`)) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Error(`Node 20.19 or newer is needed; this is ${process.version}. See https://nodejs.org.`);
  }
  if (isOlder(installedMark, join(root, 'package-lock.json'))) {
    say('Installing npm packages (about a minute, once) …');
    await npm(['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], 'Installing npm packages failed');
  }
  const sources = fingerprint(root);
  if (builtFrom() !== sources || !isBuilt()) {
    say('Building …');
    await npm(['run', '--silent', 'build'], 'The build failed');
    // That of before the build: what was edited meanwhile is built next time. A new file: worktrees may share the old one.
    rmSync(builtMark, { force: true });
    writeFileSync(builtMark, sources);
  }
}

const modified = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
const isOlder = (path, than) => modified(path) < modified(than);
const builtFrom = () => (existsSync(builtMark) ? readFileSync(builtMark, 'utf8') : undefined);

/** Every package that has a TypeScript project has its output. */
function isBuilt() {
  const packages = readdirSync(root).filter((name) => existsSync(join(root, name, 'tsconfig.json')));
  return packages.every((name) => existsSync(join(root, name, 'dist')));
}

/** Of the names and times of all sources: another one when a file was edited, added, renamed or removed. */
export function fingerprint(checkout) {
  const hash = createHash('sha256');
  for (const path of sourcesIn(checkout)) hash.update(`${relative(checkout, path)} ${modified(path)}\n`);
  return hash.digest('hex');
}

function sourcesIn(directory) {
  return readdirSync(directory, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(directory, entry.name);
      const skip =
        entry.name.startsWith('.') ||
        ['node_modules', 'dist', 'generated', 'coverage', 'test', 'docs'].includes(entry.name);
      if (entry.isDirectory()) return skip ? [] : sourcesIn(path);
      return /\.(ts|mts|json|prisma|sql)$/.test(entry.name) ? [path] : [];
    });
}

/** Runs npm in the checkout; what it prints is shown only when it fails. */
function npm(args, failure) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_config_/i.test(name)));
  return new Promise((resolve, reject) => {
    const child = spawn('npm', args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let output = '';
    child.stdout.on('data', (data) => (output += data));
    child.stderr.on('data', (data) => (output += data));
    const stop = (signal) => {
      try {
        if (child.pid) process.kill(-child.pid, 'SIGTERM');
      } catch {
        // gone already
      }
      process.exit(signal === 'SIGINT' ? 130 : 143);
    };
    process.once('SIGINT', stop).once('SIGTERM', stop);
    const over = (result, error) => {
      process.off('SIGINT', stop).off('SIGTERM', stop);
      if (error) reject(error);
      else resolve(result);
    };
    child.once('error', (error) =>
      over(null, new Error(`${failure}: cannot run npm (${error.message}). It comes with Node: is it in PATH?`)),
    );
    child.once('close', (code) => {
      if (code === 0) return over(undefined);
      const hint =
        args[0] === 'ci'
          ? '\nCheck the network connection, the registry in ~/.npmrc and the free disk space, then start again.'
          : '';
      over(
        null,
        new Error(
          `${failure} (npm ${args.join(' ')}, exit code ${code}):\n${output.trim().split('\n').slice(-25).join('\n')}${hint}`,
        ),
      );
    });
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await prepare().catch((error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
}
