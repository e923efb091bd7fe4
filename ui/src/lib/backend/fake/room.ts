import type { Line, RoomItem, RoomKind } from '../bindings'
import { parseMarkdown } from './markdown'
import { ME, PEOPLE, accountOf, personOf } from './people'
import { SENTENCES, type Told } from './texts'

/** A room of the fixture. What was not written by hand is made from its place, when it is asked for. */
export class FakeRoom {
  private readonly changed = new Map<number, Line>()
  private readonly echoes: Line[] = []

  constructor(
    readonly item: RoomItem,
    private readonly make: (seq: number) => Line,
    public length: number,
  ) {}

  at(seq: number): Line {
    return this.changed.get(seq) ?? this.make(seq)
  }

  slice(first: number, last: number): Line[] {
    const lines: Line[] = []
    for (let seq = Math.max(1, first); seq <= Math.min(this.length, last); seq++) lines.push(this.at(seq))
    return lines
  }

  find(id: string): Line | undefined {
    const echo = this.echoes.find((line) => line.id === id)
    if (echo) return echo
    for (const line of this.changed.values()) if (line.id === id) return line
    const seq = Number(id.split('.')[1])
    return Number.isInteger(seq) && seq >= 1 && seq <= this.length ? this.at(seq) : undefined
  }

  set(line: Line): void {
    if (line.seq !== null) this.changed.set(line.seq, line)
    const echo = this.echoes.findIndex((echo) => echo.id === line.id)
    if (echo >= 0) this.echoes[echo] = line
  }

  append(line: Line): Line {
    this.length++
    const stored: Line = { ...line, seq: this.length, state: { kind: 'sent' } }
    this.changed.set(this.length, stored)
    return stored
  }

  echo(line: Line): void {
    this.echoes.push(line)
  }

  pending(): readonly Line[] {
    return this.echoes
  }

  /** The echo of a message leaves: it was stored, or given up. */
  settle(id: string): void {
    const at = this.echoes.findIndex((echo) => echo.id === id)
    if (at >= 0) this.echoes.splice(at, 1)
  }

  /** The list's line of the room, after something was said. */
  refresh(): void {
    const last = this.echoes.at(-1) ?? (this.length > 0 ? this.at(this.length) : undefined)
    this.item.newest = this.length
    if (!last) return
    const { sender, own, kind, changes, redacted, state, at, text } = last
    const preview = text
      .replace(/[*`~>#]/g, '')
      .replace(/\s+/g, ' ')
      .trim()
      .slice(0, 160)
    this.item.last = {
      sender,
      senderShown: personOf(sender).shown,
      own,
      kind,
      preview,
      changes,
      redacted,
      state,
      at,
    }
    this.item.activeAt = at
  }

  countUnread(): void {
    const unread = this.slice(this.item.readUpTo + 1, this.length).filter(
      (line) => !line.own && line.kind === 'text' && !line.redacted,
    )
    this.item.unread = unread.length
    this.item.mentions = unread.filter((line) => line.mentionsMe).length
  }
}

export function lineBy(sender: string, id: string, at: number, text: string): Line {
  return {
    id,
    seq: null,
    sender,
    own: sender === ME,
    at,
    kind: 'text',
    text,
    body: parseMarkdown(text, PEOPLE),
    edited: false,
    redacted: false,
    replyTo: null,
    mentions: text.includes('@mira') ? [ME] : [],
    mentionsMe: text.includes('@mira'),
    reactions: [],
    changes: [],
    state: { kind: 'sent' },
    pending: null,
    receipts: [],
  }
}

export function replyTo(line: Line): NonNullable<Line['replyTo']> {
  const { id, seq, sender, redacted } = line
  return { id, seq, sender, redacted, preview: line.text.replace(/\s+/g, ' ').slice(0, 160) }
}

export function toldRoom(item: RoomItem, told: Told[], now: number): FakeRoom {
  const make = (seq: number): Line => {
    const line = told[seq - 1] as Told
    return {
      ...lineBy(accountOf(line.by), `${item.id}.${seq}`, now - line.ago * 60_000, line.text),
      seq,
      kind: line.control ? 'control' : 'text',
      edited: line.edited ?? false,
      redacted: line.redacted ?? false,
      replyTo: line.replyTo === undefined ? null : replyTo(make(line.replyTo + 1)),
      reactions: Object.entries(line.reactions ?? {}).map(([emoji, who]) => ({
        emoji,
        accounts: who.map((handle) => accountOf(handle)),
        own: who.includes('mira'),
      })),
      changes: line.control ? [changeOf(line.control, item.kind)] : [],
      receipts: (line.readBy ?? []).map((handle) => accountOf(handle)),
    }
  }
  return new FakeRoom(item, make, told.length)
}

function changeOf(control: NonNullable<Told['control']>, room: RoomKind): Line['changes'][number] {
  return control === 'created' ? { kind: 'created', room } : { kind: 'added', who: accountOf(control.added) }
}

/** As many messages as wanted, that nobody wrote; each depends on its place alone. */
export function largeRoom(item: RoomItem, length: number, now: number): FakeRoom {
  const authors = PEOPLE.slice(0, 6).map((person) => person.account)
  const make = (seq: number): Line => {
    const noise = Math.imul(seq ^ (seq >>> 7), 2654435761) >>> 0
    const author = authors[(Math.floor(seq / 3) + (noise % 2)) % authors.length] ?? ME
    const sentence = SENTENCES[noise % SENTENCES.length] ?? ''
    const text =
      noise % 97 === 0 ? `${sentence}\n\n\`\`\`ts\nconst seq = ${seq}\n\`\`\`` : `${sentence} (${seq})`
    return {
      ...lineBy(author, `${item.id}.${seq}`, now - (length - seq) * 240_000 - 600_000, text),
      seq,
      reactions:
        noise % 41 === 0
          ? [{ emoji: '👍', accounts: [accountOf('jonas'), accountOf('amina')], own: false }]
          : [],
    }
  }
  return new FakeRoom(item, make, length)
}
