export { cachedPath, ensureTool, ensureTools, missingTools } from './ensure';
export type { EnsureOptions } from './ensure';
export { findGo, GO_FIX, GO_MINIMUM } from './go';
export { vendorPlugin, VENDOR_PLUGINS } from './plugins';
export type { VendorPlugin } from './plugins';
export { compareVersions, TOOLS } from './tools';
export type { Tool, ToolName } from './tools';
