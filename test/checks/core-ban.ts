// Keeps the core deterministic: finds every way for a clock, chance, a timer, a promise
// or the machine itself to enter a source file. It reads the syntax tree and not the
// text, so a comment may speak of `Date` and a field may be called `process`.
//
// It does not follow scopes: a local variable named like a forbidden global is refused
// too, and wants another name; only words that are ordinary ones as well, such as
// `document`, pass in a file that declares them. Which module may import which is the layer check's affair,
// but for modules that bring one of the forbidden things along.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

export interface Finding {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly what: string
  readonly why: string
}

const CLOCK = 'the time is the argument `now`'
const CHANCE = 'chance comes from the seeded `Rng`'
const TIMER = 'what is due later is a deadline and a `wake` effect'
const ASYNC = 'a step ends at once; what takes time is an effect, and its end an event'
const MACHINE = 'the core knows no machine; what it needs comes in an event'
const LOCALE = 'it depends on the machine’s language; compare with `compareText`'
const COLLECTOR = 'the garbage collector keeps its own time'

const FORBIDDEN_NAMES: ReadonlyMap<string, string> = new Map([
  ...named(CLOCK, 'Date', 'performance', 'Temporal'),
  ...named(TIMER, 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'requestAnimationFrame'),
  ...named(TIMER, 'clearTimeout', 'clearInterval', 'clearImmediate', 'requestIdleCallback'),
  ...named(ASYNC, 'Promise', 'PromiseLike', 'AsyncIterable', 'AsyncIterator', 'AsyncGenerator', 'Atomics'),
  ...named(ASYNC, 'AbortSignal', 'AbortController', 'MessageChannel', 'BroadcastChannel', 'Worker'),
  ...named(CHANCE, 'crypto'),
  ...named(MACHINE, 'process', 'globalThis', 'require', 'Buffer', 'console', 'eval', 'Function'),
  ...named(MACHINE, 'fetch', 'WebSocket', 'navigator', 'localStorage'),
  ...named(LOCALE, 'Intl'),
  ...named(COLLECTOR, 'WeakRef', 'FinalizationRegistry'),
])

/** Refused only where the file declares no such name of its own. */
const FORBIDDEN_UNLESS_DECLARED: ReadonlyMap<string, string> = new Map(
  named(MACHINE, 'global', 'window', 'self', 'document', 'location', 'name', 'event', 'status', 'parent'),
)

const FORBIDDEN_MEMBERS: ReadonlyMap<string, string> = new Map([
  ...named(LOCALE, 'localeCompare', 'toLocaleString', 'toLocaleUpperCase', 'toLocaleLowerCase'),
  ...named(ASYNC, 'fromAsync'),
])

const OUTSIDE_MODULES = /^(yjs|lib0)(\/|$)/
const FORBIDDEN_MODULES =
  /^lib0\/(.*\/)?(random|time|performance|promise|eventloop|environment|storage|websocket|broadcastchannel|indexeddb|prng)/

/** What one source breaks; `file` is only for the report. */
export const findBanned = (file: string, text: string): Finding[] => {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const findings: Finding[] = []
  const declared = namesDeclaredIn(source)
  const report = (node: ts.Node, what: string, why: string): void => {
    const { line, character } = source.getLineAndCharacterOfPosition(node.getStart(source))
    findings.push({ file, line: line + 1, column: character + 1, what, why })
  }
  const visit = (node: ts.Node): void => {
    if (node.kind === ts.SyntaxKind.AsyncKeyword) report(node, 'async', ASYNC)
    else if (node.kind === ts.SyntaxKind.AwaitKeyword || ts.isAwaitExpression(node))
      report(node, 'await', ASYNC)
    else if (ts.isIdentifier(node)) checkName(node, declared, report)
    else if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      if (node.moduleSpecifier !== undefined) checkModule(node.moduleSpecifier, report)
    } else if (ts.isImportTypeNode(node)) checkModule(node.argument, report)
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      report(node, 'import()', ASYNC)
    } else if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword) {
      report(node, 'import.meta', MACHINE)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return findings
}

/** What the TypeScript sources of a folder break, in order of their names. */
export const findBannedIn = (folder: string): Finding[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .sort()
    .flatMap(name => findBanned(join(folder, name), readFileSync(join(folder, name), 'utf8')))

type Report = (node: ts.Node, what: string, why: string) => void

function named(why: string, ...names: string[]): [string, string][] {
  return names.map(name => [name, why])
}

const checkName = (node: ts.Identifier, declared: ReadonlySet<string>, report: Report): void => {
  const { parent } = node
  if (node.text === 'Math' && !isOnlyALabel(node)) {
    if (!isPlainMath(node)) report(node, 'Math', `${CHANCE}; write Math.name, so that it can be seen which`)
    else if ((parent as ts.PropertyAccessExpression).name.text === 'random') {
      report(node, 'Math.random', CHANCE)
    }
    return
  }
  if (isOnlyALabel(node)) {
    const why = FORBIDDEN_MEMBERS.get(node.text)
    if (why !== undefined && ts.isPropertyAccessExpression(parent)) report(node, node.text, why)
    return
  }
  const why =
    FORBIDDEN_NAMES.get(node.text) ??
    (declared.has(node.text) ? undefined : FORBIDDEN_UNLESS_DECLARED.get(node.text))
  if (why !== undefined) report(node, node.text, why)
}

const namesDeclaredIn = (source: ts.SourceFile): ReadonlySet<string> => {
  const names = new Set<string>()
  const visit = (node: ts.Node): void => {
    const isDeclaration =
      ts.isVariableDeclaration(node) ||
      ts.isParameter(node) ||
      ts.isBindingElement(node) ||
      ts.isFunctionDeclaration(node) ||
      ts.isImportSpecifier(node)
    if (isDeclaration && node.name !== undefined && ts.isIdentifier(node.name)) names.add(node.name.text)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return names
}

const isPlainMath = (node: ts.Identifier): boolean =>
  ts.isPropertyAccessExpression(node.parent) && node.parent.expression === node

/** True where a name is that of a field and refers to nothing by itself. */
const isOnlyALabel = (node: ts.Identifier): boolean => {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node
  if (ts.isQualifiedName(parent)) return parent.right === node
  if (ts.isBindingElement(parent)) return parent.propertyName === node
  return (
    (ts.isPropertyAssignment(parent) ||
      ts.isPropertySignature(parent) ||
      ts.isPropertyDeclaration(parent) ||
      ts.isMethodDeclaration(parent) ||
      ts.isMethodSignature(parent) ||
      ts.isGetAccessorDeclaration(parent) ||
      ts.isSetAccessorDeclaration(parent) ||
      ts.isNamedTupleMember(parent)) &&
    parent.name === node
  )
}

const checkModule = (specifier: ts.Node, report: Report): void => {
  const literal = ts.isLiteralTypeNode(specifier) ? specifier.literal : specifier
  if (!ts.isStringLiteral(literal)) return
  const name = literal.text
  if (name.startsWith('.')) return
  if (!OUTSIDE_MODULES.test(name))
    report(literal, name, 'the core imports itself, yjs and lib0, nothing else')
  else if (FORBIDDEN_MODULES.test(name))
    report(literal, name, 'this part of lib0 brings time, chance or I/O along')
}
