/** The services that the definition runs from images of its users. */
export const SERVICES = ['ui', 'mcp', 'claude-flow', 'agentic-os'] as const;
export type ServiceName = (typeof SERVICES)[number];

const only = (...services: readonly ServiceName[]): readonly ServiceName[] => services;

export const ALL: readonly ServiceName[] = SERVICES;
export const UI = only('ui');
export const MCP = only('mcp');
export const FLOW = only('claude-flow');
export const AGENTS = only('agentic-os');
/** Those that users' browsers and tools talk to. */
export const FRONT = only('ui', 'mcp');
/** Those that a completion passes on its way to the model. */
export const PATH = only('ui', 'mcp', 'claude-flow');
/** Those that keep data. */
export const DATA = only('claude-flow', 'agentic-os');
