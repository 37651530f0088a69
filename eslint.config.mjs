import tseslint from 'typescript-eslint';

/** Imports point one way: components → charts → stacks; bridge beside them; cli and local at the edges. */
const forbid = (files, patterns, message) => ({
  files,
  rules: {
    'no-restricted-imports': ['error', { patterns: patterns.map((group) => ({ group: [group].flat(), message })) }],
  },
});

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
  { ignores: ['node_modules', '.trellis', 'images/*/dist', '**/*.js', '**/*.mjs'] },
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
  { files: ['cli/**', 'local/**', 'images/**'], rules: { 'no-restricted-syntax': ['error', bareError, config] } },
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
    ['components/**'],
    ['@pulumi/*', '**/charts/*', '**/stacks/*', '**/bridge/*', '**/cli/*', '**/local/*'],
    'Components import cdk8s and cdk8s-plus-28 only.',
  ),
  forbid(
    ['charts/**'],
    ['@pulumi/*', '**/stacks/*', '**/bridge/*', '**/cli/*', '**/local/*'],
    'Charts import components only.',
  ),
  forbid(
    ['bridge/**'],
    ['**/charts/*', '**/stacks/*', '**/cli/*', '**/local/*'],
    'The bridge knows no chart and no stack.',
  ),
  forbid(['stacks/**'], ['**/cli/*', '**/local/*', 'cdk8s-plus-28'], 'Stacks import charts, the bridge and Pulumi.'),
  forbid(
    ['local/**'],
    ['**/components/*', '**/charts/*', '**/stacks/*', '**/bridge/*', '**/cli/*'],
    'local/ imports nothing above it.',
  ),
  forbid(['cli/**'], ['**/local/*/**', '!**/local/index'], 'The CLI uses local/index only.'),
);
