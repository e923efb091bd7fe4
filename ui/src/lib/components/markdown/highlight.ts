import type { HLJSApi, LanguageFn } from 'highlight.js'

/** Program text in pieces; a piece without a scope is plain. */
export interface Piece {
  text: string
  scope: string | null
}

const LANGUAGES: Record<string, () => Promise<{ default: LanguageFn }>> = {
  bash: () => import('highlight.js/lib/languages/bash'),
  c: () => import('highlight.js/lib/languages/c'),
  cpp: () => import('highlight.js/lib/languages/cpp'),
  css: () => import('highlight.js/lib/languages/css'),
  diff: () => import('highlight.js/lib/languages/diff'),
  go: () => import('highlight.js/lib/languages/go'),
  ini: () => import('highlight.js/lib/languages/ini'),
  java: () => import('highlight.js/lib/languages/java'),
  javascript: () => import('highlight.js/lib/languages/javascript'),
  json: () => import('highlight.js/lib/languages/json'),
  kotlin: () => import('highlight.js/lib/languages/kotlin'),
  python: () => import('highlight.js/lib/languages/python'),
  rust: () => import('highlight.js/lib/languages/rust'),
  sql: () => import('highlight.js/lib/languages/sql'),
  swift: () => import('highlight.js/lib/languages/swift'),
  typescript: () => import('highlight.js/lib/languages/typescript'),
  xml: () => import('highlight.js/lib/languages/xml'),
  yaml: () => import('highlight.js/lib/languages/yaml'),
}

const ALIASES: Record<string, string> = {
  'c++': 'cpp',
  html: 'xml',
  js: 'javascript',
  jsx: 'javascript',
  kt: 'kotlin',
  py: 'python',
  rs: 'rust',
  sh: 'bash',
  shell: 'bash',
  svelte: 'xml',
  svg: 'xml',
  toml: 'ini',
  ts: 'typescript',
  tsx: 'typescript',
  yml: 'yaml',
  zsh: 'bash',
}

/** More than this is shown plain: colouring would hold up the scrolling. */
const CHARS_MAX = 20_000

let core: Promise<HLJSApi> | null = null

/** The pieces of a program text; `null` if the language is none that we colour. */
export async function highlight(language: string, text: string): Promise<Piece[] | null> {
  const wanted = language.toLowerCase()
  const name = ALIASES[wanted] ?? wanted
  const load = Object.hasOwn(LANGUAGES, name) ? LANGUAGES[name] : undefined
  if (!load || text.length > CHARS_MAX) return null
  core ??= import('highlight.js/lib/core').then((module) => module.default)
  const [hljs, grammar] = await Promise.all([core, load()])
  if (!hljs.getLanguage(name)) hljs.registerLanguage(name, grammar.default)
  const pieces: Piece[] = []
  const { _emitter } = hljs.highlight(text, { language: name, ignoreIllegals: true })
  collect((_emitter as unknown as { root: Node }).root, null, pieces)
  return pieces
}

interface Node {
  scope?: string
  children: (Node | string)[]
}

/** Flattens the tree; the innermost scope counts. */
function collect(node: Node, outer: string | null, into: Piece[]): void {
  const scope = node.scope?.split('.')[0] ?? outer
  for (const child of node.children)
    if (typeof child === 'string') into.push({ text: child, scope })
    else collect(child, scope, into)
}
