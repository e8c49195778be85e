import tseslint from 'typescript-eslint';

/** Words that names in camelCase do not contain. Things have the names that readers know from elsewhere. */
const RETIRED_WORDS = ['told', 'vigil', 'desk', 'guest', 'porter', 'door', 'unsayable', 'impatient', 'lane'];
const capitalised = RETIRED_WORDS.map((word) => `${word[0].toUpperCase()}${word.slice(1)}`);
const RETIRED_NAME = `/(^(${RETIRED_WORDS.join('|')})|(${capitalised.join('|')}))s?(?![a-z])/`;

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'docs/api/',
      'docs/.vitepress/cache/',
      'docs/.vitepress/dist/',
      'coverage/',
      'bench/peers/',
      'bench/comparison/',
      '**/node_modules/',
      '**/*.cjs',
    ],
  },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: ['error', 'always'],
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        { selector: `Identifier[name=${RETIRED_NAME}]`, message: 'Use a word of the field in names.' },
      ],
    },
  },
  {
    // Limits on the size of files and functions.
    files: ['src/**'],
    rules: {
      'max-lines': ['error', { max: 350, skipBlankLines: false, skipComments: false }],
      'max-lines-per-function': [
        'error',
        { max: 60, skipBlankLines: false, skipComments: false, IIFEs: true },
      ],
    },
  },
  {
    // Ending the process is the command line's decision; everything else throws, rejects or closes.
    files: ['src/**'],
    // Child processes that run a worker module have an entry point of their own.
    ignores: ['src/cli/**', 'src/worker/threads/process-main.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'exit', message: 'Only src/cli ends the process.' },
        { object: 'process', property: 'exitCode', message: 'Only src/cli ends the process.' },
      ],
    },
  },
  {
    files: ['test/**', 'bench/**', 'soak/**', 'scripts/**', 'workers/**', 'templates/**', 'examples/**'],
    rules: {
      'no-console': 'off',
      // node:test's describe/it return promises that the runner itself awaits.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite'] },
          ],
        },
      ],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  // Plain JavaScript belongs to no TypeScript project: the rules that need types are off there.
  {
    files: ['**/*.js', '**/*.mjs'],
    ...tseslint.configs.disableTypeChecked,
  },
);
