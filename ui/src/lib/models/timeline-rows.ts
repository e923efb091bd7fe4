import type { Line } from '$lib/backend'

/** What stands in a timeline, from top to bottom. */
export type Row =
  | { row: 'top'; key: string }
  | { row: 'day'; key: string; at: number }
  | { row: 'unread'; key: string }
  | { row: 'message'; key: string; line: Line; first: boolean }
  | { row: 'control'; key: string; line: Line }

/** A pause after which the same sender is named again. */
const RUN_MS_MAX = 7 * 60_000

const cache = new WeakMap<Line, { first: Row; follows: Row }>()

const TOP: Row = { row: 'top', key: 'top' }

/** Lines with what divides them. `unreadAfter`: the last place that had been read when the chat was opened. */
export function rowsOf(lines: readonly Line[], unreadAfter: number | null): Row[] {
  const rows: Row[] = [TOP]
  let before: Line | undefined
  let day = Number.NEGATIVE_INFINITY
  let wanted = unreadAfter !== null
  for (const line of lines) {
    if (isPlain(line)) continue
    let divided = false
    const itsDay = new Date(line.at).setHours(0, 0, 0, 0)
    // Clocks of authors differ: a day is announced once, and never goes back.
    if (itsDay > day) {
      rows.push({ row: 'day', key: `day:${itsDay}`, at: itsDay })
      day = itsDay
      divided = true
    }
    if (
      wanted &&
      line.seq !== null &&
      line.seq > (unreadAfter ?? 0) &&
      !line.own &&
      line.kind !== 'control'
    ) {
      rows.push({ row: 'unread', key: 'unread' })
      wanted = false
      divided = true
    }
    rows.push(rowOf(line, divided || !before || !continues(before, line)))
    before = line
  }
  return rows
}

/** That two people have opened their chat goes without saying. */
function isPlain(line: Line): boolean {
  const [first] = line.changes
  return line.kind === 'control' && first?.kind === 'created' && first.room !== 'group'
}

function continues(before: Line, line: Line): boolean {
  return (
    before.sender === line.sender &&
    before.kind !== 'control' &&
    line.kind !== 'control' &&
    line.replyTo === null &&
    Math.abs(line.at - before.at) < RUN_MS_MAX
  )
}

/** The same object for the same line, so that what did not change is not drawn again. */
function rowOf(line: Line, first: boolean): Row {
  let rows = cache.get(line)
  if (!rows) {
    const make = (first: boolean): Row =>
      line.kind === 'control'
        ? { row: 'control', key: line.id, line }
        : { row: 'message', key: line.id, line, first }
    rows = { first: make(true), follows: make(false) }
    cache.set(line, rows)
  }
  return first ? rows.first : rows.follows
}
