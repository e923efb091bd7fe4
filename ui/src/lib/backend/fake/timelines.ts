import { keyOf, type Backend, type RoomKey } from '../backend'
import type { AppError, Connection, ErrorCode, Found, Line, Page, Profile, Update } from '../bindings'
import { parseMarkdown } from './markdown'
import { ME, PEOPLE, PROFILES, accountOf, personOf } from './people'
import { lineBy, replyTo, type FakeRoom } from './room'
import { fixtureRooms } from './rooms'

export interface FakeOptions {
  /** Milliseconds until the pretended relay answers; 0: at once. */
  answerAfterMs: number
  /** Whether those who are written to answer. */
  replies: boolean
  /** Whether there is no account yet. */
  empty: boolean
  /** The language of the pretended system. */
  language: string | null
}

type Call<Name extends keyof Backend> = Backend[Name]

/** Rooms and what is said in them, without an engine. */
export class FakeTimelines {
  protected profiles: Profile[]
  protected readonly byKey: Map<RoomKey, FakeRoom>
  protected readonly options: FakeOptions
  protected listen: (updates: Update[]) => void = () => undefined
  private online = true
  private failing = 0
  private txn = 0

  constructor(options: Partial<FakeOptions> = {}) {
    this.options = { answerAfterMs: 250, replies: true, empty: false, language: null, ...options }
    this.profiles = this.options.empty ? [] : structuredClone(PROFILES)
    this.byKey = this.options.empty ? new Map() : fixtureRooms(Date.now())
  }

  // What a test may do.

  goOffline(): void {
    this.online = false
    this.tellConnection({ kind: 'offline', retryAt: Date.now() + 30_000, why: null })
    for (const room of this.byKey.values())
      for (const echo of room.pending())
        if (echo.state.kind === 'sending') this.show(room, { ...echo, state: { kind: 'waiting' } })
  }

  goOnline(): void {
    this.online = true
    this.tellConnection({ kind: 'online' })
    for (const room of this.byKey.values())
      for (const echo of [...room.pending()])
        if (echo.state.kind !== 'failed') this.acknowledge(room, echo.id)
  }

  /** The next message will be refused for good. */
  failNext(): void {
    this.failing++
  }

  /** Somebody says something. */
  receive(roomId: string, handle: string, text: string): void {
    const room = this.roomById(roomId)
    this.show(room, room.append(lineBy(accountOf(handle), `${roomId}.${room.length + 1}`, Date.now(), text)))
  }

  /** Somebody has read everything. */
  readBy(roomId: string, handle: string): void {
    const room = this.roomById(roomId)
    const newest = room.at(room.length)
    this.show(room, { ...newest, receipts: [...newest.receipts, accountOf(handle)] })
  }

  typingBy(roomId: string, handle: string): void {
    const { item } = this.roomById(roomId)
    this.tell([{ kind: 'typing', profile: item.profile, room: item.id, person: personOf(accountOf(handle)) }])
  }

  tell(updates: Update[]): void {
    this.listen(structuredClone(updates))
  }

  // What the backend promises.

  roomOpen: Call<'roomOpen'> = async (profile, id, limit) => {
    const room = this.room(profile, id)
    return this.page(room, room.length - limit + 1, room.length)
  }

  roomClose: Call<'roomClose'> = () => Promise.resolve(null)

  historyBefore: Call<'historyBefore'> = async (profile, id, before, limit) => {
    await pause(this.options.answerAfterMs / 5)
    return this.page(this.room(profile, id), before - limit, before - 1)
  }

  historyAfter: Call<'historyAfter'> = async (profile, id, after, limit) => {
    await pause(this.options.answerAfterMs / 5)
    return this.page(this.room(profile, id), after + 1, after + limit)
  }

  historyAround: Call<'historyAround'> = async (profile, id, seq, limit) => {
    await pause(this.options.answerAfterMs / 5)
    const first = Math.max(1, seq - Math.floor(limit / 2))
    return this.page(this.room(profile, id), first, first + limit - 1)
  }

  send: Call<'send'> = (profile, roomId, text, answers, mentions) => {
    const room = this.room(profile, roomId)
    const replied = answers === null ? undefined : room.find(answers)
    const line: Line = {
      ...lineBy(ME, `mine-${this.txn++}.${Date.now()}`, Date.now(), text),
      mentions,
      replyTo: replied ? replyTo(replied) : null,
      state: { kind: this.online ? 'sending' : 'waiting' },
    }
    room.echo(line)
    room.item.draft = ''
    this.show(room, line)
    const failed = this.failing > 0
    if (failed) this.failing--
    void pause(this.options.answerAfterMs).then(() => {
      if (failed) this.show(room, { ...line, state: { kind: 'failed', code: 'denied', message: 'no right' } })
      else if (this.online) this.acknowledge(room, line.id)
    })
    if (this.options.replies && this.online && room.item.kind === 'direct') void this.reply(room)
    return Promise.resolve(line.id)
  }

  edit: Call<'edit'> = (profile, room, id, text) =>
    this.change(profile, room, id, (line) => ({
      ...line,
      text,
      body: parseMarkdown(text, PEOPLE),
      edited: true,
    }))

  redact: Call<'redact'> = (profile, room, id) =>
    this.change(profile, room, id, (line) => ({ ...line, text: '', body: [], redacted: true, reactions: [] }))

  react: Call<'react'> = (profile, room, id, emoji, on) =>
    this.change(profile, room, id, (line) => {
      const others = line.reactions.map((reaction) =>
        reaction.emoji === emoji
          ? { ...reaction, own: on, accounts: reaction.accounts.filter((account) => account !== ME) }
          : reaction,
      )
      const mine = others.find((reaction) => reaction.emoji === emoji)
      if (on && mine) mine.accounts.push(ME)
      else if (on) others.push({ emoji, accounts: [ME], own: true })
      return { ...line, reactions: others.filter((reaction) => reaction.accounts.length > 0) }
    })

