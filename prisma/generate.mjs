// Writes the Prisma client. The CLI would download its schema engine first, which `generate` does not need: naming any
// existing file as that engine stops the download. Only for this child process: with it, `migrate deploy` does nothing.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const cli = createRequire(import.meta.url).resolve('prisma/build/index.js');
const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'generate', '--schema', join(here, 'schema')], {
  encoding: 'utf8',
  env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: fileURLToPath(import.meta.url), PRISMA_HIDE_UPDATE_MESSAGE: '1' },
});
if (status !== 0) process.stderr.write(`${stdout}${stderr}\n`);
process.exit(status ?? 1);
