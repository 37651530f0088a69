/** Rules of this repository that no linter brings; `.oxlintrc.jsonc` says where each is on. */

const rule = (message, visitors) => ({
  meta: { type: 'problem', messages: { found: message } },
  create: (context) => visitors((node) => context.report({ node, messageId: 'found' })),
});

export default {
  meta: { name: 'trellis' },
  rules: {
    'own-error-class': rule(
      'Throw the area’s own error class, which names the construct path, key or command.',
      (report) => ({ 'ThrowStatement > NewExpression[callee.name="Error"]': report }),
    ),
    'environment-at-the-edges': rule('The environment is read in cli/ and local/ only.', (report) => ({
      'MemberExpression[object.name="process"][property.name="env"]': report,
    })),
    'configuration-in-one-place': rule('Configuration is read in stacks/config.ts only.', (report) => ({
      'NewExpression[callee.property.name="Config"]': report,
      'NewExpression[callee.name="Config"]': report,
    })),
  },
};
