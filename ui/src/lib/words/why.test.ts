import { describe, expect, it } from 'vitest'
import { whyWords } from './why'

describe('why somebody was notified, or not', () => {
  it('says how much, and until when, where that is known', () => {
    const at = Date.UTC(2026, 8, 16, 12)
    expect(whyWords({ notified: true, reason: 'summarized', at, messages: 324, chats: 6 })).toContain(
      '324 messages in 6 chats',
    )
    expect(whyWords({ notified: true, reason: 'summarized', at })).toContain('many messages')
    expect(whyWords({ notified: false, reason: 'doNotDisturb', at, until: at })).toMatch(/until .*16/)
    expect(whyWords({ notified: false, reason: 'mutedForATime', at })).toContain('for a time')
    expect(whyWords({ notified: false, reason: 'muted', at, until: at })).not.toContain('until')
  })
})
