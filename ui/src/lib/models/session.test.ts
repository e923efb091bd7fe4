import { FakeBackend } from '$lib/backend/fake/fake'
import { accountOf } from '$lib/backend/fake/people'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { keyOfItem } from './rooms.svelte'
import { Session } from './session.svelte'

let backend: FakeBackend
let session: Session

const settled = () => vi.waitFor(() => expect(session.chat?.timeline.loaded).toBe(true))

beforeEach(async () => {
  backend = new FakeBackend({ answerAfterMs: 0, replies: false })
  session = new Session(backend)
  await session.start()
})

describe('a session', () => {
  it('lists pinned chats first, then by what happened last', () => {
    expect(session.rooms.sorted[0]?.pinned).toBe(true)
    const others = session.rooms.sorted.slice(1).map((room) => room.activeAt)
    expect(others).toEqual([...others].sort((a, b) => b - a))
  })

  it('filters, and keeps the open chat in sight', () => {
    session.select('home/jonas')
    session.rooms.filter = 'groups'
    expect(session.rooms.shown.map(keyOfItem)).toContain('home/jonas')
    expect(session.rooms.shown.map(keyOfItem)).not.toContain('home/amina')
  })

  it('shows one account alone', () => {
    session.rooms.profile = 'work'
    expect(session.rooms.shown.every((room) => room.profile === 'work')).toBe(true)
  })

  it('steps to the next unread chat', () => {
    session.select('home/launch')
    session.step(1, true)
    expect(session.chat?.key).toBe('home/amina')
  })

  it('takes a message in where it belongs, and counts what the engine counts', async () => {
    session.select('home/jonas')
    await settled()
    backend.receive('jonas', 'jonas', 'new here')
    backend.receive('amina', 'amina', 'new there')
    expect(session.chat?.timeline.lines.at(-1)?.text).toBe('new here')
    expect(session.rooms.get('home/amina')?.unread).toBe(3)
  })

  it('goes to a message that a notification named', async () => {
    backend.tell([{ kind: 'open', target: { profile: 'work', room: 'design', seq: 4711 } }])
    await settled()
    expect(session.chat?.key).toBe('work/design')
    expect(session.wanted?.seq).toBe(4711)
    expect(session.chat?.timeline.rowOfSeq(4711)).toBeGreaterThan(0)
  })

  it('forgets who was writing when they have written', () => {
    backend.typingBy('jonas', 'jonas')
    expect(session.typing.whoIn('home/jonas')).toEqual([accountOf('jonas')])
    backend.receive('jonas', 'jonas', 'there')
    expect(session.typing.whoIn('home/jonas')).toEqual([])
  })

  it('leaves a chat that is gone', async () => {
    session.select('home/kitchen')
    await backend.leave('home', 'kitchen')
    expect(session.chat).toBeNull()
    expect(session.rooms.get('home/kitchen')).toBeUndefined()
  })

  it('begins where the last window was', async () => {
    session.select('work/design')
    session.keepPlace('work/design', { seq: 99_000, offset: 12 })
    session.flush()
    const next = new Session(backend)
    await next.start()
    expect(next.chat?.key).toBe('work/design')
    expect(next.chat?.timeline.place).toEqual({ seq: 99_000, offset: 12 })
  })

  it('begins there even if the account opens later than the window', async () => {
    session.select('work/design')
    session.flush()
    const boot = await backend.refresh()
    const { profiles, rooms } = boot
    const opening = profiles.map((profile) => ({ ...profile, state: { kind: 'opening' as const }, me: null }))
    vi.spyOn(backend, 'refresh').mockResolvedValue({ ...boot, profiles: opening, rooms: [] })
    const next = new Session(backend)
    await next.start()
    expect(next.chat).toBeNull()
    for (const profile of profiles)
      next.take([
        { kind: 'rooms', profile: profile.id, rooms: rooms.filter((room) => room.profile === profile.id) },
        { kind: 'profile', profile },
      ])
    expect(next.chat?.key).toBe('work/design')
  })

  it('takes what is told while the whole picture is on its way after it', async () => {
    session.select('home/jonas')
    session.flush()
    const boot = await backend.refresh()
    vi.spyOn(backend, 'refresh').mockImplementation(() => {
      backend.tell([
        { kind: 'open', target: { profile: 'work', room: 'design', seq: 4711 } },
        { kind: 'link', text: 'kith://join?token=x' },
      ])
      backend.receive('amina', 'amina', 'newer than the picture')
      return Promise.resolve(boot)
    })
    const next = new Session(backend)
    await next.start()
    expect(next.chat?.key).toBe('work/design')
    expect(next.wanted?.seq).toBe(4711)
    expect(next.link).toBe('kith://join?token=x')
    expect(next.rooms.get('home/amina')?.unread).toBe(3)
  })

  it('does not begin with a chat that nobody chose to read', () => {
    expect(session.chat).not.toBeNull()
    expect(session.rooms.get(session.chat?.key ?? null)?.unread).toBe(0)
  })

  it('asks again for all that is shown when it fell behind', async () => {
    session.select('home/jonas')
    await settled()
    const asked = vi.spyOn(backend, 'roomOpen')
    backend.tell([{ kind: 'lagged' }])
    await vi.waitFor(() => expect(asked).toHaveBeenCalled())
  })

  it('tells the worst of several connections', () => {
    backend.tell([
      { kind: 'connection', profile: 'work', connection: { kind: 'offline', retryAt: null, why: null } },
    ])
    expect(session.profiles.worst?.profile.id).toBe('work')
  })
})
