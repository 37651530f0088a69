import tseslint from 'typescript-eslint';

/** Imports point one way: components → charts → stacks; bridge beside them; cli and local at the edges. */
const forbid = (area, folders, message, packages = []) => ({
  files: [`${area}/**`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          { regex: `^(\\.\\./)+(${folders.join('|')})(/|$)`, message },
          ...packages.map((name) => ({ regex: `^${name}(/|$)`, message })),
        ],
      },
    ],
  },
});
/** The engine's packages, of which components and charts know nothing. */
const ENGINE = '@pulumi/[^/]+';

const bareError = {
  selector: 'ThrowStatement > NewExpression[callee.name="Error"]',
  message: 'Throw the area’s own error class, which names the construct path, key or command.',
};
const environment = {
  selector: 'MemberExpression[object.name="process"][property.name="env"]',
  message: 'The environment is read in cli/ and local/ only.',
};
const config = {
  selector: 'NewExpression[callee.property.name="Config"], NewExpression[callee.name="Config"]',
  message: 'Configuration is read in stacks/config.ts only.',
};

export default tseslint.config(
  {
    ignores: [
      'node_modules',
      '.trellis',
      'images/*/dist',
      '**/*.js',
      '**/*.mjs',
      'components/imports/*.ts',
      'examples',
    ],
  },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-unused-expressions': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignorePrimitives: { string: true, boolean: true } }],
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      eqeqeq: 'error',
      'max-lines': ['error', 300],
      'max-lines-per-function': ['error', { max: 60 }],
      'no-restricted-syntax': ['error', bareError, environment, config],
    },
  },
  { files: ['stacks/config.ts'], rules: { 'no-restricted-syntax': ['error', bareError, environment] } },
  {
    files: ['cli/**', 'local/**', 'images/**', 'bench/**'],
    rules: { 'no-restricted-syntax': ['error', bareError, config] },
  },
  {
    files: ['test/**'],
    rules: {
      'max-lines-per-function': 'off',
      'no-restricted-syntax': [
        'error',
        { selector: 'CallExpression[callee.property.name="only"]', message: 'A focused test hides the rest.' },
      ],
    },
  },
  forbid(
    'components',
    ['charts', 'stacks', 'bridge', 'cli', 'local'],
    'Components import cdk8s and cdk8s-plus-28 only.',
    [ENGINE],
  ),
  forbid('charts', ['stacks', 'bridge', 'cli', 'local'], 'Charts import components only.', [ENGINE]),
  forbid('bridge', ['charts', 'stacks', 'cli', 'local'], 'The bridge knows no chart and no stack.'),
  forbid('stacks', ['cli', 'local'], 'Stacks import charts, the bridge and Pulumi.', ['cdk8s-plus-28']),
  forbid('local', ['components', 'charts', 'stacks', 'bridge', 'cli'], 'local/ imports nothing above it.'),
  forbid('cli', ['local/(?!index$)[^/]+'], 'The CLI uses local/index only.'),
);
