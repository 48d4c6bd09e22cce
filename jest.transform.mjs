// Types are checked by `tsc`; Jest only needs them gone, and esbuild does that in a millisecond a file.
import { createHash } from 'node:crypto';
import { transformSync, version } from 'esbuild';

export default {
  process: (source, file) =>
    transformSync(source, { loader: 'ts', format: 'esm', target: 'node20', sourcemap: 'inline', sourcefile: file }),
  getCacheKey: (source, file) => createHash('sha256').update(version).update(file).update(source).digest('hex'),
};
