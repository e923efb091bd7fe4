import type { Block, Inline, Person } from '../bindings'

/** A small stand-in for the engine's parser: enough of markdown for what the fixture says. */
export function parseMarkdown(source: string, people: Person[]): Block[] {
  return parseBlocks(source.replaceAll('\r\n', '\n').split('\n'), people)
}

function parseBlocks(lines: string[], people: Person[]): Block[] {
  const blocks: Block[] = []
  let at = 0
  const line = () => lines[at] ?? ''
  const takeWhile = (test: (line: string) => boolean) => {
    const taken: string[] = []
    while (at < lines.length && test(line())) taken.push(lines[at++] ?? '')
    return taken
  }
  while (at < lines.length) {
    const fence = /^```(\S*)/.exec(line())
    const heading = /^(#{1,6}) (.*)/.exec(line())
    if (fence) {
      at++
      const text = takeWhile((line) => !line.startsWith('```')).join('\n')
      at++
      blocks.push({ kind: 'code', language: fence[1] || null, text })
    } else if (heading) {
      at++
      blocks.push({
        kind: 'heading',
        level: heading[1]?.length ?? 1,
        inlines: parseInline(heading[2] ?? '', people),
      })
    } else if (/^(---|\*\*\*)$/.test(line())) {
      at++
      blocks.push({ kind: 'rule' })
    } else if (line().startsWith('>')) {
      const inner = takeWhile((line) => line.startsWith('>')).map((line) => line.replace(/^> ?/, ''))
      blocks.push({ kind: 'quote', blocks: parseBlocks(inner, people) })
    } else if (isItem(line())) {
      const items = takeWhile(isItem)
      const first = /^(\d+)\./.exec(items[0] ?? '')
      blocks.push({
        kind: 'list',
        start: first ? Number(first[1]) : null,
        items: items.map((item) => {
          const box = /^[-*] \[( |x)\] /.exec(item)
          const text = box ? item.slice(box[0].length) : item.replace(/^(\d+\.|[-*]) /, '')
          return { checked: box ? box[1] === 'x' : null, blocks: parseBlocks([text], people) }
        }),
      })
    } else if (line().trim() === '') {
      at++
    } else {
      const text = takeWhile((line) => line.trim() !== '' && !startsBlock(line)).join('\n')
      blocks.push({ kind: 'paragraph', inlines: parseInline(text, people) })
    }
  }
  return blocks
}

function isItem(line: string): boolean {
  return /^(\d+\.|[-*]) /.test(line)
}

function startsBlock(line: string): boolean {
  return /^(```|#{1,6} |>)/.test(line) || isItem(line)
}

interface Rule {
  pattern: RegExp
  make: (match: RegExpExecArray, people: Person[]) => Inline | null
}

const RULES: Rule[] = [
  { pattern: /`([^`]+)`/, make: (m) => ({ kind: 'code', text: m[1] ?? '' }) },
  {
    pattern: /\[([^\]]+)\]\((https?:\/\/[^)\s]+)\)/,
    make: (m, people) => ({ kind: 'link', href: m[2] ?? '', inlines: parseInline(m[1] ?? '', people) }),
  },
  {
    pattern: /https?:\/\/[^\s<>()]+[^\s<>().,;:!?]/,
    make: (m) => ({ kind: 'link', href: m[0], inlines: [{ kind: 'text', text: m[0] }] }),
  },
  {
    pattern: /\*\*([^*]+)\*\*/,
    make: (m, people) => ({ kind: 'strong', inlines: parseInline(m[1] ?? '', people) }),
  },
  {
    pattern: /(?<![\w*])[*_]([^*_]+)[*_](?!\w)/,
    make: (m, people) => ({ kind: 'emphasis', inlines: parseInline(m[1] ?? '', people) }),
  },
  {
    pattern: /~~([^~]+)~~/,
    make: (m, people) => ({ kind: 'strike', inlines: parseInline(m[1] ?? '', people) }),
  },
  {
    pattern: /@([a-z0-9._-]*[a-z0-9])/,
    make: (m, people) => {
      const person = people.find((person) => person.handle === m[1])
      return person ? { kind: 'mention', account: person.account, text: m[0] } : null
    },
  },
  { pattern: /\n/, make: () => ({ kind: 'break' }) },
]

export function parseInline(text: string, people: Person[]): Inline[] {
  let best: { match: RegExpExecArray; inline: Inline } | null = null
  for (const rule of RULES) {
    const match = rule.pattern.exec(text)
    if (!match || (best && best.match.index <= match.index)) continue
    const inline = rule.make(match, people)
    if (inline) best = { match, inline }
  }
  if (!best) return text ? [{ kind: 'text', text }] : []
  const before = text.slice(0, best.match.index)
  const after = text.slice(best.match.index + best.match[0].length)
  return [
    ...(before ? [{ kind: 'text' as const, text: before }] : []),
    best.inline,
    ...parseInline(after, people),
  ]
}
