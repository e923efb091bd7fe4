import { accountOf } from '$lib/backend/fake/people'
import { lineBy } from '$lib/backend/fake/room'
import { describe, expect, it } from 'vitest'
import { rowsOf } from './timeline-rows'

const NOON = new Date(2026, 8, 16, 12).getTime()
const MINUTE = 60_000

function line(seq: number, by: string, at: number) {
  return { ...lineBy(accountOf(by), `room.${seq}`, at, `text ${seq}`), seq }
}

describe('rows of a timeline', () => {
  it('names a sender once in a run, and again after a pause or another person', () => {
    const rows = rowsOf(
      [
        line(1, 'jonas', NOON),
        line(2, 'jonas', NOON + MINUTE),
        line(3, 'amina', NOON + 2 * MINUTE),
        line(4, 'jonas', NOON + 3 * MINUTE),
        line(5, 'jonas', NOON + 30 * MINUTE),
      ],
      null,
    )
    const firsts = rows.flatMap((row) => (row.row === 'message' ? [row.first] : []))
    expect(firsts).toEqual([true, false, true, true, true])
  })

  it('divides days once, even if a clock of an author goes back', () => {
    const rows = rowsOf(
      [
        line(1, 'jonas', NOON),
        line(2, 'jonas', NOON + 24 * 60 * MINUTE),
        line(3, 'amina', NOON - MINUTE),
        line(4, 'jonas', NOON + 24 * 60 * MINUTE),
      ],
      null,
    )
    expect(rows.map((row) => row.row)).toEqual([
      'top',
      'day',
      'message',
      'day',
      'message',
      'message',
      'message',
    ])
  })

  it('puts the divider of what is new before the first line of somebody else', () => {
    const rows = rowsOf([line(1, 'jonas', NOON), line(2, 'mira', NOON), line(3, 'jonas', NOON)], 1)
    expect(rows.map((row) => row.row)).toEqual(['top', 'day', 'message', 'message', 'unread', 'message'])
  })

  it('gives the same row for the same line, so that nothing is drawn in vain', () => {
    const lines = [line(1, 'jonas', NOON), line(2, 'amina', NOON)]
    expect(rowsOf([...lines, line(3, 'amina', NOON)], null)[2]).toBe(rowsOf(lines, null)[2])
  })

  it('has keys that are unique', () => {
    const lines = Array.from({ length: 300 }, (_, at) => line(at + 1, 'jonas', NOON + at * 60 * MINUTE))
    const keys = rowsOf(lines, 40).map((row) => row.key)
    expect(new Set(keys).size).toBe(keys.length)
  })
})
