import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import ts from 'typescript';

const ROOT = path.resolve(__dirname, '../../..');
const OPTIONS = /(Props|Options|Attributes|Configuration|Probes)$/;

const parse = (name: string, text: string): ts.SourceFile =>
  ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
const readComponent = (name: string): string => readFileSync(path.join(ROOT, 'components', name), 'utf8');

/** What is wrong with the interfaces of a file that callers fill in; `offered` says which names they can get hold of. */
const problemsIn = (name: string, text: string, offered: (name: string) => boolean): readonly string[] =>
  optionInterfaces(parse(name, text), offered).flatMap((one) =>
    one.members.flatMap((member) => memberProblems(`${name}: ${one.name.text}`, member)),
  );

const optionInterfaces = (
  file: ts.SourceFile,
  offered: (name: string) => boolean,
): readonly ts.InterfaceDeclaration[] =>
  file.statements.filter(
    (one): one is ts.InterfaceDeclaration =>
      ts.isInterfaceDeclaration(one) && OPTIONS.test(one.name.text) && offered(one.name.text),
  );

function memberProblems(owner: string, member: ts.TypeElement): readonly string[] {
  const name = `${owner}.${member.name?.getText() ?? '?'}`;
  if (!ts.isPropertySignature(member)) return [`${name} must be a property`];
  const readonly = (member.modifiers ?? []).some(({ kind }) => kind === ts.SyntaxKind.ReadonlyKeyword);
  const docs = ts.getJSDocCommentsAndTags(member).filter(ts.isJSDoc);
  const defaulted = ts
    .getJSDocTags(member)
    .some((tag) => tag.tagName.text === 'default' && (ts.getTextOfJSDocComment(tag.comment) ?? '').trim() !== '');
  const optional = member.questionToken !== undefined;
  return [
    ...(readonly ? [] : [`${name} must be readonly`]),
    ...(optional && !defaulted ? [`${name} is optional and must say its @default`] : []),
    ...(!optional && defaulted ? [`${name} is required and has a @default`] : []),
    ...(!optional && !docs.some((doc) => (ts.getTextOfJSDocComment(doc.comment) ?? '').trim() !== '')
      ? [`${name} is required and must say what it is`]
      : []),
  ];
}

describe('interfaces that callers fill in', () => {
  const files = readdirSync(path.join(ROOT, 'components')).filter((name) => name.endsWith('.ts'));
  // The library's entry names all that callers can get hold of.
  const offered = new Set(
    parse('index.ts', readComponent('index.ts')).statements.flatMap((one) =>
      ts.isExportDeclaration(one) && one.exportClause !== undefined && ts.isNamedExports(one.exportClause)
        ? one.exportClause.elements.map(({ name }) => name.text)
        : [],
    ),
  );
  const isOffered = (name: string): boolean => offered.has(name);

  it.each(files)('components/%s', (name) => {
    expect(problemsIn(name, readComponent(name), isOffered)).toEqual([]);
  });

  it('are many: the check looks at them', () => {
    const names = files.flatMap((name) =>
      optionInterfaces(parse(name, readComponent(name)), isOffered).map((one) => one.name.text),
    );
    expect(names).toEqual(
      expect.arrayContaining([
        'StatefulDatabaseProps',
        'CacheStoreProps',
        'HttpWorkloadProps',
        'AutoscaledServiceProps',
        'TlsIngressProps',
        'GpuInferenceDeploymentProps',
        'NamespaceBaselineProps',
      ]),
    );
  });

  it.each([
    ['a: string', 'must be readonly'],
    ['readonly a: string', 'is required and must say what it is'],
    ['/** What it is. */ readonly a?: string', 'is optional and must say its @default'],
    ['/** What it is. @default */ readonly a?: string', 'is optional and must say its @default'],
    ['/** What it is. @default "x" */ readonly a: string', 'is required and has a @default'],
    ['/** What it is. */ a(): string', 'must be a property'],
  ])('are refused with %s', (member, problem) => {
    const found = problemsIn('sample.ts', `export interface SampleProps {\n  ${member};\n}`, () => true);
    expect(found).toContainEqual(expect.stringContaining(`SampleProps.a ${problem}`));
  });
});
