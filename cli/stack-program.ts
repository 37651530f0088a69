interface Renderer {
  readonly renderEnvironment: (environment: string) => Promise<string>;
}

/** A stack's manifests as YAML. The program is read only now, since it brings cdk8s and the Pulumi SDK with it. */
export const renderStack = (stack: string): Promise<string> => {
  const { renderEnvironment } = module.require('../stacks/render') as Renderer;
  return renderEnvironment(stack);
};
