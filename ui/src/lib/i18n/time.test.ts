import { afterEach, describe, expect, it } from 'vitest'
import { locale } from './locale.svelte'
import { ago, bytes, dayName, duration, inTime, lineTime, listOf } from './time'

const NOON = new Date(2026, 8, 16, 12).getTime()
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

afterEach(() => locale.use('en'))

describe('times', () => {
  it('are relative while they are fresh, then the time of day, then dates', () => {
    expect(lineTime(NOON - 10_000, NOON)).toBe('now')
    expect(lineTime(NOON - 5 * MINUTE, NOON)).toBe('5 min. ago')
    expect(lineTime(NOON - 2 * HOUR, NOON)).toMatch(/^10:00/)
    expect(ago(NOON - DAY, NOON)).toBe('Yesterday')
    expect(ago(NOON - 3 * DAY, NOON)).toBe('Sun')
    expect(ago(NOON - 40 * DAY, NOON)).toMatch(/Aug/)
  })

  it('of a clock that is ahead are now, unless it is far ahead', () => {
    expect(lineTime(NOON + 2 * MINUTE, NOON)).toBe('now')
    expect(lineTime(NOON + 3 * HOUR, NOON)).toMatch(/3:00|15:00/)
  })

  it('have names for days', () => {
    expect(dayName(NOON, NOON)).toBe('Today')
    expect(dayName(NOON - DAY, NOON)).toBe('Yesterday')
    expect(dayName(NOON - 3 * DAY, NOON)).toBe('Sunday')
    expect(dayName(NOON - 400 * DAY, NOON)).toContain('2025')
  })

  it('speak the language that is set', async () => {
    await locale.use('de')
    expect(lineTime(NOON - 5 * MINUTE, NOON)).toBe('vor 5 Min.')
    expect(dayName(NOON, NOON)).toBe('Heute')
    expect(listOf(['A', 'B', 'C'])).toBe('A, B und C')
  })

  it('say when something is to come, and how large something is', () => {
    expect(inTime(NOON + 90_000, NOON)).toBe('in 2 minutes')
    expect(inTime(NOON + 5 * HOUR, NOON)).toBe('in 5 hours')
    expect([30, 60, 300, 90, 7200, 86_400].map(duration)).toEqual([
      '30 seconds',
      '1 minute',
      '5 minutes',
      '90 seconds',
      '2 hours',
      '1 day',
    ])
    expect(bytes(84_213_760)).toBe('84.2 MB')
  })
})
