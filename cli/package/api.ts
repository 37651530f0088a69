import * as fs from 'node:fs';
import * as path from 'node:path';
import { CompilerState, Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';
import { root } from '../../local/index';
import { CliError } from '../exit';

/** Folder of the reports, one for each entry point; a change of the public API shows in their diff. */
export const API_FOLDER = path.join(root, 'api');
/** Entry points of the package, each a folder with an index. */
export const ENTRIES = ['components', 'charts', 'bridge'] as const;

const entryFile = (packageFolder: string, entry: string): string => path.join(packageFolder, entry, 'index.d.ts');

/** How one entry point is read: its report, and nothing else. */
function configOf(packageFolder: string, entry: string, reports: string): ExtractorConfig {
  const silent = { logLevel: ExtractorLogLevel.None };
  return ExtractorConfig.prepare({
    configObjectFullPath: path.join(root, 'package.json'),
    packageJsonFullPath: path.join(packageFolder, 'package.json'),
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: entryFile(packageFolder, entry),
      compiler: {
        overrideTsconfig: {
          compilerOptions: { target: 'ES2022', module: 'commonjs', moduleResolution: 'node', strict: true },
          files: ENTRIES.map((each) => entryFile(packageFolder, each)),
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: `${entry}.api.md`,
        reportFolder: reports,
        reportTempFolder: path.join(packageFolder, '..', 'api-temp'),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        // Names that the entry point does not export show in the report themselves; doc comments are ours, not TSDoc's.
        extractorMessageReporting: { default: silent },
        tsdocMessageReporting: { default: silent },
      },
    },
  });
}

/** Writes what an entry point exports. @throws CliError where a declaration can't be read */
function report(entry: string, config: ExtractorConfig, compilerState: CompilerState): void {
  const problems: string[] = [];
  const { errorCount } = Extractor.invoke(config, {
    compilerState,
    localBuild: true,
    messageCallback: (message) => {
      message.handled = true;
      if (message.logLevel === ExtractorLogLevel.Error) problems.push(message.formatMessageWithoutLocation());
    },
  });
  if (errorCount > 0) throw new CliError(`The API of ${entry} can't be read:\n${problems.join('\n')}`);
}

/** Writes the reports anew. */
export function writeApi(packageFolder: string, reports = API_FOLDER): void {
  fs.mkdirSync(reports, { recursive: true });
  const configs = ENTRIES.map((entry) => [entry, configOf(packageFolder, entry, reports)] as const);
  const [[, first], ...others] = configs as [(typeof configs)[number], ...typeof configs];
  // One compilation for all three: it is most of the time.
  const additionalEntryPoints = others.map(([entry]) => entryFile(packageFolder, entry));
  const compilation = CompilerState.create(first, { additionalEntryPoints });
  for (const [entry, config] of configs) report(entry, config, compilation);
}

/** Compares the reports with what the library exports. @throws CliError naming each report that differs */
export function checkApi(packageFolder: string): void {
  const fresh = path.join(packageFolder, '..', 'api');
  fs.rmSync(fresh, { recursive: true, force: true });
  writeApi(packageFolder, fresh);
  const stale = ENTRIES.map((entry) => `${entry}.api.md`).filter((file) => {
    const kept = path.join(API_FOLDER, file);
    return !fs.existsSync(kept) || fs.readFileSync(kept, 'utf8') !== fs.readFileSync(path.join(fresh, file), 'utf8');
  });
  if (stale.length === 0) return;
  const named = stale.map((file) => `  api/${file}`).join('\n');
  throw new CliError(`The public API changed. Review it, then run \`npm run api\` and commit:\n${named}`);
}
