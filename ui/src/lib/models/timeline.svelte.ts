import {
  errorOf,
  type AppError,
  type Backend,
  type Line,
  type LineId,
  type Page,
  type RoomRef,
} from '$lib/backend'
import type { People } from './people.svelte'
import { rowsOf, type Row } from './timeline-rows'

const PAGE_LINES = 60
/** With more lines than this, those that are farthest away are let go. */
const LINES_MAX = 1500
const LINES_KEPT = 1000

/** Where somebody was in a timeline: the line at the top edge, and how far it is scrolled out (pixels). */
export interface Place {
  seq: number
  offset: number
}

/** What is loaded of one chat: a stretch without gaps, usually up to the newest line. */
export class Timeline {
  lines: readonly Line[] = $state.raw([])
  /** Nothing comes before the first line. */
  atStart = $state(false)
  /** Nothing comes behind the last line. */
  atEnd = $state(true)
  loaded = $state(false)
  error: AppError | null = $state(null)
  loadingOlder = $state(false)
  loadingNewer = $state(false)
  /** Whether the last change put lines at the beginning: then places are counted from the end. */
  grewAbove = $state(false)
  /** Everything up to here had been read when the chat was opened; `null`: there was nothing new. */
  unreadAfter: number | null = $state(null)
  /** Where to return to; `null`: to the newest. */
  place: Place | null = null
  /** Whoever draws this says here how to find out where the person is. */
  look: (() => void) | null = null

  readonly rows: Row[] = $derived(rowsOf(this.lines, this.unreadAfter))
  private index = new Map<LineId, number>()
  private indexed: readonly Line[] | null = null
  private generation = 0

  constructor(
    private readonly backend: Backend,
    private readonly people: People,
    readonly ref: RoomRef,
  ) {}

  get firstSeq(): number | null {
    return this.lines.find((line) => line.seq !== null)?.seq ?? null
  }

  get lastSeq(): number | null {
    return this.lines.findLast((line) => line.seq !== null)?.seq ?? null
  }

  /** Loads what is to be seen first: around `seq`, around the place that was left, around what is new, or the newest. */
  async open(readUpTo: number, unread: number, seq: number | null): Promise<void> {
    const { profile, room } = this.ref
    this.unreadAfter = unread > 0 ? readUpTo : null
    await this.load(async () => {
      const newest = await this.backend.roomOpen(profile, room, PAGE_LINES)
      const wanted = seq ?? (unread > 0 ? readUpTo : this.place?.seq)
      const first = newest.lines.find((line) => line.seq !== null)?.seq ?? 0
      if (wanted === undefined || newest.atStart || wanted > first + 5) return newest
      return this.backend.historyAround(profile, room, wanted, PAGE_LINES * 2)
    })
  }

  close(): void {
    this.generation++
    this.loaded = false
    void this.backend.roomClose(this.ref.profile, this.ref.room).catch(() => undefined)
  }

  async loadNewest(): Promise<void> {
    await this.load(() => this.backend.roomOpen(this.ref.profile, this.ref.room, PAGE_LINES))
  }

  async loadOlder(): Promise<void> {
    const before = this.firstSeq
    if (this.atStart || this.loadingOlder || before === null) return
    this.loadingOlder = true
    try {
      const { profile, room } = this.ref
      const page = await this.current(this.backend.historyBefore(profile, room, before, PAGE_LINES))
      if (!page) return
      this.grewAbove = true
      this.lines = [...page.lines.filter((line) => !this.has(line.id)), ...this.lines]
      this.atStart = page.atStart
    } finally {
      this.loadingOlder = false
    }
  }

  async loadNewer(): Promise<void> {
    const after = this.lastSeq
    if (this.atEnd || this.loadingNewer || after === null) return
    this.loadingNewer = true
    try {
      const { profile, room } = this.ref
      const page = await this.current(this.backend.historyAfter(profile, room, after, PAGE_LINES))
      if (!page) return
      this.grewAbove = false
      this.lines = [...this.lines, ...page.lines.filter((line) => !this.has(line.id))]
      this.atEnd = page.atEnd
    } finally {
      this.loadingNewer = false
    }
  }

