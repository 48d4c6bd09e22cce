const sources = {
  '^@ticket-saga/(contract|runtime|platform)/([^.]+)$': '<rootDir>/$1/$2.ts',
  // Its `main` is CommonJS that requires an ES module, which Jest cannot.
  '^(@bpmn-io/element-templates-validator)$': '<rootDir>/node_modules/$1/dist/index.js',
};

/** One Jest project for each level of test; `npm run test:<level>` picks one by its name. */
const level = (name, more = {}) => ({
  displayName: name,
  rootDir: '.',
  testMatch: [`<rootDir>/**/*.${name}.test.ts`],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: sources,
  transform: { '\\.ts$': '<rootDir>/jest.transform.mjs' },
  ...more,
});

const setUp = (name) => ({
  globalSetup: `<rootDir>/test/support/${name}-setup.mjs`,
  globalTeardown: `<rootDir>/test/support/${name}-teardown.mjs`,
});

export default {
  coverageProvider: 'v8',
  // Longer than `eventually` waits, so that what it waited for is named; a loaded machine is no failure.
  testTimeout: 30_000,
  projects: [level('unit'), ...['int', 'process', 'flow', 'faults'].map((name) => level(name, setUp(name)))],
};
