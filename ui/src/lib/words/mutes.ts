import type { Mute } from '$lib/backend'
import { dateAndTime, daysAgo, m, timeOfDay } from '$lib/i18n'

export type MuteFor = 'off' | 'hour' | 'eightHours' | 'tomorrow' | 'forever'

/** A wish that begins now. Tomorrow begins at eight in the morning. */
export function muteFor(span: MuteFor, now: number): Mute {
  switch (span) {
    case 'off':
      return { kind: 'off' }
    case 'hour':
      return { kind: 'until', at: now + 3_600_000 }
    case 'eightHours':
      return { kind: 'until', at: now + 8 * 3_600_000 }
    case 'tomorrow': {
      const morning = new Date(now)
      morning.setDate(morning.getDate() + 1)
      return { kind: 'until', at: morning.setHours(8, 0, 0, 0) }
    }
    case 'forever':
      return { kind: 'forever' }
  }
}

/** How long a chat is silent, or that it is not. */
export function muteWords(mute: Mute, now: number): string {
  if (mute.kind === 'forever') return m.details_muted()
  if (mute.kind === 'off' || mute.at <= now) return m.details_not_muted()
  return m.details_muted_until({
    time: daysAgo(mute.at, now) === 0 ? timeOfDay(mute.at) : dateAndTime(mute.at),
  })
}
