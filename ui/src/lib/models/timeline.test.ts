import type { Line } from '$lib/backend'
import { FakeBackend } from '$lib/backend/fake/fake'
import { lineBy } from '$lib/backend/fake/room'
import { beforeEach, describe, expect, it } from 'vitest'
import { People } from './people.svelte'
import { Timeline } from './timeline.svelte'

const REF = { profile: 'work', room: 'design' }
const NEWEST = 100_000

let backend: FakeBackend
let timeline: Timeline

beforeEach(async () => {
  backend = new FakeBackend({ answerAfterMs: 0 })
  timeline = new Timeline(backend, new People(), REF)
  await timeline.open(NEWEST, 0, null)
})

const seqs = () => timeline.lines.map((line) => line.seq)
const isWhole = () => {
  const placed = seqs().filter((seq) => seq !== null)
  return placed.every((seq, at) => at === 0 || seq === (placed[at - 1] ?? 0) + 1)
}
const stored = (seq: number, text = 'new'): Line => ({
  ...lineBy('acc-jonas', `design.${seq}`, 0, text),
  seq,
})
const echo = (id: string): Line => ({ ...lineBy('acc-mira', id, 0, 'mine'), state: { kind: 'sending' } })

describe('a timeline', () => {
  it('opens at the newest lines', () => {
    expect(timeline.lastSeq).toBe(NEWEST)
    expect(timeline.atEnd).toBe(true)
    expect(timeline.atStart).toBe(false)
  })

  it('grows upwards without gaps or doubles', async () => {
    const before = timeline.lines.length
    await timeline.loadOlder()
    await timeline.loadOlder()
    expect(timeline.lines.length).toBe(before * 3)
    expect(timeline.grewAbove).toBe(true)
    expect(isWhole()).toBe(true)
  })

  it('asks once, however often it is told that the end is near', async () => {
    const before = timeline.lines.length
    await Promise.all([timeline.loadOlder(), timeline.loadOlder(), timeline.loadOlder()])
    expect(timeline.lines.length).toBe(before * 2)
  })

  it('puts an echo at the end, and its stored form in its place', () => {
    timeline.apply(false, [echo('a'), echo('b')], [])
    timeline.apply(false, [{ ...echo('a'), seq: NEWEST + 1, state: { kind: 'sent' } }], [])
    expect(seqs().slice(-3)).toEqual([NEWEST, NEWEST + 1, null])
    timeline.apply(false, [{ ...echo('b'), seq: NEWEST + 2, state: { kind: 'sent' } }], [])
    expect(seqs().slice(-2)).toEqual([NEWEST + 1, NEWEST + 2])
    expect(isWhole()).toBe(true)
  })

  it('puts what others wrote before the echoes', () => {
    timeline.apply(false, [echo('a')], [])
    timeline.apply(false, [stored(NEWEST + 1)], [])
    expect(seqs().slice(-2)).toEqual([NEWEST + 1, null])
  })

  it('takes a line twice as one', () => {
    const before = timeline.lines.length
    timeline.apply(false, [stored(NEWEST + 1)], [])
    timeline.apply(false, [stored(NEWEST + 1, 'edited')], [])
    expect(timeline.lines.length).toBe(before + 1)
    expect(timeline.lines.at(-1)?.text).toBe('edited')
  })

  it('closes a gap in the middle', () => {
    timeline.apply(false, [stored(NEWEST + 2)], [])
    timeline.apply(false, [stored(NEWEST + 1)], [])
    expect(isWhole()).toBe(true)
  })

  it('ignores changes of lines above what is loaded', () => {
    const before = timeline.lines
    timeline.apply(false, [stored(17)], [])
    expect(timeline.lines).toEqual(before)
  })

  it('ignores new lines while it shows an old stretch', async () => {
    await timeline.reach(500)
    expect(timeline.atEnd).toBe(false)
    timeline.apply(false, [stored(NEWEST + 1)], [])
    expect(timeline.lastSeq).toBeLessThan(1000)
    await timeline.loadNewer()
    expect(isWhole()).toBe(true)
  })

  it('takes lines away', () => {
    timeline.apply(false, [echo('a')], [])
    timeline.apply(false, [], ['a'])
    expect(timeline.find('a')).toBeUndefined()
  })

  it('opens around what was not read, if that is far up', async () => {
    const other = new Timeline(backend, new People(), REF)
    await other.open(90_000, 10_000, null)
    expect(other.firstSeq).toBeLessThan(90_000)
    expect(other.lastSeq).toBeGreaterThan(90_000)
    expect(other.rows.some((row) => row.row === 'unread')).toBe(true)
  })

  it('lets go of what is far away, and finds it again', async () => {
    for (let page = 0; page < 40; page++) {
      timeline.place = { seq: timeline.firstSeq ?? 0, offset: 0 }
      await timeline.loadOlder()
      timeline.letGo()
      expect(isWhole()).toBe(true)
    }
    expect(timeline.lines.length).toBeLessThanOrEqual(1500)
    expect(timeline.atEnd).toBe(false)
    expect(timeline.firstSeq).toBe(NEWEST - 41 * 60 + 1)
    for (let page = 0; page < 40; page++) {
      timeline.place = { seq: timeline.lastSeq ?? 0, offset: 0 }
      await timeline.loadNewer()
      timeline.letGo()
      expect(isWhole()).toBe(true)
    }
    timeline.place = null
    timeline.letGo()
    expect(isWhole()).toBe(true)
    expect(timeline.lines.length).toBeLessThanOrEqual(1500)
    expect(timeline.lastSeq).toBe(NEWEST)
    expect(timeline.atEnd).toBe(true)
  })

  it('keeps what is being looked at', async () => {
    for (let page = 0; page < 40; page++) await timeline.loadOlder()
    timeline.letGo()
    expect(timeline.lastSeq).toBe(NEWEST)
    expect(timeline.atEnd).toBe(true)
    for (let page = 0; page < 40; page++) await timeline.loadOlder()
    const before = timeline.lines
    timeline.place = { seq: NEWEST - 60, offset: 0 }
    timeline.letGo()
    expect(timeline.lines).toBe(before)
  })

  it('says what failed', async () => {
    const other = new Timeline(backend, new People(), { profile: 'work', room: 'none' })
    await other.open(0, 0, null)
    expect(other.error?.code).toBe('notFound')
  })

  it('forgets an answer that came too late', async () => {
    const old = timeline.reach(500)
    const newest = timeline.loadNewest()
    await Promise.all([old, newest])
    expect(timeline.lastSeq).toBe(NEWEST)
  })
})
