import { describe, expect, it } from 'vitest'
import { muteFor, muteWords } from './mutes'

const NOW = new Date(2026, 8, 16, 22, 30).getTime()

describe('muteFor', () => {
  it('ends when it says', () => {
    expect(muteFor('off', NOW)).toEqual({ kind: 'off' })
    expect(muteFor('hour', NOW)).toEqual({ kind: 'until', at: NOW + 3_600_000 })
    expect(muteFor('eightHours', NOW)).toEqual({ kind: 'until', at: NOW + 28_800_000 })
    expect(muteFor('tomorrow', NOW)).toEqual({ kind: 'until', at: new Date(2026, 8, 17, 8).getTime() })
    expect(muteFor('forever', NOW)).toEqual({ kind: 'forever' })
  })
})

describe('muteWords', () => {
  it('names the end while it lies ahead', () => {
    const mute = muteFor('hour', NOW)
    expect(muteWords(mute, NOW)).toContain('Muted until')
    expect(muteWords(mute, NOW + 3_600_000)).toBe('On')
    expect(muteWords({ kind: 'forever' }, NOW)).toBe('Muted')
  })
})