  retry: Call<'retry'> = async (_profile, id) => {
    const room = this.roomWith(id)
    const echo = room.find(id)
    if (echo) this.show(room, { ...echo, state: { kind: this.online ? 'sending' : 'waiting' } })
    await pause(this.options.answerAfterMs)
    if (this.online) this.acknowledge(room, id)
    return null
  }

  discard: Call<'discard'> = (profile, id) => {
    const room = this.roomWith(id)
    room.settle(id)
    room.refresh()
    this.tell([
      { kind: 'timeline', profile, room: room.item.id, reset: false, lines: [], removed: [id], people: [] },
      { kind: 'room', room: room.item },
    ])
    return Promise.resolve(null)
  }

  markRead: Call<'markRead'> = (profile, id, seq) => {
    const room = this.room(profile, id)
    if (seq > room.item.readUpTo) {
      room.item.readUpTo = Math.min(seq, room.length)
      this.tellRoom(room)
    }
    return Promise.resolve(null)
  }

  markAllRead: Call<'markAllRead'> = async (profile) => {
    for (const room of this.byKey.values())
      if (profile === null || room.item.profile === profile)
        await this.markRead(room.item.profile, room.item.id, room.length)
    return null
  }

  setDraft: Call<'setDraft'> = (profile, id, text) => {
    const room = this.room(profile, id)
    room.item.draft = text
    this.tellRoom(room)
    return Promise.resolve(null)
  }

  find: Call<'find'> = (profile, roomId, text, before, limit) => {
    const words = text.toLowerCase()
    const found: Found = { hits: [], more: false, reach: { oldestAt: null, messages: 0, complete: true } }
    for (const room of this.byKey.values()) {
      if ((profile !== null && room.item.profile !== profile) || (roomId !== null && room.item.id !== roomId))
        continue
      for (const line of room.slice(room.length - 3000, room.length)) {
        found.reach.messages++
        found.reach.oldestAt = Math.min(found.reach.oldestAt ?? line.at, line.at)
        const at = line.text.toLowerCase().indexOf(words)
        if (at < 0 || (before !== null && line.at >= before)) continue
        found.hits.push({
          profile: room.item.profile,
          room: room.item.id,
          id: line.id,
          seq: line.seq ?? 0,
          sender: line.sender,
          senderShown: personOf(line.sender).shown,
          at: line.at,
          before: line.text.slice(Math.max(0, at - 40), at),
          found: line.text.slice(at, at + words.length),
          after: line.text.slice(at + words.length, at + words.length + 80),
        })
      }
      if (room.length > 3000) found.reach.complete = false
    }
    found.hits.sort((a, b) => b.at - a.at)
    found.more = found.hits.length > limit
    found.hits.length = Math.min(limit, found.hits.length)
    return Promise.resolve(found)
  }

  protected room(profile: string, room: string): FakeRoom {
    const found = this.byKey.get(keyOf({ profile, room }))
    if (!found) throw refusal('notFound')
    return found
  }

  protected tellRoom(room: FakeRoom): void {
    room.countUnread()
    room.refresh()
    this.tell([{ kind: 'room', room: room.item }])
  }

  protected tellConnection(connection: Connection): void {
    this.profiles = this.profiles.map((profile) => ({ ...profile, connection }))
    this.tell(this.profiles.map((profile) => ({ kind: 'connection', profile: profile.id, connection })))
  }

  private page(room: FakeRoom, first: number, last: number): Page {
    const atEnd = last >= room.length
    const lines = [...room.slice(first, last), ...(atEnd ? room.pending() : [])]
    return structuredClone({ lines, people: PEOPLE, atStart: first <= 1, atEnd })
  }

  private roomById(id: string): FakeRoom {
    for (const room of this.byKey.values()) if (room.item.id === id) return room
    throw refusal('notFound')
  }

  private roomWith(line: string): FakeRoom {
    for (const room of this.byKey.values()) if (room.pending().some((echo) => echo.id === line)) return room
    throw refusal('notFound')
  }

  private show(room: FakeRoom, line: Line): void {
    room.set(line)
    const { profile, id } = room.item
    this.tell([{ kind: 'timeline', profile, room: id, reset: false, lines: [line], removed: [], people: [] }])
    this.tellRoom(room)
  }

  private acknowledge(room: FakeRoom, id: string): void {
    const echo = room.pending().find((echo) => echo.id === id)
    if (!echo) return
    room.settle(id)
    const stored = room.append(echo)
    room.item.readUpTo = room.length
    this.show(room, stored)
  }

  private change(profile: string, id: string, line: string, change: (line: Line) => Line): Promise<null> {
    const room = this.room(profile, id)
    const before = room.find(line)
    if (!before) return Promise.reject(refusal('notFound'))
    this.show(room, change(before))
    return Promise.resolve(null)
  }

  private async reply(room: FakeRoom): Promise<void> {
    const partner = room.item.partner
    if (!partner) return
    await pause(this.options.answerAfterMs * 4)
    this.typingBy(room.item.id, partner.handle)
    await pause(this.options.answerAfterMs * 8)
    const lines = [
      'Sounds good!',
      'Give me a minute, I will look.',
      '👍',
      'Ha, that is exactly what I thought.',
    ]
    this.receive(room.item.id, partner.handle, lines[room.length % lines.length] ?? '')
  }
}

export function refusal(code: ErrorCode): AppError {
  return { code, message: code }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => (ms > 0 ? setTimeout(resolve, ms) : queueMicrotask(resolve)))
}