  /**
   * Whoever is far up has no need of what is below, and whoever is at the end of what is far up. In between all stays: the list
   * keeps its distance from the end for a while after its beginning changed, and what is drawn below then would move what is seen.
   */
  letGo(): void {
    const { lines, place } = this
    if (lines.length <= LINES_MAX || this.loadingOlder || this.loadingNewer) return
    const below = lines[LINES_KEPT]?.seq ?? null
    if (place === null) {
      this.grewAbove = true
      this.lines = lines.slice(-LINES_KEPT)
      this.atStart = false
    } else if (below !== null && place.seq < below - PAGE_LINES) {
      this.grewAbove = false
      this.lines = lines.slice(0, LINES_KEPT)
      this.atEnd = false
    }
  }

  /** Makes sure that a place is loaded. */
  async reach(seq: number): Promise<void> {
    const first = this.firstSeq
    const last = this.lastSeq
    if (first !== null && last !== null && seq >= first && seq <= last) return
    await this.load(() => this.backend.historyAround(this.ref.profile, this.ref.room, seq, PAGE_LINES * 2))
  }

  /** Takes in what the engine tells: new lines, changed lines, lines that are gone. */
  apply(reset: boolean, lines: readonly Line[], removed: readonly LineId[]): void {
    if (!this.loaded) return
    if (reset) this.take({ lines: [...lines], people: [], atStart: false, atEnd: true })
    else for (const line of lines) this.put(line)
    if (removed.length === 0) return
    this.grewAbove = false
    this.lines = this.lines.filter((line) => !removed.includes(line.id))
  }

  /** More came than was told: what is shown is asked for again. */
  async refresh(): Promise<void> {
    if (!this.loaded) return
    const { profile, room } = this.ref
    const last = this.lastSeq
    if (this.atEnd || last === null)
      await this.load(() => this.backend.roomOpen(profile, room, Math.max(PAGE_LINES, this.lines.length)))
    else await this.load(() => this.backend.historyAround(profile, room, last, PAGE_LINES * 2))
  }

  find(id: LineId): Line | undefined {
    const at = this.positions().get(id)
    return at === undefined ? undefined : this.lines[at]
  }

  /** Where a line stands among the rows; -1 if it is not loaded. */
  rowOf(id: LineId): number {
    return this.rows.findIndex((row) => row.key === id)
  }

  /** The first row at or behind a place; -1 if there is none. */
  rowOfSeq(seq: number): number {
    return this.rows.findIndex((row) => 'line' in row && row.line.seq !== null && row.line.seq >= seq)
  }

  /** The last text of one's own that can still be changed. */
  lastOwn(): Line | undefined {
    return this.lines.findLast(
      (line) => line.own && line.kind === 'text' && !line.redacted && line.state.kind !== 'failed',
    )
  }

  private async load(ask: () => Promise<Page>): Promise<void> {
    this.generation++
    const page = await this.current(ask())
    if (page) this.take(page)
  }

  /** The answer, unless something else was asked meanwhile. */
  private async current(asked: Promise<Page>): Promise<Page | null> {
    const generation = this.generation
    try {
      const page = await asked
      if (generation !== this.generation) return null
      this.people.learn(this.ref.profile, page.people)
      this.error = null
      return page
    } catch (thrown) {
      if (generation === this.generation) this.error = errorOf(thrown)
      return null
    }
  }

  private take(page: Page): void {
    this.grewAbove = false
    this.lines = page.lines
    this.atStart = page.atStart
    this.atEnd = page.atEnd
    this.loaded = true
  }

  /** Puts a line where it belongs: in its old place, or by its seq; local echoes stand at the end. */
  private put(line: Line): void {
    this.grewAbove = false
    const at = this.positions().get(line.id)
    if (at !== undefined && this.lines[at]?.seq === line.seq) {
      this.lines = this.lines.with(at, line)
      return
    }
    const others = at === undefined ? this.lines : this.lines.toSpliced(at, 1)
    if (line.seq === null) {
      if (this.atEnd) this.lines = [...others, line]
      return
    }
    const seq = line.seq
    const last = others.findLastIndex((other) => other.seq !== null)
    if (seq > (others[last]?.seq ?? 0)) {
      if (this.atEnd) this.lines = others.toSpliced(last + 1, 0, line)
      return
    }
    const before = others.findIndex((other) => other.seq !== null && other.seq > seq)
    // Older than the stretch: it will be there when it is asked for.
    if (before > 0 || this.atStart) this.lines = others.toSpliced(before, 0, line)
  }

  private has(id: LineId): boolean {
    return this.positions().has(id)
  }

  private positions(): Map<LineId, number> {
    if (this.indexed !== this.lines) {
      this.index = new Map(this.lines.map((line, at) => [line.id, at]))
      this.indexed = this.lines
    }
    return this.index
  }
}
